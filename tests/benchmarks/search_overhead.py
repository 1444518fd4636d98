"""What a search costs beside its model: time and memory, at three sizes of the tree.

The model here is told what to say: sentences of a usual length, all different, without
thinking. What a search takes is then its own: environment, tree, votes and the usual
scorer, which reads the arithmetic. `share` is measured with abacus: the part of a
search's time that is not spent in the model.
"""

import gc
import time
import tracemalloc
from functools import partial

from frame import Row, alternate

from helpers.env import GSM8KEnv, Problem
from helpers.llm import LLMGen, Step, derive_seed
from helpers.problems import generate
from helpers.search import SearchResult, beam_search, dvts, mcts, walk

SIZES = 100, 1_000, 10_000  # nodes, about
BRANCHING, DEPTH, TOKENS = 8, 6, 20  # TOKENS: of a step
STRATEGIES = {
    "beam_search": partial(beam_search, branching=BRANCHING),
    "dvts": partial(dvts, branching=BRANCHING),
    "mcts": partial(mcts, branching=BRANCHING, simulations=10**6),
}
PROBLEM = Problem(**generate("validation", 1)[0])


class Told:
    """A model that adds numbers and, after DEPTH steps, says the last one again."""

    def sample(
        self, prompt: str, k: int, seed: int | None = None, image: str | None = None
    ) -> list[Step]:
        """k steps, of which no two in a tree are equal."""
        done = prompt.partition("Answer:\n")[2].count("\n")
        first = derive_seed(seed or 0, prompt) % 10**6
        sums = [(first + i, 2 * (first + i)) for i in range(k)]
        form = "The answer is {1}." if done + 1 >= DEPTH else (
            "So together they have {0}+{0} = {1} of the apples."
        )  # fmt: skip
        return [Step(form.format(*x), TOKENS, -5.0, "stop") for x in sums]


class Stopwatch:
    """A model, and the seconds spent in it."""

    def __init__(self, llm: Told | LLMGen) -> None:
        self.llm, self.seconds = llm, 0.0

    def sample(self, *arguments: object) -> list[Step]:
        """What the model says."""
        start = time.perf_counter()
        steps = self.llm.sample(*arguments)
        self.seconds += time.perf_counter() - start
        return steps


def search(name: str, llm: Told | LLMGen | Stopwatch, size: int) -> SearchResult:
    """A search for a tree of about so many nodes."""
    env = GSM8KEnv(PROBLEM, llm, is_few_shot=False)
    env.reset(seed=0)
    options = {} if name == "mcts" else {"n": max(BRANCHING, size // DEPTH)}
    return STRATEGIES[name](env, llm, budget=size * TOKENS + 200, **options)


def nodes(found: SearchResult) -> int:
    """How many nodes the tree has."""
    return sum(1 for _ in walk(found.tree))


def microseconds(name: str, size: int, number: int) -> float:
    """Outside the model, a node."""
    llm = Stopwatch(Told())
    start = time.perf_counter()
    found = search(name, llm, size)
    spent = time.perf_counter() - start - llm.seconds
    return 1e6 * spent / nodes(found)


def bytes_a_node(name: str, size: int, number: int) -> float:
    """What a finished search keeps, a node."""
    gc.collect()
    tracemalloc.start()
    try:
        found = search(name, Told(), size)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] / nodes(found)
    finally:
        tracemalloc.stop()


def share(name: str, size: int, number: int) -> float:
    """The part of the time outside abacus, in percent."""
    llm = Stopwatch(LLMGen("abacus"))
    start = time.perf_counter()
    search(name, llm, size)
    spent = time.perf_counter() - start
    return 100 * (1 - llm.seconds / spent)


def rows(rounds: int, quick: bool = False) -> list[Row]:
    """Each strategy at each size."""
    sizes = (30,) if quick else SIZES
    kinds = [
        ("time outside the model", "µs a node", microseconds, sizes, rounds),
        ("memory", "bytes a node", bytes_a_node, sizes, 1),  # always the same
        ("share outside abacus", "% of the time", share, sizes[:2], rounds),
    ]
    found = []
    for task, unit, function, sizes, times in kinds:
        for size in sizes:
            runs = {name: partial(function, name, size) for name in STRATEGIES}
            told = alternate(runs, times, warm=False)
            task_here = f"{task}, {size:,} nodes"
            found += [Row(task_here, name, unit, told[name]) for name in told]
    return found

"""What a search costs beside its model: `python tests/benchmarks/search_overhead.py`.

Prints, for trees of abacus of up to about 1,000 nodes, the share of the time that is
not spent in the model, and the memory a node takes. No test asserts these numbers: they
depend on the machine.
"""

import gc
import os
import sys
import time
import tracemalloc
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from helpers.abacus.problems import generate
from helpers.budget import SearchResult
from helpers.env import GSM8KEnv, Problem
from helpers.llm import LLMGen
from helpers.search import beam_search, depth_first, mcts
from helpers.tree import walk
from helpers.voting import self_consistency

STRATEGIES = {  # with so many tokens, a tree of about 1,000 nodes
    "self_consistency": (self_consistency, 75_000, {"n": 800}),
    "beam_search": (beam_search, 75_000, {"n": 1000, "branching": 8}),
    "mcts": (mcts, 75_000, {"branching": 8, "c_puct": 4.0}),
    "depth_first": (depth_first, 60_000, {"branching": 6}),
}


class Stopwatch:
    """A model, and the seconds spent in it."""

    def __init__(self, llm):
        self.llm, self.seconds = llm, 0.0

    def sample(self, *arguments):
        start = time.perf_counter()
        steps = self.llm.sample(*arguments)
        self.seconds += time.perf_counter() - start
        return steps


def search(name: str, llm: LLMGen, budget: int = 0) -> SearchResult:
    """One search on one long problem."""
    strategy, usual, options = STRATEGIES[name]
    env = GSM8KEnv(Problem(**PROBLEM), llm, is_few_shot=False)
    env.reset(seed=0)
    return strategy(env, llm, budget=budget or usual, seed=0, **options)


def traced(llm: LLMGen) -> int:
    """Bytes in use, without the texts that the engine remembers."""
    llm.connection.client.engine.memory.clear()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


PROBLEM = max(generate("validation", 40), key=lambda row: row["answer"].count("\n"))

if __name__ == "__main__":
    print("strategy          nodes  seconds  outside the model")
    for name in STRATEGIES:
        llm = Stopwatch(LLMGen("abacus"))
        start = time.perf_counter()
        nodes = len(list(walk(search(name, llm).tree)))
        total = time.perf_counter() - start
        share = 1 - llm.seconds / total
        print(f"{name:17} {nodes:5} {total:8.1f} {share:10.1%}", flush=True)
    print("\nbudget    nodes   KiB in all   KiB a node   (mcts)")
    tracemalloc.start()
    for budget in (1_000, 4_000, 16_000):
        llm = LLMGen("abacus")
        search("mcts", llm, 500)  # the model itself is in memory now
        before = traced(llm)
        result = search("mcts", llm, budget)
        size = (traced(llm) - before) / 1024
        nodes = len(list(walk(result.tree)))
        print(f"{budget:6} {nodes:8} {size:12.0f} {size / nodes:12.2f}", flush=True)

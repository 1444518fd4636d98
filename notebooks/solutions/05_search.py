"""Solutions of notebook 05, a cell each; between the marks stands what is solved.

`make class` puts them into the teacher's edition; the tests run them.
"""

# %% setup
from math import sqrt

from helpers.env import CoTEnv, GSM8KEnv, Problem
from helpers.llm import LLMGen
from helpers.problems import load_problems
from helpers.rewards import AGGREGATIONS, ArithmeticChecker, Scorer, aggregate
from helpers.search import (
    Budget,
    Node,
    Search,
    SearchResult,
    draw_paths,
    leaves,
    mcts,
    rank,
)

# %% exercise_5_1
next_child = ...  # "A", "B" or "C"
its_score = ...
turning_point = ...
### BEGIN SOLUTION
table = {"A": (0.9, 0.1, 10), "B": (0.4, 0.6, 4), "C": (0.6, 0.3, 2)}
claims = {x: v + p * sqrt(16) / (1 + n) for x, (v, p, n) in table.items()}
next_child = max(claims, key=claims.get)
its_score = claims[next_child]
# 0.9 + c * 0.4/11 = 0.6 + c * 1.2/3
turning_point = 0.3 / (1.2 / 3 - 0.4 / 11)
### END SOLUTION


# %% exercise_5_2
def both_winners(votes: list[tuple[int, float]]) -> tuple[int, int]:
    """The winner by the values, and by the rescaled values."""
    ### BEGIN SOLUTION
    low = min(value for _, value in votes)
    wide = max(value for _, value in votes) - low

    def winner(votes: list[tuple[int, float]]) -> int:
        """The answer of the largest sum."""
        sums = {}
        for answer, value in votes:
            sums[answer] = sums.get(answer, 0) + value
        return max(sums, key=sums.get)

    rescaled = [(answer, (value - low) / wide if wide else 1.0)
                for answer, value in votes]  # fmt: skip
    return winner(votes), winner(rescaled)
    ### END SOLUTION


# %% exercise_5_3
def wrong_options(make_scorer=aggregate) -> set[str]:
    """The names of AGGREGATIONS with which it does something else."""
    ### BEGIN SOLUTION
    from math import isclose

    from helpers.rewards import Path

    scores = {"one": [0.9, 0.3, 1.0, 0.7], "two": [0.4, 0.2, 0.8, 0.6]}
    paths = [Path(name, ()) for name in scores]
    wrong = set()
    for how, join in AGGREGATIONS.items():
        scorer = make_scorer(lambda path: scores[path.prompt], how)
        pairs = zip(scorer(paths), scores.values(), strict=True)
        if not all(isclose(got, join(steps)) for got, steps in pairs):
            wrong.add(how)
    return wrong
    ### END SOLUTION


# %% exercise_5_4
never_gain = ...  # a set of names of AGGREGATIONS


def careless_best(search: Search, n: int) -> Node:
    """Draw n paths; the leaf of the highest value, finished or not."""
    ### BEGIN SOLUTION
    draw_paths(search, n)
    return max(leaves(search.root), key=lambda leaf: leaf.value)
    ### END SOLUTION


def favours_cut(scorer: Scorer, whole: list) -> float:
    """The share of paths of which some beginning scores higher."""
    ### BEGIN SOLUTION
    from dataclasses import replace

    def is_beaten(path) -> bool:
        """Does a beginning score higher than the whole?"""
        lengths = range(1, len(path.actions))
        parts = [replace(path, actions=path.actions[:i]) for i in lengths]
        return max(scorer(parts)) > scorer([path])[0]

    return sum(map(is_beaten, whole)) / len(whole)


never_gain = {"min", "product"}
### END SOLUTION


# %% exercise_5_5
def best_first(
    env: CoTEnv, llm: LLMGen, scorer: Scorer | None = None, *,
    budget: float | Budget, seed: int = 0, k: int = 4,
) -> SearchResult:  # fmt: skip
    """Expand the best open node until that is a finished path."""
    ### BEGIN SOLUTION
    search = Search(env, llm, scorer, budget, seed)
    open_nodes = [search.root]
    while open_nodes:
        node = max(open_nodes, key=rank)
        open_nodes.remove(node)
        if search.is_short:
            node = search.roll_out(node)
        if node.env.terminated:
            return search.result([(node, node.value)])
        open_nodes += search.expand(node, k)
    return search.result([])
    ### END SOLUTION


# %% exercise_5_6
lost_problem = ...  # its number in the record, 0 to 499
lost_steps = ...  # the steps of the path that MCTS chose, a list of texts
### BEGIN SOLUTION
lost_problem = 397  # one of seven in the record, and of three with true equations
*_, row = load_problems("practice", "test", limit=lost_problem + 1)
abacus = LLMGen("abacus")
world = GSM8KEnv(Problem(**row), abacus, is_few_shot=False)
world.reset(seed=0)
by_min = aggregate(ArithmeticChecker().step_scores, "min")
lost_steps = mcts(world, abacus, by_min, budget=1024, seed=0).path.path
### END SOLUTION

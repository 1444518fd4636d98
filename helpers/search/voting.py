"""Strategies that draw whole paths and then choose an answer.

Vocabulary
    strategy  a function of an environment, a model, a scorer, a budget and a seed; it
              gives a `SearchResult`. The search begins where `env` stands.
    n         the papers' N: how many paths are drawn. Left out, it is what the budget
              pays for: of abacus, a path of 128 tokens each.
    count     how many of the samples said the same; a node stands for all of them.

One seed gives `self_consistency`, `best_of_n` and `weighted_vote` the same paths: they
differ in the choice alone. Covers: greedy, votes, the best of n, stopping early. Does
not cover: search that a scorer guides on its way (`guided.py`).
"""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from helpers.env import CoTEnv
from helpers.llm import LLMGen, SharedSamples, check_given, check_limits
from helpers.rewards import Path, Scorer

from .base import Search, SearchResult
from .budget import Budget
from .tree import Node

AMPLE = Budget(calls=10**9)  # for paths that no search has to pay for


def no_opinion(paths: Sequence[Path]) -> list[float]:
    """The scorer of strategies that need none: it finds every path good."""
    return [1.0] * len(paths)


def greedy(
    env: CoTEnv, llm: LLMGen, scorer: Scorer | None = None, *,
    budget: float | Budget, seed: int = 0,
) -> SearchResult:  # fmt: skip
    """Take the likeliest step each time: one path, at temperature 0."""
    search = Search(env, llm.at_temperature(0), no_opinion, budget, seed)
    return search.result([(search.roll_out(search.root), 1.0)])


def draw_paths(search: Search, n: int | None) -> list[Node]:
    """Draw n independent paths; the finished leaves, each with its count.

    A node that c of the n paths come through is sampled c times, in one batch: the
    paths are distributed as if each had been drawn by itself. Depth first, so that a
    budget that ends early leaves whole paths.
    """
    check_given(n=n)
    n = n or search.budget.pays_for(search.usual_path)
    stack = [(search.root, n)]
    while stack:
        children = search.expand(*stack.pop())
        stack += [(child, child.action.count) for child in reversed(children)]
    return search.finished()


def sample_paths(
    env: CoTEnv, llm: LLMGen | SharedSamples, n: int, seed: int = 0
) -> list[Path]:
    """The distinct ones of n finished paths that the model draws where `env` stands."""
    check_limits(n=n)
    search = Search(env, llm, no_opinion, AMPLE, seed)
    return [search.path(leaf) for leaf in draw_paths(search, n)]


def self_consistency(
    env: CoTEnv, llm: LLMGen, scorer: Scorer | None = None, *,
    budget: float | Budget, seed: int = 0, n: int | None = None,
) -> SearchResult:  # fmt: skip
    """Draw n paths; the most frequent answer wins (Wang et al. 2022, arXiv:2203.11171).

    The scorer is not asked: this is the baseline to beat.
    """
    search = Search(env, llm, no_opinion, budget, seed)
    return search.result([(x, float(x.action.count)) for x in draw_paths(search, n)])


def best_of_n(
    env: CoTEnv, llm: LLMGen, scorer: Scorer | None = None, *,
    budget: float | Budget, seed: int = 0, n: int | None = None,
) -> SearchResult:  # fmt: skip
    """Draw n paths; the answer of the best one wins (Cobbe et al. 2021,
    arXiv:2110.14168)."""
    search = Search(env, llm, scorer, budget, seed)
    return search.result([(x, x.value) for x in draw_paths(search, n)], join=max)


def weighted_vote(
    env: CoTEnv, llm: LLMGen, scorer: Scorer | None = None, *,
    budget: float | Budget, seed: int = 0, n: int | None = None,
) -> SearchResult:  # fmt: skip
    """Draw n paths; each votes with its score as its weight (Li et al. 2022,
    arXiv:2206.02336): neither counts alone nor the best score alone decide."""
    search = Search(env, llm, scorer, budget, seed)
    return search.result(by_count(draw_paths(search, n)))


def by_count(finished: list[Node]) -> list[tuple[Node, float]]:
    """Votes: the score of a leaf, once for each sample that ended in it."""
    return [(leaf, leaf.action.count * leaf.value) for leaf in finished]


def adaptive(
    env: CoTEnv, llm: LLMGen, scorer: Scorer | None = None, *,
    budget: float | Budget, seed: int = 0, n: int | None = None,
    branching: int | None = None,
) -> SearchResult:  # fmt: skip
    """Self-consistency that stops when the vote is decided.

    Depth first, the likeliest child before the others; it ends when all that is still
    open could not change the winner. So the answer is that of `self_consistency`, for
    fewer tokens, unless the budget ends first. (Aggarwal et al. 2023, arXiv:2305.11860,
    stop when a change is improbable.) With `branching`, at most so many samples are
    drawn of a node, and divide its share of the vote: it branches only where they
    disagree, after Chain-in-Tree, arXiv:2509.25835. That can change the answer.
    """
    check_given(n=n, branching=branching)
    search = Search(env, llm, no_opinion, budget, seed)
    n = n or search.budget.pays_for(search.usual_path)
    stack, votes = [(search.root, Fraction(1))], {}
    while stack:
        node, share = stack.pop()
        samples = max(1, round(n * share))
        k = search.affordable(min(samples, branching or samples))
        children = search.expand(node, k)
        for child in sorted(reversed(children), key=lambda x: x.action.count):
            part = share * Fraction(child.action.count, k)  # exact, or ties would break
            if not child.env.ended:
                stack.append((child, part))  # the likeliest one last: taken first
            elif child.answer.value is not None:
                votes[child] = part
        if is_decided(votes, still_open=sum(part for _, part in stack)):
            break
    return search.result([(x, votes[x]) for x in search.finished() if x in votes], sum)


def is_decided(votes: dict[Node, Fraction], still_open: Fraction) -> bool:
    """Is the first answer ahead by more than all that is still open?"""
    shares: Counter[Fraction] = Counter()
    for leaf, share in votes.items():
        shares[leaf.answer.value] += share
    first, second = [*sorted(shares.values(), reverse=True), 0, 0][:2]
    return first - second > still_open

"""Search in the tree of steps, guided by a scorer: strategies of the field.

Vocabulary
    strategy    a function of an environment, a model, a scorer, a budget and a seed;
                it gives a `SearchResult`. The search begins where `env` stands.
    n           the papers' N: how many paths go on side by side. Left out, it is what
                the budget pays for, of abacus, 160 tokens per path.
    branching   the papers' M, "beam width" in Search and Learn: the samples drawn of
                one node. (its_hub calls the number of *kept* nodes beam width.) Left
                out, it is the square root of n.
    keep        N / M: how many nodes of a level beam search goes on with.
    count       how many of the samples said the same; a node stands for all of them.

Of equal values the larger count wins, and of those the first sampled. Chance depends
on the seed and the place in the tree alone. `STRATEGIES` names all strategies, those
of `voting.py` too. Does not cover: scorers (`rewards/`), the account (`budget.py`).
"""

from collections.abc import Callable
from math import sqrt

import numpy as np

from helpers.env import CoTEnv
from helpers.llm import LLMGen, check_given, check_limits, derive_seed
from helpers.rewards import Scorer

from .base import Search, SearchResult
from .budget import Budget
from .tree import Node
from .voting import (
    adaptive,
    best_of_n,
    by_count,
    greedy,
    self_consistency,
    weighted_vote,
)

EDGE = 1e-3  # scores stay this far from 0 and 1 where odds are taken


def rank(node: Node) -> tuple[float, int]:
    """What a better node has more of: value, then count."""
    return node.value, node.action.count


def widths(search: Search, n: int | None, branching: int | None) -> tuple[int, int]:
    """n and branching; left out, what the budget pays for, and the root of n."""
    check_given(n=n, branching=branching)
    n = n or max(1, search.budget.pays_for(search.reserve) // (1 + search.lookahead))
    return n, min(n, branching or round(sqrt(n)))


def beam_search(
    env: CoTEnv, llm: LLMGen, scorer: Scorer | None = None, *,
    budget: float | Budget, seed: int = 0, n: int | None = None,
    branching: int | None = None, lookahead: int = 0,
) -> SearchResult:  # fmt: skip
    """Level by level, keep the best n / branching nodes and draw n steps after them.

    As in Search and Learn (Beeching et al. 2024), with N = n, M = branching; where
    fewer nodes are kept, the n samples are divided among them. A finished path keeps
    its place. Kept paths vote by their scores. `lookahead` is the k of Snell et al.
    2024, arXiv:2408.03314.
    """
    search = Search(env, llm, scorer, budget, seed, lookahead)
    n, branching = widths(search, n, branching)
    keep, beam, finished = n // branching, [search.root], []
    while beam:
        samples = max(1, n * (keep - len(finished)) // (keep * len(beam)))
        level = search.expand_level([(node, samples) for node in beam])
        level = [node for node in level if not node.env.truncated]
        kept = sorted(level, key=rank, reverse=True)[: keep - len(finished)]
        finished += [node for node in kept if node.env.ended]
        beam = [node for node in kept if not node.env.ended]
    return search.result(by_count(finished))


def dvts(
    env: CoTEnv, llm: LLMGen, scorer: Scorer | None = None, *,
    budget: float | Budget, seed: int = 0, n: int | None = None,
    branching: int | None = None, lookahead: int = 0,
) -> SearchResult:  # fmt: skip
    """Diverse verifier tree search: n / branching subtrees, greedy by score in each.

    As in Search and Learn (Beeching et al. 2024), with N = n, M = branching. n paths
    are drawn side by side until they have parted into as many different nodes as there
    are to be subtrees; of more, the best are taken. Then each subtree goes on with the
    best of its M samples. The M samples of its last step vote by their scores.
    """
    search = Search(env, llm, scorer, budget, seed, lookahead)
    n, branching = widths(search, n, branching)
    trees, level = n // branching, [(search.root, n)]
    while len(level) < trees and not all(node.env.ended for node, _ in level):
        if search.is_short:
            break
        level = [
            (child, child.action.count)
            for node, count in level
            for child in search.expand(node, count) or [node] * node.env.ended
        ]
    roots = sorted((node for node, _ in level), key=rank, reverse=True)[:trees]
    finished: list[Node] = []
    for node in roots:
        last = [node]
        while children := search.expand(node, branching):
            node, last = max(children, key=rank), children
        finished += [leaf for leaf in last if leaf.env.terminated]
    return search.result(by_count(finished))


def mcts(
    env: CoTEnv, llm: LLMGen, scorer: Scorer | None = None, *,
    budget: float | Budget, seed: int = 0, branching: int = 4, c_puct: float = 1.0,
    rollout: bool = True, simulations: int = 800,
) -> SearchResult:  # fmt: skip
    """Monte-Carlo tree search with PUCT, as in AlphaZero (Silver et al. 2018).

    A simulation goes down from the root by `puct`. With `rollout` it goes to the end
    and expands every new node on its way (as RAP, Hao et al. 2023, arXiv:2305.14992);
    without, it ends at the first new node, which is expanded when it is met again. The
    scorer's value of its last node is averaged into all nodes above; a path that is
    stuck or cut off is worth 0. Finished paths vote by visits times value. Values
    should lie in [0, 1]: `c_puct` weighs against them.
    """
    check_limits(branching=branching, simulations=simulations)
    search = Search(env, llm, scorer, budget, seed)
    for _ in range(simulations):
        if search.is_short:
            break
        simulate(search, branching, c_puct, rollout)
    ends = [leaf for leaf in search.finished() if leaf.visits]
    if not ends:  # no simulation came to an end: follow the one most visited
        node = search.root
        while node.children:
            node = max(node.children, key=lambda child: (child.visits, *rank(child)))
        ends = [search.roll_out(node)]
    return search.result([(leaf, max(1, leaf.visits) * leaf.value) for leaf in ends])


def simulate(search: Search, branching: int, c_puct: float, rollout: bool) -> None:
    """One simulation of `mcts`: select and expand, then back up."""
    node = search.root
    while children := search.expand(node, branching):
        node = max(children, key=lambda child: puct(child, c_puct))
        if not rollout and not node.visits:
            break
    is_stuck = node.env.truncated or (node.expanded and node.is_leaf)
    value = 0.0 if is_stuck else node.value
    above: Node | None = node
    while above:
        above.visits += 1
        above.value += (value - above.value) / above.visits
        above = above.parent


def puct(node: Node, c_puct: float) -> float:
    """Q + U: the value of a node, and c_puct * P * sqrt(N of parent) / (1 + N).

    P is the prior and N counts visits. An unvisited node has its score for Q (as in
    TSLLM; AlphaZero has 0), and an unvisited parent counts as visited once, so that
    the prior decides among equals from the start.
    """
    parent = max(1, node.parent.visits)
    return node.value + c_puct * node.action.prior * sqrt(parent) / (1 + node.visits)


def particle_filter(
    env: CoTEnv, llm: LLMGen, scorer: Scorer | None = None, *,
    budget: float | Budget, seed: int = 0, n: int | None = None,
) -> SearchResult:  # fmt: skip
    """n particles take a step each, then are drawn anew in proportion to their weights.

    As in Puri et al. 2025, arXiv:2502.01618: the weight of a particle is the odds of
    its score, s / (1 - s); finished ones take part in the draws. They vote by weight.
    """
    search = Search(env, llm, scorer, budget, seed)
    n, _ = widths(search, n, None)
    rng = np.random.default_rng(derive_seed(seed, "particles"))
    particles = [(search.root, n)]
    while going := [(x, count) for x, count in particles if not x.env.ended]:
        going.sort(key=lambda particle: rank(particle[0]), reverse=True)
        moved = [(child, child.action.count) for child in search.expand_level(going)]
        particles = [(x, count) for x, count in particles if x.env.ended] + moved
        if not all(node.env.ended for node, _ in particles):
            particles = resample(particles, n, rng)
    return search.result([(node, c * odds(node.value)) for node, c in particles])


def odds(score: float) -> float:
    """s / (1 - s), with s kept a little away from 0 and 1."""
    score = min(max(score, EDGE), 1 - EDGE)
    return score / (1 - score)


def resample(
    particles: list[tuple[Node, int]], n: int, rng: np.random.Generator
) -> list[tuple[Node, int]]:
    """Draw n particles, each in proportion to its weight (multinomial)."""
    weights = np.array([count * odds(node.value) for node, count in particles])
    drawn = rng.multinomial(n, weights / weights.sum())
    nodes = (node for node, _ in particles)
    return [(x, int(c)) for x, c in zip(nodes, drawn, strict=True) if c]


def depth_first(
    env: CoTEnv, llm: LLMGen, scorer: Scorer | None = None, *,
    budget: float | Budget, seed: int = 0, branching: int = 4, threshold: float = 0.5,
    paths: int | None = None,
) -> SearchResult:  # fmt: skip
    """Always go on from the best child; go back where all are worth too little.

    As in Tree of Thoughts (Yao et al. 2023, arXiv:2305.10601): nodes of a value below
    `threshold`, its v_th, are pruned, as long as the budget is not short. It ends with
    the budget, with `paths` finished paths, or with nothing left but what was pruned;
    if nothing is finished then, the best of that is followed. They vote by scores.
    """
    check_given(branching=branching, paths=paths)
    search = Search(env, llm, scorer, budget, seed)
    stack, pruned, finished = [search.root], [], []
    while stack and len(finished) != paths:
        node = stack.pop()
        finished += [node] * node.env.terminated
        for child in sorted(reversed(search.expand(node, branching)), key=rank):
            is_good = child.value >= threshold or search.is_short
            (stack if is_good else pruned).append(child)  # the best one is taken first
    if not finished and pruned:
        finished = [search.roll_out(max(pruned, key=rank))]
    return search.result(by_count(finished))


STRATEGIES: dict[str, Callable[..., SearchResult]] = {
    strategy.__name__: strategy
    for strategy in (
        greedy, self_consistency, adaptive, best_of_n, weighted_vote, beam_search,
        dvts, mcts, particle_filter, depth_first,
    )
}  # fmt: skip

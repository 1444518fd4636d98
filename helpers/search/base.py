"""One search under way: its tree, its scorer, its account, and what it found.

Vocabulary
    value    what the scorer says of the path to a node; in MCTS, what came back since.
    vote     every finished path gives its answer a weight; paths without one do not
             vote. Votes go to graded values: "18" and "18.00" are one candidate.

Covers: expanding and scoring nodes, the outcome. Does not cover: what may be spent
(`budget.py`), and which node to expand next (`voting.py`, `guided.py`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import fsum, isfinite

from helpers.env import CoTEnv
from helpers.llm import Action, LLMGen, check_given, check_limits
from helpers.problems import Answer
from helpers.rewards import ArithmeticChecker, Path, Scorer

from .budget import Budget, Meter, path_of
from .tree import Node, expand, leaves

SCORER = "A scorer takes a list of paths and gives a finite number for each."


@dataclass(frozen=True)
class SearchResult:
    """What a search found, and what that cost.

    answer: that of most weight; without a value if no path came to an answer.
    ranked: all answers with their weights, the best first.
    path: the last node of the best path to `answer`; None without an answer.
    tree: the root of all that was looked at.
    tokens, calls: sampled tokens, dropped ones included, and batches.
    was_cut: did the budget end a path or a batch before its time?
    """

    answer: Answer
    ranked: tuple[tuple[Answer, float], ...]
    path: Node | None
    tree: Node
    tokens: int
    calls: int
    was_cut: bool = False


def begin(env: CoTEnv, llm: Meter, seed: int) -> CoTEnv:
    """A copy of `env` where it stands, with a model and a seed of its own."""
    _ = env.state  # an error, if no episode has begun
    start = env.fork()
    start.llm_gen = llm
    start.reset(seed=seed)
    for step in env.steps:
        start.step(step)
    return start


class Search:
    """The tree, the scorer and the account of one search.

    Without a scorer, `ArithmeticChecker` is used. With `lookahead`, a node is valued by
    what its likeliest next steps lead to: they are sampled at temperature 0, paid for,
    and forgotten. `env` is left where it stands.
    """

    def __init__(
        self, env: CoTEnv, llm: LLMGen, scorer: Scorer | None, budget: float | Budget,
        seed: int, lookahead: int = 0,
    ) -> None:  # fmt: skip
        check_limits(seed=seed)
        seed = int(seed)  # Gymnasium takes Python's integers only
        self.budget = budget if isinstance(budget, Budget) else Budget(budget)
        self.scorer = scorer or ArithmeticChecker()
        self.meters = [Meter(llm)]
        self.root = Node(begin(env, self.meters[0], seed))
        self.start = self.root.env.state
        # A usual path, the reserve, and the tokens of the longest step so far.
        self.usual_path, self.reserve, self.longest = path_of(env)
        self.was_cut = False
        check_given(lookahead=lookahead or None)
        self.lookahead = lookahead
        if lookahead:
            self.meters.append(Meter(llm.at_temperature(0)))
            self.env_ahead = begin(env, self.meters[1], seed)

    @property
    def tokens(self) -> int:
        """All tokens sampled so far."""
        return sum(meter.tokens for meter in self.meters)

    @property
    def calls(self) -> int:
        """All batches sampled so far."""
        return sum(meter.calls for meter in self.meters)

    def has_left(self, tokens: float, calls: float) -> bool:
        """Is at least this much of the budget left?"""
        tokens, calls = tokens + self.tokens, calls + self.calls
        return tokens <= self.budget.tokens and calls <= self.budget.calls

    @property
    def is_short(self) -> bool:
        """Is it time to finish: is less than the reserve left?"""
        return not self.has_left(self.reserve.tokens, self.reserve.calls)

    def affordable(self, k: int) -> int:
        """How many of k samples may be drawn: the reserve stays untouched, or one."""
        if self.is_short:
            n = int(self.has_left(1, 1))
        else:
            room = self.budget.tokens - self.tokens - self.reserve.tokens
            n = int(max(1, min(k, room / self.longest)))
        self.was_cut |= n < k
        return n

    def expand(self, node: Node, k: int) -> list[Node]:
        """Sample k steps in one batch and score the children in one batch.

        A node that was expanded is not sampled again, but what it has is returned.
        """
        k = self.affordable(k)
        if node.expanded or node.env.ended or not k:
            return node.children
        children = expand(node, k)
        sizes = [child.action.tokens // child.action.count for child in children]
        self.longest = max([self.longest, *sizes])
        paths = [self.path(child, self.look_ahead(child)) for child in children]
        for child, value in zip(children, self.score(paths), strict=True):
            child.value = value
        return children

    def expand_level(self, level: Iterable[tuple[Node, int]]) -> list[Node]:
        """Expand (node, k) in turn; but of what is left when it is short, only one."""
        children: list[Node] = []
        for node, k in level:
            if not (children and self.is_short):
                children += self.expand(node, k)
        return children

    def roll_out(self, node: Node) -> Node:
        """Continue with one sample per step as far as possible; the last node."""
        while children := self.expand(node, 1):
            node = children[0]
        return node

    def look_ahead(self, node: Node) -> tuple[Action, ...]:
        """The likeliest steps after a node, as many as `lookahead` says."""
        if node.env.ended or not self.lookahead or self.is_short:
            return ()
        env, meter = self.env_ahead.fork(), self.meters[1]
        before, ahead = meter.tokens, ()
        for step in node.env.steps[len(env.steps) :]:
            env.step(step)
        for _ in range(self.lookahead):
            found = () if self.is_short else env.propose(1).actions
            if not found:
                break
            env.step(found[0].text)
            ahead += found
        node.parent.spent += meter.tokens - before  # a part of its expansion
        return ahead

    def path(self, node: Node, ahead: tuple[Action, ...] = ()) -> Path:
        """What a scorer sees of a node: never the gold answer."""
        actions: list[Action] = []
        while node.parent:
            actions.append(node.action)
            node = node.parent
        steps = (*reversed(actions), *ahead)
        return Path(self.start, steps, self.root.env.delimiter)

    def score(self, paths: Sequence[Path]) -> list[float]:
        """The scorer's numbers for these paths, asked in one batch."""
        try:
            values = [float(value) for value in self.scorer(paths)] if paths else []
        except (TypeError, ValueError) as error:
            raise ValueError(f"{SCORER} This one failed: {error}") from error
        if len(values) != len(paths) or not all(map(isfinite, values)):
            raise ValueError(f"{SCORER} For {len(paths)}, this one gave {values}.")
        return values

    def finished(self) -> list[Node]:
        """The leaves of the tree that came to their end, from first to last."""
        return [leaf for leaf in leaves(self.root) if leaf.env.terminated]

    def result(
        self, votes: Iterable[tuple[Node, float]],
        join: Callable[[Iterable[float]], float] = fsum,
    ) -> SearchResult:  # fmt: skip
        """Rank the answers of (leaf, weight) by their joined weights.

        Of equal weights, the answer of more samples wins, and of those the first found.
        """
        groups: dict[Fraction, list[tuple[Node, float]]] = {}
        for leaf, weight in votes:
            if leaf.answer.value is not None:
                groups.setdefault(leaf.answer.value, []).append((leaf, weight))

        def rank(group: list[tuple[Node, float]]) -> tuple[float, int]:
            samples = sum(leaf.action.count for leaf, _ in group)
            return join(weight for _, weight in group), samples

        order = sorted(groups.values(), key=rank, reverse=True)  # stable
        best = [max(group, key=lambda vote: vote[1])[0] for group in order]
        weights = [float(rank(group)[0]) for group in order]
        answers = [leaf.answer for leaf in best]
        return SearchResult(
            answer=answers[0] if answers else Answer(None, "none"),
            ranked=tuple(zip(answers, weights, strict=True)),
            path=best[0] if best else None,
            tree=self.root, tokens=self.tokens, calls=self.calls,
            was_cut=self.was_cut,
        )  # fmt: skip

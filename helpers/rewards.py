"""Scorers that need no training: is the arithmetic true, is the model sure of itself?

Vocabulary
    path         a prompt and the actions taken after it: all that a scorer may see.
    step score   a number in [0, 1] for each step of a path, the higher the better.
    scorer       any callable that takes a batch of paths and gives a number for each.
    aggregation  how step scores become the score of a path: last, min, product, mean.

The gold answer is in no path, so a scorer cannot look it up. Covers: equations in
digits, such as "3*5 + 1 = 16", and the model's own log-probabilities. Does not cover:
whether an equation belongs to the question, and models trained to judge.
"""

import math
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean

from helpers.proposal import Action


@dataclass(frozen=True)
class Path:
    """The prompt, and the actions of the path, one a step."""

    prompt: str
    actions: tuple[Action, ...]

    @property
    def steps(self) -> tuple[str, ...]:
        """The sentences of the path."""
        return tuple(action.text for action in self.actions)


Scorer = Callable[[Sequence[Path]], Sequence[float]]
StepScorer = Callable[[Path], Sequence[float]]

AGGREGATIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "last": lambda scores: scores[-1],
    "min": min,
    "product": math.prod,
    "mean": fmean,
}


def aggregate(step_scorer: StepScorer, how: str) -> Scorer:
    """A scorer that joins step scores: "last", "min", "product" or "mean".

    OpenR, Search and Learn and its_hub differ in which they take; min is that of
    Math-Shepherd (Wang et al. 2023, arXiv:2312.08935). A path without steps scores 1:
    nothing in it is wrong yet.
    """
    if how not in AGGREGATIONS:
        raise ValueError(f"No aggregation {how!r}. Type one of {[*AGGREGATIONS]}.")

    def scorer(paths: Sequence[Path]) -> list[float]:
        scores = [step_scorer(path) for path in paths]
        return [AGGREGATIONS[how](s) if s else 1.0 for s in scores]

    return scorer


TOKEN = re.compile(
    r"(?P<number>\d+(?:,\d{3}(?!\d))*(?:\.\d+)?|\.\d+)"
    r"|(?P<sign>[-+*/()%=−–×÷]|(?<=[\d\s)])x(?=[\d\s(]))"  # the x of "2 x 3", "2x3"
    r"|(?P<blank>[\s$€£]+)|(?P<other>[^\s\d])"
)
SIGNS = {"−": "-", "–": "-", "×": "*", "x": "*", "÷": "/"}
OPERATORS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
LONGEST = 60  # tokens of one side, and digits of one number; more is no school sum


@dataclass(frozen=True)
class Equation:
    """Two sides of an "=" as they were written, and whether they have one value."""

    text: str
    holds: bool


def find_sides(step: str) -> Iterator[list[list[str]]]:
    """Yield runs of tokens joined by "=": of "so 1 + 2 = 3 = 4 pm" [1 + 2], [3], [4].

    Only a first side is cut by words before it, and a last one by words after it:
    a side with a word inside cannot be calculated and parts the chain.
    """
    chain: list[list[str]] = [[]]
    for match in TOKEN.finditer(step + " ;"):
        text = SIGNS.get(match[0], match[0])
        if match["other"]:
            yield chain
            chain = [[]]
        elif text == "=":
            chain.append([])
        elif not match["blank"]:
            chain[-1].append(text)


def evaluate(side: list[str]) -> Fraction | None:
    """The exact value of a side, by the usual rules; None if it is not a sum.

    A parser of three levels (sum, product, factor); nothing is run as code.
    """
    if len(side) > LONGEST or any(len(token) > LONGEST for token in side):
        return None
    rest = side[::-1]  # the next token is at the end

    def chain(operators: str, part: Callable[[], Fraction]) -> Fraction:
        value = part()
        while rest and rest[-1] in operators:
            value = OPERATORS[rest.pop()](value, part())
        return value

    def total() -> Fraction:
        return chain("+-", lambda: chain("*/", factor))

    def factor() -> Fraction:
        token = rest.pop()
        if token == "-":
            return -factor()
        value = total() if token == "(" else Fraction(token.replace(",", ""))
        if token == "(" and rest.pop() != ")":
            raise ValueError("a bracket is not closed")
        if rest and rest[-1] == "%":
            rest.pop()
            value /= 100
        return value

    try:
        value = total()
    except (ValueError, IndexError, ZeroDivisionError):
        return None
    return None if rest else value


def is_rounded(value: Fraction, side: list[str]) -> bool:
    """Is this side a decimal such as 3.33, and `value` the same when so rounded?"""
    if len(side) != 1 or "." not in side[0]:
        return False
    written, digits = Fraction(side[0].replace(",", "")), len(side[0].split(".")[1])
    return abs(value - written) <= Fraction(1, 2 * 10**digits)


def find_equations(step: str) -> list[Equation]:
    """All equations of a step that can be calculated, and whether they hold.

    "12*3 = 36" is one; "x = 36" and "3 apples = 36" are none. The values are compared
    as exact fractions, except that a decimal may be rounded: "10/3 = 3.33" holds.
    """
    found = []
    for chain in find_sides(step):
        for left, right in zip(chain, chain[1:], strict=False):
            a, b = evaluate(left), evaluate(right)
            if a is None or b is None or max(len(left), len(right)) == 1:
                continue
            holds = a == b or is_rounded(a, right) or is_rounded(b, left)
            found.append(Equation(f"{' '.join(left)} = {' '.join(right)}", holds))
    return found


class ArithmeticChecker:
    """Scores a path by the share of its equations that hold; 1 if it has none.

    A free process reward: it needs no training and no gold answer, and it says which
    step is wrong. It cannot see a wrong idea whose arithmetic is right.
    """

    def __call__(self, paths: Sequence[Path]) -> list[float]:
        """The share of true equations of each path."""
        return [self.share(path.steps) for path in paths]

    def share(self, steps: Sequence[str]) -> float:
        """The share of the equations in these steps that hold."""
        found = [e.holds for step in steps for e in find_equations(step)]
        return fmean(found) if found else 1.0

    def step_scores(self, path: Path) -> list[float]:
        """The same for each step by itself, to be aggregated."""
        return [self.share([step]) for step in path.steps]

    def first_wrong(self, steps: Sequence[str]) -> int | None:
        """The index of the first step with a false equation; None if there is none."""
        wrong = (i for i, step in enumerate(steps) if self.share([step]) < 1)
        return next(wrong, None)


def step_confidence(path: Path) -> list[float]:
    """The model's mean probability of a token, step by step: exp(mean log-probability).

    Raises ValueError where the server gave no log-probabilities.
    """
    if any(action.logprob is None for action in path.actions):
        raise ValueError(
            "This server gives no log-probabilities. Update Ollama to 0.12.11 or "
            "newer, or type another scorer: ArithmeticChecker()."
        )
    return [math.exp(action.logprob) for action in path.actions]


def confidence(paths: Sequence[Path]) -> list[float]:
    """A scorer: exp of the mean log-probability per token of a path, in [0, 1].

    The inverse of the path's perplexity. Steps count by their tokens.
    """
    return [_confidence(path) for path in paths]


def _confidence(path: Path) -> float:
    # A step has one token more than log-probabilities: the one that ended it.
    sizes = [max(1, a.tokens // a.count - 1) for a in path.actions]
    logs = [math.log(p) if p else -math.inf for p in step_confidence(path)]
    if not logs:
        return 1.0
    return math.exp(math.fsum(map(operator.mul, sizes, logs)) / sum(sizes))

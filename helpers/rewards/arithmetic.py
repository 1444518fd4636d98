"""Is the arithmetic of a step true? A reward that needs no training.

Vocabulary: an *equation* is two *sides* of an "=", sums in digits such as "3*5 + 1". It
*holds* if both have one value, exactly, or as far as a rounded decimal goes.

Covers: equations in digits. Does not cover: whether one belongs to the question.
"""

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean

from .scorers import Path, Scorer, aggregate

NUMBER = r"\d++(?:,\d{3}(?!\d))*+(?:\.\d++)?|\.\d++"
TIMES = r"(?<=[\d\s)])[xX](?=\s?[\d($])"  # the x of "2 x 3" and "2x3"
TOKEN = re.compile(rf"({NUMBER})|([-+*/()%])|[\s$€£]+")
SUMS = re.compile(rf"(?:{NUMBER}|[-\s$€£+*/()%=−–×÷]|{TIMES})++")  # no words inside
SIGNS = str.maketrans("−–×xX÷", "--***/")
OPERATORS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
LONGEST = 60  # tokens of one side, and digits of one number; more is no school sum
GOES_ON_BEFORE = re.compile(  # a sum that begins in words, such as "half of 3 + 4"
    r"""(?: \b(?:times|plus|minus|over|half|twice|double|triple)
        | \b(?:divided|multiplied)\s+by
        | (?:\d|%|\b(?:half|third|quarter|fourth|fifth)s?)\s+of
        | \d\s*[·•] | \\[a-z]+ | [\^}\\\]'_°] )\s*\Z | \d[.,:]\Z""",
    re.X | re.I,
)
GOES_ON_AFTER = re.compile(  # or ends in them: "2 million", "3 remainder 1", "2x"
    r"""[a-z^½¼¾²³°'] | [.,:]\d | \s*(?: million|billion|thousand|hundred|dozen
        | times\s+\d | remainder | r\s?\d | with\b | and\s+a\b | full\b | rounded )""",
    re.X | re.I,
)


@dataclass(frozen=True)
class Equation:
    """Two sides of an "=" as they were written, and whether they have one value."""

    text: str
    holds: bool


def find_sides(step: str) -> Iterator[list[str]]:
    """Yield the sides of each chain: "so 1+2 = 3 = 9/3 pm" has "1+2", "3", "9/3".

    No word is inside a side. Words cut off the first and the last; where these may
    belong to the sum, an empty text is left, as for a first side that is no sum.
    """
    step = step.replace("**", " ; ")  # bold type
    for match in SUMS.finditer(step):
        before = step[: match.end() - len(match[0].lstrip())]
        after = step[match.start() + len(match[0].rstrip()) :]
        sides = [side.strip(" \t$€£") for side in match[0].split("=")]
        first, last = sides[0], sides[-1]
        if first.count("(") > first.count(")") and last.count(")") > last.count("("):
            sides[0] = first = first.removeprefix("(")
            sides[-1] = last.removesuffix(")")
        is_aside = re.fullmatch(r"\([^()]*\)", first) and re.search(r"\w\s*\Z", before)
        is_dash = re.match("[-−–]", first) and (before.strip() or first[1:2] == " ")
        if is_aside or is_dash or GOES_ON_BEFORE.search(before) or not is_sum(first):
            sides[0] = ""
        if GOES_ON_AFTER.match(after):
            sides[-1] = ""
        yield sides


def is_sum(side: str) -> bool:
    """Is there something to calculate?"""
    return re.search("[-+*/−–×xX÷]", side) is not None


def evaluate(side: str) -> Fraction | None:
    """The exact value of a side, by the usual rules; None if it is not a sum.

    A parser of three levels (sum, product, factor); nothing is run as code.
    """
    if re.search(r"/\s+\d+/", side):  # "25 / 1/3": who knows which comes first
        return None
    found = TOKEN.finditer(side.translate(SIGNS))
    rest = [token[0] for token in found if token.lastindex][::-1]  # the next one last
    if len(rest) > LONGEST or any(len(token) > LONGEST for token in rest):
        return None

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


def is_rounded(value: Fraction, side: str) -> bool:
    """Is this side a decimal such as 3.33, and `value` the same as far as it goes?"""
    decimal = re.fullmatch(r"[-−–]?[\d,]*\.(\d+)", side)
    written = evaluate(side)
    if not decimal or written is None:
        return False
    unit, value, written = Fraction(1, 10 ** len(decimal[1])), abs(value), abs(written)
    return abs(value - written) <= unit / 2 or 0 <= value - written < unit


def find_equations(step: str) -> list[Equation]:
    """All equations of a step that can be calculated, and whether they hold.

    "12*3 = 36" is one; "x = 36" and "3 apples = 36" are none. Values are compared as
    exact fractions, except that a decimal may be cut or rounded: "10/3 = 3.33" holds.
    Where a percent sign could mean two things, and wherever words may belong to a sum,
    nothing is said: a false alarm would do more harm than an error that is missed.
    """
    found = []
    for sides in find_sides(step):
        for left, right in zip(sides, sides[1:], strict=False):
            a, b = evaluate(left), evaluate(right)
            if a is None or b is None or not (is_sum(left) or is_sum(right)):
                continue
            holds = a == b or is_rounded(a, right) or is_rounded(b, left)
            if holds or "%" not in left + right:
                found.append(Equation(f"{left} = {right}", holds))
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


# A path is as good as its weakest step.
arithmetic_scorer: Scorer = aggregate(ArithmeticChecker().step_scores, "min")

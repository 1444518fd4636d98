r"""Grading: which number does a text answer with, and is it the right one?

Models are free to write "The answer is $18.00.", "#### 18" or "\boxed{18}". A grader
that compares strings calls two of them wrong. This one reads a *value*, an exact
fraction, and notes the *rule* that found it, in this order of trust:

    "answer is"     the last clause "answer is ..." or "Answer: ..." with a number
    "####"          GSM8K's own closing line, "#### 18"
    "boxed"         LaTeX, "\boxed{18}"
    "last number"   none of the above: a guess, so count how often it was needed
    "none"          no number at all; counted as wrong, and never votes

Numbers are written in digits: 1,234  -5  18.50  25%  1/2  2 1/2. Not covered: words
("eighteen", "minus 5", "2 million"), powers ("1e5", "2^3"), times of day, 3½, decimal
commas, and sums that the text leaves undone.
Nothing is evaluated as code, and every pattern takes time linear in the text.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from .prompt import strip_annotations

NEW_QUESTION = re.compile(r"\n[ \t*#]*+(?:question|q)[ \t]*+:", re.I)
MARKERS = {
    "answer is": re.compile(
        r"\banswer(?:\W{1,4}is\b(?!\W{1,4}not\b)|\W{0,3}:)[^\w.−–-]*+", re.I
    ),
    "####": re.compile(r"####(?=[^\w\n]{0,8}\d)"),
    "boxed": re.compile(r"\\boxed\b"),
}
NUMBER = re.compile(
    r"""
    (?P<minus> (?<![\w)]) [-−–] [\\$€£]{0,2} )?     # a sign, not a subtraction
    (?P<whole> \d++ [ ] (?=\d++/\d) )?              # the 2 of "2 1/2"
    (?P<top> \d++ (?: ,\d{3}(?!\d) )*+ (?: \.\d++ )? | (?<![\w.])\.\d++ )
    (?: [ ]? / [ ]? (?P<bottom> \d++ ) )?
    """,
    re.X,
)
SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n")
ASIDE = re.compile(  # what follows a stated number does not change it
    r"""
    [,;] (?=\s|$) | \}
    | \b (?:because|since) \b
    | (?: (?<=[\w%$.]) | (?<=\*\*) ) [ ]\( (?! [^=]{0,40} = )   # "18 (9 * 2)"
    """,
    re.X,
)
UNDONE = re.compile(r"\d[\s%)]{0,3}[-−–+*×÷x][\s(\\$€£]{0,3}\d")  # "9 * 2"
LATEX = (
    (re.compile(r"(?<=\d)(?=\\[dt]?frac)"), " "),
    (re.compile(r"\\[dt]?frac\{(\d++)\}\{(\d++)\}"), r"\1/\2"),
    (re.compile(r"\\[dt]?frac(\d)(\d)"), r"\1/\2"),
    (re.compile(r"\\(?:times|cdot|div)\b"), "×"),
    (re.compile(r"\{,\}|,\\!"), ","),
)
MAX_DIGITS = 60  # longer ones answer nothing, and would only cost time
TOLERANCE = Fraction(1, 10**6)


@dataclass(frozen=True, repr=False)
class Answer:
    """What a text answers: an exact value (None if it has none) and the rule used."""

    value: Fraction | None
    rule: str

    def __repr__(self) -> str:
        return f"Answer({self.value}, {self.rule!r})"


def read_number(number: re.Match[str]) -> Fraction | None:
    """The exact value of a match of NUMBER; None if too long or divided by zero."""
    if len(number[0]) > MAX_DIGITS or int(number["bottom"] or 1) == 0:
        return None
    top = Fraction(number["top"].replace(",", ""))
    size = int(number["whole"] or 0) + top / int(number["bottom"] or 1)
    return -size if number["minus"] else size


def read_clause(text: str) -> Fraction | None:
    """The value which the first sentence of `text` states, or None.

    "18, for 7 days" states 18. Of an equation it is the side that is worked out: both
    "9 * 2 = 18" and "18 = 9 * 2" state 18, while "9 * 2" alone states nothing.
    """
    sentence = SENTENCE_END.split(text, maxsplit=1)[0]
    if not (first := NUMBER.search(sentence)):
        return None
    stated = ASIDE.split(sentence[first.start() :], maxsplit=1)[0]
    for side in reversed(re.split("[=≈]", stated)):
        number = NUMBER.search(side)
        if number and not UNDONE.search(side):
            return read_number(number)
    return None


def extract_answer(text: str) -> Answer:
    """Read the answer from a model's continuation (without the prompt before it).

    The text ends where the model begins a question of its own: at the first line that
    opens with "Question:" or "Q:". Never raises; the rules stand in the module's text.
    """
    text = NEW_QUESTION.split(strip_annotations(text), maxsplit=1)[0]
    for pattern, plain in LATEX:
        text = pattern.sub(plain, text)
    for rule, marker in MARKERS.items():
        for clause in reversed(marker.split(text)[1:]):
            if (value := read_clause(clause)) is not None:
                return Answer(value, rule)
    for number in reversed(list(NUMBER.finditer(text))):
        if (value := read_number(number)) is not None:
            return Answer(value, "last number")
    return Answer(None, "none")


def read_gold(gold: str) -> Fraction | None:
    """The value of a gold answer: a number, or a solution that closes "#### N"."""
    return read_clause(gold.rpartition("####")[2])


def is_correct(text: str, gold: str) -> bool:
    """Does `text` answer with the value of `gold`?

    `gold` is a GSM8K answer that closes with "#### N", or a number alone ("1,000",
    "1/3"). Values must be equal. Only a gold that no decimal can write, such as 1/3,
    accepts one within 1e-6. Without a number in either text nothing is correct.
    """
    value, wanted = extract_answer(text).value, read_gold(gold)
    if value is None or wanted is None:
        return False
    bottom = wanted.denominator
    endless = pow(10, bottom.bit_length(), bottom) != 0
    return value == wanted or (endless and abs(value - wanted) <= TOLERANCE)

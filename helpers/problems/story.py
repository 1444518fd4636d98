"""A story under construction, and the register of schemas that can extend it.

Vocabulary. A *story* has a hero, a friend, a thing they deal with and a running
quantity, the *total*. A *schema* is a function that tells one episode of the
story: it draws numbers, says a sentence of the question and calculates one to
three steps of the answer. An *opening* creates a total of some *kind* ("things",
"money", "pages", ...), a *middle* turns a total of one kind into a total of the
same or another kind, an *ending* asks the question. Templates are `str.format`
strings whose fields are the story's words and numbers.

Two rules keep every text unambiguous: hero and friend differ in gender, so each
pronoun has one reading; and no number is below 2, so every noun is a plural.
"""

import re
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from . import words

LARGEST = 1500


class Unsuitable(Exception):
    """The numbers drawn so far do not allow this schema; start a new story."""


class Story:
    """Sentences of the question, steps of the answer, and what they talk about."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.sentences: list[str] = []
        self.steps: list[str] = []
        self.numbers: list[int] = []
        self.answer = 0
        topic, other = random.sample(words.TOPICS, 2)
        self.fields: dict[str, str | int] = topic._asdict()
        self.set_people()
        self.set_thing(random.choice(topic.things))
        box = random.choice(topic.boxes)
        others = words.plural(random.choice(other.things))
        self.fields.update(box=box, boxes=words.plural(box), others=others)

    def set_people(self) -> None:
        """Fields name, she, her, herself (the hero); friend, he, his (the friend)."""
        girl = (self.random.choice(words.GIRLS), "she", "her", "herself")
        boy = (self.random.choice(words.BOYS), "he", "his", "himself")
        hero, friend = (girl, boy) if self.random.random() < 0.5 else (boy, girl)
        hero_keys, friend_keys = (
            ("name", "she", "her", "herself"),
            ("friend", "he", "his"),
        )
        self.fields.update(zip(hero_keys, hero, strict=True))
        self.fields.update(zip(friend_keys, friend[:3], strict=True))
        self.fields["She"] = hero[1].capitalize()

    def set_thing(self, thing: str) -> None:
        """Tell the story about this thing from now on."""
        self.fields.update(thing=thing, things=words.plural(thing))

    @property
    def total(self) -> int:
        """The running quantity."""
        return self.fields["total"]

    def draw(self, **ranges: tuple[int, int] | list[int]) -> None:
        """Draw each number from its bounds (a tuple) or its options (a list)."""
        for name, span in ranges.items():
            options = range(span[0], span[1] + 1) if isinstance(span, tuple) else span
            if not options or min(options) < 2:
                raise Unsuitable(name)
            self.fields[name] = self.random.choice(options)
            self.numbers.append(self.fields[name])

    def divisors(self, low: int, high: int) -> list[int]:
        """The numbers from low to high that divide the total into 2 or more."""
        high = min(high, self.total // 2)
        return [k for k in range(low, high + 1) if self.total % k == 0]

    def draw_fraction(self) -> None:
        """Draw `k` so that a k-th of the total is whole, and its name `part`."""
        self.draw(k=self.divisors(2, 5))
        self.fields["part"] = words.FRACTIONS[self.fields["k"]]

    def draw_times(self, high: int = 4) -> None:
        """Draw a factor `k` and its name `times` (twice, 3 times, ...)."""
        self.draw(k=(2, high))
        self.fields["times"] = words.TIMES[self.fields["k"]]

    def draw_percent(self) -> None:
        """Draw `p` so that p percent of the total is whole."""
        self.draw(p=[p for p in words.PERCENTS if self.total * p % 100 == 0])

    def say(self, *phrasings: str) -> None:
        """Add one of the phrasings to the question."""
        self.sentences.append(self._phrase(phrasings))

    def calculate(self, expression: str, *phrasings: str, into: str = "total") -> None:
        """Add one step to the answer; its result becomes the field `into`."""
        calculation = expression.format_map(self.fields)
        value = evaluate(calculation)
        result = f"{calculation} = <<{calculation}={value}>>{value}"
        self.fields["result"] = result
        self.steps.append(self._phrase(phrasings))
        self.fields[into] = self.answer = value

    def _phrase(self, phrasings: tuple[str, ...]) -> str:
        text = self.random.choice(phrasings).format_map(self.fields)
        return text[0].upper() + text[1:]


def evaluate(calculation: str) -> int:
    """Work out `12*5`, `80*25/100` or `7+8+9` from left to right.

    A calculation has operators of one rank only, so left to right is right.
    Raises Unsuitable for a fraction or a result outside 2..LARGEST.
    """
    first, *rest = re.findall(r"\d+|[-+*/]", calculation)
    value = int(first)
    for operator, operand in zip(rest[::2], map(int, rest[1::2]), strict=True):
        if operator == "+":
            value += operand
        elif operator == "-":
            value -= operand
        elif operator == "*":
            value *= operand
        elif value % operand == 0:
            value //= operand
        else:
            raise Unsuitable(calculation)
    if not 2 <= value <= LARGEST:
        raise Unsuitable(calculation)
    return value


class Schema(NamedTuple):
    """An episode: from a total of kind `before` to one of kind `after`."""

    name: str
    tell: Callable[[Story], None]
    before: str
    after: str
    steps: int


START, END = "start", "end"
SCHEMAS: dict[str, Schema] = {}


def middle(before: str, after: str, steps: int) -> Callable:
    """Register the decorated function as a schema with this many steps."""

    def register(tell: Callable[[Story], None]) -> Callable[[Story], None]:
        name = tell.__name__
        if name in SCHEMAS:
            raise ValueError(f"two schemas are named {name}; rename one")
        SCHEMAS[name] = Schema(name, tell, before, after, steps)
        return tell

    return register


def opening(after: str, steps: int) -> Callable:
    """Register a schema that begins a story with a total of kind `after`."""
    return middle(START, after, steps)


def ending(before: str, steps: int) -> Callable:
    """Register a schema that asks about a total of kind `before`."""
    return middle(before, END, steps)

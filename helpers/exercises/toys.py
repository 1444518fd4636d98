"""Stand-ins for exercises: a tiny language as a model, and wrong aggregations.

Vocabulary: a *table* says what may follow a line, and how sure the model is of it. What
follows the question stands at "Answer:". The languages are so small that their best
path is known by enumeration.
"""

from __future__ import annotations

import itertools
import math
from functools import partial
from random import Random
from typing import Any

from helpers.env import GSM8KEnv, Problem
from helpers.llm import Step
from helpers.rewards import ArithmeticChecker, aggregate, step_confidence

Table = dict[str, dict[str, float]]
sureness = partial(aggregate, step_confidence)  # what the table says, joined
arithmetic = partial(aggregate, ArithmeticChecker().step_scores)


class Toy:
    """Stands in for a model: a table says what may follow a line, and how surely.

    k samples are all that may follow, in turn; `asked` keeps the batches, `seeds` what
    they were asked with.
    """

    def __init__(self, table: Table, tokens: int = 10) -> None:
        self.table, self.tokens, self.asked, self.seeds = table, tokens, [], []

    def sample(
        self, prompt: str, k: int, seed: int | None = None, image: Any = None
    ) -> list[Step]:
        """k steps; the last line of the prompt decides."""
        last = prompt.splitlines()[-1]
        self.asked.append((last, k))
        self.seeds.append(seed)
        options = [*self.table[last].items()] * k
        return [Step(text, self.tokens, math.log(p), "stop") for text, p in options[:k]]

    def env(self) -> GSM8KEnv:
        """The environment of this language: six steps at most."""
        env = GSM8KEnv(Problem("?", "1"), self, max_steps=6, is_few_shot=False)
        env.reset(seed=0)
        return env


def language(seed: int) -> Table:
    """Words of three letters, then an answer, each with a score from a seed."""
    words = ["".join(w) for n in range(4) for w in itertools.product("ab", repeat=n)]
    sure, table = Random(seed), {}
    for i, word in enumerate(words):
        after = [word + x for x in "ab"] if len(word) < 3 else [f"The answer is {i}."]
        table[word or "Answer:"] = {text: sure.uniform(0.3, 1) for text in after}
    return table


def nodes(
    table: Table, steps: tuple[str, ...] = (), p: float = 1.0
) -> dict[tuple[str, ...], float]:
    """All nodes of a language, with the products of their scores."""
    found = {steps: p}
    for text, q in table.get(steps[-1] if steps else "Answer:", {}).items():
        found |= nodes(table, (*steps, text), p * q)
    return found


def widest() -> Table:
    """Sixteen words, each a chain of its own; all steps are equally sure."""
    words = [x + y for x in "abcd" for y in "abcd"]
    table = {x: {x + y: 0.9 for y in "abcd"} for x in ("", *"abcd")}
    for word in words:
        table[word] = {f"{word}.": 0.9}
        table[f"{word}."] = {f"{word}..": 0.9}
        table[f"{word}.."] = {f"{word}...": 0.9}
        table[f"{word}..."] = {"The answer is 5.": 0.9}
    return {"Answer:": table.pop("")} | table


WIDE = widest()


# "c" comes late, with a larger count than "b" and the same value.
TIED = {"Answer:": {"a": 0.9, "b": 0.9}, "a": {"c": 1.0}}
TIED |= {"b": {"The answer is 2.": 1.0}, "c": {"The answer is 1.": 1.0}}


def crooked(join: Any, options: str) -> Any:
    """`aggregate`, but with these options the step scores are joined by `join`."""

    def make(scorer: Any, how: str) -> Any:
        if how not in options:
            return aggregate(scorer, how)
        return lambda paths: [join(scorer(path)) for path in paths]

    return make


def first_path(scorer: Any, how: str) -> Any:
    """`aggregate` that gives every path of a batch the score of the first."""
    return lambda paths: aggregate(scorer, how)(paths)[:1] * len(paths)

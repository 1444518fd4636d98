"""Steps of a model that answers in its own way.

Vocabulary: such a model writes more lines than sentences. A *lead* only leads to what
follows, such as a heading or a blank line (`problems/lines.py`). A step is a sentence,
or a paragraph, with all that leads to it, exactly as it was written: what the model
reads later is what it wrote. The *delimiter* stands between two steps.

Covers: texts that become steps, the end of a turn. Does not cover: the prompt before
them (`forms.py`).
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from helpers.problems import is_lead, states_answer

from .forms import END_OF_TURN
from .gen import Step

LEADS = 6  # texts in a row that may lead to a step
BLANKS = 2  # of them without a word: the turn has ended


def write_steps(
    llm: Any, prompt: str, k: int, seed: int, image: str | None = None,
    delimiter: str = "\n",
) -> list[Step]:  # fmt: skip
    """k steps of an open form: what only leads to a step belongs to it.

    A step after which the model ended its turn says so: `END_OF_TURN`. Thoughts are
    steps like others, and their tokens count; that a model thinks is told, once.
    """
    asked = seed, image, delimiter
    steps = [end_of(step) for step in whole_steps(llm, prompt, k, asked, LEADS)]
    if any("<think>" in step.text for step in steps):
        warnings.warn(
            "The model thinks, though it is told not to where its template knows how. "
            "What it thinks is taken for steps, and costs tokens.",
            stacklevel=2,
        )
    return steps


def whole_steps(
    llm: Any, prompt: str, k: int, asked: tuple[int, str | None, str], rounds: int,
    blanks: int = 0, cut: str = "",
) -> list[Step]:  # fmt: skip
    """The same, after so many blank lines in a row, or after the beginning of a step
    that was cut. Samples that began alike go on together, from there."""
    seed, image, delimiter = asked
    found = llm.sample(prompt, k, seed, image, delimiter)
    steps = [as_written(step) for step in found]
    begun: dict[tuple[str, bool], list[int]] = {}
    for i, step in enumerate(steps):
        is_cut = step.reason == "length"
        is_lead_only = step.reason == "stop" and is_lead(cut + step.text)
        if rounds and blanks < BLANKS and (is_cut or is_lead_only):
            begun.setdefault((step.text, is_cut), []).append(i)
    for (text, is_cut), places in begun.items():
        between = "" if is_cut else delimiter
        # A step may be three times as long as the model may write at once.
        left = max(0, rounds - (LEADS // 2 if is_cut else 1))
        n, before = len(places), 0 if text.strip() else blanks + 1
        more = whole_steps(
            llm, prompt + text + between, n, asked, left, before, text if is_cut else ""
        )
        for i, step in zip(places, more, strict=True):
            steps[i] = joined(steps[i], step, between, delimiter)
    return steps


def joined(first: Step, second: Step, between: str, delimiter: str) -> Step:
    """Two parts of a step. If the first was cut amid its delimiter, it is the step."""
    text = first.text + between + second.text
    end = text.find(delimiter, max(0, len(first.text) - len(delimiter) + 1))
    if not between and 0 <= end < len(first.text):
        text = text[:end]
    tokens, told = first.tokens + second.tokens, (first, second)
    sums = [s.logprob * s.tokens for s in told if s.logprob is not None]
    counts = [s.tokens for s in told if s.logprob is not None]
    mean = sum(sums) / max(1, sum(counts)) if sums else None
    return replace(second, text=text, tokens=tokens, logprob=mean, written=text)


def as_written(step: Step) -> Step:
    """A step with its blanks, marked if the model ended its turn after it."""
    text = step.written
    if step.reason == "end" and not states_answer(text):
        text += END_OF_TURN
    return replace(step, text=text)


def end_of(step: Step) -> Step:
    """A step, or the end: some servers do not tell the end of a turn from a blank line,
    so a model that writes nothing but blank lines has ended its turn."""
    return replace(step, text=step.text if step.text.strip() else END_OF_TURN)

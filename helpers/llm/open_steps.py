"""Steps of a model that answers in its own way.

Vocabulary: such a model writes more lines than sentences. A *lead* is a line that only
leads to the next, such as a heading or a blank one (`problems/lines.py`). A step is a
sentence with all that leads to it, exactly as it was written: what the model reads
later is what it wrote.

Covers: lines that become steps, the end of a turn. Does not cover: the prompt before
them (`forms.py`).
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from helpers.problems import is_lead

from .forms import END_OF_TURN, states_answer
from .gen import Step

LEADS = 6  # lines in a row that may lead to a step


def write_steps(
    llm: Any, prompt: str, k: int, seed: int, image: str | None = None
) -> list[Step]:
    """k steps of an open form: what only leads to a step belongs to it.

    A step after which the model ended its turn says so: `END_OF_TURN`. Thoughts are
    steps like others, and their tokens count; that a model thinks is told, once.
    """
    steps = [end_of(step) for step in after_leads(llm, prompt, k, seed, image, LEADS)]
    if any("<think>" in step.text for step in steps):
        warnings.warn(
            "The model thinks, though it is told not to where its template knows how. "
            "What it thinks is taken for steps, and costs tokens.",
            stacklevel=2,
        )
    return steps


def after_leads(
    llm: Any, prompt: str, k: int, seed: int, image: str | None, rounds: int
) -> list[Step]:
    """The same. Samples that wrote one lead go on together, from there."""
    steps = [as_written(step) for step in llm.sample(prompt, k, seed, image)]
    leads: dict[str, list[int]] = {}
    for i, step in enumerate(steps):
        if rounds and step.reason == "stop" and is_lead(step.text):
            leads.setdefault(step.text, []).append(i)
    for lead, places in leads.items():
        after = f"{prompt}{lead}\n"
        more = after_leads(llm, after, len(places), seed, image, rounds - 1)
        for i, step in zip(places, more, strict=True):
            tokens = steps[i].tokens + step.tokens
            steps[i] = replace(step, text=f"{lead}\n{step.text}", tokens=tokens)
    return steps


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

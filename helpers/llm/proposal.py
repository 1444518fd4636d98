"""What a model proposes to do next: sampled steps, merged into actions.

Vocabulary: an *action* is a distinct step among k samples of one state. Its *prior* is
its share of the samples that say something: an unbiased estimate of the policy's
probability of it, which needs no log-probabilities. A *proposal* is all the actions of
one state with what they cost. Duplicates are merged, and their counts are kept: that
several samples agree is information.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .gen import Step


@dataclass(frozen=True)
class Action:
    """A distinct sampled step; `tokens` sums over all `count` samples of it."""

    text: str
    prior: float
    count: int
    logprob: float | None
    tokens: int


@dataclass(frozen=True)
class Proposal:
    """The distinct actions of one state; `tokens` counts empty samples as well."""

    actions: tuple[Action, ...]
    tokens: int


def merge_steps(steps: Sequence[Step]) -> tuple[Action, ...]:
    """Merge equal steps (blanks aside) in order of first appearance; drop empty ones.

    The priors sum to 1; `logprob` is that of the first of equal steps.
    """
    groups: dict[str, list[Step]] = {}
    for step in steps:
        groups.setdefault(" ".join(step.text.split()), []).append(step)
    groups.pop("", None)
    total = sum(len(group) for group in groups.values())
    actions = []
    for first, *others in groups.values():
        count = 1 + len(others)
        tokens = sum(step.tokens for step in (first, *others))
        prior = count / total
        actions.append(Action(first.text, prior, count, first.logprob, tokens))
    return tuple(actions)

"""Scorers, how step scores are joined, and the model's own confidence as a scorer.

Vocabulary
    path         a prompt and the actions taken after it: all that a scorer may see.
    step score   a number in [0, 1] for each step of a path, the higher the better.
    scorer       any callable that takes a batch of paths and gives a number for each.
    aggregation  how step scores become the score of a path: last, min, product, mean.

The gold answer is in no path, so a scorer cannot look it up. Does not cover: equations
(`arithmetic.py`), and models trained to judge (`models.py`).
"""

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from helpers.llm import Action


@dataclass(frozen=True)
class Path:
    """The prompt, the actions of the path, one per step, and what ends a step."""

    prompt: str
    actions: tuple[Action, ...]
    delimiter: str = "\n"

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
    return partial(join_steps, step_scorer, how)  # unlike a closure, it can be sent


def join_steps(step_scorer: StepScorer, how: str, paths: Sequence[Path]) -> list[float]:
    """The step scores of each path, joined: what `aggregate` gives is this function."""
    scores = [step_scorer(path) for path in paths]
    return [AGGREGATIONS[how](s) if s else 1.0 for s in scores]


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

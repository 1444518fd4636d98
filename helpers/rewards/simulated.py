"""A simulated verifier whose quality is a dial, to see how good a verifier must be.

It reads the gold solution, so it solves nothing: it is an instrument. It knows whether
a path is right, and says so through noise, as much as its AUC asks for.

Vocabulary: the *AUC* of a scorer is the probability that it scores a random right path
above a random wrong one: 0.5 is a coin, 1.0 an oracle. A finished path is *right* if
its answer is; an unfinished one is *on track* if every result it has derived so far,
the number after "=", is among those of the gold solution.
"""

import math
import re
from collections.abc import Sequence
from statistics import NormalDist

from helpers.llm import derive_seed
from helpers.problems import STOP_STRING, is_correct

from .arithmetic import NUMBER, evaluate
from .scorers import Path


def is_on_track(steps: Sequence[str], gold: str) -> bool:
    """Is the path right, or if it is not finished, can it still be?

    `gold` is a GSM8K answer with its annotations, such as <<3*5=15>>. A path that
    takes another way than the gold solution counts as off track until its end.
    """
    if steps and STOP_STRING.casefold() in steps[-1].casefold():
        return is_correct(steps[-1], gold)
    known = {evaluate(value) for value in re.findall(r"=([^<>=]*)>>", gold)}
    results = (re.search(rf"=[\s$]*(-?(?:{NUMBER}))[^=]*\Z", step) for step in steps)
    return all(evaluate(result[1]) in known for result in results if result)


def step_truths(steps: Sequence[str], gold: str) -> list[bool]:
    """After each step: is the path on track so far?"""
    return [is_on_track(steps[: i + 1], gold) for i in range(len(steps))]


class SimulatedVerifier:
    """A scorer of the AUC that you choose; its score is an honest probability.

    A signal is drawn from a normal distribution, of mean +d/2 for a right path and
    -d/2 for a wrong one, where d = sqrt(2) * z(AUC), the model of signal detection.
    The score is the probability of "right" given the signal, if both were as likely
    before: 1 / (1 + exp(-d * signal)). Equal paths get equal scores.
    """

    def __init__(self, gold: str, auc: float, seed: int = 0) -> None:
        if not 0.5 <= auc <= 1:
            raise ValueError(f"auc={auc!r}: type a number from 0.5 (a coin) to 1.")
        self.gold, self.auc, self.seed = gold, auc, seed

    def __call__(self, paths: Sequence[Path]) -> list[float]:
        """A score in [0, 1] for each path."""
        return [self.score(path.steps) for path in paths]

    def score(self, steps: Sequence[str]) -> float:
        """The probability that these steps are right, as far as it can tell."""
        right = is_on_track(steps, self.gold)
        if self.auc == 1:
            return float(right)
        d = math.sqrt(2) * NormalDist().inv_cdf(self.auc)
        uniform = (derive_seed(self.seed, *steps) + 0.5) / 2**31
        signal = NormalDist(d / 2 if right else -d / 2).inv_cdf(uniform)
        return 1 / (1 + math.exp(-d * signal))

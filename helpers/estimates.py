"""Estimates: what a count of right answers says, and what it does not.

Vocabulary: an *attempt* is a whole solution that a model wrote, with the answer the
grader read in it. An *accuracy* measured on n problems is an estimate; its confidence
*interval* says how far off it may be. With several samples a problem there are two more
questions: is any of k samples right (*pass@k*), and is the answer most of them agree on
(*majority@k*, also called self-consistency)?

Two methods on the same problems are compared by a *paired* test: only the problems on
which they differ tell them apart. Covers: the formulas, and attempts in one piece. Does
not cover: runs that can be resumed (`evaluation.py`) and what they add up to
(`report.py`).
"""

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt
from operator import index
from statistics import fmean, stdev
from typing import NamedTuple

from helpers.grading import Answer, extract_answer, is_correct
from helpers.llm import LLMGen, Step


@dataclass(frozen=True)
class Attempts:
    """Whole solutions of one problem, the answers read in them, and which are right."""

    steps: tuple[Step, ...]
    answers: tuple[Answer, ...]
    right: tuple[bool, ...]

    @property
    def tokens(self) -> int:
        """What these attempts cost, in sampled tokens."""
        return sum(step.tokens for step in self.steps)

    def vote(self, k: int) -> bool:
        """Is the majority of the first k answers right?"""
        return self.right[self.answers.index(majority_vote(self.answers[:k]))]


def attempt(llm: LLMGen, prompt: str, gold: str, k: int, seed: int = 0) -> Attempts:
    """Let a model write k whole solutions in one batch, and judge each by `gold`.

    The model must not stop at the end of a sentence: `LLMGen(..., stop="\\n\\n")`.
    """
    steps = tuple(llm.sample(prompt, k, seed))
    answers = tuple(extract_answer(step.text) for step in steps)
    right = tuple(is_correct(step.text, gold) for step in steps)
    return Attempts(steps, answers, right)


def wilson_interval(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The Wilson score interval for a share, as (low, high), both within [0, 1].

    z counts standard deviations: 1.96 gives 95 %. Unlike p ± z * sqrt(p * (1 - p) / n)
    it is sensible for few problems and at 0 or n successes; with n = 0 it is (0, 1).
    Wilson (1927).
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n={n}; got {successes}")
    if n == 0:
        return 0.0, 1.0
    p, a = successes / n, z / (2 * n)
    centre = p + z * a
    half = z * sqrt(p * (1 - p) / n + a**2)
    shrink = 1 + 2 * z * a
    low, high = (centre - half) / shrink, (centre + half) / shrink
    return max(0.0, low), min(1.0, high)


class Estimate(NamedTuple):
    """A number, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def percent(self) -> str:
        """A share in per cent: "62.4 (58.1 to 66.6)"."""
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%})".replace("%", "")


def with_interval(successes: int, n: int) -> str:
    """A share in per cent with its 95 % interval: "62.4 (58.1 to 66.6)"."""
    return Estimate(successes / n, *wilson_interval(successes, n)).percent()


def bootstrap(values: Sequence[float], draws: int = 2000, seed: int = 0) -> Estimate:
    """The mean of one number a problem, with a bootstrap interval.

    Problems are drawn anew, with repetition, `draws` times: where 95 % of the means
    fall (Efron 1979). Of paired differences it is the paired bootstrap. Determined by
    `seed`. Without problems the interval is not a number (nan).
    """
    import numpy as np
    from scipy import stats

    data = np.asarray(values, dtype=float)
    if len(data) < 2 or np.ptp(data) == 0:  # nothing varies: SciPy would warn
        value = float(data[0]) if len(data) else math.nan
        return Estimate(value, *([value] * 2 if len(data) > 1 else [math.nan] * 2))
    found = stats.bootstrap(
        [data], np.mean, n_resamples=draws, method="percentile",
        batch=max(1, 10**6 // len(data)),  # many problems need no more memory
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    return Estimate(data.mean().item(), *map(float, found.confidence_interval))


def paired_difference(
    a: Sequence[float], b: Sequence[float], z: float = 1.96
) -> tuple[float, float, float]:
    """The mean of a - b, problem by problem, with its interval: (mean, low, high).

    What is compared is whether a problem was right, or the chance of it. A normal
    interval, as `z` says, for many problems; for few, use `mcnemar_p`.
    """
    if len(a) != len(b) or len(a) < 2:
        raise ValueError(f"need two lists of the same problems; got {len(a)}, {len(b)}")
    gaps = [float(x) - float(y) for x, y in zip(a, b, strict=True)]
    mean, half = fmean(gaps), z * stdev(gaps) / sqrt(len(gaps))
    return mean, mean - half, mean + half


def mcnemar_p(only_a: int, only_b: int) -> float:
    """The p-value of the exact paired test, McNemar (1947).

    only_a, only_b: problems that one method got right and the other did not. If the
    methods were equally good, a fair coin would decide which of the two; this is the
    chance that as many coins fall at least as unevenly, to either side.
    """
    from scipy.stats import binomtest

    only_a, only_b = index(only_a), index(only_b)  # NumPy's integers, too
    if min(only_a, only_b) < 0:
        raise ValueError(f"counts are not below 0; got {only_a}, {only_b}")
    n = only_a + only_b
    return float(binomtest(only_a, n).pvalue) if n else 1.0


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that k of n samples, drawn without return, hold one of the c right.

    The unbiased estimate of pass@k, 1 - C(n-c, k) / C(n, k), from Chen et al. (2021),
    "Evaluating Large Language Models Trained on Code"; average it over problems.
    """
    if not (0 <= c <= n and 1 <= k <= n):
        raise ValueError(f"need 0 <= c <= n and 1 <= k <= n; got n={n}, c={c}, k={k}")
    return 1 - comb(n - c, k) / comb(n, k)


def majority_vote(answers: Sequence[Answer]) -> Answer:
    """The answer whose value is most frequent: self-consistency, Wang et al. (2022).

    Votes go to values, so "18" and "18.00" are one candidate. An answer without a value
    does not vote. Of equals the first seen wins. Nobody voting gives Answer(None).
    """
    votes = Counter(answer.value for answer in answers if answer.value is not None)
    if not votes:
        return Answer(None, "none")
    winner = max(votes, key=votes.__getitem__)  # max keeps the first of equals
    return next(answer for answer in answers if answer.value == winner)


def majority_at_k(
    answers: Sequence[Answer], gold: str, k: int, draws: int = 100, seed: int = 0
) -> float:
    """How often the vote of k of the answers is right, over `draws` random subsets.

    There is no closed form as there is for pass@k. Subsets are drawn without return and
    in random order, so that ties break at random. Determined by `seed`.
    """
    if not 1 <= k <= len(answers):
        raise ValueError(f"k must lie between 1 and {len(answers)} answers; got {k}")
    right = {a.value: is_correct(str(a.value), gold) for a in answers}
    rng = random.Random(seed)
    wins = sum(
        right.get(majority_vote(rng.sample(answers, k)).value, False)
        for _ in range(draws)
    )
    return wins / draws

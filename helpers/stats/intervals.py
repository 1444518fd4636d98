"""Estimates: what a count of right answers says, and what it does not.

Vocabulary: an *accuracy* measured on n problems is an estimate; its confidence
*interval* says how far off it may be. Two methods on the same problems are compared by
a *paired* test: only the problems on which they differ tell them apart.

Covers: the formulas. Does not cover: several samples per problem (`at_k.py`).
"""

import math
from collections.abc import Sequence
from math import sqrt
from operator import index
from statistics import fmean, stdev
from typing import NamedTuple


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

"""The statistics against hand calculations and against counting every case."""

import math
import random
from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from helpers.stats import (
    bootstrap,
    mcnemar_p,
    paired_difference,
    wilson_interval,
    with_interval,
)


@pytest.mark.parametrize(
    ("p", "half_widths"),
    [
        (0.45, {20: 0.200, 50: 0.133, 100: 0.096, 200: 0.068, 500: 0.043, 1319: 0.027}),
        (0.75, {20: 0.178, 50: 0.116, 100: 0.084, 200: 0.060, 500: 0.038, 1319: 0.023}),
    ],
)
def test_half_widths_of_95_percent(p: float, half_widths: dict[int, float]) -> None:
    for n, half_width in half_widths.items():
        low, high = wilson_interval(round(p * n), n)
        assert (high - low) / 2 == pytest.approx(half_width, abs=5.1e-4)


@pytest.mark.parametrize(("successes", "n"), [(1, 7), (9, 20), (0, 5), (5, 5), (1, 1)])
def test_the_bounds_lie_z_standard_errors_away(successes: int, n: int) -> None:
    """The definition: |share - bound| = z * sqrt(bound * (1 - bound) / n)."""
    for bound in wilson_interval(successes, n, z=1.5):
        distance = (successes / n - bound) ** 2
        assert distance == pytest.approx(1.5**2 * bound * (1 - bound) / n, abs=1e-12)


def test_extreme_counts() -> None:
    assert wilson_interval(0, 10) == (0.0, pytest.approx(1.96**2 / (10 + 1.96**2)))
    assert wilson_interval(10, 10) == (pytest.approx(10 / (10 + 1.96**2)), 1.0)
    assert wilson_interval(0, 0) == (0.0, 1.0)
    for n in range(1, 200):
        assert 0 == wilson_interval(0, n)[0] < wilson_interval(n, n)[1] <= 1


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (0, -1)])
def test_impossible_counts(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="successes must lie between"):
        wilson_interval(successes, n)


def test_a_share_with_its_interval() -> None:
    low, high = wilson_interval(312, 500)
    assert with_interval(312, 500) == f"62.4 ({100 * low:.1f} to {100 * high:.1f})"
    assert with_interval(0, 10) == "0.0 (0.0 to 27.8)"


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (5, 0), (1, 7), (6, 3), (4, 4)])
def test_mcnemar_against_counting_every_fall_of_the_coins(only_a, only_b):
    n = only_a + only_b
    falls = [sum(coins) for coins in product((0, 1), repeat=n)]
    uneven = abs(only_a - only_b)
    extreme = sum(abs(2 * heads - n) >= uneven for heads in falls)
    assert mcnemar_p(only_a, only_b) == pytest.approx(extreme / 2**n)


def test_mcnemar_takes_numpys_integers_and_no_negative_ones():
    assert mcnemar_p(np.int64(30), np.int64(60)) == mcnemar_p(30, 60) < 0.003
    with pytest.raises(ValueError, match="not below 0"):
        mcnemar_p(-1, 0)


def test_paired_difference_by_hand():
    a, b = [True, True, False, True], [True, False, False, False]
    mean, low, high = paired_difference(a, b)  # gaps 0, 1, 0, 1
    assert mean == 0.5 and (mean - low) == pytest.approx(1.96 * (1 / 3) ** 0.5 / 2)
    assert high - mean == pytest.approx(mean - low)
    assert paired_difference(b, a)[0] == -0.5


def test_paired_intervals_hold_the_truth_as_often_as_they_say():
    rng, held = random.Random(0), 0
    for _ in range(400):
        hard = [rng.random() for _ in range(300)]  # right where skill exceeds it
        a, b = [x < 0.7 for x in hard], [x < 0.6 or rng.random() < 0.1 for x in hard]
        _, low, high = paired_difference(a, b)
        held += low <= 0.7 - (0.6 + 0.4 * 0.1) <= high
    assert 0.92 <= held / 400 <= 0.98


def test_paired_difference_refuses_other_problems():
    with pytest.raises(ValueError, match="same problems; got 3, 2"):
        paired_difference([True] * 3, [True] * 2)


def test_mcnemar_is_scipys():
    for only_a, only_b in combinations(range(9), 2):
        p = stats.binomtest(only_a, only_a + only_b).pvalue
        assert mcnemar_p(only_a, only_b) == mcnemar_p(only_b, only_a)
        assert mcnemar_p(only_a, only_b) == pytest.approx(p)


def test_wilson_is_scipys():
    for right, n in ((0, 5), (3, 7), (500, 1319), (9, 9)):
        interval = stats.binomtest(right, n).proportion_ci(0.95, "wilson")
        assert wilson_interval(right, n) == pytest.approx(interval, abs=1e-5)


def test_a_bootstrap_interval_holds_the_truth_as_often_as_it_says():
    rng, held = np.random.default_rng(0), 0
    for _ in range(200):
        _, low, high = bootstrap(rng.random(60) < 0.7, draws=400)
        held += low <= 0.7 <= high
    assert 0.9 <= held / 200 <= 0.99


def test_bootstrap_of_little():
    assert bootstrap([1, 1, 1]) == (1, 1, 1)
    assert bootstrap([2.5])[0] == 2.5 and math.isnan(bootstrap([2.5])[1])
    assert math.isnan(bootstrap([]).value)
    assert bootstrap([0, 1, 1], seed=1) == bootstrap([0, 1, 1], seed=1)
    assert bootstrap([0.5, 0.75]).percent().startswith("62.5 (50.0 to ")

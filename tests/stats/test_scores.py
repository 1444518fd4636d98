"""Measures of verifiers against brute force."""

import math
import random
from decimal import Decimal
from fractions import Fraction
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.stats import (
    best_at_k,
    calibration_error,
    first_below,
    reliability,
    roc_auc,
    vote_at_k,
)

SCORED = st.lists(st.tuples(st.sampled_from([0, 0.2, 0.5, 1]), st.booleans()),
                  min_size=1, max_size=7)  # fmt: skip


@given(SCORED)
def test_auc_is_the_share_of_pairs(scored):
    pairs = [(a, b) for a, right in scored if right for b, r in scored if not r]
    found = roc_auc(*zip(*scored, strict=True))
    if not pairs:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(fmean((a > b) + (a == b) / 2 for a, b in pairs))


@pytest.mark.parametrize("kind", [np.float16, np.float32, Fraction, Decimal, int])
def test_auc_takes_numbers_of_any_kind(kind):
    scores = [i % 7 for i in range(5000)]
    right = [i % 3 == 0 for i in range(5000)]
    wanted = roc_auc([float(score) for score in scores], right)
    assert roc_auc([kind(score) for score in scores], right) == wanted
    assert roc_auc(np.array(scores, np.float16), np.array(right)) == wanted


def test_auc_within_groups():
    """It knows the hard problem, and nothing of the samples of one problem."""
    scores, right = [0.9, 0.9, 0.1, 0.1], [True, False, False, False]
    assert roc_auc(scores, right) == pytest.approx((0.5 + 1 + 1) / 3)
    assert roc_auc(scores, right, groups="aabb") == 0.5
    with pytest.raises(ValueError, match="shorter|longer"):
        roc_auc([1.0], [True, False])


def test_reliability_by_hand():
    scores, right = [0.05, 0.1, 0.15, 1.0], [False, True, False, True]
    found = reliability(scores, right, bins=10)
    assert [part.count for part in found] == [1, 2, 1]
    assert found[1].score == pytest.approx(0.125) and found[1].right == 0.5
    expected = (1 * 0.05 + 2 * 0.375 + 0) / 4
    assert calibration_error(scores, right) == pytest.approx(expected)


def test_honest_scores_are_calibrated():
    rng = random.Random(0)
    scores = [rng.random() for _ in range(40_000)]
    right = [rng.random() < score for score in scores]
    assert calibration_error(scores, right) < 0.01
    assert calibration_error([s**2 for s in scores], right) > 0.1


def test_the_first_error_is_the_first_score_below():
    assert first_below([0.9, 0.4, 0.8, 0.1]) == 1
    assert first_below([0.9, 0.5]) is None
    assert first_below([0.9], threshold=0.95) == 0


def test_senseless_arguments_are_refused():
    for k, draws, said in ((0, 5, "1 and 1"), (2, 5, "1 and 1"), (1, 0, "draws=0")):
        with pytest.raises(ValueError, match=said):
            vote_at_k(["a"], [1], [True], k, draws)
    with pytest.raises(ValueError, match="not a number"):
        roc_auc([math.nan, 0.5], [True, False])
    for scores in ([], [1.5], [math.nan]):
        with pytest.raises(ValueError, match="from 0 to 1"):
            calibration_error(scores, [True] * len(scores))
    assert best_at_k(range(1100), [True] * 1100, 550) == pytest.approx(1)
    assert vote_at_k([1, 2], [1, 1], [True, False], 2, draws=900) == pytest.approx(
        0.5, abs=0.06
    )  # chance decides a tie

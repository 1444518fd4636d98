"""Measures of verifiers against brute force."""

import itertools
import math
import random
from statistics import fmean

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


@given(SCORED, st.integers(1, 7))
def test_best_of_k_is_the_mean_over_all_subsets(scored, k):
    """Every subset, and of equal best ones each in turn."""
    k = min(k, len(scored))

    def chance(subset):
        top = max(score for score, _ in subset)
        return fmean(right for score, right in subset if score == top)

    expected = fmean(map(chance, itertools.combinations(scored, k)))
    assert best_at_k(*zip(*scored, strict=True), k) == pytest.approx(expected)


def test_a_sample_without_an_answer_is_chosen_last():
    assert best_at_k([-math.inf, 0.0], [False, True], 2) == 1
    assert best_at_k([-math.inf, 0.0], [False, True], 1) == 0.5
    with pytest.raises(ValueError, match="not a number"):
        best_at_k([math.nan], [True], 1)
    with pytest.raises(ValueError, match="between 1 and 2"):
        best_at_k([0.1, 0.2], [True, True], 3)


def test_votes_by_hand():
    answers, right = ["a", "b", "b", None], [True, False, False, False]
    assert vote_at_k(answers, [1, 1, 1, 1], right, 4) == 0
    assert vote_at_k(answers, [3, 1, 1, 9], right, 4) == 1
    assert vote_at_k([None], [1], [False], 1) == 0


def test_senseless_arguments_are_refused():
    for k, draws in ((0, 5), (2, 5), (1, 0)):
        with pytest.raises(ValueError, match="between 1 and 1"):
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


def test_votes_are_the_mean_over_subsets():
    answers, right = ["a", "b", "b", "c"], [True, False, False, False]
    weights = [2.5, 1, 1.1, 2]

    def wins(subset):
        votes = {}
        for i in subset:
            votes[answers[i]] = votes.get(answers[i], 0) + weights[i]
        return max(votes, key=votes.get) == "a"

    expected = fmean(map(wins, itertools.combinations(range(4), 3)))
    found = vote_at_k(answers, weights, right, 3, draws=4000)
    assert found == pytest.approx(expected, abs=0.03)
    assert found == vote_at_k(answers, weights, right, 3, draws=4000)

"""pass@k, majority@k and best-of-k, by counting subsets."""

import itertools
import math
import random
from fractions import Fraction
from itertools import combinations
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.problems import Answer
from helpers.stats import (
    best_at_k,
    majority_at_k,
    majority_vote,
    pass_at_k,
    vote_at_k,
)


def answers(*values: int | None) -> list[Answer]:
    return [
        Answer(None, "none") if v is None else Answer(Fraction(v), "answer is")
        for v in values
    ]


def test_pass_at_k_counts_every_subset() -> None:
    for n in range(1, 8):
        for c in range(n + 1):
            for k in range(1, n + 1):
                subsets = list(combinations([True] * c + [False] * (n - c), k))
                share = sum(map(any, subsets)) / len(subsets)
                assert pass_at_k(n, c, k) == pytest.approx(share)


def test_pass_at_k_of_many_samples() -> None:
    product = 1.0  # the paper's own form of the same formula
    for i in range(10_000 - 30 + 1, 10_001):
        product *= 1 - 100 / i
    assert pass_at_k(10_000, 30, 100) == pytest.approx(1 - product)


@pytest.mark.parametrize(("n", "c", "k"), [(5, 6, 1), (5, -1, 1), (5, 1, 0), (5, 1, 6)])
def test_pass_at_k_refuses(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match=f"n={n}, c={c}, k={k}"):
        pass_at_k(n, c, k)


def test_votes_go_to_values() -> None:
    votes = [
        Answer(Fraction(20), "answer is"),
        Answer(Fraction("18.00"), "answer is"),
        Answer(Fraction(18), "####"),
    ]
    assert majority_vote(votes) == votes[1]


def test_no_answer_never_votes() -> None:
    assert majority_vote(answers(None, None, None, 5)).value == 5
    assert majority_vote(answers(None, 0, 5, 0)).value == 0  # zero is an answer
    assert majority_vote(answers(None, None)) == Answer(None, "none")
    assert majority_vote([]) == Answer(None, "none")


def test_of_equals_the_first_seen_wins() -> None:
    assert majority_vote(answers(7, 5, 5, 7, 3)).value == 7
    assert majority_vote(answers(3, 5, 7, 7, 5)).value == 5


def test_majority_at_k_counts_every_subset() -> None:
    samples = answers(18, 18, 18, 18, 20, 20, 20)
    for k in (1, 3, 5, 7):  # odd, two values: no ties
        right = [majority_vote(s).value == 18 for s in combinations(samples, k)]
        share = majority_at_k(samples, "#### 18", k, draws=4000, seed=3)
        assert share == pytest.approx(sum(right) / len(right), abs=0.03)


def test_majority_at_k_breaks_ties_at_random() -> None:
    share = majority_at_k(answers(18, 20), "18", k=2, draws=4000, seed=3)
    assert share == pytest.approx(0.5, abs=0.03)


def test_majority_at_k_follows_its_seed() -> None:
    samples = answers(*random.Random(0).choices([18, 20, None], k=20))
    shares = [majority_at_k(samples, "18", 4, seed=s) for s in range(10)]
    assert shares == [majority_at_k(samples, "18", 4, seed=s) for s in range(10)]
    assert len(set(shares)) > 1


def test_majority_at_k_of_nothing() -> None:
    assert majority_at_k(answers(None, None), "18", 2) == 0
    for k in (0, 3):
        with pytest.raises(ValueError, match="between 1 and 2 samples"):
            majority_at_k(answers(1, 2), "18", k)


SCORED = st.lists(st.tuples(st.sampled_from([0, 0.2, 0.5, 1]), st.booleans()),
                  min_size=1, max_size=7)  # fmt: skip


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

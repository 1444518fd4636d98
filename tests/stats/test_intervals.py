"""The statistics against hand calculations and against counting every case."""

import random
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from scripted_llm import ScriptedLLM

from helpers.evaluation import Attempts, attempt
from helpers.problems import Answer
from helpers.stats import (
    majority_at_k,
    majority_vote,
    mcnemar_p,
    paired_difference,
    pass_at_k,
    wilson_interval,
    with_interval,
)


def answers(*values: int | None) -> list[Answer]:
    return [
        Answer(None, "none") if v is None else Answer(Fraction(v), "answer is")
        for v in values
    ]


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
        with pytest.raises(ValueError, match="between 1 and 2 answers"):
            majority_at_k(answers(1, 2), "18", k)


# Attempts: a model with known solutions.

SOLUTIONS = [
    "2*9 = 18.\nThe answer is 18.",
    "The answer is $20.",
    "No idea.",
    "#### 18",
]


def attempts(k: int) -> Attempts:
    return attempt(ScriptedLLM(lambda line: SOLUTIONS), "Q:\n", "#### 18", k, seed=3)


def test_attempts_are_read_and_judged() -> None:
    found = attempts(4)
    assert [step.text for step in found.steps] == SOLUTIONS
    assert [answer.value for answer in found.answers] == [18, 20, None, 18]
    assert found.right == (True, False, False, True)
    assert found.tokens == sum(len(text) + 1 for text in SOLUTIONS)


def test_an_attempt_passes_on_prompt_number_and_seed() -> None:
    llm = ScriptedLLM(lambda line: SOLUTIONS)
    attempt(llm, "Q:\n", "18", k=2, seed=5)
    assert llm.calls == [("Q:\n", 2, 5)]


def test_the_vote_of_the_first_k() -> None:
    found = Attempts((), tuple(answers(20, 18, 18, None)), (False, True, True, False))
    assert [found.vote(k) for k in (1, 2, 3, 4)] == [False, False, True, True]
    nobody = Attempts((), tuple(answers(None, 18)), (False, True))
    assert [nobody.vote(k) for k in (1, 2)] == [False, True]


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

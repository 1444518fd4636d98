"""Advantages and the loss of GRPO, by hand and by their properties."""

from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.abacus import (
    HASTY,
    Learner,
    Lesson,
    to_lesson,
)
from helpers.learning import (
    advantages,
    grpo,
    grpo_loss,
    step_advantages,
    train,
)
from helpers.problems import generate

ROWS = generate("train", 24, 700_000, (2, 2))


def test_advantages_by_hand():
    # Mean 1/4, variance 3/16: the one right solution is sqrt(3) deviations above.
    found = advantages([1, 0, 0, 0])
    np.testing.assert_allclose(found, [sqrt(3), *[-1 / sqrt(3)] * 3])


@pytest.mark.parametrize("rewards", [[0, 0, 0], [1, 1], [0.1] * 7, [5.0]])
def test_equal_rewards_teach_nothing(rewards):
    assert not advantages(rewards).any()


@given(st.lists(st.floats(-100, 100), min_size=2))
def test_advantages_have_mean_zero_and_deviation_one(rewards):
    found = advantages(rewards)
    assert np.mean(found) == pytest.approx(0, abs=1e-4)
    if found.any():
        assert np.std(found) == pytest.approx(1)


@pytest.mark.parametrize("reward", [float("nan"), float("inf")])
def test_rewards_are_finite(reward):
    """Else one bad reward would spoil every parameter."""
    with pytest.raises(ValueError, match="finite"):
        advantages([1.0, reward])
    learner = Learner(HASTY)
    rounds = grpo(learner, ROWS, rounds=1, problems=1, reward=lambda text, gold: reward)
    with pytest.raises(ValueError, match="finite"):
        train(learner, rounds)
    assert learner.params is learner.start and not learner.history


def test_step_advantages_by_hand():
    # Steps 1, 1 and 0, 1, 0: mean 3/5, standard deviation sqrt(6)/5.
    up, down = 2 / sqrt(6), -3 / sqrt(6)
    first, second = step_advantages([[1, 1], [0, 1, 0]])
    np.testing.assert_allclose(first, [2 * up, up])
    np.testing.assert_allclose(second, [2 * down + up, up + down, down])


def test_an_outcome_is_the_reward_of_one_step():
    rewards = [1.0, 0.0, 0.0, 1.0, 1.0]
    found = step_advantages([[r] for r in rewards])
    np.testing.assert_allclose(np.concatenate(found), advantages(rewards))


def lesson_with(ratio, advantage, start_ratio=1.0):
    """One solution of one token, `ratio` times as probable as when it was drawn."""
    one = np.ones((1, 1))
    old, start = log(0.5 / ratio) * one, log(0.5 * start_ratio) * one
    return Lesson([0], one.astype(int), one, advantage * one, old, start)


@pytest.mark.parametrize(
    ("ratio", "advantage", "gain"),
    [
        (1.0, 2.0, 2.0),
        (1.1, 2.0, 2.2),
        (1.5, 2.0, 2.4),  # clipped at 1.2: it is probable enough
        (0.5, 2.0, 1.0),  # not clipped: it became worse by mistake
        (1.5, -2.0, -3.0),
        (0.5, -2.0, -1.6),  # clipped at 0.8: it is improbable enough
    ],
)
def test_the_clipped_ratio_by_hand(ratio, advantage, gain):
    lesson = lesson_with(ratio, advantage)
    found = grpo_loss(np.array([[log(0.5)]]), lesson, clip=0.2, beta=0)
    assert found == pytest.approx(-gain)


def test_the_penalty_for_leaving_the_start_by_hand():
    # The start model gives twice the probability: 2 - ln 2 - 1.
    lesson = lesson_with(1.0, 0.0, start_ratio=2.0)
    found = grpo_loss(np.array([[log(0.5)]]), lesson, beta=0.1)
    assert found == pytest.approx(0.1 * (2 - log(2) - 1))


@given(st.floats(-3, 3))
def test_the_penalty_is_never_negative(distance):
    lesson = lesson_with(1.0, 0.0, start_ratio=exp(distance))
    assert grpo_loss(np.array([[log(0.5)]]), lesson, beta=1.0) >= 0


def test_filling_has_no_loss():
    lesson = to_lesson([0], [[5, 0], [6, 7, 8, 0]], [1.0, -1.0])
    zero = np.zeros(lesson.mask.shape)
    lesson = Lesson([0], lesson.solutions, lesson.mask, lesson.weights, zero, zero)
    spoilt = np.where(lesson.mask > 0, -0.1, -5.0)
    plain = np.where(lesson.mask > 0, -0.1, -0.1)
    assert grpo_loss(spoilt, lesson) == pytest.approx(grpo_loss(plain, lesson))

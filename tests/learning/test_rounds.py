"""Learning: advantages and losses by hand, and rounds that can be repeated."""

from functools import partial
from math import log, sqrt
from statistics import fmean

import autograd.numpy as anp
import numpy as np
import pytest

from helpers.abacus import (
    END_OF_TEXT,
    HASTY,
    Learner,
    Lesson,
    log_probs,
    to_lesson,
)
from helpers.evaluation import processes
from helpers.learning import (
    Round,
    Solution,
    choose,
    expert_iteration,
    grpo,
    sample_solutions,
    train,
)
from helpers.learning.rounds import line_numbers, measure, token_advantages
from helpers.llm import derive_seed
from helpers.problems import generate, prompt_of
from helpers.rewards import ArithmeticChecker

ROWS = generate("train", 24, 700_000, (2, 2))


def test_line_numbers():
    newline = 11
    assert line_numbers([5, newline, 6, 7, newline, 0]).tolist() == [0, 0, 1, 1, 1, 2]


def test_token_advantages_join_answer_and_steps():
    tok = Learner(HASTY).tokenizer
    texts = ["So 1+1 = 2.\nThe answer is 2.\n", "So 1+1 = 3.\nThe answer is 3.\n"]
    group = [
        Solution(text, [*tok.encode(text), END_OF_TEXT], reward, 9)
        for text, reward in zip(texts, (1.0, 0.0), strict=True)
    ]
    assert token_advantages(group, None) == [1.0, -1.0]
    share = ArithmeticChecker().share
    right, wrong = token_advantages(group, lambda line: share([line]))
    # Steps 1, 1 and 0, 1: mean 3/4, deviation sqrt(3)/4, so 1/sqrt(3) and -sqrt(3).
    up, down = 1 / sqrt(3), -sqrt(3)
    size = len(tok.encode("So 1+1 = 2.\n"))
    assert len(right) == len(group[0].ids)
    np.testing.assert_allclose(right[:size], 1 + 2 * up)
    np.testing.assert_allclose(right[size:], 1 + up)
    np.testing.assert_allclose(wrong[:size], -1 + down + up)
    np.testing.assert_allclose(wrong[size:], -1 + up)


def solution(text, reward):
    return Solution(text, [1, 0], reward, 2)


def test_problems_are_taken_in_turn():
    assert [r["question"] for r in choose(ROWS, 5, 5)] == [
        ROWS[i % 24]["question"] for i in range(25, 30)
    ]


def test_a_round_is_measured_by_hand():
    rows = [
        {"question": "q", "answer": "#### 2"},
        {"question": "r", "answer": "#### 3"},
    ]
    groups = [
        [solution("The answer is 2.", 0.5), solution("The answer is 5.", 0.0)],
        [solution("The answer is 3.", 1.0)],
    ]
    lesson = to_lesson([0], [[5, 0]], [1.0])
    old, start = np.array([[-1.0, -2.0]]), np.array([[-1.0 + log(2), -2.0]])
    lesson = Lesson([0], lesson.solutions, lesson.mask, lesson.weights, old, start)
    found = measure(rows, groups, [lesson])
    kl = (2 - log(2) - 1) / 2  # of two tokens, one has moved
    assert found == pytest.approx(Round(0.5, 2 / 3, 2.0, kl, 6, 1))


def test_two_rounds_of_grpo_by_hand():
    """Draw, compare with the group, two steps a round: all of it written again."""

    def reward(text, gold):
        return float(len(text))

    taught, learner = Learner(HASTY, rate=0.05), Learner(HASTY, rate=0.05)
    settings = {"k": 6, "batches": 2, "clip": 0.05, "beta": 0.5, "reward": reward}
    train(taught, grpo(taught, ROWS, rounds=2, problems=2, seed=2, **settings))
    for number in range(2):
        rows = ROWS[2 * number : 2 * number + 2]
        lessons, known = [], []
        for row in rows:
            seed = derive_seed(2, number)
            (group,) = sample_solutions(learner, [row], seed, k=6)
            r = np.array([len(x.text) for x in group])
            prompt = [0, *learner.tokenizer.encode(prompt_of(row))]
            advantage = (r - r.mean()) / r.std()
            lessons.append(to_lesson(prompt, [x.ids for x in group], advantage))
            both = (log_probs(p, lessons[-1]) for p in (learner.params, learner.start))
            known.append([*both])
        for lesson, (old, start) in zip(lessons, known, strict=True):
            learner.update([lesson], partial(plain_grpo_loss, old, start))
    for name, value in taught.params.items():
        np.testing.assert_allclose(value, learner.params[name], atol=1e-12)


def plain_grpo_loss(old, start, now, lesson):
    """GRPO with clip 0.05 and beta 0.5, case by case."""
    ratio, a = anp.exp(now - old), lesson.weights
    gain = anp.where((a > 0) & (ratio > 1.05), 1.05 * a, ratio * a)
    gain = anp.where((a < 0) & (ratio < 0.95), 0.95 * a, gain)
    kl = anp.exp(start) / anp.exp(now) - (start - now) - 1
    return -anp.sum((gain - 0.5 * kl) * lesson.mask)


def test_the_solutions_of_a_problem_share_one_vote():
    """Seen by a learner whose steps are only noted."""
    learner, seen = Learner(HASTY), []
    learner.update = lambda lessons, loss: seen.extend(lessons)
    settings = {"rounds": 1, "problems": 8, "most": 3}
    train(learner, expert_iteration(learner, ROWS, **settings))
    assert {len(lesson.mask) for lesson in seen} >= {2, 3}
    for lesson in seen:
        assert lesson.weights.max(axis=1).sum() == pytest.approx(1)


def test_bad_settings_are_refused():
    learner = Learner(HASTY)
    for settings, words in {
        ("k", 1): "group of one",
        ("batches", 0): "whole number from 1",
        ("problems", 0): "whole number from 1",
        ("rounds", 0): "whole number from 1",
    }.items():
        given = {"rounds": 1, "problems": 1} | dict([settings])
        with pytest.raises(ValueError, match=words):
            train(learner, grpo(learner, ROWS, **given))
    with pytest.raises(ValueError, match="no problem"):
        train(learner, expert_iteration(learner, [], rounds=1, problems=1))
    with pytest.raises(ValueError, match="another learner"):
        train(Learner(HASTY), grpo(learner, ROWS, rounds=1, problems=1))


KINDS = {
    "expert": partial(
        expert_iteration, problems=8, draw=partial(sample_solutions, k=4)
    ),
    "grpo": partial(grpo, problems=8, k=4),
    "steps": partial(
        grpo, problems=8, k=4, step_reward=lambda line: float("=" in line)
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_determines_the_model(kind, tmp_path):
    """With or without a stop in between."""
    file, whole, halves = tmp_path / "half.npz", Learner(HASTY), Learner(HASTY)
    rounds = train(whole, KINDS[kind](whole, ROWS, rounds=2, seed=3))
    train(halves, KINDS[kind](halves, ROWS, rounds=1, seed=3), checkpoint=file)
    resumed = Learner(HASTY)
    resumed.restore(file)
    again = train(resumed, KINDS[kind](resumed, ROWS, rounds=2, seed=3))
    assert again == rounds and len(rounds) == 2
    for name, value in whole.params.items():
        np.testing.assert_array_equal(value, resumed.params[name])
    other = Learner(HASTY)
    train(other, KINDS[kind](other, ROWS, rounds=1, seed=4))
    assert other.history[0] != whole.history[0]


@pytest.mark.parametrize("kind", ["expert", "grpo"])
def test_learning_raises_accuracy(kind):
    """On problems it has not learned from, by more than chance would."""
    held_out = generate("validation", 40, 1, (2, 2))

    def accuracy(learner):
        groups = sample_solutions(learner, held_out, seed=0, k=4)
        return fmean(x.reward for group in groups for x in group)

    with processes(2) as executor:
        learner = Learner(HASTY, executor=executor)
        before = accuracy(learner)
        rows = generate("train", 48, 700_000, (2, 2))
        train(learner, KINDS[kind](learner, rows, rounds=3, problems=16))
        assert accuracy(learner) > before + 0.2


def rewards_of(*rewards):
    """A learner, and rounds that have these rewards."""
    learner = Learner(HASTY)

    def rounds():
        for reward in rewards:
            learner.history.append(Round(reward, 0, 0, 0, 0, 0))
            yield learner.history[-1]

    return learner, rounds()


def test_patience_ends():
    found = train(*rewards_of(0.1, 0.3, 0.2, 0.3, 0.9), patience=2)
    assert [x.reward for x in found] == [0.1, 0.3, 0.2, 0.3]
    assert len(train(*rewards_of(0.1, 0.3, 0.2, 0.4, 0.2), patience=2)) == 5
    assert len(train(*rewards_of(0.3, 0.1, 0.1, 0.1))) == 4


def test_a_round_without_anything_right_changes_nothing():
    learner = Learner(HASTY)
    before = learner.params
    rows = [{"question": row["question"], "answer": "#### 987654321"} for row in ROWS]
    (found,) = train(learner, expert_iteration(learner, rows, rounds=1, problems=4))
    assert found.right == 0 and found.learned == 0 and learner.params is before
    (_, found) = train(learner, grpo(learner, rows, rounds=2, problems=4))
    assert found.learned == 0 and learner.params is before


def test_a_reward_that_can_be_cheated_is_cheated():
    """True equations are rewarded, so the model learns to write none."""

    def no_false_equation(text, gold):
        return ArithmeticChecker().share(text.split("\n"))

    learner = Learner(HASTY)
    rows = generate("train", 32, 700_000, (4, 4))
    rounds = train(
        learner, grpo(learner, rows, rounds=5, problems=8, reward=no_false_equation)
    )
    assert rounds[-1].reward > 0.97 and rounds[-1].length < 0.6 * rounds[0].length
    assert rounds[-1].right < rounds[0].right

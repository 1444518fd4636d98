"""Learning: the model is changed by what it found itself, and nobody shows it how.

Vocabulary
    solution    what the model wrote after a problem, its reward, and what it cost.
    reward      a number for a text, given the gold answer: 1 if it answers right.
    group       the solutions of one problem.
    advantage   how much better than its group a solution is (`losses.py`).
    KL          how far the model has moved from its start, in nats a token.
    round       draw solutions, learn from them; then the next, with the new model.

*Expert iteration* imitates the solutions that were right (STaR, Zelikman et al. 2022,
arXiv:2203.14465; ReST-EM, Singh et al. 2023, arXiv:2312.06585). They may be sampled or
searched for. *GRPO* learns from the wrong ones as well: it makes a solution more
probable that is better than its group, and less one that is worse (Shao et al. 2024,
arXiv:2402.03300, also for rewards of steps). Both are written as generators of rounds,
and `train` runs them. Does not cover: value networks (PPO), models other than abacus;
the gradients are in `abacus/finetune.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path as File
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from helpers.abacus import (
    END_OF_TEXT,
    NEWLINE,
    Learner,
    Lesson,
    imitation_loss,
    to_lesson,
)
from helpers.llm import check_given, check_limits, derive_seed
from helpers.problems import prompt_of

from .losses import advantages, grpo_loss, step_advantages
from .solutions import (
    Reward,
    Row,
    Solution,
    keep_right,
    right_answer,
    sample_solutions,
)


class Round(NamedTuple):
    """What one round drew and learned: means over the solutions, before it learned.

    reward: as it was rewarded; right: as the answers truly are.
    length: tokens of a solution.
    kl: from the start, in nats a token; in expert iteration of the right ones only.
    tokens: sampled in all; learned: solutions that the model learned from.
    """

    reward: float
    right: float
    length: float
    kl: float
    tokens: int
    learned: int


def expert_iteration(
    learner: Learner, rows: Sequence[Row], *, rounds: int, problems: int,
    draw: Callable[..., list[list[Solution]]] = sample_solutions, most: int | None = 2,
    batch: int = 16, seed: int = 0,
) -> Iterator[Round]:  # fmt: skip
    """Draw, keep what is right, imitate it; in each round on so many new problems.

    rounds: in all; those in the learner's history count, so a restored one goes on.
    draw: `sample_solutions` or `search_solutions`, with settings (`functools.partial`).
    most: solutions kept of a problem; None keeps all. They share one vote, so that easy
        problems, with many right solutions, do not crowd out the hard ones.
    """
    check_limits(rounds=rounds, problems=problems, batch=batch)
    check_given(most=most)
    while (number := len(learner.history)) < rounds:
        part = choose(rows, number, problems)
        groups = draw(learner, part, derive_seed(seed, number))
        kept = [keep_right(group, most) for group in groups]
        lessons = add_references(learner, [
            lesson_of(learner, row, group, [1 / len(group)] * len(group))
            for row, group in zip(part, kept, strict=True) if group
        ])  # fmt: skip
        found = measure(part, groups, lessons)
        for i in range(0, len(lessons), batch):
            learner.update(lessons[i : i + batch], imitation_loss)
        learner.history.append(found)
        yield found


def grpo(
    learner: Learner, rows: Sequence[Row], *, rounds: int, problems: int, k: int = 8,
    batches: int = 2, clip: float = 0.2, beta: float = 0.02,
    reward: Reward = right_answer, step_reward: Callable[[str], float] | None = None,
    seed: int = 0,
) -> Iterator[Round]:  # fmt: skip
    """Draw k solutions of each of so many new problems a round; learn what was better.

    The loss is a mean over all tokens of a step, where Shao et al. take that of each
    solution first; groups of equal rewards are left out, which saves their time.

    rounds: in all, as in `expert_iteration`.
    batches: steps of the optimizer a round; from the second on, the ratio is not 1.
    step_reward: the reward of a line, if steps are rewarded as well.
    """
    check_limits(rounds=rounds, problems=problems, k=k, batches=batches)
    if k < 2:
        raise ValueError("k=1: a group of one has nothing to compare. Type k=8.")
    loss = partial(grpo_loss, clip=clip, beta=beta)
    while (number := len(learner.history)) < rounds:
        part = choose(rows, number, problems)
        draw = partial(sample_solutions, k=k, reward=reward)
        groups = draw(learner, part, derive_seed(seed, number))
        lessons = add_references(learner, [
            lesson_of(learner, row, group, token_advantages(group, step_reward))
            for row, group in zip(part, groups, strict=True)
        ])  # fmt: skip
        useful = [lesson for lesson in lessons if lesson.weights.any()]
        found = measure(part, groups, lessons)
        for i in range(batches):
            if useful[i::batches]:
                learner.update(useful[i::batches], loss)
        learner.history.append(found)
        yield found


def choose(rows: Sequence[Row], number: int, problems: int) -> list[Row]:
    """The problems of a round; after the last problem comes the first."""
    if not rows:
        raise ValueError("There is no problem to learn from. Type generate(...).")
    first = number * problems
    return [rows[i % len(rows)] for i in range(first, first + problems)]


def lesson_of(
    learner: Learner, row: Row, group: Sequence[Solution], weights: Sequence[Any]
) -> Lesson:
    """The solutions of a problem as a lesson, with a weight for each, or its tokens."""
    prompt = [END_OF_TEXT, *learner.tokenizer.encode(prompt_of(row))]
    return to_lesson(prompt, [solution.ids for solution in group], weights)


def token_advantages(
    group: Sequence[Solution], step_reward: Callable[[str], float] | None
) -> list[Any]:
    """The advantage of each solution; if steps are rewarded, of each of its tokens."""
    whole = advantages([solution.reward for solution in group])
    if step_reward is None:
        return [*whole]
    lines = [solution.text.rstrip("\n").split("\n") for solution in group]
    steps = step_advantages([[step_reward(line) for line in x] for x in lines])
    return [
        advantage + by_step[line_numbers(solution.ids).clip(max=len(by_step) - 1)]
        for advantage, by_step, solution in zip(whole, steps, group, strict=True)
    ]


def line_numbers(ids: Sequence[int]) -> np.ndarray:
    """For each token, the number of its line; a newline ends the line it stands in."""
    ends = np.asarray(ids) == NEWLINE
    return np.cumsum(ends) - ends


def add_references(learner: Learner, lessons: Sequence[Lesson]) -> list[Lesson]:
    """The lessons with their log-probabilities by the model now and at the start."""
    now = learner.log_probs(lessons)
    is_new = learner.params is learner.start
    start = now if is_new else learner.log_probs(lessons, learner.start)
    return [
        replace(lesson, old=a, start=b)
        for lesson, a, b in zip(lessons, now, start, strict=True)
    ]


def measure(
    rows: Sequence[Row], groups: Sequence[Sequence[Solution]], lessons: Sequence[Lesson]
) -> Round:
    """What a round drew; KL on the solutions of its lessons."""
    drawn = [x for group in groups for x in group]
    pairs = zip(rows, groups, strict=True)
    right = [right_answer(x.text, row["answer"]) for row, group in pairs for x in group]
    moved, count = 0.0, 1e-9
    for lesson in lessons:
        log_x = lesson.start - lesson.old
        moved += (lesson.mask * (np.exp(log_x) - log_x - 1)).sum()
        count += lesson.mask.sum()
    return Round(
        reward=fmean(x.reward for x in drawn),
        right=fmean(right),
        length=fmean(len(x.ids) for x in drawn),
        kl=float(moved / count),
        tokens=round(sum(x.tokens for x in drawn)),
        learned=sum(len(lesson.mask) for lesson in lessons if lesson.weights.any()),
    )


def train(
    learner: Learner, rounds: Iterator[Round], checkpoint: File | str | None = None,
    patience: int | None = None,
) -> list[Round]:  # fmt: skip
    """Run the rounds under a progress bar; all rounds of the learner so far.

    checkpoint: a file that is written after each round, for `Learner.restore`.
    patience: stop when the mean reward has had no new best for so many rounds.
    An interrupted round has changed the model: restore the checkpoint, or begin anew.
    Raises ValueError for rounds of another learner.
    """
    check_given(patience=patience)
    with tqdm(unit="tok", unit_scale=True) as bar:
        for found in rounds:
            if not learner.history or learner.history[-1] is not found:
                raise ValueError("These rounds teach another learner. Name it twice.")
            bar.set_postfix(reward=f"{found.reward:.2f}", length=f"{found.length:.0f}",
                            kl=f"{found.kl:.3f}")  # fmt: skip
            bar.update(found.tokens)
            if checkpoint:
                learner.checkpoint(checkpoint)
            rewards = [Round(*entry).reward for entry in learner.history]
            if patience and len(rewards) - rewards.index(max(rewards)) > patience:
                break
    return [Round(*entry) for entry in learner.history]

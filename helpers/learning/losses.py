"""What GRPO makes small: advantages within a group, and the loss made of them.

Vocabulary
    group       the solutions of one problem.
    advantage   how much better than its group a solution is, in standard deviations.
    ratio       how probable a token is now, over how probable it was when it was drawn.
    KL          how far the model has moved from its start, in nats a token.

Shao et al. 2024, arXiv:2402.03300, also for rewards of steps.
"""

from collections.abc import Sequence
from statistics import fmean

import numpy as np

from helpers.abacus import Array, Lesson


def advantages(rewards: Sequence[float]) -> np.ndarray:
    """How many standard deviations each reward lies above the mean of its group.

    Equal rewards give 0: such a group teaches nothing.
    Raises ValueError for a reward that is not a finite number.
    """
    values = np.asarray(rewards, dtype=float)
    if not np.isfinite(values).all():
        raise ValueError(f"A reward must be a finite number; got {[*rewards]}.")
    above = values - fmean(values)
    spread = np.sqrt(np.mean(above**2))
    varies = spread > 1e-9 * max(1, *abs(values))  # more than rounding does
    return above / spread if varies else 0 * above


def step_advantages(rewards: Sequence[Sequence[float]]) -> list[np.ndarray]:
    """For the rewards of each solution's steps, the advantage of each step.

    A step answers for itself and for what comes after it: the rewards are compared with
    those of all steps of the group, then added up from the end (GRPO with process
    supervision, Shao et al. 2024).
    """
    flat = iter(advantages([reward for steps in rewards for reward in steps]))
    own = [[next(flat) for _ in steps] for steps in rewards]
    return [np.cumsum(steps[::-1])[::-1] for steps in own]


def grpo_loss(
    log_probs: Array, lesson: Lesson, clip: float = 0.2, beta: float = 0.02
) -> Array:
    """What GRPO makes small; a token's weight is its advantage.

    ratio * advantage, but no gain for a ratio outside 1 - clip to 1 + clip: what was
    drawn by the old model says little about a new one that is far from it (PPO,
    Schulman et al. 2017, arXiv:1707.06347). beta weighs the KL from the start: the mean
    of x - ln x - 1 with x = start / now, of which no term is negative.
    """
    from autograd import numpy as xp

    ratio = xp.exp(log_probs - lesson.old)
    near = xp.clip(ratio, 1 - clip, 1 + clip)
    gain = xp.minimum(ratio * lesson.weights, near * lesson.weights)
    log_x = lesson.start - log_probs
    kl = xp.exp(log_x) - log_x - 1
    return -xp.sum(lesson.mask * (gain - beta * kl))

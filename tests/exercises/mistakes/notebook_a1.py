"""Typical mistakes in the exercises of notebook A1: (check, answers, what is said)."""

import numpy as np

from helpers.abacus import causal_attention, rms_norm
from helpers.exercises import notebook_a1 as check

MORE = 1_852_800  # parameters: width 256 instead of 128, counted by hand
IDLE = [(1, 3), (2, 1), (2, 3), (3, 1), (3, 3)]


def normed(x, gain, epsilon, axis=-1, ddof=0):
    above = x - x.mean(axis=axis, keepdims=True)
    size = np.sqrt(x.var(axis=axis, keepdims=True, ddof=ddof) + epsilon)
    return above / size * gain


def size_of_x(x, gain, epsilon):
    return rms_norm(x, gain, epsilon) - rms_norm(x, gain, epsilon) / x * x.mean(
        axis=-1, keepdims=True
    )


def windowed(before, after=0, late=True):
    """Attention to `before` positions before and `after` behind the own one."""

    def windowed_attention(window):
        def attend(layer, q, k, v):
            n = k.shape[-2]
            start = n - q.shape[-2] if late else 0
            far = np.arange(start, start + q.shape[-2])[:, None] - np.arange(n)
            allowed = (far >= -after) & (far <= window + before)
            scores = q @ k.swapaxes(-1, -2) * q.shape[-1] ** -0.5
            weights = np.where(allowed, np.exp(scores), 0)
            return weights / weights.sum(axis=-1, keepdims=True) @ v

        return attend

    return windowed_attention


def unscaled(window):
    """Scores that are not divided by the root of D = 4."""
    attend = windowed(-1)(window)
    return lambda layer, q, k, v: attend(layer, 2 * q, k, v)


MISTAKES = [
    (check.exercise_a1_1, [65536, MORE], "narrower heads"),
    (check.exercise_a1_1, [0, 1_197_440], "not all parts double"),
    (check.exercise_a1_1, [0, 3_050_240], "How many .more"),
    (check.exercise_a1_1, [0, 2 * MORE], "`hidden` stays"),
    (check.exercise_a1_1, ["none", MORE], "A number is asked for"),
    (check.exercise_a1_2, [rms_norm], "minus the mean"),
    (check.exercise_a1_2, [lambda *a: normed(*a, ddof=1)], "not by n - 1"),
    (check.exercise_a1_2, [lambda *a: normed(*a, axis=0)], "axis=-1"),
    (check.exercise_a1_2, [lambda x, g, e: normed(x, g, 0)], "Where is epsilon"),
    (check.exercise_a1_2, [lambda x, g, e: normed(x, g, e).sum(0)], "has the shape"),
    (check.exercise_a1_2, [lambda x, g, e: normed(x, 1, e)], "gain is forgotten"),
    (check.exercise_a1_3, [lambda window: causal_attention()], "everything before"),
    (check.exercise_a1_3, [windowed(0)], "counts as one of the window"),
    (check.exercise_a1_3, [windowed(-2)], "itself and two before"),
    (check.exercise_a1_3, [windowed(-1, after=1)], "sees the future"),
    (check.exercise_a1_3, [unscaled], "the root of their length"),
    (check.exercise_a1_3, [windowed(-1, late=False)], "the .last. two positions"),
    (check.exercise_a1_3, [lambda window: window], "Give back a function"),
    (check.exercise_a1_4, ["3.0", 7.0], "A list of heads"),
    (check.exercise_a1_4, [[*IDLE, (3, 0)], 7.0], r"\(3, 0\) does not look"),
    (check.exercise_a1_4, [IDLE[:4], 7.0], "there are more"),
    (check.exercise_a1_4, [IDLE, "much"], "together is a number"),
    (check.exercise_a1_4, [IDLE, 0.0155], "in one run"),
    (check.exercise_a1_4, [IDLE, -7.5], "a drop is positive"),
    (check.exercise_a1_4, [IDLE, 3.0], "is not it"),
]

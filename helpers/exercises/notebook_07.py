"""The checks of notebook 07."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from helpers.problems import is_correct

from .checking import are_numbers, call, exercise, expect, is_number, near, plain


@exercise
def exercise_7_1(full: Any, slight: Any) -> None:
    """(1 - 1/4) / sqrt(1/4 * 3/4) is the root of 3, whatever a wrong one is paid."""
    for value in (full, slight):
        expect(is_number(value), f"Two numbers are asked for, not {value!r}.")
    expect(min(full, slight) > 0, "A right one is better than the mean of its group.")
    told = {
        0.75: "is how far 1 lies above the mean; in standard deviations?",
        4: "comes from the variance; the standard deviation is its root.",
        1.62: "comes from n - 1 = 7 in the variance; `advantages` divides by n = 8.",
        2.65: "is that of one right solution of eight; here two are right.",
    }
    for value, why in told.items():
        expect(not near(full, value, 0.006), f"full: {value} {why}")
    expect(near(full, 3**0.5, 0.006), f"full: {full} is not it. Mean 1/4; and then?")
    expect(not near(slight, 0.075, 0.003), "slight: that is the distance; divide it.")
    expect(slight > 0.3, "slight: the gap shrinks, but the standard deviation as well.")
    expect(near(slight, 3**0.5, 0.006), f"slight: {slight} is not it. Mean 0.925.")


@exercise
def exercise_7_2(gain_slope: Any) -> None:
    """The slope of min(ratio * A, clip(ratio) * A), against finite differences."""
    told = {
        (1.0, 1.0): "Inside the interval the gain is ratio * advantage.",
        (
            1.0,
            -1.0,
        ): "Inside the interval the gain is ratio * advantage: mind the sign.",
        (1.1, 2.0): "The slope of ratio * advantage is more than its sign.",
        (1.5, 1.0): "The clipped gain is level here: the token has moved far enough.",
        (0.5, -1.0): "The clipped gain is level here: the token has moved far enough.",
        (0.5, 1.0): "It should be likelier and is not: it moved the wrong way.",
        (1.5, -1.0): "It should be rarer and is not: it moved the wrong way.",
        (1.15, 1.0, 0.1): "With a clip of 0.1 the gain ends at 1.1.",
        (1.25, 1.0, 0.3): "With a clip of 0.3 the gain ends at 1.3.",
    }
    for case, why in told.items():
        ratio, advantage, clip = (*case, 0.2)[:3]
        found = call(gain_slope, *case)
        given = f"Of ratio {ratio} and advantage {advantage}"
        expect(is_number(found), f"{given}: a number is asked for, not {found!r}.")
        moved = np.array([ratio, ratio + 1e-6])
        clipped = np.clip(moved, 1 - clip, 1 + clip)
        here, there = np.minimum(moved * advantage, clipped * advantage)
        true = (there - here) / 1e-6
        is_gain = near(found, here) and not near(here, true, 1e-3)
        expect(not is_gain, f"{given}: {here:g} is the gain itself, not its slope.")
        expect(near(found, true, 1e-3), f"{given}: not {found:g}. {why}")


@exercise
def exercise_7_3(by_solution: Any, pushes: Any) -> None:
    """The length bias: a mean for each solution first, then the mean of these."""
    gains = np.array([[3.0, 3.0, 9.0, 9.0], [-1.0, -1.0, -1.0, -1.0]])
    mask = np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    loss = call(by_solution, gains, mask)
    expect(is_number(loss), f"The loss is a number, not {loss!r}.")
    told = {
        1: "A loss becomes small where the gain becomes large: mind the sign.",
        -2: "That is a sum; take the mean over the solutions.",
        -2.5: "Filling was counted: the gains of 9 have a mask of 0.",
        -0.25: "A solution is divided by its own number of tokens, filling left out.",
        -1 / 3: "That is the mean over all tokens, as `grpo` has it.",
    }
    for value, why in told.items():
        expect(not near(loss, value), f"{why} ({loss:.3g} for gains of 3, 3 and -1.)")
    expect(near(loss, -1), f"Gains of 3, 3 and -1, -1, -1, -1: -1, not {loss:.4g}.")
    loss = call(by_solution, np.arange(12.0).reshape(3, 4), np.tri(3, 4, 1))
    told = "Wrong for gains np.arange(12.0).reshape(3, 4) and mask np.tri(3, 4, 1)."
    expect(is_number(loss) and near(loss, -5), told)
    told = f"pushes: two numbers are asked for, not {pushes!r}."
    expect(are_numbers(pushes, 2), told)
    mine, theirs = pushes
    expect(not near(mine, 16), "pushes: 80 / 20 enters once, not twice.")
    expect(not (near(mine, 1) and near(theirs, 4)), "pushes: the other way round.")
    expect(not near(mine, 0.25), "pushes: the short one's over the long one's.")
    expect(near(mine, 4), f"pushes: not {mine} by your loss. What divides a gain?")
    expect(near(theirs, 1), f"pushes: not {theirs} by grpo. What divides a gain there?")


def estimates(now: Sequence[float], start: Sequence[float]) -> list[Any]:
    """Mean and standard deviation of -ln x and of x - ln x - 1, by enumeration."""
    found = []
    p, x = np.array(now, dtype=float), np.divide(start, now)
    for terms in (-np.log(x), x - np.log(x) - 1):
        mean = float(p @ terms)
        found.append((mean, float(p @ (terms - mean) ** 2) ** 0.5))
    return found


@exercise
def exercise_7_4(two_estimates: Any) -> None:
    """Two estimates of the KL, with one mean and two spreads."""

    def run(now: list[float], start: list[float]) -> list[Any]:
        found = call(two_estimates, now, start)
        two = isinstance(found, tuple | list) and len(found) == 2
        told = f"Give two pairs, (mean, standard deviation) each, not {found!r}."
        expect(two and all(are_numbers(pair, 2) for pair in found), told)
        return found

    now, start = [0.75, 0.25], [0.4, 0.6]
    (mean, spread), (mean3, spread3) = run(now, start)
    (true, wide), (_, narrow) = estimates(now, start)
    told = {
        -true: "x is the start's probability over that of now.",
        0.2738: "Your arguments are exchanged: `now` comes first.",
        -0.2739: "Tokens are drawn by the model now: weigh by `now`.",
        -0.1234: "Weigh each token by its probability, `now`.",
    }
    for value, why in told.items():
        expect(not near(mean, value, 1e-3), f"-ln x has not the mean {mean:.3f}. {why}")
    expect(near(mean, true), f"The mean of -ln x is {true:.4f} here, not {mean:.4f}.")
    for found, right in ((spread, wide), (spread3, narrow)):
        expect(not near(found, right**2), f"{found:.4f} is a variance; take its root.")
    expect(near(spread, wide), f"-ln x spreads by {wide:.4f} here, not {spread:.4f}.")
    expect(near(mean3, true), f"x - ln x - 1 has the same mean, not {mean3:.4f}.")
    expect(near(spread3, narrow), f"x - ln x - 1 does not spread by {spread3:.4f}.")
    (sure, _), _ = run([1.0, 0.0], [0.5, 0.5])
    expect(near(sure, math.log(2)), "A token that is never drawn adds nothing.")


CAREFUL = """In one day Noah rides 15*2 = 30 kilometers.
On all these days he rides 6*30 = 180 kilometers.
So 287-180 = 107 kilometers are left.
The answer is 107.
"""


@exercise
def exercise_7_5(mended: Any, cheat: Any) -> None:
    """A reward without the gold answer, mended; and a text that cheats it again."""

    def pay(text: str, gold: str = "#### 107") -> float:
        found = call(mended, text, gold)
        expect(is_number(found), f"A reward is a number, not {found!r}.")
        return found

    expect(near(pay(CAREFUL), 1), f"Noah's solution is paid {pay(CAREFUL):g}, not 1.")
    expect(near(pay(CAREFUL, "#### 5"), 1), "It looks at the gold answer.")
    for text in ("The answer is 6.\n", ""):
        expect(pay(text) == 0, f"{text!r} has no equation, and is paid for it.")
    false = CAREFUL.replace("180", "170", 1)
    expect(pay(false) < 1, "A false equation (6*30 = 170) costs nothing.")
    for text in ("So 1+1 = 2.\nThe answer is 6.\n", CAREFUL.replace("is 107", "is 30")):
        expect(pay(text) == 0, f"{text[-33:]!r}: not the result of the last equation.")
    text = "So 4*3 = 12.\nThe answer is 12.\n"
    expect(near(pay(text), 1), f"{text!r} is paid {pay(text):g}, not 1.")
    expect(isinstance(cheat, str), f"cheat: a text is asked for, not {cheat!r}.")
    expect(not is_correct(cheat, "107"), "cheat: its answer is right, so it is honest.")
    expect(near(pay(cheat), 1), f"cheat: your reward pays it {pay(cheat):g}, not 1.")


@exercise
def exercise_7_6(noisy: Any) -> None:
    """Two near models of which x - ln x - 1 tells the distance badly."""
    shape = "Give two lists of the same length: probabilities now, and at the start."
    parts = [*map(plain, noisy)] if isinstance(noisy, tuple | list) else [None]
    expect(all(isinstance(part, tuple | list) for part in parts), shape)
    expect(len(parts) == 2 and len(parts[0]) == len(parts[1]) > 1, shape)
    for part in parts:
        proper = all(is_number(p) and p >= 1e-9 for p in part) and near(sum(part), 1)
        expect(proper, f"{part}: at least 1e-9 each, and 1 together.")
    ((kl, usual), (_, other)), back = estimates(*parts), estimates(*parts[::-1])
    expect(usual > 1e-9, "The two models are equal: nothing to estimate.")
    times, turned = other / usual, back[1][1] / back[0][1]
    hint = " Turned round, they would do." if back[0][0] <= 0.05 and turned > 10 else ""
    expect(kl <= 0.05, f"The KL is {kl:.3f} nats, and may be 0.05 at most.{hint}")
    told = f"x - ln x - 1 spreads {times:.3g} times as much as -ln x, not 10.{hint}"
    expect(times >= 10, told)

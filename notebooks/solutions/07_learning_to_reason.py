"""Solutions of notebook 07, a cell each; between the marks stands what is solved.

`make class` puts them into the teacher's edition; the tests run them.
"""

# %% setup
from collections.abc import Sequence

import numpy as np

# %% exercise_7_1
full = ...  # a wrong solution is paid 0
slight = ...  # a wrong solution is paid 0.9
### BEGIN SOLUTION
full = (1 - 1 / 4) / (1 / 4 * 3 / 4) ** 0.5
slight = full  # distance and standard deviation shrink alike
### END SOLUTION


# %% exercise_7_2
def gain_slope(ratio: float, advantage: float, clip: float = 0.2) -> float:
    """The derivative of a token's gain by its ratio."""
    ### BEGIN SOLUTION
    far_enough = ratio > 1 + clip if advantage > 0 else ratio < 1 - clip
    return 0.0 if far_enough else advantage
    ### END SOLUTION


# %% exercise_7_3
pushes = ...  # by your loss, by grpo's


def by_solution(gains: np.ndarray, mask: np.ndarray) -> float:
    """The loss, from the mean gain of each solution: a mistake."""
    ### BEGIN SOLUTION
    means = (gains * mask).sum(axis=1) / mask.sum(axis=1)
    return -means.mean()


pushes = 80 / 20, 1
### END SOLUTION


# %% exercise_7_4
def two_estimates(
    now: Sequence[float], start: Sequence[float]
) -> list[tuple[float, float]]:
    """Mean and standard deviation of -ln x, then of x - ln x - 1."""
    ### BEGIN SOLUTION
    drawn = [(p, q / p) for p, q in zip(now, start, strict=True) if p > 0]
    p, x = np.array(drawn).T
    pairs = []
    for terms in (-np.log(x), x - np.log(x) - 1):
        mean = p @ terms
        pairs.append((float(mean), float((p @ (terms - mean) ** 2) ** 0.5)))
    return pairs
    ### END SOLUTION


# %% exercise_7_5
cheat = ...  # a text with a wrong answer


def mended(text: str, gold: str) -> float:
    """A reward that silence does not earn, without the gold answer."""
    ### BEGIN SOLUTION
    from helpers.problems import is_correct
    from helpers.rewards import find_equations

    found = [x for line in text.split("\n") for x in find_equations(line)]
    if not found or not is_correct(text, found[-1].text.rpartition("=")[2]):
        return 0.0
    return sum(x.holds for x in found) / len(found)


cheat = "So 1+1 = 2.\nThe answer is 2.\n"
### END SOLUTION

# %% exercise_7_6
noisy = ...  # probabilities now, and at the start
### BEGIN SOLUTION
noisy = [0.9999, 0.0001], [0.96, 0.04]
### END SOLUTION

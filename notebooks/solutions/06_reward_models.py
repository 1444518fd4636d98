"""Solutions of notebook 06, a cell each; between the marks stands what is solved.

`make class` puts them into the teacher's edition; the tests run them.
"""

# %% setup
from collections.abc import Sequence
from math import comb

import numpy as np

from helpers.rewards import sigmoid

# %% exercise_6_1
needed = ...
### BEGIN SOLUTION
needed = 29  # 0.9 ** 28 is 0.052, 0.9 ** 29 is 0.047
### END SOLUTION


# %% exercise_6_2
def auc_of_pairs(
    scores: Sequence[float],
    right: Sequence[bool],
    groups: Sequence[int | str] | None = None,
) -> float:
    """The share of pairs (right, wrong) of one group that are in order."""
    ### BEGIN SOLUTION
    groups = [0] * len(scores) if groups is None else groups
    paths = [*zip(scores, right, groups, strict=True)]
    right_ones = [path for path in paths if path[1]]
    wrong_ones = [path for path in paths if not path[1]]
    won = [
        (a > b) + (a == b) / 2
        for a, _, problem in right_ones
        for b, _, other in wrong_ones
        if problem == other
    ]
    return sum(won) / len(won) if won else float("nan")
    ### END SOLUTION


# %% exercise_6_3
four_paths = ...  # {"last": [...], "min": [...], "product": ..., "mean": ...}
### BEGIN SOLUTION
four_paths = {
    "last": [0.1, 0.9],
    "min": [0.6, 0.6, 0.6],
    "product": [0.5],
    "mean": [1, 1, 1, 0.3],
}
### END SOLUTION


# %% exercise_6_4
def squared_loss(z: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean of (p - y) ** 2, and its derivative by each z."""
    ### BEGIN SOLUTION
    p = sigmoid(z)
    slopes = 2 * (p - y) * p * (1 - p) / len(y)
    return float(np.mean((p - y) ** 2)), slopes
    ### END SOLUTION


# %% exercise_6_5
cast = ...  # the nine labels, with int()
telltale = ...  # "AUC" or "ECE"


def expected_label(labels: Sequence[float], value: float) -> float:
    """The mean label of a step of this value; labels[c]: c rollouts right."""
    ### BEGIN SOLUTION
    k = len(labels) - 1
    return sum(
        label * comb(k, c) * value**c * (1 - value) ** (k - c)
        for c, label in enumerate(labels)
    )


cast = [int(c / 8) for c in range(9)]
telltale = "ECE"  # value ** 8 keeps the order, and is far too low
### END SOLUTION

# %% exercise_6_6
scored = ...  # 64 pairs (score, right)
highest = ...  # the highest AUC that such samples can have
### BEGIN SOLUTION
scored = [(2, False)] + [(1, True)] * 32 + [(0, False)] * 31
highest = 1 - 1 / 32  # one of the 32 wrong ones loses its pairs
### END SOLUTION

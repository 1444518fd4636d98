"""Solutions of notebook 04, a cell each; between the marks stands what is solved.

`make class` puts them into the teacher's edition; the tests run them.
"""

# %% setup
import random
from collections import Counter
from collections.abc import Callable, Sequence
from math import comb

# %% exercise_4_1
needed = ...  # how many problems
### BEGIN SOLUTION
needed = round(1.96**2 * 0.8 * 0.2 / 0.02**2)
### END SOLUTION


# %% exercise_4_2
def naive_pass_at_k(n: int, c: int, k: int) -> float:
    """1 - (1 - p)**k, where p is the share of right samples."""
    ### BEGIN SOLUTION
    return 1 - (1 - c / n) ** k
    ### END SOLUTION


def bias_of(
    estimator: Callable[[int, int, int], float], p: float, n: int, k: int
) -> float:
    """The mean of estimator(n, c, k) over all counts c, minus the truth."""
    ### BEGIN SOLUTION
    mean = sum(
        comb(n, c) * p**c * (1 - p) ** (n - c) * estimator(n, c, k)
        for c in range(n + 1)
    )
    return mean - (1 - (1 - p) ** k)
    ### END SOLUTION


# %% exercise_4_3
ballots = ...  # five texts


def string_vote(texts: Sequence[str]) -> str:
    """The most frequent text; of equals, the first seen: a mistake."""
    ### BEGIN SOLUTION
    return Counter(texts).most_common(1)[0][0]


ballots = ["1200", "1,200", "$1200.00", "12", "12"]
### END SOLUTION

# %% exercise_4_4
width_ratio = ...  # how many times as wide


def interval_over_problems(
    marks: Sequence[Sequence[bool]], draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """The 95 % bootstrap interval of the accuracy of single samples."""
    ### BEGIN SOLUTION
    rng = random.Random(seed)
    shares = [sum(samples) / len(samples) for samples in marks]
    n = len(shares)
    means = sorted(sum(rng.choices(shares, k=n)) / n for _ in range(draws))
    return means[int(0.025 * draws)], means[int(0.975 * draws)]


width_ratio = 4  # the root of 16
### END SOLUTION

# %% exercise_4_5
election = ...  # as few texts as possible
### BEGIN SOLUTION
election = ["1200", "1,200.00"]  # two votes, and no two texts alike
election += ["unknown"] * 3  # more than two
election += ["300001", "300002", "300003"]  # to five digits: one candidate
### END SOLUTION

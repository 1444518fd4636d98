"""What k samples of a problem are worth, from the n at hand.

Vocabulary
    pass@k      is any of k samples right?
    majority@k  is the answer right that most of k samples give? Also called
                self-consistency.
    best-of-k   is the best scored of k samples right?

Each is averaged over subsets of the n samples: over all where there is a formula, else
over random ones. Does not cover: the average over problems, and its interval
(`intervals.py`).
"""

import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from math import comb, isnan
from statistics import fmean

from helpers.problems import Answer, is_correct


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that k of n samples, drawn without return, hold one of the c right.

    The unbiased estimate of pass@k, 1 - C(n-c, k) / C(n, k), from Chen et al. (2021),
    "Evaluating Large Language Models Trained on Code"; average it over problems.
    """
    if not (0 <= c <= n and 1 <= k <= n):
        raise ValueError(f"need 0 <= c <= n and 1 <= k <= n; got n={n}, c={c}, k={k}")
    return 1 - comb(n - c, k) / comb(n, k)


def majority_vote(answers: Sequence[Answer]) -> Answer:
    """The answer whose value is most frequent: self-consistency, Wang et al. (2022).

    Votes go to values, so "18" and "18.00" are one candidate. An answer without a value
    does not vote. Of equals the first seen wins. Nobody voting gives Answer(None).
    """
    votes = Counter(answer.value for answer in answers if answer.value is not None)
    if not votes:
        return Answer(None, "none")
    winner = max(votes, key=votes.__getitem__)  # max keeps the first of equals
    return next(answer for answer in answers if answer.value == winner)


def majority_at_k(
    answers: Sequence[Answer], gold: str, k: int, draws: int = 100, seed: int = 0
) -> float:
    """How often the vote of k of the answers is right, over `draws` random subsets.

    There is no closed form as there is for pass@k. Subsets are drawn without return and
    in random order, so that ties break at random. Determined by `seed`.
    """
    values = [answer.value for answer in answers]
    right = [is_correct(str(value), gold) for value in values]
    return vote_at_k(values, [1.0] * len(values), right, k, draws, seed)


def best_at_k(scores: Sequence[float], right: Sequence[bool], k: int) -> float:
    """The chance that the best scored of k of the samples, drawn without return, is
    right.

    Among equal scores chance decides. A sample without an answer has score -inf and is
    not right. Of n samples, C(a, k) - C(b, k) subsets of C(n, k) have their best among
    the samples of one score, where a samples have at most this score and b have less.
    """
    n = len(scores)
    if not 1 <= k <= n:
        raise ValueError(f"k must lie between 1 and {n} samples; got {k}")
    tied: defaultdict[float, list[bool]] = defaultdict(list)
    for score, mark in zip(scores, right, strict=True):
        if isnan(score):
            raise ValueError("A score is not a number (nan).")
        tied[score].append(bool(mark))
    chance, below = 0.0, 0
    for score in sorted(tied):
        upto = below + len(tied[score])
        subsets = comb(upto, k) - comb(below, k)
        chance += fmean(tied[score]) * (subsets / comb(n, k))
        below = upto
    return chance


def vote_at_k(
    answers: Sequence[Hashable | None], weights: Sequence[float],
    right: Sequence[bool], k: int, draws: int = 50, seed: int = 0,
) -> float:  # fmt: skip
    """How often the weighted vote of k of the samples is right, over random subsets.

    An answer of None does not vote. With equal weights it is the majority vote; of
    equal sums, the answer seen first wins. Determined by `seed`.
    """
    samples = [*zip(answers, weights, right, strict=True)]
    if draws < 1:
        raise ValueError(f"draws={draws}: type a whole number from 1")
    if not 1 <= k <= len(samples):
        raise ValueError(f"k must lie between 1 and {len(samples)} samples; got {k}")
    rng, wins = random.Random(seed), 0
    for _ in range(draws):
        votes: Counter[Hashable] = Counter()
        verdicts = {}
        for answer, weight, verdict in rng.sample(samples, k):
            if answer is not None:
                votes[answer] += weight
                verdicts[answer] = bool(verdict)
        wins += bool(votes) and verdicts[max(votes, key=votes.__getitem__)]
    return wins / draws

"""How good is a verifier? Measured on problems that it was not trained on.

Vocabulary
    AUC          the chance that a random right one scores above a random wrong one.
    calibration  of what is scored 0.8, are 80 % right? A *reliability diagram* shows
                 it bin by bin; *ECE*, the expected calibration error, is the mean
                 distance from it (Naeini et al. 2015).
    first error  where a step score first falls below a threshold. ProcessBench (Zheng
                 et al. 2024, arXiv:2412.06559) counts how often this is the true place.

A high AUC over all problems may only mean that the verifier knows the hard problems.
What helps to choose among samples is the AUC *within* the problems (`groups`).
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from math import isnan, nan
from statistics import fmean
from typing import NamedTuple


def roc_auc(
    scores: Sequence[float], right: Sequence[bool],
    groups: Sequence[Hashable] | None = None,
) -> float:  # fmt: skip
    """The share of pairs (right, wrong) in order; equal scores count half.

    With groups, such as the problem of each path, only pairs of one group count. It is
    not a number (nan) if there is no pair.
    """
    import numpy as np
    from scipy.stats import mannwhitneyu

    if any(map(isnan, scores)):
        raise ValueError("A score is not a number (nan).")
    split: dict[Hashable, tuple[list[float], list[float]]] = {}
    groups = [0] * len(scores) if groups is None else groups
    for score, mark, group in zip(scores, right, groups, strict=True):
        split.setdefault(group, ([], []))[bool(mark)].append(score)
    won = pairs = 0.0
    for wrongs, rights in split.values():
        if wrongs and rights:
            # Its U counts the pairs in order; the p-value is not asked for. Floats hold
            # the ranks; it would count in the type of the scores, such as 16 bits.
            both = np.asarray(rights, float), np.asarray(wrongs, float)
            won += mannwhitneyu(*both, method="asymptotic").statistic
            pairs += len(wrongs) * len(rights)
    return float(won / pairs) if pairs else nan


class Bin(NamedTuple):
    """Scores that lie close together: how many, their mean, and the share right."""

    count: int
    score: float
    right: float


def reliability(
    scores: Sequence[float], right: Sequence[bool], bins: int = 10
) -> list[Bin]:
    """The non-empty ones of equally wide bins of scores in [0, 1]."""
    if not all(0 <= score <= 1 for score in scores) or not len(scores):
        raise ValueError("Calibration is for scores from 0 to 1, one at least.")
    found: defaultdict[int, list[tuple[float, bool]]] = defaultdict(list)
    for score, mark in zip(scores, right, strict=True):
        found[min(bins - 1, int(score * bins))].append((score, bool(mark)))
    pairs = (zip(*found[i], strict=True) for i in sorted(found))
    return [Bin(len(s), fmean(s), fmean(marks)) for s, marks in pairs]


def calibration_error(
    scores: Sequence[float], right: Sequence[bool], bins: int = 10
) -> float:
    """ECE: the mean distance of score and share right, over the bins by their size."""
    found = reliability(scores, right, bins)
    total = sum(part.count for part in found)
    return sum(part.count * abs(part.score - part.right) for part in found) / total


def first_below(scores: Sequence[float], threshold: float = 0.5) -> int | None:
    """The index of the first score below the threshold; None if there is none."""
    return next((i for i, score in enumerate(scores) if score < threshold), None)

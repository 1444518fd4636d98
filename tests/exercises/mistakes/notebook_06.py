"""Typical mistakes in the exercises of notebook 06: (check, answers, what is said)."""

from math import comb, nan
from statistics import fmean

import numpy as np

from helpers.exercises import notebook_06 as check
from helpers.rewards import sigmoid
from helpers.stats import roc_auc


def pairs(scores, right, groups, tie=0.5, across=False):
    """The outcome of each pair (right, wrong)."""
    groups = groups or [0] * len(scores)
    paths = [*zip(scores, right, groups, strict=True)]
    return [
        tie if a == b else float(a > b)
        for a, x, g in paths
        for b, y, h in paths
        if x and not y and (across or g == h)
    ]


def no_ties(scores, right, groups=None):
    return fmean(pairs(scores, right, groups, tie=0))


def across(scores, right, groups=None):
    return fmean(pairs(scores, right, groups, across=True))


def unguarded(scores, right, groups=None):
    won = pairs(scores, right, groups)
    return sum(won) / len(won)


def chance_if_none(scores, right, groups=None):
    return fmean(pairs(scores, right, groups) or [0.5])


def of_each(scores, right, groups=None):
    groups = groups or [0] * len(scores)
    found = []
    for group in {*groups}:
        rows = [i for i, other in enumerate(groups) if other == group]
        found.append(roc_auc([scores[i] for i in rows], [right[i] for i in rows]))
    return fmean(found)


def reverse(scores, right, groups=None):
    return 1 - across(scores, right, groups)


def number(scores, right, groups=None):
    return sum(pairs(scores, right, groups))


PATHS = {"last": [0.1, 0.9], "min": [0.6] * 3, "product": [0.5], "mean": [1, 1, 1, 0.3]}


def loss_with(slopes, mean=np.mean, p_of=sigmoid):
    """`squared_loss` with other slopes."""

    def squared_loss(z, y):
        p = p_of(z)
        return float(mean((p - y) ** 2)), slopes(p, y)

    return squared_loss


def true_slopes(p, y):
    return 2 * (p - y) * p * (1 - p) / len(y)


def naive(z):
    return np.exp(z) / (1 + np.exp(z))


CAST = [0] * 8 + [1]


def mean_label(labels, value):
    k = len(labels) - 1
    chances = [comb(k, c) * value**c * (1 - value) ** (k - c) for c in range(k + 1)]
    return sum(a * b for a, b in zip(labels, chances, strict=True))


def without_comb(labels, value):
    k = len(labels) - 1
    return sum(x * value**c * (1 - value) ** (k - c) for c, x in enumerate(labels))


def always_8(labels, value):
    return mean_label([*labels, *[1] * (9 - len(labels))], value)


def samples(on_top, right, wrong):
    """So many wrong ones above so many right ones above so many wrong ones."""
    return [(2, False)] * on_top + [(1, True)] * right + [(0.5, False)] * wrong


MISTAKES = [
    (check.exercise_6_1, [10], "One of ten is right on average"),
    (check.exercise_6_1, [28], "round up"),
    (check.exercise_6_1, [28.4], "part of a rollout"),
    (check.exercise_6_1, [2], "All 2 fail in 81.0%"),
    (check.exercise_6_1, [44], "fewer would be"),
    (check.exercise_6_1, [10**400], "A number is asked"),
    (check.exercise_6_1, [999_999], "not needed"),
    (check.exercise_6_1, ["29"], "A number is asked for"),
    (check.exercise_6_2, [number], "not their number"),
    (check.exercise_6_2, [reverse], "right. one is above"),
    (check.exercise_6_2, [no_ties], "count half, not 0"),
    (check.exercise_6_2, [across], "different problems"),
    (check.exercise_6_2, [of_each], "mean over the problems"),
    (check.exercise_6_2, [unguarded], "raises ZeroDivisionError"),
    (check.exercise_6_2, [chance_if_none], "nan, not 0.5"),
    (check.exercise_6_2, [lambda *a: [0.75]], "Give back a number"),
    (check.exercise_6_2, [lambda s, r, g=None: nan], "three are in order"),
    (check.exercise_6_3, [PATHS | {"min": [0.3]}], "'min' gives 0.500 to the path"),
    (check.exercise_6_3, [PATHS | {"product": [0.2]}], "only 0.200"),
    (check.exercise_6_3, [PATHS | {"product": [0.3]}], "the same to its own"),
    (check.exercise_6_3, [PATHS | {"mean": [90]}], "from 0 to 1"),
    (check.exercise_6_3, [PATHS | {"mean": []}], "from 0 to 1"),
    (check.exercise_6_3, [[*PATHS.values()]], "A dictionary"),
    (check.exercise_6_4, [loss_with(lambda p, y: (p - y) / 4)], "cross-entropy"),
    (check.exercise_6_4, [loss_with(lambda p, y: (p - y) / 2)], "change with z"),
    (check.exercise_6_4, [loss_with(lambda p, y: -true_slopes(p, y))], "sign"),
    (
        check.exercise_6_4,
        [loss_with(lambda p, y: 4 * true_slopes(p, y))],
        "share of 1/n",
    ),
    (check.exercise_6_4, [loss_with(lambda p, y: true_slopes(p, y) / 2)], "Half of it"),
    (check.exercise_6_4, [loss_with(lambda p, y: p)], "Small moves give"),
    (check.exercise_6_4, [loss_with(lambda p, y: p[:2])], r"4 slopes.*not \["),
    (check.exercise_6_4, [loss_with(lambda p, y: p.reshape(4, 1))], "4 slopes"),
    (check.exercise_6_4, [loss_with(true_slopes, np.sum)], "mean over the rows"),
    (check.exercise_6_4, [loss_with(true_slopes, p_of=naive)], "too large for your"),
    (check.exercise_6_4, [lambda z, y: 0.25], "two things"),
    (check.exercise_6_4, [lambda z, y: ("0.2", z)], "The loss is one number"),
    (check.exercise_6_5, [[0] * 7 + [1], mean_label, "ECE"], "9 labels, not 8"),
    (check.exercise_6_5, [[0] + [1] * 8, mean_label, "ECE"], "the hard labels"),
    (
        check.exercise_6_5,
        [[c / 8 for c in range(9)], mean_label, "ECE"],
        "not yet cast",
    ),
    (
        check.exercise_6_5,
        [[round(c / 8) for c in range(9)], mean_label, "ECE"],
        "round",
    ),
    (check.exercise_6_5, [["0"] * 9, mean_label, "ECE"], "Each label is a number"),
    (check.exercise_6_5, [(0, 1), mean_label, "ECE"], "a list of labels"),
    (check.exercise_6_5, [CAST, without_comb, "ECE"], "add up to 1"),
    (check.exercise_6_5, [CAST, lambda x, v: mean_label(x, 1 - v), "ECE"], "exchanged"),
    (check.exercise_6_5, [CAST, always_8, "ECE"], "len.labels. - 1"),
    (check.exercise_6_5, [CAST, lambda x, v: x, "ECE"], "Give back a number"),
    (check.exercise_6_5, [CAST, mean_label, "AUC"], "keeps the order"),
    (check.exercise_6_5, [CAST, mean_label, "loss"], "one of 'AUC' and 'ECE'"),
    (check.exercise_6_6, [samples(1, 10, 53), 31 / 32], "Only 16%"),
    (check.exercise_6_6, [samples(0, 32, 32), 31 / 32], "probability 1.00, not 0"),
    (check.exercise_6_6, [samples(9, 32, 23), 31 / 32], "Best-of-8"),
    (check.exercise_6_6, [samples(1, 50, 13), 31 / 32], "AUC is 0.929 only"),
    (check.exercise_6_6, [samples(1, 32, 31), 0.95], "Your own samples"),
    (check.exercise_6_6, [samples(1, 32, 31), 63 / 64], "at most 32"),
    (check.exercise_6_6, [samples(1, 36, 27), 0.965], "a wrong one on top"),
    (check.exercise_6_6, [samples(1, 32, 31), 1], "a right sample would be on top"),
    (check.exercise_6_6, [samples(1, 32, 31), "31/32"], "is a number"),
    (check.exercise_6_6, [[1] * 64, 31 / 32], "no pair"),
    (check.exercise_6_6, [64, 31 / 32], "64 pairs"),
]

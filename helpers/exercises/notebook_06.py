"""The checks of notebook 06."""

from __future__ import annotations

import math
from statistics import fmean
from typing import Any

import numpy as np

from helpers.stats import best_at_k, roc_auc

from .checking import call, exercise, expect, is_number, near, plain, short

JOINS = {"last": lambda s: s[-1], "min": min, "product": math.prod, "mean": fmean}
SHARES = [c / 8 for c in range(9)]  # of right rollouts


def is_real(value: Any) -> bool:
    """A number, or nan."""
    return is_number(value) or isinstance(value, float) and math.isnan(value)


def number_of(function: Any, *arguments: Any) -> float:
    """What a reader's function gives, which must be a number, or nan."""
    found = call(function, *arguments)
    expect(is_real(found), f"Give back a number, not {short(found)}.")
    return float(found)


@exercise
def exercise_6_1(needed: Any) -> None:
    """The smallest k with 0.9 ** k <= 0.05."""
    expect(is_number(needed), f"A number is asked for, not {short(needed)}.")
    expect(needed > 0, "No rollout, no label: type a number above 0.")
    expect(needed < 1000, "So many are not needed.")
    expect(needed == int(needed), f"A part of a rollout cannot be drawn: {needed}.")
    fail = f"in {0.9 ** int(needed):.1%} of cases"
    expect(needed != 10, f"One of ten is right on average, but all ten fail {fail}.")
    expect(needed != 28, f"All 28 still fail {fail}: round up.")
    expect(needed >= 29, f"All {needed} fail {fail}, not in 5 %.")
    expect(needed == 29, f"{needed} are enough, but fewer would be, too.")


@exercise
def exercise_6_2(auc_of_pairs: Any) -> None:
    """Pairs of a right and a wrong path, of one problem, counted together."""
    found = number_of(auc_of_pairs, [0.9, 0.8, 0.3, 0.2], [True, False, True, False])
    expect(not found > 1, f"The share of pairs is wanted, not their number: {found}.")
    expect(not near(found, 0.25), "0.25: a pair is won if the *right* one is above.")
    expect(near(found, 0.75), f"Of four pairs, three are in order; you say {found}.")
    found = number_of(auc_of_pairs, [0.5, 0.5], [True, False])
    expect(near(found, 0.5), f"Equal scores count half, not {found:g}.")
    scores = [0.9, 0.35, 0.2, 0.3, 0.4, 0.5, 0.6]
    right = [True, False, True, True, True, False, False]
    found = number_of(auc_of_pairs, scores, right, [0, 0, 1, 1, 1, 1, 1])
    for wrong, why in {
        roc_auc(scores, right): "With groups, you count pairs of different problems.",
        0.5: "You take the mean over the problems; put all their pairs together.",
    }.items():
        expect(not near(found, wrong), why)
    expect(near(found, 1 / 7), f"One of seven pairs is in order; you say {found}.")
    found = number_of(auc_of_pairs, [0.9, 0.2, 0.5], [True, True, False], [*"abb"])
    expect(near(found, 0), f"Problem 'a' has no pair, 'b' a lost one: 0, not {found}.")
    found = number_of(auc_of_pairs, [0.1, 0.7], [True, True])
    expect(math.isnan(found), f"Without a pair nothing is measured: nan, not {found}.")
    table = np.random.default_rng(0).integers(0, (9, 2, 5), size=(60, 3)).tolist()
    columns = [[*column] for column in zip(*table, strict=True)]
    true, found = roc_auc(*columns), number_of(auc_of_pairs, *columns)
    expect(near(found, true), f"60 paths of 5 problems: {true:.4f}, not {found:.4f}.")


@exercise
def exercise_6_3(four_paths: Any) -> None:
    """Every aggregation has a favourite of its own."""
    is_complete = isinstance(four_paths, dict) and {*four_paths} == {*JOINS}
    expect(is_complete, f"A dictionary with the keys {[*JOINS]} is asked for.")
    for name, steps in four_paths.items():
        is_path = isinstance(steps, list | tuple) and len(steps) > 0
        expect(
            is_path and all(is_number(score) and 0 <= score <= 1 for score in steps),
            f"The path of {name!r} must be a list of scores from 0 to 1.",
        )
    for how, join in JOINS.items():
        scores = {name: float(join(steps)) for name, steps in four_paths.items()}
        own = scores.pop(how)
        rival = max(scores, key=scores.__getitem__)
        told = f"{how!r} gives {scores[rival]:.3f} to the path of {rival!r}, and"
        expect(not near(own, scores[rival]), f"{told} the same to its own.")
        expect(own > scores[rival], f"{told} only {own:.3f} to its own.")


def loss_of(z: np.ndarray, y: np.ndarray) -> float:
    """The mean of (p - y) ** 2."""
    return fmean((1 / (1 + np.exp(-z)) - y) ** 2)


def loss_and_slopes(function: Any, z: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
    """What a reader's function gives: a number, and an array of the shape of z."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = call(function, z.copy(), y.copy())
    is_pair = isinstance(found, tuple | list) and len(found) == 2
    expect(is_pair, f"Give back two things, loss and slopes, not {short(found)}.")
    loss, slopes = map(plain, found)
    expect(is_real(loss), f"The loss is one number, not {short(loss)}.")
    fits = isinstance(slopes, list) and len(slopes) == len(z)
    told = f"For {len(z)} rows, {len(z)} slopes are asked for, not {short(slopes)}."
    expect(fits and all(map(is_real, slopes)), told)
    return loss, np.array(slopes)


@exercise
def exercise_6_4(squared_loss: Any) -> None:
    """The loss, and 2 (p - y) p (1 - p) / n, which small moves confirm."""
    z, y = np.array([0.3, -2.0, 1.5, 0.0]), np.array([1.0, 0.9, 0.0, 0.25])
    loss, slopes = loss_and_slopes(squared_loss, z, y)
    p, true = 1 / (1 + np.exp(-z)), loss_of(z, y)
    expect(not near(loss, 4 * true), "The loss is the mean over the rows.")
    expect(near(loss, true), f"The loss is {true:.4f}, not {loss:.4f}.")
    moved = [loss_of(z + d, y) - loss_of(z - d, y) for d in 1e-5 * np.eye(4)]
    small = np.array(moved) / 2e-5
    for why, wrong in {
        "(p - y) / n is that of the cross-entropy.": (p - y) / 4,
        "You derive by p; how does p change with z?": 2 * (p - y) / 4,
        "The loss is a mean: each row has a share of 1/n.": 4 * small,
        "Half of it: the derivative of u ** 2 is 2 u.": small / 2,
        "Mind the sign: a slope points uphill.": -small,
    }.items():
        expect(not np.allclose(slopes, wrong, atol=1e-7), why)
    told = f"Small moves give {small.round(4)}, you give {slopes.round(4)}."
    expect(np.allclose(slopes, small, atol=1e-7), told)
    far = loss_and_slopes(squared_loss, np.array([-1000.0, 1000.0]), np.ones(2))
    finite = all(np.isfinite(part).all() for part in far)
    expect(finite, "z = 1000 is too large for your sigmoid; take the lesson's.")


@exercise
def exercise_6_5(cast: Any, expected_label: Any, telltale: Any) -> None:
    """int(c / 8), a mean over a binomial distribution, and what the mistake leaves."""
    expect(isinstance(cast, list), f"`cast` is a list of labels, not {short(cast)}.")
    expect(all(map(is_number, cast)), "Each label is a number.")
    expect(len(cast) == 9, f"0 to 8 rollouts are right: 9 labels, not {len(cast)}.")
    expect(cast != SHARES, "These are the soft labels, not yet cast.")
    expect(cast != [share > 0 for share in SHARES], "These are the hard labels.")
    expect(cast != [s >= 0.5 for s in SHARES], "The threshold 0.5 is not int().")
    expect(cast != [round(s) for s in SHARES], "round() goes to the nearest, int()?")
    expect(cast == [0] * 8 + [1], f"Python says otherwise than {short(cast)}.")
    found = number_of(expected_label, [1] * 9, 0.9)
    expect(
        near(found, 1),
        f"If every label is 1, so is the mean, not {found:.3f}: do the chances of 0 "
        "to k right rollouts add up to 1?",
    )
    found = number_of(expected_label, SHARES, 0.9)
    expect(not near(found, 0.1), "You have exchanged the right and the wrong.")
    expect(near(found, 0.9), f"Soft labels have the mean 0.9, not {found}.")
    found = number_of(expected_label, [0] * 8 + [1], 0.9)
    expect(near(found, 0.9**8), f"int() makes {0.9**8:.3f} of 0.9, not {found}.")
    found = number_of(expected_label, [0, 1, 1], 0.25)
    expect(near(found, 7 / 16), f"k is len(labels) - 1: {7 / 16}, not {found}.")
    known = isinstance(telltale, str) and telltale in ("AUC", "ECE")
    expect(known, "`telltale` is one of 'AUC' and 'ECE'.")
    kept = "int() keeps the order of the states' values; an AUC sees no more than that."
    expect(telltale == "ECE", kept)


@exercise
def exercise_6_6(scored: Any, highest: Any) -> None:
    """One wrong sample on top of a good order: an AUC of up to 31/32."""
    is_list = isinstance(scored, list | tuple) and len(scored) == 64
    expect(is_list, "Give 64 pairs (score, right) in a list.")
    for pair in scored:
        is_pair = isinstance(pair, list | tuple) and len(pair) == 2
        is_scored = is_pair and is_number(pair[0]) and not math.isnan(pair[0])
        expect(
            is_scored and isinstance(pair[1], bool | np.bool_),
            f"{short(pair)} is no pair (score, right): a number, and True or False.",
        )
    scores, right = zip(*scored, strict=True)
    one, eight, all_64 = (best_at_k(scores, right, n) for n in (1, 8, 64))
    expect(one >= 0.5, f"Only {one:.0%} of the samples are right, not half or more.")
    expect(all_64 == 0, f"Best-of-64 is right with probability {all_64:.2f}, not 0.")
    expect(eight >= 0.8, f"Best-of-8 is right with probability {eight:.2f} only.")
    found = roc_auc(scores, right)
    expect(found >= 0.95, f"The AUC is {found:.3f} only; which pairs are lost?")
    is_known = is_number(highest) and not math.isnan(highest)
    expect(is_known, f"`highest` is a number, not {short(highest)}.")
    expect(highest < 1, "With an AUC of 1 a right sample would be on top.")
    expect(highest >= found - 5e-5, f"Your own samples reach {found:.4f}.")
    expect(highest < 0.97, "So high it cannot be: at most 32 samples are wrong.")
    lost = f"{highest} is not it: which share of pairs does a wrong one on top lose?"
    expect(abs(highest - 31 / 32) <= 6e-5, lost)

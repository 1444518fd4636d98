"""Typical mistakes in the exercises of notebook 07: (check, answers, what is said)."""

import math

import numpy as np

from helpers.exercises import notebook_07 as check
from helpers.problems import is_correct
from helpers.rewards import ArithmeticChecker, find_equations


def never_wrong_way(ratio, advantage, clip=0.2):
    """The gradient of the clipped gain alone: outside the interval there is none."""
    return advantage if 1 - clip <= ratio <= 1 + clip else 0.0


def unclipped(ratio, advantage, clip=0.2):
    return advantage


def sign_only(ratio, advantage, clip=0.2):
    return math.copysign(1.0, advantage)


def gain_itself(ratio, advantage, clip=0.2):
    near = min(max(ratio, 1 - clip), 1 + clip)
    return min(ratio * advantage, near * advantage)


def fixed_clip(ratio, advantage, clip=0.2):
    far = ratio > 1.2 if advantage > 0 else ratio < 0.8
    return 0 if far else advantage


def right_loss(gains, mask):
    return -((gains * mask).sum(1) / mask.sum(1)).mean()


def moments(term, weigh=lambda p, q: p, root=0.5):
    """`two_estimates` with other terms, weights, or the variance."""

    def two_estimates(now, start):
        found = []
        for both in (0, 1):
            pairs = [(weigh(p, q), term(p, q, both)) for p, q in zip(now, start)]  # noqa: B905
            mean = sum(w * t for w, t in pairs)
            variance = sum(w * (t - mean) ** 2 for w, t in pairs)
            found.append((mean, variance**root))
        return found

    return two_estimates


def usual(p, q, both):
    return both * (q / p - 1) - math.log(q / p)


def turned(p, q, both):
    return usual(q, p, both)


def silent(text, gold):
    return ArithmeticChecker().share(text.split("\n"))


def not_silent(text, gold):
    return silent(text, gold) if "=" in text else 0.0


def gold_seen(text, gold):
    return float(is_correct(text, gold) and "=" in text)


def mended(text, gold):
    found = [x for line in text.split("\n") for x in find_equations(line)]
    if not found or not is_correct(text, found[-1].text.rpartition("= ")[2]):
        return 0.0
    return silent(text, gold)


def lenient(text, gold):
    return float(mended(text, gold) > 0)


MISTAKES = [
    (check.exercise_7_1, [0.75, 0.075], "how far 1 lies above"),
    (check.exercise_7_1, [-0.58, -0.58], "better than the mean"),
    (check.exercise_7_1, [4, 4], "from the variance"),
    (check.exercise_7_1, [1.62, 1.62], "divides by n"),
    (check.exercise_7_1, [2.65, 2.65], "one right solution of eight"),
    (check.exercise_7_1, [1, 1], "Mean 1/4"),
    (check.exercise_7_1, [1.73, 0.075], "the distance; divide"),
    (check.exercise_7_1, [1.73, 0.17], "the gap shrinks"),
    (check.exercise_7_1, [1.73, 17.3], "Mean 0.925"),
    (check.exercise_7_1, [[1.73], 1.73], "Two numbers"),
    (check.exercise_7_2, [never_wrong_way], "0.5 and advantage 1.0: .* the wrong way"),
    (check.exercise_7_2, [unclipped], "1.5 and advantage 1.0: not 1. .* level here"),
    (check.exercise_7_2, [sign_only], "more than its sign"),
    (check.exercise_7_2, [lambda *a: 1.0], "mind the sign"),
    (check.exercise_7_2, [gain_itself], "is the gain itself"),
    (check.exercise_7_2, [fixed_clip], "With a clip of 0.1"),
    (check.exercise_7_2, [lambda *a: True], "a number is asked for, not True"),
    (check.exercise_7_3, [lambda g, m: -right_loss(g, m), (4, 1)], "mind the sign"),
    (check.exercise_7_3, [lambda g, m: 2 * right_loss(g, m), (4, 1)], "is a sum"),
    (check.exercise_7_3, [lambda g, m: -g.mean(1).mean(), (4, 1)], "Filling was"),
    (check.exercise_7_3, [lambda g, m: -(g * m).mean(), (4, 1)], "its own number"),
    (check.exercise_7_3, [lambda g, m: -(g * m).sum() / m.sum(), (4, 1)], "all tokens"),
    (check.exercise_7_3, [lambda g, m: -1.0, (4, 1)], "Wrong for gains"),
    (check.exercise_7_3, [lambda g, m: g, (4, 1)], r"is a number, not \[\["),
    (check.exercise_7_3, [right_loss, (1, 4)], "the other way round"),
    (check.exercise_7_3, [right_loss, (0.25, 1)], "short one's over"),
    (check.exercise_7_3, [right_loss, (16, 1)], "once, not twice"),
    (check.exercise_7_3, [right_loss, (4, 4)], "by grpo"),
    (check.exercise_7_3, [right_loss, 4], "two numbers"),
    (check.exercise_7_4, [moments(turned)], "the start's probability over"),
    (check.exercise_7_4, [moments(usual, lambda p, q: q)], "weigh by `now`"),
    (check.exercise_7_4, [moments(usual, lambda p, q: 0.5)], "Weigh each token"),
    (check.exercise_7_4, [moments(usual, root=1)], "is a variance"),
    (check.exercise_7_4, [moments(lambda p, q, both: usual(p, q, 0))], "not spread by"),
    (check.exercise_7_4, [moments(usual)], "raises ZeroDivisionError"),
    (check.exercise_7_4, [lambda now, start: 0.25], "Give two pairs"),
    (check.exercise_7_5, [silent, ""], "no equation, and is paid"),
    (check.exercise_7_5, [gold_seen, ""], "looks at the gold"),
    (check.exercise_7_5, [not_silent, ""], "not the result of the last"),
    (check.exercise_7_5, [lenient, ""], "A false equation"),
    (check.exercise_7_5, [mended, "The answer is 6."], "pays it 0"),
    (check.exercise_7_5, [mended, "100+7 = 107. The answer is 107."], "it is honest"),
    (check.exercise_7_5, [mended, 107], "a text is asked for"),
    (check.exercise_7_5, [lambda text, gold: "1", ""], "A reward is a number"),
    (check.exercise_7_6, [([0.5, 0.5], [0.5, 0.5])], "are equal"),
    (check.exercise_7_6, [([0.9, 0.1], [0.5, 0.5])], "The KL is 0.368"),
    (check.exercise_7_6, [([0.5, 0.5], [0.6, 0.4])], "times as much as -ln x, not 10"),
    (check.exercise_7_6, [([0.96, 0.04], [0.9999, 0.0001])], "Turned round"),
    (check.exercise_7_6, [([1.0, 0.0], [0.9, 0.1])], "at least 1e-9 each"),
    (check.exercise_7_6, ["two models"], "Give two lists"),
    (check.exercise_7_6, [np.array([0.5, 0.5])], "Give two lists"),
]

"""Typical mistakes in the exercises of notebook 04: (check, answers, what is said)."""

import random
from collections import Counter
from math import comb

from helpers.exercises import notebook_04 as check
from helpers.problems import extract_answer
from helpers.stats import pass_at_k, wilson_interval


def naive(n, c, k):
    return 1 - (1 - c / n) ** k


def bias_with(weight, minus_truth=True):
    """`bias_of` with another weight of a count."""

    def bias_of(estimator, p, n, k):
        found = sum(weight(n, c, p) * estimator(n, c, k) for c in range(n + 1))
        return found - minus_truth * (1 - (1 - p) ** k)

    return bias_of


def binomial(n, c, p):
    return comb(n, c) * p**c * (1 - p) ** (n - c)


def drawn(estimator, p, n, k):
    rng = random.Random(0)
    counts = [sum(rng.random() < p for _ in range(n)) for _ in range(9999)]
    return sum(estimator(n, c, k) for c in counts) / 9999 - (1 - (1 - p) ** k)


def vote(texts):
    return Counter(texts).most_common(1)[0][0]


def last_of_equals(texts):
    return vote(texts[::-1])


def value_vote(texts):
    return vote([str(extract_answer(text).value) for text in texts])


def only_numbers(texts):
    return vote([text for text in texts if extract_answer(text).value is not None])


def between(low, high, pick=random.Random.choices):
    """`interval_over_problems` with other ends, or another way to pick."""

    def interval(marks, draws=1000, seed=0):
        rng, shares, n = (
            random.Random(seed),
            [sum(m) / len(m) for m in marks],
            len(marks),
        )
        means = sorted(sum(pick(rng, shares, k=n)) / n for _ in range(draws))
        return means[int(low * draws)], means[min(int(high * draws), draws - 1)]

    return interval


def of_samples(marks, draws=1000, seed=0):
    pooled = [mark for samples in marks for mark in samples]
    return wilson_interval(sum(pooled), len(pooled))


def first_samples(marks, draws=1000, seed=0):
    return between(0.025, 0.975)([samples[:1] for samples in marks], draws, seed)


def without_seed(marks, draws=1000, seed=0):
    return between(0.025, 0.975)(marks, draws, 0)


def always_1000(marks, draws=1000, seed=0):
    return between(0.025, 0.975)(marks, 1000, seed)


good = between(0.025, 0.975)
RIGHT, NOBODY = ["1200", "1,200.00"], ["unknown"] * 3
NEAR = ["300001", "300002", "300003"]

MISTAKES = [
    (check.exercise_4_1, [6147], "either"),
    (check.exercise_4_1, [2401], "worst case"),
    (check.exercise_4_1, [400], "one standard deviation"),
    (check.exercise_4_1, [784], "before a square root"),
    (check.exercise_4_1, [1319], "1319 problems give 80 % plus or minus 2.16"),
    (check.exercise_4_1, [0], "At least one"),
    (check.exercise_4_1, ["1537"], "must be a number"),
    (check.exercise_4_1, [float("nan")], "must be a number"),
    (check.exercise_4_2, [pass_at_k, bias_with(binomial)], "without bias"),
    (check.exercise_4_2, [lambda n, c, k: (1 - c / n) ** k, drawn], "none"),
    (check.exercise_4_2, [lambda n, c, k: c / n, drawn], "where is k"),
    (check.exercise_4_2, [lambda n, c, k: "1/2", drawn], "must be a number"),
    (check.exercise_4_2, [naive, bias_with(binomial, False)], "Subtract the truth"),
    (check.exercise_4_2, [naive, lambda *a: -bias_with(binomial)(*a)], "the sign"),
    (check.exercise_4_2, [naive, lambda e, p, n, k: e(n, 1, k) - 0.75], "at one count"),
    (check.exercise_4_2, [naive, bias_with(lambda n, c, p: 1 / 3)], "equally likely"),
    (
        check.exercise_4_2,
        [naive, bias_with(lambda n, c, p: p**c * (1 - p) ** (n - c))],
        "how many ways",
    ),
    (
        check.exercise_4_2,
        [naive, bias_with(lambda n, c, p: (c < n) * binomial(n, c, p))],
        "all n samples are right",
    ),
    (check.exercise_4_2, [naive, drawn], "add up all counts"),
    (
        check.exercise_4_2,
        [naive, lambda *a: -0.125],
        "no sample is right is missing|pass_at_k has no bias",
    ),
    (check.exercise_4_2, [naive, lambda *a: [0]], "must be a number"),
    (check.exercise_4_3, [value_vote, []], "counts values"),
    (check.exercise_4_3, [lambda t: Counter(t).most_common(1)[0], []], "a text alone"),
    (check.exercise_4_3, [lambda texts: texts[0], []], "the winner is '8'"),
    (check.exercise_4_3, [only_numbers, []], "votes as well"),
    (check.exercise_4_3, [last_of_equals, []], "first seen"),
    (check.exercise_4_3, [vote, [1200] * 5], "list of texts"),
    (check.exercise_4_3, [vote, [*RIGHT, "12", "12"]], "not 4"),
    (check.exercise_4_3, [vote, [*RIGHT, "12", "12", "12"]], "Only 2 of the five"),
    (check.exercise_4_3, [vote, [*RIGHT, "1200", "12", "13"]], "split 1200"),
    (check.exercise_4_3, [vote, ["12", "12", *RIGHT, "1200"]], "A tie"),
    (check.exercise_4_4, [of_samples, 4], "as narrow as"),
    (check.exercise_4_4, [between(0.05, 0.95), 4], "which places"),
    (check.exercise_4_4, [between(0, 1), 4], "Too wide"),
    (check.exercise_4_4, [between(0.025, 0.975, random.Random.sample), 4], "choices"),
    (check.exercise_4_4, [lambda *a, **b: (46, 74), 4], "between 0 and 1"),
    (check.exercise_4_4, [lambda *a, **b: (0.74, 0.46), 4], "lower end"),
    (check.exercise_4_4, [lambda *a, **b: "0.46 to 0.74", 4], "a tuple of two"),
    (check.exercise_4_4, [first_samples, 4], "samples of a problem together"),
    (check.exercise_4_4, [without_seed, 4], "use `seed`"),
    (check.exercise_4_4, [always_1000, 4], "With draws=1 both.*Use `draws`"),
    (check.exercise_4_4, [good, 16], "there is a root"),
    (check.exercise_4_4, [good, 0.25], "the other way"),
    (check.exercise_4_4, [good, 8], "8 is not it"),
    (check.exercise_4_5, ["1200"], "list of texts"),
    (check.exercise_4_5, [NOBODY], "No text says"),
    (check.exercise_4_5, [["1200", "12", "12"]], "1200 has too few"),
    (check.exercise_4_5, [["1200", "12"]], "A tie of values"),
    (check.exercise_4_5, [["1200", "1200"]], "on texts, still elects"),
    (check.exercise_4_5, [["1200", "1,200", "$1200", "x", "x"]], "tidied texts, still"),
    (check.exercise_4_5, [[*RIGHT, "24", "x", "y"]], "on texts, ends in a tie"),
    (check.exercise_4_5, [[*RIGHT, "x", "x"]], "candidate, ends in a tie"),
    (check.exercise_4_5, [[*RIGHT, *NOBODY]], "five digits, still elects"),
    (check.exercise_4_5, [[*RIGHT, *NOBODY, *NEAR, "7"]], "fewer texts than 9"),
]

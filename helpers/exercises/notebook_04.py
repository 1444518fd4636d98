"""The checks of notebook 04."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product
from math import sqrt
from typing import Any

from helpers.problems import extract_answer
from helpers.stats import pass_at_k

from .checking import are_numbers, call, exercise, expect, is_number, short

GOLD = Fraction(1200)


def number(value: Any, name: str) -> float:
    """A value, if it is a number."""
    expect(is_number(value), f"{name} must be a number, not {short(value)}.")
    return value


@exercise
def exercise_4_1(needed: Any) -> None:
    """The n of 1.96 * sqrt(0.8 * 0.2 / n) = 0.02, which is 1537."""
    expect(number(needed, "needed") >= 1, "At least one problem is needed.")
    for n, told in {
        6147: "2 points to *either* side: the interval is 4 points wide.",
        2401: "That is for an accuracy of 50 %, the worst case.",
        400: "That is one standard deviation to either side: 95 % need more.",
        784: "z stands before a square root: what becomes of it in n?",
    }.items():
        expect(abs(needed - n) > 0.02 * n, told)
    half = 100 * 1.96 * sqrt(0.8 * 0.2 / needed)
    told = f"{needed:.0f} problems give 80 % plus or minus {half:.2f} points."
    expect(needed >= 1487, told)
    expect(needed <= 1660, f"{told} Fewer will do.")


@exercise
def exercise_4_2(naive_pass_at_k: Any, bias_of: Any) -> None:
    """The naive estimate, and the mean error of any estimate, exactly."""
    found = number(call(naive_pass_at_k, 4, 1, 2), "naive_pass_at_k(4, 1, 2)")
    expect(abs(found - 0.5) > 1e-9, "That is the formula without bias, pass_at_k.")
    expect(abs(found - 0.5625) > 1e-9, "(3/4)**2 is the chance that *none* is right.")
    expect(abs(found - 0.25) > 1e-9, "1/4 is for one sample: where is k?")
    expect(abs(found - 0.4375) < 1e-9, f"1 of 4, k=2: 1 - (3/4)**2, not {found}.")

    def naive(n: int, c: int, k: int) -> float:
        return 1 - (1 - c / n) ** k

    found = number(call(bias_of, naive, 0.5, 2, 2), "bias_of(naive_pass_at_k, ...)")
    for value, told in {
        0.625: "0.625 is the mean estimate. Subtract the truth, 1 - (1 - p)**k.",
        0.125: "Mind the sign: mean estimate minus truth.",
        0.0: "The mean of the estimates is wanted, not the estimate at one count.",
        -1 / 6: "The counts 0, 1 and 2 are not equally likely.",
        -0.3125: "One of two can be right in two ways: how many ways has c of n?",
        -0.375: "The case that all n samples are right is missing.",
    }.items():
        expect(abs(found - value) > 1e-9, told)
    error = abs(found + 0.125)
    expect(not 1e-9 < error < 0.03, "Nearly: add up all counts, exactly; draw none.")
    expect(
        error < 0.03,
        "With p = 0.5, n = k = 2 the naive estimate is 0, 3/4 or 1, with chances 1/4, "
        f"1/2 and 1/4; the truth is 3/4. That makes -1/8, not {found:.4f}.",
    )
    found = number(call(bias_of, lambda n, c, k: 1.0, 0.5, 2, 2), "bias_of(...)")
    expect(abs(found - 0.25) < 1e-9, "The case that no sample is right is missing.")
    found = number(call(bias_of, pass_at_k, 0.3, 10, 5), "bias_of(pass_at_k, ...)")
    expect(abs(found) < 1e-9, f"pass_at_k has no bias, but you find {found:.4f}.")
    truth = -(1 - 0.8**3)
    for marks in product((0, 1), repeat=6):  # all that may happen, one by one
        c = sum(marks)
        truth += 0.2**c * 0.8 ** (6 - c) * naive(6, c, 3)
    found = number(call(bias_of, naive, 0.2, 6, 3), "bias_of(naive_pass_at_k, ...)")
    told = f"For p = 0.2, n = 6, k = 3 it is {truth:.4f}, not {found:.4f}."
    expect(abs(found - truth) < 1e-9, told)


def list_of_texts(answer: Any) -> list[str]:
    """An answer, if it is a list of texts."""
    is_list = isinstance(answer, list | tuple)
    fits = is_list and all(isinstance(text, str) for text in answer)
    expect(fits, f"A list of texts is asked for, not {short(answer)}.")
    return list(answer)


def lead(ballots: list[Any], right: set[Any]) -> int:
    """Votes of the best candidate in `right`, less those of the best other one."""
    votes = Counter(ballots)
    others = [count for key, count in votes.items() if key not in right]
    return max((votes[key] for key in right), default=0) - max(others, default=0)


@exercise
def exercise_4_3(string_vote: Any, ballots: Any) -> None:
    """A vote on texts, and five texts that it gets wrong in any order."""
    found = call(string_vote, ["7", "8", "8"])
    expect(isinstance(found, str), f"Give back a text alone, not {short(found)}.")
    expect(found == "8", f"Of '7', '8', '8' the winner is '8', not {found!r}.")
    found = call(string_vote, ["8.0", "8", "$8", "7", "7"])
    expect(found == "7", "Your vote counts values. The mistake to build counts texts.")
    found = call(string_vote, ["none", "5", "none"])
    expect(found == "none", "A text without a number votes as well, in this mistake.")
    found = [call(string_vote, texts) for texts in (["2", "1"], ["1", "2"])]
    expect(found == ["2", "1"], "Of equals, the first seen wins.")

    ballots = list_of_texts(ballots)
    expect(len(ballots) == 5, f"Five texts are asked for, not {len(ballots)}.")
    right = [text for text in ballots if extract_answer(text).value == GOLD]
    expect(len(right) >= 3, f"Only {len(right)} of the five say 1200, not 3 or more.")
    ahead = lead(ballots, set(right))
    expect(ahead <= 0, "The vote on texts elects a right one: split 1200 further.")
    expect(ahead < 0, "A tie: in another order a right text wins.")


@exercise
def exercise_4_4(interval_over_problems: Any, width_ratio: Any) -> None:
    """The percentile bootstrap over problems, each with all its samples."""

    def interval(marks: list[list[bool]], **named: int) -> tuple[float, float]:
        found = call(interval_over_problems, marks, **named)
        told = f"Give back a tuple of two numbers, (low, high), not {short(found)}."
        expect(are_numbers(found, 2), told)
        low, high = found
        expect(high <= 1, f"Give shares between 0 and 1; {short(high)} is larger.")
        expect(low <= high, "The lower end comes first.")
        return low, high

    alike = [[i % 5 < 3] * 8 for i in range(50)]
    low, high = interval(alike, draws=4000, seed=0)
    width = high - low
    expect(
        width > 0,
        "All accuracies are equal: draw problems, and with repetition (`choices`).",
    )
    middle = (low + high) / 2
    expect(abs(middle - 0.6) < 0.03, f"Of accuracy 0.6, {middle:.2f} is the middle.")
    expect(
        width > 0.14,
        "For 50 problems with 8 samples, all 8 alike, your interval is as narrow as "
        f"for 400 problems: {width:.2f}. Draw problems.",
    )
    expect(width > 0.25, "Too narrow: which places hold 95 % between them?")
    expect(width < 0.31, "Too wide: leave out 2.5 % of the accuracies at either end.")
    even = interval([[True, False] * 4] * 50, draws=200, seed=0)
    expect(
        max(abs(end - 0.5) for end in even) < 1e-9,
        "Where each problem has half its samples right, so has every draw of problems: "
        "low and high are 0.5. Keep the samples of a problem together.",
    )
    first = [interval(alike, draws=100, seed=seed) for seed in range(6)]
    again = [interval(alike, draws=100, seed=seed) for seed in range(6)]
    expect(first == again, "The same seed gave another interval.")
    expect(len(set(first)) > 1, "Every seed gives the same interval: use `seed`.")
    low, high = interval(alike, draws=1, seed=0)
    told = f"With draws=1 both ends are the one share, not {low:g} and {high:g}."
    expect(low == high, f"{told} Use `draws`.")

    wider = number(width_ratio, "width_ratio")
    expect(wider != 16, "The width does not go with n: there is a root.")
    expect(wider > 1, "Divide the other way: the honest interval is the wider one.")
    expect(abs(wider - 4) < 0.1, f"{wider:g} is not it: 1 / sqrt(n) is the law.")


@exercise
def exercise_4_5(election: Any) -> None:
    """Eight texts: two right ones, three of no number, three that rounding unites."""
    election = list_of_texts(election)
    values = [extract_answer(text).value for text in election]
    said = [value for value in values if value is not None]
    right = {t for t, value in zip(election, values, strict=True) if value == GOLD}

    def tidy(text: str) -> str:
        return text.translate(str.maketrans("", "", "$, ")).removesuffix(".")

    def five(value: Fraction) -> str:
        return format(float(value), ".5g")

    expect(bool(right), "No text says 1200.")
    ahead = lead(said, {GOLD})
    expect(ahead >= 0, "The vote on values gets it wrong: 1200 has too few votes.")
    expect(ahead > 0, "A tie of values: 1200 must have more votes than any other.")
    for name, ahead in {
        "(a), on texts,": lead(election, right),
        "(b), on tidied texts,": lead([*map(tidy, election)], {*map(tidy, right)}),
        "(c), with no number as a candidate,": lead(values, {GOLD}),
        "(d), on five digits,": lead([*map(five, said)], {five(GOLD)}),
    }.items():
        expect(ahead <= 0, f"Vote {name} still elects 1200.")
        expect(ahead < 0, f"Vote {name} ends in a tie, so the order decides.")
    n = len(election)
    expect(n <= 8, f"All four fail. Now do it with fewer texts than {n}.")

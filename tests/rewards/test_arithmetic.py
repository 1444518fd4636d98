"""Scorers against exact arithmetic, hand calculations and GSM8K's own annotations."""

import json
import re
from fractions import Fraction
from pathlib import Path as FilePath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.llm import Action
from helpers.rewards import (
    ArithmeticChecker,
    Path,
    find_equations,
)

GSM8K = FilePath(__file__).resolve().parents[3] / "shared" / "gsm8k" / "train.jsonl"


def path_of(*texts, logprobs=None, tokens=None):
    logprobs = logprobs or [-1.0] * len(texts)
    tokens = tokens or [2] * len(texts)
    rows = zip(texts, logprobs, tokens, strict=True)
    return Path("Q", tuple(Action(t, 1.0, 1, lp, n) for t, lp, n in rows))


@pytest.mark.parametrize(
    ("step", "holds"),
    [
        ("Samir has 75-30 = 45 stones left.", [True]),
        ("In all Samir makes 33+92+13 = 128 toys.", [False]),
        ("12*3 = 36 = 6*6", [True, True]),
        ("She pays $5 x 3 = $15.", [True]),
        ("That is 2x3 = 6.", [True]),
        ("1,000/4 = 250", [True]),
        ("(2+3)*4 = 20 and 2+3*4 = 20", [True, False]),
        ("10 - 2 - 3 = 5, 24/4/2 = 3", [True, True]),  # from left to right
        ("50% * 10 = 5", [True]),
        ("3 - 4 = -1", [True]),
        ("5 − 3 = 2 and 6 ÷ 2 = 3 and 2 × 2 = 5", [True, True, False]),
        ("10/3 = 3.33", [True]),  # rounded as written
        ("10/3 = 3.34", [False]),
        ("10/3 = 3", [False]),  # a whole number is not rounded
        ("0.1 + 0.2 = 0.3", [True]),  # exact, unlike floats
        ("7 = 3 + 4", []),  # a lone number may end a phrase: "a group of 7"
        ("2 apples * 5 + 3 = 13", []),  # a word inside: cannot be calculated
        ("x = 5", []),
        ("5 = 5", []),  # no sum
        ("3 + = 4", []),
        ("(3 + 4 = 7", []),
        ("5/0 = 3", []),
        ("1 + 1 = 2 = 3 pm", [True]),
        ("The answer is 18.", []),
        ("", []),
        ("=", []),
        ("1+1=2" * 3, [False, True, False]),  # 1+1 = 21+1 = 21+1 = 2
    ],
)
def test_equations(step, holds):
    assert [equation.holds for equation in find_equations(step)] == holds


TRUE_WORDS = """
She had 20 apples - 5 = 15 apples left.
50 miles - (20 + 10) = 20 miles
- 10 + 5 = 15
– 10 + 5 = 15
x - 5 = 10
2x - 5 = 15
Total eggs (16) - eggs eaten (3) - eggs baked (4) = 9
Number of hours (5) x rate ($10) = $50
20% of 50 = 0.20 * 50 = 10
half of 12 = 12/2 = 6
5 boxes of 12 = 5 * 12 = 60
Week 1 = 10 + 5 = 15
5 \\times 3 + 2 = 17
5 \\cdot 3 + 2 = 17
5 · 3 + 2 = 17
5 X 3 + 2 = 17
2x$5 + $10 = $20
2^3 - 1 = 7
2 times 5 + 3 = 13
50% of (40 + 20) = 30
\\frac{1}{2}(10 + 4) = 7
sqrt(16) = 4
4 * 4 = 4^2 = 16
5 * 5 = 5² = 25
15 - 5 = 2x, so x = 5
10 / 3 = 3 remainder 1
17 / 5 = 3 with 2 left over
7/2 = 3½
4 * 500,000 = 2 million
$120,000 + $80,000 = $200k
10/50 * 100 = 20%
100 - 20 = 80%
2/3 = 66.7%
2/3 = 0.66
-10/3 = -3.33
5:30 + 2 = 7:30
25 / 1/3 = 75
5 hours * $10/hour = $50
10 + 5 = 15, **10 + 5 = 15**, (5 * 3 = 15)
The costs divided by 2 + 3 = 5
1,5 * 2 = 3,0
"""


@pytest.mark.parametrize("line", TRUE_WORDS.strip().splitlines())
def test_words_around_a_sum_raise_no_false_alarm(line):
    assert all(equation.holds for equation in find_equations(line))


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("Step 1: 10 + 5 = 16", 1),
        ("1. 10 + 5 = 16", 1),
        ("**10 + 5 = 16**", 1),
        ("He has 15 apples (5 * 3 = 16).", 1),
        ("So the money is shared by 3+1 = 5 people.", 1),
        ("3 x $5 = $16", 1),
        ("3 - 5 = -3 degrees", 1),
        ("Now 10*4=41. 5 of these are red, so 40-5=36 are not.", 2),
    ],
)
def test_slips_are_found_in_many_forms(line, count):
    assert [equation.holds for equation in find_equations(line)] == [False] * count


def test_hostile_text_is_harmless():
    for text in ("9**9**9 = 1", "(" * 10**4 + "1 = 1", "1+" * 10**4 + "1 = 1",
                 "9" * 10**5 + "+1 = 2", "__import__('os') = 1", "-" * 5000 + "1=2",
                 "٣+1 = 4", "²+1 = 3", "1+1 = \x00"):  # fmt: skip
        assert all(not e.holds or e.text for e in find_equations(text))


numbers = st.integers(0, 999)
trees = st.recursive(
    numbers,
    lambda parts: st.tuples(st.sampled_from("+-*/"), parts, parts),
    max_leaves=8,
)


def value_of(tree):
    if isinstance(tree, int):
        return Fraction(tree)
    a, b = value_of(tree[1]), value_of(tree[2])
    return {"+": a + b, "-": a - b, "*": a * b}[tree[0]] if tree[0] != "/" else a / b


def write(tree):
    if isinstance(tree, int):
        return str(tree)
    return f"({write(tree[1])} {tree[0]} {write(tree[2])})"


@given(tree=trees, wrong=st.integers(1, 9))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_values_are_those_of_an_independent_calculation(tree, wrong):
    try:
        value = value_of(tree)
    except ZeroDivisionError:
        return
    sum_ = write(tree) + " + 0"
    for result, holds in ((value, True), (value + wrong, False)):
        found = find_equations(
            f"So {sum_} = {result.numerator} / {result.denominator}."
        )
        assert [equation.holds for equation in found] == [holds]


@pytest.mark.skipif(not GSM8K.exists(), reason="GSM8K is not here")
def test_gsm8k_annotations_hold():
    """Its authors' own calculator made them; what fails is a slip of theirs."""
    held = found = 0
    for line in GSM8K.read_text(encoding="utf-8").splitlines():
        for text in re.findall(r"<<([^<>]*)>>", json.loads(line)["answer"]):
            equations = find_equations(text)
            found += bool(equations)
            held += bool(equations) and all(e.holds for e in equations)
    assert found > 23_000 and held / found > 0.99


@pytest.mark.skipif(not GSM8K.exists(), reason="GSM8K is not here")
def test_people_who_solve_gsm8k_are_seldom_contradicted():
    """In their own words, without annotations; some slips are theirs."""
    checked = alarms = 0
    for line in GSM8K.read_text(encoding="utf-8").splitlines():
        for step in json.loads(line)["answer"].split("\n"):
            equations = find_equations(re.sub(r"<<[^<>]*>>", "", step))
            checked += bool(equations)
            alarms += not all(equation.holds for equation in equations)
    assert checked > 18_000 and alarms / checked < 0.003


CHECKED = path_of("2*3 = 6.", "No sum.", "6+1 = 8 and 8-1 = 7.", "The answer is 7.")


def test_checker_scores_by_hand():
    checker = ArithmeticChecker()
    assert checker([CHECKED, path_of("Hm."), path_of()]) == [2 / 3, 1.0, 1.0]
    assert checker.step_scores(CHECKED) == [1.0, 1.0, 0.5, 1.0]
    assert checker.first_wrong(CHECKED.steps) == 2
    assert checker.first_wrong(CHECKED.steps[:2]) is None

"""The grader against a table of texts, against all of GSM8K, and against noise."""

import json
import os
import random
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from helpers.problems import Answer, extract_answer, is_correct, strip_annotations

GSM8K = Path(
    os.environ.get("GSM8K_PATH") or Path(__file__).parents[3] / "shared" / "gsm8k"
)

# (gold, text, rule): right answers which one or another well-known grader calls wrong
RIGHT = [
    ("18", "#### 18", "####"),
    ("18", "The answer is 18", "answer is"),
    ("5", "The answer is 5", "answer is"),
    ("18", "The answer is 18.", "answer is"),
    ("18", "The answer is $18.", "answer is"),
    ("18", "The answer is: 18", "answer is"),
    ("18", "The final answer is 18", "answer is"),
    ("18", "The final answer is $18.00.", "answer is"),
    ("18", "The answer is 18.00.", "answer is"),
    ("1000", "#### 1,000", "####"),
    ("70000", "The answer is **$70,000**.", "answer is"),
    ("0.5", "The answer is 1/2.", "answer is"),
    ("18", r"So it is \boxed{18}.", "boxed"),
    ("18", "The answer is 18. This is for 7 days.", "answer is"),
    ("18", "The answer is 9 * 2 = 18.", "answer is"),
    ("18", "The answer is 20. Wait, no. The answer is 18.", "answer is"),
    ("18", "20. Wait, no. The answer is 18.", "answer is"),
    ("18", "#### 18\n\nQuestion: A dog has 4 legs...", "####"),
    ("1234", "The answer is 1,234.", "answer is"),
    ("1000000", "The result is 1,000,000", "last number"),
    ("70000", "#### 70,000", "####"),
    ("83", r"\boxed{x = 83}", "boxed"),
    ("18", r"\boxed{\$18}", "boxed"),
    ("18", r"\boxed{18\text{ dollars}}", "boxed"),
    ("72", "72 clips, altogether", "last number"),
    ("29", "$29.00", "last number"),
    # the words around the number
    ("18", "The answer is 18. I hope the answer is right.", "answer is"),
    ("6", "The answer is not 5. It is 6.", "last number"),
    ("18", "The **answer** is:\n\n**18**", "answer is"),
    ("18", "The answer is:\n\\[\n\\boxed{18}\n\\]", "answer is"),
    ("18", "THE ANSWER IS 18 dollars, as 20 - 2 = 18 and 9 - 2 = 7", "answer is"),
    ("7", "#### Step 2: 3 + 4 = 7", "last number"),
    ("18", "The answer is 18.\nQ: What is 1 + 1?\nThe answer is 2.", "answer is"),
    ("18", "The answer is 18.\r\n\r\n**Question:** The answer is 2.", "answer is"),
    ("9", "Question 3 earned 9 points", "last number"),
    ("18", "The answer is 18. For 20 - 18 = 2.", "answer is"),
    # equations
    ("18", "The answer is 18 = 9 * 2.", "answer is"),
    ("16", "The answer is 2*(5+3) = 16.", "answer is"),
    ("18", "The answer is 5 boys + 13 girls = 18 children.", "answer is"),
    ("18", "The answer is 9 x $2 = <<9*2=18>>$18, for 7 days.", "answer is"),
    # the ways to write a number
    ("-5", "The answer is -5.", "answer is"),
    ("-5", "The answer is -$5.", "answer is"),
    ("-5", "The answer is $-5.", "answer is"),
    ("-5", "The answer is \N{MINUS SIGN}5.", "answer is"),
    ("2", "5-3 leaves 7-5: 2", "last number"),
    ("3", "He has 5-3", "last number"),
    ("1250", "It is one of 2,1250", "last number"),
    ("18", "It is 18 <<9+11=20>>", "last number"),
    ("25", "The answer is 25%.", "answer is"),
    ("500", "The answer is Rs.500", "answer is"),
    ("0.5", "The answer is .5", "answer is"),
    ("-1/2", r"The answer is $-\frac{1}{2}$.", "answer is"),
    ("5/2", r"\boxed{2\frac{1}{2}}", "boxed"),
    ("2.5", "The answer is 2 1/2 cups.", "answer is"),
    ("1000", r"\boxed{1{,}000}", "boxed"),
    ("1/2", r"\boxed{\frac12}", "boxed"),
    ("-5", "The answer is \N{EN DASH}5.", "answer is"),
    # a number is stated, then explained
    ("18", "The answer is 18 (9 * 2).", "answer is"),
    ("18", "The answer is 18 since 9 * 2.", "answer is"),
    ("18", "The answer is **18** (3 * 6)", "answer is"),
    ("18", "The answer is 3 * (4 + 2) = 18", "answer is"),
    ("18", "**Answer:** 18\n(for 7 days)", "answer is"),
    ("18", "Answer: $18", "answer is"),
]
WRONG = [
    ("5", "-5"),
    ("-5", "5"),
    ("5", "25"),
    ("25", "5"),
    ("18", "17.9999999"),
    ("18", "0"),
    ("114200", "114201"),
    ("2880000", "2880001"),
    ("1/3", "0.33"),
    ("18", "The answer is eighteen."),
    ("18", "18. Wait, no. The answer is 20."),
    ("1", "The answer is 18"),
    ("9", "The answer is 9 * 2."),
    ("3", "The answer is 3 * (4 + 2)."),
    ("6", r"The answer is $6 \times 3$."),
    ("4", "The answer is\n\nQuestion: A dog has 4 legs..."),
    ("2", "The answer is 2 1/2."),
    ("18", ""),
    ("no number", "no number"),
    ("18", "1/0"),
]


@pytest.mark.parametrize(("gold", "text", "rule"), RIGHT)
def test_right_answers(gold: str, text: str, rule: str) -> None:
    assert extract_answer(text) == Answer(Fraction(gold), rule)
    assert is_correct(text, gold) is True
    assert is_correct(text, f"Some reasoning with 3 numbers.\n#### {gold}")


@pytest.mark.parametrize(("gold", "text"), WRONG)
def test_wrong_answers(gold: str, text: str) -> None:
    assert is_correct(text, gold) is False


def test_only_an_endless_decimal_may_be_rounded() -> None:
    assert is_correct("The answer is 0.333333.", "1/3")
    assert is_correct("The answer is -14.2857142.", "-100/7")
    assert not is_correct("The answer is 0.3333.", "1/3")
    assert not is_correct("The answer is -0.333333.", "1/3")
    for gold in ("18", "1/8", "0.3"):
        assert not is_correct(f"{float(Fraction(gold)) + 1e-7:.7f}", gold)


def test_a_text_without_a_number_has_no_answer() -> None:
    for text in ("", "The answer is", "none, ... and 1/0", "####", r"\boxed{}"):
        assert extract_answer(text) == Answer(None, "none"), text


def test_answers_print_their_value_and_rule() -> None:
    assert repr(extract_answer("The answer is 18.")) == "Answer(18, 'answer is')"
    assert repr(extract_answer("1/2")) == "Answer(1/2, 'last number')"
    assert repr(extract_answer("")) == "Answer(None, 'none')"


def test_annotations_are_removed() -> None:
    text = "She sold 48/2 = <<48/2=24>>24 clips, <<24+48=72>>72 in all. 1 << 2"
    assert strip_annotations(text) == "She sold 48/2 = 24 clips, 72 in all. 1 << 2"


def test_any_decimal_is_read_exactly() -> None:
    rng = random.Random(1)
    for _ in range(2000):
        number = Decimal(rng.randrange(-(10**9), 10**9)).scaleb(-rng.randrange(4))
        for written in (f"{number:f}", f"{number:,f}"):
            text = f"So the answer is {written}."
            assert extract_answer(text).value == Fraction(number), text


@pytest.fixture(scope="module")
def golds() -> list[str]:
    files = [GSM8K / "train.jsonl", GSM8K / "test.jsonl"]
    if not all(file.is_file() for file in files):
        pytest.skip(f"GSM8K is not at {GSM8K}; set GSM8K_PATH to its folder")
    lines = [line for f in files for line in f.read_bytes().splitlines()]
    return [json.loads(line)["answer"] for line in lines]


def test_gsm8k_gold_against_gold(golds: list[str]) -> None:
    assert len(golds) == 8792
    for gold in golds:
        assert is_correct(gold, gold)
        assert extract_answer(gold).rule in ("####", "answer is")
        assert "<<" not in strip_annotations(gold)
        number = gold.split("####")[1].strip()
        independent = int(number.replace(",", ""))
        assert is_correct(f"The answer is {independent}.", gold)
        assert is_correct(f"I think it is **${number}.00**, all told.", gold)


def test_gsm8k_wrong_answers(golds: list[str]) -> None:
    for gold in golds:
        n = int(gold.split("####")[1].replace(",", ""))
        for wrong in (123456789, n - 1, n + 1, f"1{abs(n)}", f"{n}.001", n // 10 - 1):
            assert not is_correct(f"The answer is {wrong}.", gold), (wrong, gold)
        assert not is_correct("I do not know.", gold)


PIECES = (
    *("answer is ", "#### ", "\\boxed{", "}", "\\frac{1}{2}", "<<", ">>", "\nQ:", "\n"),
    *("18", "1,000", "1,", "1/", "0", ".", ".5", "-", "-$", "=", " ", "*", "9 * ", ","),
    *("$", "%", "é", "\N{ARABIC-INDIC DIGIT THREE}", "²", "\ud800", "\0", "x", "{,}"),
)


def test_no_text_raises() -> None:
    rng = random.Random(2)
    for _ in range(5000):
        text = "".join(rng.choices(PIECES, k=rng.randrange(12)))
        answer = extract_answer(text)
        assert (answer.value is None) == (answer.rule == "none")
        assert is_correct(text, text) in (True, False)


def test_long_texts_finish() -> None:
    """A pattern with quadratic cost would take minutes on one of these."""
    for start in ("", "1", "-", "answer is ", "answer is 1 =", "\\boxed{", "#### "):
        for piece in (*PIECES, "9", "1 ", "\n ", "answer ", "answer **", "9     "):
            text = start + piece * (100_000 // len(piece))
            assert is_correct(text, "123456789") is False


def test_huge_numbers_answer_nothing() -> None:
    for text in ("9" * 100_000, "1/" + "9" * 100_000, "1." + "9" * 100_000):
        assert extract_answer(text) == Answer(None, "none")
    assert extract_answer("It is 18, not " + "9" * 5000).value == 18

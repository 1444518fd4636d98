"""Attempts: a model with known solutions."""

from fractions import Fraction

from toy_language import Scripted

from helpers.evaluation import Attempts, attempt
from helpers.problems import Answer


def answers(*values: int | None) -> list[Answer]:
    return [
        Answer(None, "none") if v is None else Answer(Fraction(v), "answer is")
        for v in values
    ]


SOLUTIONS = [
    "2*9 = 18.\nThe answer is 18.",
    "The answer is $20.",
    "No idea.",
    "#### 18",
]


def attempts(k: int) -> Attempts:
    return attempt(Scripted(lambda line: SOLUTIONS), "Q:\n", "#### 18", k, seed=3)


def test_attempts_are_read_and_judged() -> None:
    found = attempts(4)
    assert [step.text for step in found.steps] == SOLUTIONS
    assert [answer.value for answer in found.answers] == [18, 20, None, 18]
    assert found.right == (True, False, False, True)
    assert found.tokens == sum(len(text) + 1 for text in SOLUTIONS)


def test_an_attempt_passes_on_prompt_number_and_seed() -> None:
    llm = Scripted(lambda line: SOLUTIONS)
    attempt(llm, "Q:\n", "18", k=2, seed=5)
    assert llm.calls == [("Q:\n", 2, 5)]


def test_the_vote_of_the_first_k() -> None:
    found = Attempts((), tuple(answers(20, 18, 18, None)), (False, True, True, False))
    assert [found.vote(k) for k in (1, 2, 3, 4)] == [False, False, True, True]
    nobody = Attempts((), tuple(answers(None, 18)), (False, True))
    assert [nobody.vote(k) for k in (1, 2)] == [False, True]

"""Grading: how many written answers are read and judged in a second.

The texts are what a model would have to write, and one of many lines that never comes
to an answer, on which a careless pattern would take its time.
"""

from functools import partial

from frame import Row, alternate, rate

from helpers.problems import format_solution, generate, is_correct


def judge(pairs: list[tuple[str, str]], number: int) -> float:
    """Answers a second."""

    def work() -> int:
        for text, gold in pairs:
            is_correct(text, gold)
        return len(pairs)

    return rate(work)


def rows(rounds: int, quick: bool = False) -> list[Row]:
    """Whole solutions, last lines alone, and long texts."""
    golds = [row["answer"] for row in generate("test", 50 if quick else 1000)]
    kinds = {
        "whole solutions": [(format_solution(gold), gold) for gold in golds],
        "last lines": [(format_solution(gold).split("\n")[-2], gold) for gold in golds],
        "50 lines": [("So 3 + 4 = 7, and more.\n" * 50, gold) for gold in golds[::50]],
    }
    runs = {name: partial(judge, pairs) for name, pairs in kinds.items()}
    found = alternate(runs, rounds)
    return [Row("grading", who, "answers/s", values) for who, values in found.items()]

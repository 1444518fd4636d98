"""Evaluation: problems a second, in turn and on all cores, and what the records cost.

One strategy answers the same problems each time; every result is written to the disk.
Then a finished run is begun again: all that it has to do is to read its records.
"""

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from statistics import fmean

from frame import Row, alternate, rate, seconds

from helpers.evaluation import Report, evaluate, processes, to_line
from helpers.llm import LLMGen
from helpers.problems import generate
from helpers.search import beam_search

STRATEGY = partial(beam_search, budget=1024)
Problems = Sequence[dict[str, str]]


def run(problems: Problems, file: Path, executor: Executor | None = None) -> int:
    """Evaluate into a file; how many problems."""
    evaluate(STRATEGY, problems, LLMGen("abacus"), out=file, executor=executor)
    return len(problems)


def rows(rounds: int, quick: bool = False) -> list[Row]:
    """In turn, on all cores, records, and a run that is resumed."""
    problems, cores = generate("validation", 2 if quick else 40), os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name, processes(cores) as executor:
        folder = Path(name)

        def speed(who: str, executor: Executor | None, i: int) -> float:
            return rate(lambda: run(problems, folder / f"{who}{i}", executor))

        runs = {
            "in turn": partial(speed, "alone", None),
            f"{cores} processes": partial(speed, "together", executor),
        }
        found = alternate(runs, rounds, warm=not quick)
        first = folder / "alone0"
        sizes = [len(to_line(record)) for record in Report(first).records()]
        again = [seconds(lambda: run(problems, first)) for _ in range(rounds)]
    compared = [
        Row("evaluation", who, "problems/s", values, who == "in turn")
        for who, values in found.items()
    ]
    return compared + [
        Row("a record, on average", "abacus", "bytes", [fmean(sizes)]),
        Row(f"resuming {len(problems)} finished problems", "abacus", "s", again),
    ]

"""How fast an evaluation is: `python tests/benchmarks/evaluation_speed.py`.

One strategy on the same problems, in turn and on two processes, alternately; and what
the records cost beside the model. Prints medians, and the lowest and highest.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy: a process is one core
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from helpers.abacus.problems import generate
from helpers.evaluation import evaluate
from helpers.executors import processes
from helpers.llm import LLMGen
from helpers.records import to_line
from helpers.report import Report
from helpers.search import beam_search

STRATEGY = partial(beam_search, budget=1024)


def seconds(rows: list[dict[str, str]], file: Path, executor: Executor | None) -> float:
    """How long an evaluation takes."""
    start = time.perf_counter()
    evaluate(STRATEGY, rows, LLMGen("abacus"), out=file, executor=executor)
    return time.perf_counter() - start


def spread(values: list[float]) -> str:
    """The median, and the ends."""
    middle = statistics.median(values)
    return f"{middle:.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--problems", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    rows = generate("validation", args.problems)
    alone, together = [], []
    with tempfile.TemporaryDirectory() as folder, processes(2) as two:
        seconds(rows[:4], Path(folder) / "warm", two)  # both have loaded the model
        for i in range(args.rounds):
            alone.append(seconds(rows, Path(folder) / f"alone-{i}", None))
            together.append(seconds(rows, Path(folder) / f"two-{i}", two))
        report = Report(Path(folder) / "alone-0")
        sizes = [len(to_line(record)) for record in report.records()]
        start = time.perf_counter()
        seconds(rows, Path(folder) / "alone-0", None)  # all is there already
        resumed = time.perf_counter() - start
    gain = [a / b for a, b in zip(alone, together, strict=True)]
    print(f"{args.problems} problems, {args.rounds} rounds")
    print(f"in turn, seconds:          {spread(alone)}")
    print(f"two processes, seconds:    {spread(together)}")
    print(f"times as fast:             {spread(gain)}")
    print(f"bytes a record:            {statistics.fmean(sizes):.0f}")
    print(f"resuming a finished run:   {resumed:.3f} s")


if __name__ == "__main__":
    main()

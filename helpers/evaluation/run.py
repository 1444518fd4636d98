"""Evaluation: one strategy on many problems, in a run that nothing can spoil.

Vocabulary
    run        a strategy on problems by a model (`solver.py`). Its records
               (`records.py`) stand in a file; a run that was stopped is resumed.
    executor   who solves the problems: nobody else (in turn), threads, processes, or
               Dask's workers on many computers. The results are the same.
    window     how many problems are under way at most. The others wait in the iterator,
               so that a run needs no more memory for many problems than for few.

Of a seed, each sample of each problem has its own (`llm.derive_seed`), so results do
not depend on the order. Covers: resuming, stopping, giving a dead server up. Does not
cover: making executors (`executors.py`), what the records add up to (`report.py`), the
command line (`__main__.py`).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.env import CoTEnv, GSM8KEnv
from helpers.llm import LLMError, LLMGen, check_limits

from .records import Record, RecordFile
from .report import Report
from .solver import (
    ENDING,
    HOPELESS,
    Solver,
    Strategy,
    configuration_of,
    hash_of,
)

PAUSES = (2.0, 10.0, 30.0)  # seconds before a problem is tried again
MAX_FAILURES = 10  # failures of the server in a row after which a run is given up
WINDOW = 256  # problems


def evaluate(
    strategy: Strategy, problems: Iterable[Mapping[str, str]], llm: LLMGen, *,
    out: Path | str, executor: Executor | None = None, seed: int = 0,
    make_env: Callable[..., CoTEnv] | None = None,
    pauses: Sequence[float] = PAUSES,
    on_record: Callable[[Record], None] | None = None,
    about: Mapping[str, Any] | None = None,
) -> Report:  # fmt: skip
    """Solve problems (`question`, `answer`) and keep a record of each in a file.

    out: the JSONL file. What is solved there is not solved again; what failed, is.
    executor: any of `concurrent.futures`; see `executors.py`.
    make_env: called with a problem and the model; `GSM8KEnv` if left out.
    pauses: seconds before each new try of a problem whose model failed.
    on_record: told of each new record, once it is on the disk.
    about: what else to write at the head of the file, such as the name of the data.

    Ctrl-C ends the run after the problems under way, with a KeyboardInterrupt; pressed
    twice, without waiting for them. Nothing that is finished is lost.
    Raises ValueError if the file is another run's, BlockingIOError if it is being
    written, LLMError if ten problems in a row failed, and what the strategy raises.
    """
    check_limits(seed=seed)
    solver = Solver(strategy, make_env or GSM8KEnv, llm, int(seed), pauses)
    configuration = configuration_of(solver) | ({"about": dict(about)} if about else {})
    under_way: set[Future[Record]] = set()
    with RecordFile(out, configuration) as file, patient_interrupt() as stop:
        todo = (
            (i, problem)
            for i, problem in enumerate(problems)
            if not file.has(i, hash_of(problem))
        )
        found = solve_all(solver, todo, executor, stop, under_way)
        try:
            for record in until_server_is_dead(found, out):
                file.add(record)
                if on_record:
                    on_record(record)
        finally:
            for record in finished_ones(under_way):
                file.add(record)
        if stop.is_set():
            raise KeyboardInterrupt(f"Stopped. To go on, type the same again ({out}).")
    return Report(out)


def until_server_is_dead(
    records: Iterator[Record], out: Path | str
) -> Iterator[Record]:
    """The same records, until `MAX_FAILURES` in a row are the server's: LLMError."""
    failed = 0
    for record in records:
        yield record
        if not record.failure:
            failed = 0
        elif record.kind not in HOPELESS:
            failed += 1
        if record.kind in ENDING:
            error = LLMError(record.failure)
            error.kind = record.kind
            raise error
        if failed == MAX_FAILURES:
            raise LLMError(
                f"{failed} problems in a row failed. {record.failure}. Then type the "
                f"same again: what is solved stands in {out}."
            )


def solve_all(
    solver: Solver, todo: Iterator[tuple[int, Mapping[str, str]]],
    executor: Executor | None, stop: threading.Event, under_way: set[Future[Record]],
) -> Iterator[Record]:  # fmt: skip
    """The records of problems, in the order in which they are finished.

    When `stop` is set, or one raises, those under way are finished and no more begun.
    `under_way` holds the futures meanwhile, so that the caller can look after them.
    """
    if executor is None:
        for index, problem in todo:
            yield solver(index, problem)
            if stop.is_set():
                return
        return
    error: BaseException | None = None
    more = True
    while more or under_way:
        while more and len(under_way) < WINDOW:
            task = next(todo, None)
            more = task is not None
            under_way |= {executor.submit(solver, *task)} if task else set()
        # With a time-out, Ctrl-C is heard on Windows too.
        finished, _ = wait(under_way, timeout=1.0, return_when=FIRST_COMPLETED)
        for future in finished:
            under_way.discard(future)
            error = error or future.exception()
            if not future.exception():
                yield future.result()
        if stop.is_set() or error:
            more = False
            under_way -= {future for future in under_way if future.cancel()}
    if error:
        raise error


def finished_ones(under_way: set[Future[Record]]) -> Iterator[Record]:
    """What was finished while the run came to its end; the others are given up."""
    for future in under_way:
        if not future.cancel() and future.done() and not future.exception():
            yield future.result()


@contextmanager
def patient_interrupt() -> Iterator[threading.Event]:
    """Make Ctrl-C set this event; a second one interrupts as usual."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def on_interrupt(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    usual = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, usual)

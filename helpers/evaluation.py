"""Evaluation: one strategy on many problems, in a run that nothing can spoil.

Vocabulary
    strategy   `partial(beam_search, budget=1024)`: a function of `search.py` with all
               its parameters but the environment, the model and the seed.
    run        a strategy on problems by a model. Its records (`records.py`) stand in
               a file; a run that was stopped goes on from there.
    executor   who solves the problems: nobody else (in turn), threads, processes, or
               Dask's workers on many computers. The results are the same.
    window     how many problems are under way at most. The others wait in the iterator,
               so that a run needs no more memory for many problems than for few.

Of a seed, each sample of each problem has its own (`llm.derive_seed`), so results do
not depend on the order. Covers: resuming, retrying, stopping. Does not cover: what the
records add up to (`report.py`), the command line (`evaluate.py`).
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from helpers.budget import SearchResult
from helpers.connection import LLMError, failure
from helpers.env import CoTEnv, GSM8KEnv, Problem
from helpers.grading import is_correct, read_gold
from helpers.llm import LLMGen, check
from helpers.provenance import describe, describe_model, name_of
from helpers.records import Record, RecordFile, Sample, short_hash
from helpers.report import Report
from helpers.tree import leaves

Strategy = Callable[..., SearchResult]
INDEPENDENT = ("greedy", "self_consistency", "best_of_n", "weighted_vote")
PAUSES = (2.0, 10.0, 30.0)  # seconds before a problem is tried again
HOPELESS = {"context", "thinking", "image", "missing", "recording"}  # to try again
LAST_STRAW = 10  # failures in a row after which a run is given up
WINDOW = 256


@dataclass(frozen=True)
class Solver:
    """All that is needed to solve one problem, in whatever process."""

    strategy: Strategy
    make_env: Callable[..., CoTEnv]
    llm: LLMGen
    seed: int
    pauses: Sequence[float]

    def __call__(self, index: int, problem: Mapping[str, str]) -> Record:
        """The record of a problem; of a failure, if it fails after every pause."""
        record = Record(index, hash_of(problem))
        if read_gold(problem["answer"]) is None:
            said = f"No number can be read in the gold answer {problem['answer']!r}."
            return replace(record, failure=said)
        for pause in (*self.pauses, None):
            start = time.perf_counter()
            try:
                found = self.solve(record, problem["question"], problem["answer"])
                return replace(found, seconds=round(time.perf_counter() - start, 3))
            except LLMError as error:
                if pause is None or error.kind in HOPELESS:
                    return replace(record, failure=str(error))
                time.sleep(pause)
        raise AssertionError("the last try returns")

    def solve(self, record: Record, question: str, gold: str) -> Record:
        """Search once. Raises LLMError if the model fails, or says nothing."""
        env = self.make_env(Problem(question, gold), self.llm)
        prompt, _ = env.reset(seed=self.seed)
        found = self.strategy(env, self.llm, seed=self.seed)
        if not found.tree.children:
            raise failure("silent", model=getattr(self.llm, "model", "the model"))
        value = found.answer.value
        weights = [max(0.0, weight) for _, weight in found.ranked]
        is_batch = name_of_strategy(self.strategy) in INDEPENDENT
        return replace(
            record,
            prompt=short_hash(prompt),
            answer=None if value is None else str(value),
            rule=found.answer.rule,
            gold=str(read_gold(gold)),
            right=is_correct(str(value), gold),
            confidence=weights[0] / sum(weights) if any(weights) else 0.0,
            steps=tuple(found.path.path) if found.path else (),
            tokens=found.tokens,
            calls=found.calls,
            samples=samples_of(found, gold) if is_batch else (),
        )


def samples_of(found: SearchResult, gold: str) -> tuple[Sample, ...]:
    """The ends of the paths of a search."""
    values = ((leaf, leaf.answer.value) for leaf in leaves(found.tree))
    return tuple(
        Sample(
            answer=None if value is None else str(value),
            score=float(leaf.value),
            count=leaf.action.count,
            right=is_correct(str(value), gold),
        )
        for leaf, value in values
    )


def hash_of(problem: Mapping[str, str]) -> str:
    """What names a problem: its question and its gold answer."""
    return short_hash(problem["question"], problem["answer"])


def name_of_strategy(strategy: Strategy) -> str:
    """The name of the function inside a strategy."""
    return name_of(strategy.func if isinstance(strategy, partial) else strategy)


def usual_env(llm: Any) -> Callable[..., CoTEnv]:
    """GSM8K's environment; abacus is asked without solved examples."""
    is_embedded = getattr(llm, "is_embedded", False)
    return partial(GSM8KEnv, is_few_shot=not is_embedded)


def configuration_of(solver: Solver) -> dict[str, Any]:
    """How a run is made: what stands at the head of its file."""
    env = solver.make_env(Problem("?", "0"), solver.llm)
    prompt, _ = env.reset(seed=0)
    connection = getattr(solver.llm, "connection", None)
    return {
        "strategy": describe(solver.strategy),
        "environment": describe(solver.make_env),
        "prompt": short_hash(prompt),
        "model": describe_model(solver.llm),
        "options": describe(connection.options) if connection else None,
        "seed": int(solver.seed),
    }


def evaluate(
    strategy: Strategy, problems: Iterable[Mapping[str, str]], llm: LLMGen, *,
    out: Path | str, executor: Executor | None = None, seed: int = 0,
    make_env: Callable[..., CoTEnv] | None = None,
    pauses: Sequence[float] = PAUSES,
    on_record: Callable[[Record], None] | None = None,
) -> Report:  # fmt: skip
    """Solve problems (`question`, `answer`) and keep a record of each in a file.

    out: the JSONL file. What is solved there is not solved again; what failed, is.
    executor: any of `concurrent.futures`; for processes, see `processes`.
    make_env: called with a problem and the model; see `usual_env`.
    pauses: seconds before each new try of a problem whose model failed.
    on_record: told of each new record.

    Ctrl-C ends the run after the problems under way, with a KeyboardInterrupt; pressed
    twice, at once. Nothing that is finished is lost.
    Raises ValueError if the file is another run's, BlockingIOError if it is being
    written, LLMError if ten problems in a row failed, and what the strategy raises.
    """
    check(seed=seed)
    solver = Solver(strategy, make_env or usual_env(llm), llm, int(seed), pauses)
    with RecordFile(out, configuration_of(solver)) as file, patient_interrupt() as stop:
        todo = (
            (i, problem)
            for i, problem in enumerate(problems)
            if not file.has(i, hash_of(problem))
        )
        failed = 0
        for record in solve_all(solver, todo, executor, stop):
            file.add(record)
            if on_record:
                on_record(record)
            failed = failed + 1 if record.failure else 0
            if failed == LAST_STRAW:
                raise LLMError(
                    f"{failed} problems in a row failed. {record.failure}. Then type "
                    f"the same again: what is solved stands in {out}."
                )
        if stop.is_set():
            raise KeyboardInterrupt(f"Stopped. To go on, type the same again ({out}).")
    return Report(out)


def solve_all(
    solver: Solver, todo: Iterator[tuple[int, Mapping[str, str]]],
    executor: Executor | None, stop: threading.Event,
) -> Iterator[Record]:  # fmt: skip
    """The records of problems, in the order in which they are finished.

    When `stop` is set, or one raises, those under way are finished and no more begun.
    """
    if executor is None:
        for index, problem in todo:
            yield solver(index, problem)
            if stop.is_set():
                return
        return
    waiting: set[Future[Record]] = set()
    error: BaseException | None = None
    more = True
    try:
        while more or waiting:
            while more and len(waiting) < WINDOW:
                task = next(todo, None)
                more = task is not None
                waiting |= {executor.submit(solver, *task)} if task else set()
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                error = error or future.exception()
                if not future.exception():
                    yield future.result()
            if stop.is_set() or error:
                more = False
                waiting = {future for future in waiting if not future.cancel()}
    finally:
        for future in waiting:
            future.cancel()
    if error:
        raise error


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


def processes(n: int | None = None) -> ProcessPoolExecutor:
    """An executor of n processes (all cores if omitted), for abacus.

    Each computes with one thread, because the processes share the cores already, and
    leaves Ctrl-C to the process that began them. A strategy must come from a module:
    what a notebook defines cannot be sent.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    ignore = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
    return ProcessPoolExecutor(n, mp_context=get_context("spawn"), initializer=ignore)

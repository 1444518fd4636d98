"""Records: what became of each problem, a line each, in a file that survives a crash.

Vocabulary
    configuration  how a run is made: strategy, model, options, seed. The first line.
    record         one problem's result, or its failure. A line each, in any order.
    note           a line that says that the run was resumed on an updated server.
    failure        the model gave no answer (a dead server, a time-out). It is no wrong
                   answer, and the next run tries the problem again.

Covers: what a file of records holds, and whether a run may go on with it. Does not
cover: how its lines are kept (`journal.py`), what is in a configuration
(`provenance.py`), and what records add up to (`report.py`).
"""

from __future__ import annotations

import hashlib
import json
import re
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from helpers.llm import Identity
from helpers.llm import differences as model_differences
from helpers.wire import canonical

from .journal import Journal, whole_lines


class Sample(NamedTuple):
    """An end of independent paths: its value, its score, how many of the samples came
    there, and whether it is right."""

    answer: str | None
    score: float
    count: int
    right: bool


@dataclass(frozen=True)
class Record:
    """One problem's result.

    index: its place among the problems. problem, prompt: hashes of the texts.
    answer, rule: the value (None if there is none) and the grader's rule.
    gold, right: what counts as right, and whether the answer is.
    confidence: the winner's share of all weights, from 0 to 1.
    steps: the sentences of the path that was chosen.
    tokens, calls, seconds: what it cost; the seconds are those of the last try.
    samples: of a strategy that draws independent paths, else ().
    failure, kind: why there is no result, and which kind of failure it is, by its name
        in `ADVICE` (`llm/errors.py`), or "gold"; what stands above is empty then.
    """

    index: int
    problem: str
    prompt: str = ""
    answer: str | None = None
    rule: str = "none"
    gold: str = ""
    right: bool = False
    confidence: float = 0.0
    steps: tuple[str, ...] = ()
    tokens: int = 0
    calls: int = 0
    seconds: float = 0.0
    samples: tuple[Sample, ...] = ()
    failure: str = ""
    kind: str = ""


FIELDS = {field.name for field in fields(Record)}
MODEL = {"name", "digest", "server"}  # what tells a model in a configuration
RESUMED = "resumed"  # begins a note: with which server a run was resumed


def short_hash(*texts: str) -> str:
    """16 hexadecimal digits that name these texts."""
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]


def to_line(record: Record) -> str:
    """A record as one line of JSON."""
    return json.dumps(asdict(record), separators=(",", ":"))


def to_record(line: str) -> Record:
    """The record on a line. Raises ValueError for anything else."""
    values = json.loads(line)
    if not {"index", "problem"} <= set(values) <= FIELDS:
        raise ValueError("it has other fields")
    if not isinstance(values["index"], int) or not 0 <= values["index"] < 10**7:
        raise ValueError("its index is no whole number from 0 to 10 million")
    if not re.fullmatch("[0-9a-f]{16}", values["problem"]):
        raise ValueError("its problem is no hash")
    values["steps"] = tuple(values.get("steps", ()))
    values["samples"] = tuple(Sample(*s) for s in values.get("samples", ()))
    return Record(**values)


def read_configuration(file: Path | str) -> dict[str, Any]:
    """How the run in this file was made.

    Raises ValueError if it is no such file, FileNotFoundError if there is none.
    """
    if not Path(file).exists():
        raise FileNotFoundError(f"{file} is not there.")
    try:
        return json.loads(next(whole_lines(file)))["configuration"]
    except (StopIteration, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} holds no records. Name another file.") from error


def read_records(file: Path | str) -> Iterator[Record]:
    """The records of a file in the order in which they were written, one at a time.

    A problem that failed and was tried again comes once for each try. Raises ValueError
    for a line that is no record.
    """
    lines = enumerate(whole_lines(file), start=1)
    for number, line in lines:
        try:
            # The first line is the configuration; a note says who resumed the run.
            if number > 1 and not line.startswith(f'{{"{RESUMED}":'):
                yield to_record(line)
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{file}, line {number}, is not a record ({error}). Delete that line, "
                "and type the same run again: its problem is solved anew."
            ) from error


def differences(there: Any, here: Any, place: str = "") -> list[str]:
    """What two configurations differ in: "seed: 0 there, 1 here".

    1 and 1.0 are one number. Models are compared as such: one that is told by another
    spelling of its name, or by another version of its server, is the same.
    """
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        found, names = [], {*there, *here}
        if {*there} & {*here} >= MODEL:
            a, b = Identity.from_facts(there), Identity.from_facts(here)
            found = [f"{place}{said}" for said in model_differences(a, b)]
            names -= {*a.facts()}
        for name in sorted(names):
            pair = there.get(name), here.get(name)
            found += differences(*pair, f"{place}{name}.")
        return found
    if canonical(there) == canonical(here):
        return []
    a, b = ("nothing" if value is None else value for value in (there, here))
    return [f"{place.rstrip('.')}: {a} there, {b} here"]


class RecordFile(Journal):
    """A file of records that one run writes: `with RecordFile(...) as records`.

    Raises ValueError if the file is another run's, or none of ours; BlockingIOError if
    another process writes it.
    """

    def __init__(self, file: Path | str, configuration: Mapping[str, Any]) -> None:
        super().__init__(file)
        # As it comes back from JSON: a tuple would never equal its list.
        self.configuration = json.loads(json.dumps(configuration))
        self.note = ""  # what is to be said before the next record
        self.known = array("Q")  # hashes of the solved problems, by index; 0: not yet

    def __enter__(self) -> RecordFile:
        super().__enter__()
        try:
            self._go_on()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _go_on(self) -> None:
        """Find out what is solved already; in a new file, write how it is made."""
        first = json.dumps({"configuration": self.configuration})
        lines = [*islice(whole_lines(self.file), 2)]
        if not lines:
            self.append(first)
        there = read_configuration(self.file)
        found = differences(there, self.configuration)
        if found and len(lines) > 1:
            raise ValueError(
                f"{self.file} was made by another run. Type another out, or what was "
                "typed then:\n  " + "\n  ".join(found)
            )
        if found:  # a run that came to nothing, such as one with a typing error
            self.file.write_text("", encoding="utf-8")
            self.append(first)
            there = self.configuration
        for record in read_records(self.file):
            self._mark(record)
        servers = [
            c.get("model", {}).get("server") for c in (there, self.configuration)
        ]
        if servers[0] != servers[1]:
            self.note = json.dumps({RESUMED: {"server": servers[1]}})

    def _mark(self, record: Record) -> None:
        """Note that a problem is solved, in 8 bytes."""
        if not record.failure:
            missing = record.index + 1 - len(self.known)
            self.known.extend([0] * max(0, missing))
            self.known[record.index] = int(record.problem, 16)

    def has(self, index: int, problem: str) -> bool:
        """Is this problem solved? Raises ValueError if another one stands there."""
        found = self.known[index] if index < len(self.known) else 0
        if found and found != int(problem, 16):
            raise ValueError(
                f"Problem {index} in {self.file} is another one. Type another out, or "
                "the problems of that run in the same order."
            )
        return bool(found)

    def add(self, record: Record) -> None:
        """Write a record; it is on the disk when this returns."""
        if self.note:
            self.append(self.note)
            self.note = ""
        self.append(to_line(record))
        self._mark(record)

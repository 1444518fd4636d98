"""What all recordings share: a file that is resumed, and one search as plain values.

Vocabulary: a *record* is a file in `notebooks/runs`. Its first line, the *header*, says
how it was made; each further line is one result, in the order of the work. A record
that is not complete is resumed; one with another header is refused.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from tqdm import tqdm

from helpers.env import GSM8KEnv, Problem
from helpers.evaluation import Journal, processes, whole_lines
from helpers.llm import LLMGen
from helpers.search import SearchResult

from .places import series


def resume(
    out: Path, header: Mapping[str, Any], work: Sequence[Any],
    lines: Callable[[Executor, Sequence[Any]], Iterable[str]], unit: str = "problem",
) -> None:  # fmt: skip
    """Write the header and a line for each piece of work; lines already there stay.

    lines: called with an executor and the work that is left; yields the lines.
    Raises SystemExit if the file begins with another header, or outside a checkout.
    """
    series()  # a record belongs to a checkout
    first = json.dumps(header)
    there = [line.rstrip() for line in whole_lines(out)]
    if there and there[0] != first:
        raise SystemExit(f"{out} was made differently. Move it, or type another --out.")
    left = work[max(0, len(there) - 1) :]
    with Journal(out) as journal, processes() as pool:
        if not there:
            journal.append(first)
        for line in tqdm(lines(pool, left), total=len(left), unit=unit):
            journal.append(line)


def record_problems(
    out: Path, header: Mapping[str, Any],
    record: Callable[[int, dict[str, str]], str], problems: Sequence[dict[str, str]],
) -> None:  # fmt: skip
    """Write a record of problems, a line each, by `record`; all cores work."""

    def lines(pool: Executor, left: Sequence[tuple[int, dict[str, str]]]) -> Any:
        return pool.map(record, *zip(*left, strict=True)) if left else ()

    resume(out, header, [*enumerate(problems)], lines)


def digest(file: Path) -> str:
    """The sha256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def zero_shot_env(problem: dict[str, str], llm: LLMGen | None = None) -> GSM8KEnv:
    """The problem at its beginning, asked zero-shot; abacus answers if nobody else."""
    env = GSM8KEnv(Problem(**problem), llm or LLMGen("abacus"), is_few_shot=False)
    env.reset(seed=0)
    return env


def outcome(found: SearchResult) -> list[Any]:
    """What is recorded of a search: answer, tokens, calls."""
    value = found.answer.value
    return [None if value is None else str(value), found.tokens, found.calls]

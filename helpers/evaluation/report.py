"""Reports: what the records of a run add up to, with honest intervals.

Vocabulary
    estimate   a number with its 95 % interval. Intervals of shares are Wilson's; all
               others are bootstrap intervals over *problems*, never over samples, which
               resemble each other.
    failure    a problem without a result. It is counted apart: neither right nor wrong.
    batch      the samples of a strategy that draws independent paths. From one batch of
               n samples pass@k, majority@k and best-of-N@k follow for every k up to n.
    confidence the winner's share of the weights; *calibration* asks if it is honest.

A report reads its files anew for each figure, a record at a time, and remembers only
which problems are right. Covers: one run, and two runs on the same problems. Does not
cover: tables and pages (`page.py`), the formulas (`stats/`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, nan
from pathlib import Path
from typing import Any

from helpers.stats import (
    Bin,
    Estimate,
    best_at_k,
    bootstrap,
    calibration_error,
    mcnemar_p,
    pass_at_k,
    reliability,
    vote_at_k,
    wilson_interval,
)

from .records import Record, Sample, differences, read_configuration, read_records


class Report:
    """What stands in the files of one run; several if its problems were shared out.

    Raises ValueError if the files are of different runs, or hold one problem twice.
    """

    def __init__(self, *files: Path | str) -> None:
        self.files = tuple(map(Path, files))
        self.configuration = read_configuration(self.files[0])
        for file in self.files[1:]:
            found = differences(self.configuration, read_configuration(file))
            if found:
                raise ValueError(f"{file} is of another run:\n  " + "\n  ".join(found))
        self.failed = self._failures()  # index -> what was said

    def _failures(self) -> dict[int, str]:
        """The problems that failed and were not solved later."""
        failed: dict[int, str] = {}
        solved = bytearray()
        for record in self._tries():
            solved.extend(bytes(max(0, record.index + 1 - len(solved))))
            if record.failure and not solved[record.index]:
                failed[record.index] = record.failure
            elif not record.failure:
                if solved[record.index]:
                    raise ValueError(
                        f"Problem {record.index} stands in {self} twice. Name each "
                        "file once, and files of different problems by themselves."
                    )
                solved[record.index] = 1
                failed.pop(record.index, None)
        return failed

    def _tries(self) -> Iterator[Record]:
        return (record for file in self.files for record in read_records(file))

    def __str__(self) -> str:
        return ", ".join(map(str, self.files))

    def records(self) -> Iterator[Record]:
        """The solved problems, in the order in which they were solved."""
        return (record for record in self._tries() if not record.failure)

    @cached_property
    def right(self) -> dict[int, bool]:
        """Is it right? By the index of each solved problem, in order."""
        return dict(sorted((record.index, record.right) for record in self.records()))

    def accuracy(self) -> Estimate:
        """The share of the solved problems that is right, with Wilson's interval."""
        right, n = sum(self.right.values()), len(self.right)
        return Estimate(right / n if n else 0.0, *wilson_interval(right, n))

    def mean(self, name: str) -> float:
        """The mean "tokens", "calls" or "seconds" of a solved problem; nan without."""
        n = len(self.right)
        return sum(getattr(r, name) for r in self.records()) / n if n else nan

    def rules(self) -> Counter[str]:
        """How often each rule of the grader found the answer."""
        return Counter(record.rule for record in self.records())

    def samples(self) -> int:
        """How many samples each problem has at least; 0 if the budget cut a batch."""
        counts = (sum(s.count for s in record.samples) for record in self.records())
        return min(counts, default=0)

    def pass_at_k(self, k: int) -> Estimate:
        """Is any of k samples right? The unbiased estimate of Chen et al. (2021)."""
        return self._of_batches(
            k, lambda batch: pass_at_k(len(batch), sum(s.right for s in batch), k)
        )

    def majority_at_k(self, k: int, draws: int = 100) -> Estimate:
        """Is the vote of k samples right? Over random subsets, ties by chance."""

        def share(batch: Sequence[Sample]) -> float:
            answers = [sample.answer for sample in batch]
            marks = [sample.right for sample in batch]
            return vote_at_k(answers, [1.0] * len(batch), marks, k, draws)

        return self._of_batches(k, share)

    def best_at_k(self, k: int) -> Estimate:
        """Is the best scored of k samples right? Over all subsets, ties by chance."""

        def share(batch: Sequence[Sample]) -> float:
            scores = [-inf if s.answer is None else s.score for s in batch]
            return best_at_k(scores, [sample.right for sample in batch], k)

        return self._of_batches(k, share)

    def _of_batches(
        self, k: int, share: Callable[[Sequence[Sample]], float]
    ) -> Estimate:
        """The mean of a share over the batches of all problems."""
        if not 1 <= k <= self.samples():
            raise ValueError(
                f"k={k} needs as many independent samples of each problem; {self} has "
                f"{self.samples()}. Run self_consistency or best_of_n with n={k} or "
                "more, and a budget that cuts none of them, such as budget=100_000."
            )
        return bootstrap([share(batch_of(record)) for record in self.records()])

    def calibration(self, bins: int = 10) -> tuple[list[Bin], float]:
        """The reliability diagram of the confidence, and its calibration error."""
        pairs = [(record.confidence, record.right) for record in self.records()]
        if not pairs:
            return [], nan
        scores, marks = zip(*pairs, strict=True)
        return reliability(scores, marks, bins), calibration_error(scores, marks, bins)

    @property
    def name(self) -> str:
        """The strategy with its parameters, as short as can be."""
        return short_name(self.configuration["strategy"])


def batch_of(record: Record) -> list[Sample]:
    """The samples of a record, one by one."""
    return [sample for sample in record.samples for _ in range(sample.count)]


def short_name(description: Mapping[str, Any]) -> str:
    """A description on one line: "beam_search(budget=1024, scorer=confidence)".

    Of what is described at length, such as a scorer, only the name is told.
    """
    told = {
        key: part.get("name", "...") if isinstance(part, dict) else part
        for key, part in description.items()
        if key != "name"
    }
    parts = ", ".join(f"{key}={part}" for key, part in told.items())
    name = str(description.get("name", ""))
    return " ".join((f"{name}({parts})" if parts else name).split())


@dataclass(frozen=True)
class Comparison:
    """Two runs on the same problems, those that both solved.

    both, only_a, only_b, neither: problems that are right.
    left_out: problems that only one of the runs solved.
    difference: a minus b, in shares, with a bootstrap interval over problems.
    p: of the exact McNemar test.
    """

    a: str
    b: str
    both: int
    only_a: int
    only_b: int
    neither: int
    left_out: int
    difference: Estimate
    p: float

    def __str__(self) -> str:
        n = self.both + self.only_a + self.only_b + self.neither
        gap = self.difference
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        return "\n".join(
            [
                f"a: {self.a}",
                f"b: {self.b}",
                f"{n} problems solved by both runs, {self.left_out} left out",
                f"both right {self.both}, neither {self.neither}, "
                f"only a {self.only_a}, only b {self.only_b}",
                f"a - b: {100 * gap.value:+.1f} points "
                f"({100 * gap.low:+.1f} to {100 * gap.high:+.1f}), {p}",
            ]
        )


def compare_runs(a: Report, b: Report) -> Comparison:
    """Compare two runs, problem by problem.

    Raises ValueError if they are not runs on the same problems.
    """
    problems = {record.index: record.problem for record in a.records()}
    other = {record.index: record.problem for record in b.records()}
    shared = sorted(set(problems) & set(other))
    strange = [i for i in shared if problems[i] != other[i]]
    if strange or not shared:
        where = f"number {strange[0]} is another one" if strange else "none is in both"
        raise ValueError(f"{a} and {b} are not on the same problems: {where}.")
    pairs = [(a.right[i], b.right[i]) for i in shared]
    counts = Counter(pairs)
    only_a, only_b = counts[True, False], counts[False, True]
    return Comparison(
        a=a.name,
        b=b.name,
        both=counts[True, True],
        only_a=only_a,
        only_b=only_b,
        neither=counts[False, False],
        left_out=len(set(problems) ^ set(other)),
        difference=bootstrap([x - y for x, y in pairs]),
        p=mcnemar_p(only_a, only_b),
    )

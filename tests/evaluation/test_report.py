"""What records add up to, against counting by hand and against SciPy."""

import math
from functools import partial
from itertools import permutations

import numpy as np
import pytest
from scipy import stats
from toy_records import solved, write
from toy_runs import VOTE, run

from helpers.evaluation import (
    Record,
    Report,
    compare_runs,
    figure_of,
    to_html,
    to_text,
)
from helpers.evaluation.report import short_name
from helpers.stats import wilson_interval


def flat(samples):
    return [s for s in samples for _ in range(s.count)]


def by_counting(report, k, is_right):
    """The mean over problems of the share of ordered subsets that are right."""
    shares = []
    for record in report.records():
        subsets = list(permutations(flat(record.samples), k))
        shares.append(sum(map(is_right, subsets)) / len(subsets))
    return sum(shares) / len(shares)


def best(subset):
    told = [s for s in subset if s.answer is not None]
    return bool(told) and max(told, key=lambda s: s.score).right


def majority(subset):
    told = [s.answer for s in subset if s.answer is not None]
    winner = max(told, key=told.count, default=None)  # of equals, the first seen
    return any(s.right for s in subset if s.answer == winner)


@pytest.mark.parametrize("k", range(1, 6))
def test_all_k_from_one_batch_by_counting_every_subset(report, k):
    def passed(subset):
        return any(s.right for s in subset)

    assert report.pass_at_k(k).value == pytest.approx(by_counting(report, k, passed))
    assert report.best_at_k(k).value == pytest.approx(by_counting(report, k, best))
    share = report.majority_at_k(k, draws=4000).value
    assert share == pytest.approx(by_counting(report, k, majority), abs=0.02)


def test_more_samples_than_there_are(report):
    for k in (0, 6):
        with pytest.raises(ValueError, match=f"k={k} needs .* has 5"):
            report.pass_at_k(k)


def test_the_account(report):
    assert report.right == {0: True, 1: False} and report.failed == {}
    assert report.accuracy() == (0.5, *wilson_interval(1, 2))
    assert report.mean("tokens") == 20 and report.mean("seconds") == 1.5
    assert report.rules() == {"####": 1, "none": 1} and report.samples() == 5
    bins, error = report.calibration()
    assert [(b.count, b.right) for b in bins] == [(1, 0.0), (1, 1.0)]
    assert error == pytest.approx((0.3 + 0.1) / 2)


def test_failures_are_neither_right_nor_wrong(tmp_path):
    report = write(tmp_path / "x", solved(0), Record(1, f"{2:016x}", failure="dead"))
    assert report.failed == {1: "dead"} and report.accuracy().value == 1.0
    empty = write(tmp_path / "y", Record(0, f"{1:016x}", failure="dead"))
    assert empty.accuracy() == (0.0, 0.0, 1.0) and "0" in to_text([empty])
    assert math.isnan(empty.mean("tokens")) and empty.calibration()[0] == []
    assert "<img" not in to_html([empty]) and " - " in to_text([empty])
    with pytest.raises(ValueError, match="nothing to draw"):
        figure_of([empty])


def test_one_run_in_several_files(tmp_path):
    write(tmp_path / "a", solved(0), Record(1, f"{2:016x}", failure="dead"))
    write(tmp_path / "b", solved(1, False), solved(2))
    report = Report(tmp_path / "a", tmp_path / "b")
    assert report.right == {0: True, 1: False, 2: True} and report.failed == {}
    report = Report(tmp_path / "b", tmp_path / "a")
    assert report.right == {0: True, 1: False, 2: True} and report.failed == {}
    write(tmp_path / "c", solved(2), seed=5)
    with pytest.raises(ValueError, match="another run:\n  seed: nothing there, 5 here"):
        Report(tmp_path / "a", tmp_path / "c")
    with pytest.raises(ValueError, match="Problem 1 stands in .* twice"):
        Report(tmp_path / "b", tmp_path / "b")
    for text in ("", "{}\n", "no\n"):
        (tmp_path / "d").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="holds no records"):
            Report(tmp_path / "d")


def paired(tmp_path, marks_a, marks_b):
    runs = []
    for name, marks in (("a", marks_a), ("b", marks_b)):
        strategy = {"strategy": {"name": name}}
        records = [solved(i, mark) for i, mark in marks.items()]
        runs.append(write(tmp_path / name, *records, **strategy))
    return compare_runs(*runs)


def test_a_comparison_by_hand(tmp_path):
    a = {i: i < 30 for i in range(40)}  # right: 0..29
    b = {i: 10 <= i < 32 for i in range(2, 50)}  # right: 10..31, of others too
    found = paired(tmp_path, a, b)
    assert (found.both, found.only_a, found.only_b, found.neither) == (20, 8, 2, 8)
    assert found.left_out == 2 + 10
    assert found.difference.value == pytest.approx((8 - 2) / 38)
    assert found.p == pytest.approx(stats.binomtest(8, 10).pvalue)
    assert "only a 8, only b 2" in str(found) and "+15.8 points" in str(found)


def test_other_problems_are_refused(tmp_path):
    a = write(tmp_path / "a", solved(0))
    b = write(tmp_path / "b", Record(0, "f" * 16, right=True))
    c = write(tmp_path / "c", solved(1))
    for other, told in ((b, "number 0 is another"), (c, "none is in both")):
        with pytest.raises(ValueError, match=f"not on the same problems: {told}"):
            compare_runs(a, other)


def test_real_runs_compare(tmp_path):
    a = run(tmp_path / "a", n=8)
    b = run(tmp_path / "b", n=8, strategy=partial(VOTE, n=1))
    found = compare_runs(a, b)
    pairs = [(a.right[i], b.right[i]) for i in range(8)]
    assert found.only_a == pairs.count((True, False))
    assert found.difference.value == pytest.approx(np.mean([x - y for x, y in pairs]))


def test_short_names():
    name = {"name": "f", "budget": 3, "scorer": {"name": "g", "of": "C"}, "x": None}
    assert short_name(name) == "f(budget=3, scorer=g, x=None)"
    assert short_name({"name": "f\nf"}) == "f f"

"""Reports to look at: tables, Markdown, a page that escapes what it shows."""

import re

import pytest
from toy_runs import Fragile, run

from helpers.evaluation import (
    Record,
    Report,
    figure_of,
    to_html,
    to_markdown,
    to_text,
)
from helpers.evaluation.records import RecordFile, Sample

CONFIGURATION = {
    "strategy": {"name": "best_of_n", "budget": 9}, "model": {"name": "toy"},
}  # fmt: skip


def write(file, *records, **changes):
    with RecordFile(file, CONFIGURATION | changes) as out:
        for record in records:
            out.add(record)
    return Report(file)


def solved(index, right=True, **facts):
    return Record(index, f"{index + 1:016x}", right=right, **facts)


def batch(*samples):
    return tuple(Sample(*sample) for sample in samples)


FIVE = batch(("18", 0.9, 2, True), ("20", 0.8, 1, False), (None, 0.99, 2, False))
OTHER = batch(("7", 0.5, 3, False), ("8", 0.2, 1, True), ("9", 0.5, 1, False))


@pytest.fixture
def report(tmp_path):
    """Two problems with five samples each, one of them failed before."""
    a = {"tokens": 10, "seconds": 1.0, "confidence": 0.9, "rule": "####"}
    b = {"tokens": 30, "seconds": 2.0, "confidence": 0.3}
    return write(
        tmp_path / "x.jsonl",
        Record(1, f"{2:016x}", failure="dead"),
        solved(0, True, samples=FIVE, **a),
        solved(1, False, samples=OTHER, **b),
    )


NASTY = '<script>alert("x")</script>|"&'


@pytest.fixture
def nasty(tmp_path):
    record = solved(0, steps=(NASTY,), answer=NASTY, rule=NASTY)
    failed = Record(1, f"{2:016x}", failure=NASTY)
    about = {"model": {"name": NASTY}, "strategy": {"name": NASTY}}
    return write(tmp_path / "x", record, failed, **about)


def test_a_page_is_whole_by_itself_and_escapes_what_it_shows(nasty):
    page = to_html([nasty])
    assert "<script" not in page and "&lt;script" in page
    assert page.count("<img ") == page.count('src="data:image/png;base64,') == 1
    assert 'alt="Problems right in per cent' in page and "http" not in page
    assert page.count("<h1>") == 1 and 'lang="en"' in page


@pytest.mark.parametrize("mark", [True, False])
def test_all_right_and_none_right_can_be_drawn(tmp_path, mark):
    for n in range(1, 30):
        report = write(tmp_path / f"{n}", *(solved(i, mark) for i in range(n)))
        figure_of([report])


def test_markdown_keeps_its_columns(nasty):
    lines = to_markdown([nasty]).splitlines()
    assert {line.count("|") for line in lines} == {8} and "<script" not in lines[2]


def test_the_table_says_what_the_report_says(report):
    head, line = to_text([report]).splitlines()
    assert head.split()[:4] == ["run", "model", "solved", "failed"]
    assert line.startswith("best_of_n(budget=9)  toy") and "50.0 (9.5 to 90.5)" in line


def test_a_failed_problem_does_not_count_in_the_table(tmp_path):
    report = run(tmp_path / "x", n=4, llm=Fragile({"Which, 1": 99}))
    assert re.search(r"(ToyLanguage|Fragile) +3 +1 ", to_text([report]))
    assert "failure of 1" in to_html([report])

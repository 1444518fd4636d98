"""Reports to look at: tables, Markdown, a page that escapes what it shows."""

import re

import pytest
from toy_records import solved, write
from toy_runs import Fragile, run

from helpers.evaluation import (
    Record,
    figure_of,
    to_html,
    to_markdown,
    to_text,
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

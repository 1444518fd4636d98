"""Which way of asking suits a model? Every prompt form, on the same problems.

Vocabulary: a *form* is a way to put a problem to a model (`llm/forms.py`). Each is led
step by step at temperature 0 (`greedy`), so what is measured is what a search would
build on. The form to beat is `examples`: raw, with two solved ones.
A solution is *cut* if it comes to no answer within its steps or `TOKENS`.

A form's records stand in a file of its own in a folder, so a stopped measurement is
resumed. Choose a form on the train split: what is chosen on the test split looks better
there than it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any

from helpers.env import GSM8KEnv
from helpers.llm import FORMS, LLMError, LLMGen, form_of
from helpers.search import greedy

from .records import Record
from .report import Report, compare_runs
from .run import evaluate

USUAL = "examples"  # the form to beat
TOKENS = 512  # of a solution
COLUMNS = ("form", "problems", "right %", "points more than examples", "p", "tokens",
           "cut %")  # fmt: skip


def forms_for(llm: LLMGen) -> list[str]:
    """The forms in which a model can be asked: without markup that can be used for
    them, the raw ones."""
    return [name for name in FORMS if can_ask(llm, name)]


def can_ask(llm: LLMGen, form: str) -> bool:
    """Whether a model can be asked in this form."""
    try:
        form_of(llm, form).prompt("How many?")
    except LLMError:
        return False
    return True


def measure_forms(
    llm: LLMGen, problems: Iterable[Mapping[str, str]], folder: Path | str, *,
    forms: Sequence[str] | None = None, executor: Executor | None = None,
    on_record: Callable[[Record], None] | None = None,
    about: Mapping[str, Any] | None = None,
) -> dict[str, Report]:  # fmt: skip
    """The report of each form on the problems; see `evaluate`."""
    problems = list(problems)
    found = {}
    for form in forms or forms_for(llm):
        found[form] = evaluate(
            partial(greedy, budget=TOKENS), problems, llm,
            out=Path(folder) / f"{form}.jsonl", executor=executor,
            make_env=partial(GSM8KEnv, form=form), on_record=on_record, about=about,
        )  # fmt: skip
    return found


def best_form(reports: Mapping[str, Report]) -> str:
    """The form with most right answers; of equals, the one of fewer tokens."""

    def rank(name: str) -> tuple[int, float]:
        report = reports[name]
        return sum(report.right.values()), -report.mean("tokens")

    return max(reports, key=rank)


def form_rows(reports: Mapping[str, Report]) -> list[list[str]]:
    """A row for each form, as `COLUMNS` name its cells."""
    rows = []
    for name, report in reports.items():
        gap = p = ""
        if USUAL in reports and name != USUAL:
            found = compare_runs(report, reports[USUAL])
            value, low, high = (100 * x for x in found.difference)
            gap, p = f"{value:+.1f} ({low:+.1f} to {high:+.1f})", f"{found.p:.3f}"
        n = len(report.right)
        tokens = f"{report.mean('tokens'):.0f}"
        cut = 100 * report.rules()["none"] / n if n else 0.0
        share = report.accuracy().percent()
        rows.append([name, str(n), share, gap, p, tokens, f"{cut:.1f}"])
    return rows

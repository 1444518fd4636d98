"""Many problems, nothing lost, honest reports; `python -m helpers.evaluation`.

Vocabulary
    run        a strategy on problems by a model. Its records stand in a file; a run
               that was stopped is resumed from there.
    record     one problem's result, or its failure.
    journal    a file that grows by whole lines and survives a crash.
    executor   who solves the problems: nobody else, threads, processes, Dask's workers.
    report     what records add up to. A *comparison* is of two runs, by problem.
    attempt    a whole solution with the answer read in it, outside any run.
"""

from .attempts import Attempts, attempt
from .executors import dask_client, processes
from .journal import Journal, whole_lines
from .page import figure_of, to_html, to_markdown, to_text
from .prompts import best_form, form_rows, measure_forms
from .records import (
    Record,
    RecordFile,
    Sample,
    read_configuration,
    read_records,
    to_line,
)
from .report import Comparison, Report, compare_runs
from .run import evaluate

__all__ = [
    "Attempts",
    "attempt",
    "evaluate",
    "dask_client",
    "processes",
    "Record",
    "Sample",
    "RecordFile",
    "read_configuration",
    "read_records",
    "to_line",
    "Report",
    "Comparison",
    "compare_runs",
    "figure_of",
    "to_html",
    "to_markdown",
    "to_text",
    "measure_forms",
    "best_form",
    "form_rows",
    "Journal",
    "whole_lines",
]

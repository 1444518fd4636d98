"""Reports to look at: a table, Markdown, one self-contained page.

Vocabulary: a *row* is one run: what it was, how often it was right, what it cost. A
*page* is one HTML file with its figure and its style inside; it asks no other server.

Whatever comes from a record is escaped: a model's text is no markup. The form of the
page is in `page.html.j2`. Covers: several runs side by side. Does not cover: the
numbers (`report.py`), figures (`plots.py`).
"""

import base64
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from helpers.plots import COLOURS, MARKERS

from .report import Report

COLUMNS = (
    "run", "model", "solved", "failed", "right, %", "tokens each", "seconds each",
)  # fmt: skip


def flatten(value: Any, name: str = "") -> dict[str, Any]:
    """Nested mappings as one: {"model": {"digest": 1}} -> {"model.digest": 1}."""
    if not isinstance(value, Mapping):
        return {name: value}
    flat: dict[str, Any] = {}
    for key, part in value.items():
        flat |= flatten(part, f"{name}.{key}" if name else key)
    return flat


def names_of(reports: Sequence[Report]) -> list[str]:
    """A name for each run; where two are alike, with what they differ in."""
    facts = [flatten(report.configuration) for report in reports]
    names = []
    for report, fact in zip(reports, facts, strict=True):
        alike = [
            other
            for twin, other in zip(reports, facts, strict=True)
            if twin.name == report.name
        ]
        keys = [k for k in fact if len({str(other.get(k)) for other in alike}) > 1]
        told = [f"{key.rpartition('.')[2]}={fact[key]}"[:40] for key in keys[:3]]
        names.append(" ".join([report.name, *told]))
    return names


def rows_of(reports: Sequence[Report]) -> list[tuple[str, ...]]:
    """What the table says of each run, in the order of `COLUMNS`."""
    return [
        (
            name,
            str(report.configuration["model"]["name"]),
            str(len(report.right)),
            str(len(report.failed)),
            report.accuracy().percent() if report.right else "-",
            f"{report.mean('tokens'):.0f}" if report.right else "-",
            f"{report.mean('seconds'):.2f}" if report.right else "-",
        )
        for name, report in zip(names_of(reports), reports, strict=True)
    ]


def to_text(reports: Sequence[Report]) -> str:
    """The table for a terminal, in columns."""
    return in_columns([COLUMNS, *rows_of(reports)])


def in_columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as text, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def to_markdown(reports: Sequence[Report]) -> str:
    """The table in Markdown."""
    rows = [COLUMNS, ["---"] * len(COLUMNS), *rows_of(reports)]
    return "".join(f"| {' | '.join(map(plain, line))} |\n" for line in rows)


def plain(cell: str) -> str:
    """A cell in which no character means anything to Markdown or HTML."""
    return re.sub(
        r"[^\w .,:=()%+-]", lambda c: f"&#{ord(c[0])};", " ".join(cell.split())
    )


def figure_of(reports: Sequence[Report]) -> tuple[bytes, str]:
    """A PNG of the accuracies with their intervals, and its alternative text.

    Raises ValueError if no run has a result yet.
    """
    from matplotlib.figure import Figure

    reports = [report for report in reports if report.right]
    if not reports:
        raise ValueError("No problem is solved yet, so there is nothing to draw.")
    figure = Figure(figsize=(8, 1.2 + 0.5 * len(reports)), layout="constrained")
    axes = figure.add_subplot()
    for y, report in enumerate(reports):
        share, low, high = report.accuracy()
        # max: at 0 % and 100 % rounding can put an end on the wrong side.
        ends = [[100 * max(0.0, share - low)], [100 * max(0.0, high - share)]]
        axes.errorbar(
            100 * share, y, xerr=ends,
            marker=MARKERS[y % 7], color=COLOURS[y % 7], capsize=4,
        )  # fmt: skip
    labels = [
        f"{name}\n{report.mean('tokens'):.0f} tokens a problem"
        for name, report in zip(names_of(reports), reports, strict=True)
    ]
    axes.set_yticks(range(len(reports)), labels, parse_math=False)
    axes.set_ylim(len(reports) - 0.5, -0.5)  # the first one on top
    axes.set_xlim(0, 100)
    axes.grid(axis="x", color="0.9")
    axes.set_xlabel("problems right, per cent, with 95 % intervals")
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=100, bbox_inches="tight")
    return png.getvalue(), (
        "Problems right in per cent, a line with a marker and its 95 % interval for "
        "each run; the numbers are those of the table."
    )


def printable(text: object) -> str:
    """A text without control characters."""
    mark = "\N{REPLACEMENT CHARACTER}"
    return "".join(c if c.isprintable() else mark for c in str(text))


def facts_of(report: Report) -> list[tuple[str, object]]:
    """How a run was made, which rules found its answers, and what failed."""
    facts = {"files": report} | flatten(report.configuration)
    facts |= {f"answers found by {rule!r}": n for rule, n in report.rules().items()}
    facts |= {f"failure of {i}": said for i, said in [*report.failed.items()][:20]}
    return [*facts.items()]


def to_html(reports: Sequence[Report]) -> str:
    """One page: the table, the figure, the failures, and how each run was made."""
    from jinja2 import Environment, PackageLoader

    has_result = any(report.right for report in reports)
    png, alt = figure_of(reports) if has_result else (b"", "")
    loader = PackageLoader(__package__, "")
    environment = Environment(
        loader=loader, autoescape=True, keep_trailing_newline=True
    )
    environment.filters["printable"] = printable
    return environment.get_template("page.html.j2").render(
        columns=COLUMNS, rows=rows_of(reports),
        figure=base64.b64encode(png).decode(), alt=alt,
        runs=zip(names_of(reports), map(facts_of, reports), strict=True),
    )  # fmt: skip

"""Reports to look at: a table, Markdown, one self-contained page.

Vocabulary: a *row* is one run: what it was, how often it was right, what it cost. A
*page* is one HTML file with its figure and its style inside; it asks no other server.

Whatever comes from a record is escaped: a model's text is no markup. Covers: several
runs side by side. Does not cover: the numbers (`report.py`), figures (`plots.py`).
"""

import base64
import io
from collections.abc import Sequence
from html import escape

from helpers.plots import plot_accuracy
from helpers.report import Report

COLUMNS = ("run", "model", "solved", "failed", "right, %", "tokens", "seconds")
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
       padding: 0 1rem; color: #111; background: #fff }
table { border-collapse: collapse } img { max-width: 100% }
th, td { border-bottom: 1px solid #999; padding: .3rem .6rem; text-align: left }
"""


def row(report: Report) -> tuple[str, ...]:
    """What the table says of a run, in the order of `COLUMNS`."""
    return (
        report.name,
        str(report.configuration["model"]["name"]),
        str(len(report.right)),
        str(len(report.failed)),
        report.accuracy().percent(),
        f"{report.mean('tokens').value:.0f}",
        f"{report.mean('seconds').value:.2f}",
    )


def to_text(reports: Sequence[Report]) -> str:
    """The table for a terminal, in columns."""
    rows = [COLUMNS, *map(row, reports)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def to_markdown(reports: Sequence[Report]) -> str:
    """The table in Markdown."""
    rows = [COLUMNS, ["---"] * len(COLUMNS), *map(row, reports)]
    return "".join(f"| {' | '.join(map(plain, line))} |\n" for line in rows)


def plain(cell: str) -> str:
    """A cell whose characters mean nothing in Markdown or HTML."""
    return escape(cell).replace("|", "&#124;")


def figure_of(reports: Sequence[Report]) -> tuple[bytes, str]:
    """A PNG of accuracy against tokens, and its alternative text."""
    series: dict[str, list[tuple[float, int, int]]] = {}
    for report in reports:
        cost = report.mean("tokens").value
        point = (max(1.0, cost), sum(report.right.values()), len(report.right))
        series.setdefault(report.name, []).append(point)
    png = io.BytesIO()
    figure = plot_accuracy(series, "sampled tokens a problem")
    figure.savefig(png, format="png", dpi=100, bbox_inches="tight")
    return png.getvalue(), (
        "Share of problems right against sampled tokens a problem, a marker with its "
        "95 % interval for each run; the numbers are those of the table."
    )


def to_html(reports: Sequence[Report]) -> str:
    """One page: the table, the figure, the failures, and how each run was made."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in COLUMNS)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row(report)) + "</tr>\n"
        for report in reports
    )
    png, alt = figure_of(reports)
    image = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Runs</title><style>{STYLE}</style></head><body><main>\n"
        f"<h1>Runs</h1>\n<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody>"
        f'</table>\n<p><img src="{image}" alt="{escape(alt)}"></p>'
        "\n<p>Intervals: 95 %, Wilson. Failures are neither right nor wrong.</p>\n"
        + "".join(map(details, reports))
        + "</main></body></html>\n"
    )


def details(report: Report) -> str:
    """How a run was made, which rules found its answers, and what failed."""
    from helpers.records import flatten

    facts = flatten(report.configuration) | {
        f"answers found by {rule!r}": count for rule, count in report.rules().items()
    }
    facts |= {f"failure of {i}": said for i, said in [*report.failed.items()][:20]}
    items = "".join(
        f'<tr><th scope="row">{escape(str(name))}</th>'
        f"<td>{escape(str(value))}</td></tr>\n"
        for name, value in facts.items()
    )
    return f"<h2>{escape(report.name)}</h2>\n<table><tbody>{items}</tbody></table>\n"

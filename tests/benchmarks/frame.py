"""The frame of every benchmark: rounds in turn, medians, ratios, a table.

Vocabulary
    task        one thing that is measured, such as "64 continuations".
    contestant  who does it. Those of one task are measured in *rounds*, in turn, so
                that whatever slows the computer for a minute slows them all.
    peer        a contestant that the others are compared with.
    ratio       how many times as fast as a peer (of memory, how many times as small),
                round by round: above 1 is better than the peer.

Values are told as their median and, in brackets, the lowest and the highest. Does not
cover: what is measured; each part (`run.py` lists them) is a function that gives rows.
"""

import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("numpy", "xllamacpp", "torch", "transformers", "autograd")


@dataclass(frozen=True)
class Row:
    """What was measured of one contestant.

    unit: with "/s" at its end more is better, else less.
    values: one a round; none if the contestant was left out, and `note` says why.
    """

    task: str
    who: str
    unit: str
    values: Sequence[float]
    is_peer: bool = False
    note: str = ""


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def rate(work: Callable[[], float]) -> float:
    """How much of what it counts is done in a second."""
    start = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - start)


def alternate(
    contestants: Mapping[str, Callable[[int], float]], rounds: int, warm: bool = True
) -> dict[str, list[float]]:
    """What each contestant measures in each round; it is given the round's number.

    Every second round goes in the other order, so that nobody always comes after the
    same one. With `warm`, a round that does not count comes first; its number is -1.
    """
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for i in range(-1 if warm else 0, rounds):
        for name in [*contestants][:: -1 if i % 2 else 1]:
            value = contestants[name](i)
            if i >= 0:
                found[name].append(value)
    return found


def ratios(row: Row, peer: Row) -> list[float]:
    """How many times as fast as the peer, in each round."""
    pairs = zip(row.values, peer.values, strict=True)
    return [a / b if row.unit.endswith("/s") else b / a for a, b in pairs]


def number(x: float) -> str:
    """Three digits at least, in words that a person reads."""
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def spread(values: Sequence[float]) -> str:
    """The median, and the ends where there are several values."""
    if not values:
        return ""
    ends = f" ({number(min(values))} to {number(max(values))})"
    return number(median(values)) + ends * (len(values) > 1)


def table(rows: Sequence[Row]) -> str:
    """Rows as Markdown: the ratio to each peer first, then what was measured."""
    peers = {(row.task, row.who): row for row in rows if row.is_peer and row.values}
    names = [*dict.fromkeys(who for _, who in peers)]
    compared = [f"times {name}" for name in names]
    lines = [
        ["task", "who", *compared, "measured", "", "note"],
        ["---", "---", *["---:"] * len(names), "---:", "---", "---"],
    ]
    for row in rows:
        others = [peers.get((row.task, name)) for name in names]
        shown = [
            spread(ratios(row, peer)) if row.values and peer not in (None, row) else ""
            for peer in others
        ]
        unit = row.unit if row.values else ""
        lines.append([row.task, row.who, *shown, spread(row.values), unit, row.note])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cpu() -> str:
    """The processor's name; what Python knows of it where there is no /proc."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    names = [x.partition(":")[2].strip() for x in lines if x.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def installed(package: str) -> str:
    """The version of a package, or that it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def machine() -> dict[str, str | int | None]:
    """On what it was measured."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "CPU": cpu(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "Python": platform.python_version(),
        "BLAS": f"{blas['name']} {blas['version']}",
        "OPENBLAS_NUM_THREADS": os.environ.get("OPENBLAS_NUM_THREADS"),
        **{name: installed(name) for name in PACKAGES},
    }


def store(
    folder: Path, parts: Mapping[str, Sequence[Row]], about: Mapping[str, object]
) -> None:
    """Write `bench.json` and `bench.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = {name: [asdict(row) for row in part] for name, part in parts.items()}
    text = json.dumps({"about": about, "parts": rows}, indent=1, ensure_ascii=False)
    (folder / "bench.json").write_text(text + "\n", encoding="utf-8")
    facts = "\n".join(f"- {name}: {value}" for name, value in about.items())
    tables = "".join(f"\n## {name}\n\n{table(p)}\n" for name, p in parts.items())
    text = f"# What was measured\n\n{facts}\n{tables}"
    (folder / "bench.md").write_text(text, encoding="utf-8")

"""Notebooks: the wall time of each by itself, and of the series by `make notebooks`.

Executed in a fresh kernel and written as a notebook and a page, which are thrown away.
The series is executed as it always is, two notebooks side by side.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path

from frame import Row, alternate, seconds

from helpers.workshop import pages, places

NOTEBOOKS = places.series()
FIRST = NOTEBOOKS[0]


os.environ["TQDM_DISABLE"] = "1"  # as the command sets it


@contextmanager
def elsewhere() -> Iterator[None]:
    """What is built goes to a folder that is thrown away."""
    usual = pages.BUILD
    with tempfile.TemporaryDirectory() as folder:
        pages.BUILD = Path(folder)
        yield
    pages.BUILD = usual


def build(notebook: Path, number: int) -> float:
    """Seconds; raises what a cell raised."""
    found = []
    with elsewhere():
        spent = seconds(lambda: found.append(pages.build(notebook)))
    if found[0]:
        raise found[0]
    return spent


def build_all(number: int) -> float:
    """Seconds; raises what was said if a notebook failed."""
    said = StringIO()
    with elsewhere(), redirect_stdout(said):
        spent = seconds(lambda: pages.main(["build"]))
    if "failed" in said.getvalue():
        raise RuntimeError(said.getvalue())
    return spent


def rows(rounds: int, quick: bool = False) -> list[Row]:
    """Every notebook, and the series; the first alone if it has to be quick."""
    chosen = [FIRST] if quick else NOTEBOOKS
    runs = {path.stem: partial(build, path) for path in chosen}
    runs |= {} if quick else {"the series": build_all}
    found = alternate(runs, min(rounds, 3), warm=False)
    return [Row("notebook", who, "s", values) for who, values in found.items()]

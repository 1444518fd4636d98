"""Notebooks: the wall time of each by itself, and of the series by `make notebooks`.

Executed in a fresh kernel and written as a notebook and a page, which are thrown away.
The series is executed as it always is, two notebooks side by side.
"""

import os
import tempfile
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from types import ModuleType

from frame import ROOT, Row, alternate, seconds
from scripts import load

NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9A]*.ipynb"))
FIRST = NOTEBOOKS[0]


def run_notebooks() -> ModuleType:
    """The script `notebooks/run.py` as a module."""
    os.environ["TQDM_DISABLE"] = "1"  # as the script sets it
    return load(ROOT / "notebooks" / "run.py")


def build(notebook: Path, number: int) -> float:
    """Seconds; raises what a cell raised."""
    run, found = run_notebooks(), []
    with tempfile.TemporaryDirectory() as folder:
        run.BUILD = Path(folder)
        spent = seconds(lambda: found.append(run.build(notebook)))
    if found[0]:
        raise found[0]
    return spent


def build_all(number: int) -> float:
    """Seconds; raises what was said if a notebook failed."""
    run, said = run_notebooks(), StringIO()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(said):
        run.BUILD = Path(folder)
        spent = seconds(lambda: run.main(["build"]))
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

"""Notebooks: the wall time of each, and of the series, as `make notebooks` runs them.

Executed in a fresh kernel and written as a notebook and a page, which are thrown away.
"""

import os
import tempfile
from functools import partial
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


def rows(rounds: int, quick: bool = False) -> list[Row]:
    """Every notebook, and their sum; the first alone if it has to be quick."""
    chosen = [FIRST] if quick else NOTEBOOKS
    runs = {path.stem: partial(build, path) for path in chosen}
    found = alternate(runs, min(rounds, 3), warm=False)
    if not quick:
        found["the series"] = [sum(one) for one in zip(*found.values(), strict=True)]
    return [Row("notebook", who, "s", values) for who, values in found.items()]

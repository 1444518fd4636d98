"""Start-up: what a reader waits for before anything is there, in fresh processes.

Python itself, `import helpers`, the parts of it that a lesson needs, the first sample
of abacus, and the first cell of code in the first notebook, kernel included.
"""

import subprocess
import sys
from functools import partial

import nbformat
from frame import ROOT, Row, alternate, seconds
from notebook_time import FIRST

from helpers.workshop import pages

PROGRAMS = {
    "python alone": "pass",
    "import helpers": "import helpers",
    "import helpers.search": "import helpers.search",
    "first sample": (
        "from helpers.llm import LLMGen\n"
        "print(LLMGen('abacus').sample('Question: What is 2+3?\\nAnswer:\\n', 1, 0))"
    ),
}


def program(code: str, number: int) -> float:
    """Seconds of a new Python that does this."""
    command = [sys.executable, "-c", code]
    return seconds(
        lambda: subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    )


def first_cell(number: int) -> float:
    """Seconds until the first cell of code of the first notebook has run."""
    notebook = pages.read(FIRST)
    kinds = [cell.cell_type for cell in notebook.cells]
    part = nbformat.from_dict(notebook)
    part.cells = notebook.cells[: kinds.index("code") + 1]

    def execute() -> None:
        if error := pages.execute(part):
            raise error

    return seconds(execute)


def rows(rounds: int, quick: bool = False) -> list[Row]:
    """Each in a process of its own; the files are in the computer's cache."""
    runs = {name: partial(program, code) for name, code in PROGRAMS.items()}
    runs |= {"first notebook cell": first_cell}
    found = alternate(runs, rounds, warm=not quick)
    return [Row("start-up", who, "s", values) for who, values in found.items()]

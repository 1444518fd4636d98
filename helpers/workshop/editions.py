"""Two editions of the series for a class: `python -m helpers.workshop.editions`.

Vocabulary: an exercise's *cell* in a notebook holds `# your code here`; its *solution*
is a part of a file in `notebooks/solutions`, headed by `# %% exercise_N_M`, in which
the marks `### BEGIN SOLUTION` and `### END SOLUTION` stand around what a student has to
write.

For every notebook that has solutions, `build/class/source` gets the teacher's edition,
with the solutions in place, and nbgrader makes `build/class/release` of it, the
students'. A solution without what is between its marks is the notebook's cell: a test
holds that. It needs nbgrader: pip install -e ".[class]"
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from .places import BUILD, NOTEBOOKS, series

CLASS = BUILD / "class"
STUB = "# your code here"
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION", re.M | re.S)
CONFIG = f"""\
c = get_config()
c.CourseDirectory.course_id = "local-reasoning"
c.ClearSolutions.code_stub = {{"python": "{STUB}"}}
c.IncludeHeaderFooter.header = ""
"""


def solutions_of(notebook: Path) -> dict[str, str]:
    """The solution of each exercise of a notebook, by its name."""
    file = NOTEBOOKS / "solutions" / f"{notebook.stem}.py"
    if not file.exists():
        return {}
    _, *parts = re.split(r"^# %% ", file.read_text(encoding="utf-8"), flags=re.M)
    named = (part.partition("\n") for part in parts)
    return {name: text.strip() for name, _, text in named if name != "setup"}


def cleared(solution: str) -> str:
    """The cell that a student finds."""
    return SOLUTION.sub(rf"\1{STUB}", solution)


def teachers(notebook: Path) -> NotebookNode:
    """The notebook with every solution in place, without outputs."""
    found = nbformat.read(notebook, as_version=4)
    solutions = solutions_of(notebook)
    for cell in found.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = solutions.get(name, cell.source)
    return found


def write_source(folder: Path) -> list[str]:
    """Write nbgrader's course into a folder; the names of the assignments."""
    names = []
    for path in series(NOTEBOOKS):
        if solutions_of(path):
            target = folder / "source" / path.stem / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(teachers(path), target)
            names.append(path.stem)
    (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    return names


def nbgrader(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run nbgrader in a course's folder; it looks for its own helpers on the PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course, env=os.environ | {"PATH": path}, capture_output=True, text=True,
    )  # fmt: skip


def main() -> int:
    """Write both editions."""
    for name in write_source(CLASS):
        done = nbgrader(CLASS, "generate_assignment", "--force", name)
        if done.returncode:
            print(done.stderr, 'Type: pip install -e ".[class]"', sep="\n")
            return 1
        print(f"{name}: teachers' edition in source/, students' in release/ of {CLASS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

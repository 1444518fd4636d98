"""The editions for a class, and nbgrader's own validation and marking of them.

Run by `make test-class`; it needs the extra `class`.
"""

import json

import nbformat
import pytest
from nbclient import NotebookClient

from helpers.workshop import editions
from helpers.workshop.places import NOTEBOOKS, series

pytestmark = pytest.mark.class_room
pytest.importorskip("nbgrader")

NAME = "01_llm_wrapper"
SOLVED = [path for path in series() if editions.solutions_of(path)]


def exercises_only(path):
    """The notebook without the lesson: only what the exercises need, to save time."""
    notebook = nbformat.read(path, as_version=4)
    solutions = NOTEBOOKS / "solutions" / f"{NAME}.py"
    text = solutions.read_text(encoding="utf-8")
    setup = text.partition("# %% setup")[2].partition("# %%")[0]
    cells = [c for c in notebook.cells if "nbgrader" in c.metadata]
    notebook.cells = [nbformat.v4.new_code_cell(setup), *cells]
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with both editions, and two students: one solved all, one a part."""
    folder = tmp_path_factory.mktemp("class")
    assert NAME in editions.write_source(folder)
    source = folder / "source" / NAME / f"{NAME}.ipynb"
    exercises_only(source)
    done = editions.nbgrader(folder, "generate_assignment", NAME)
    assert done.returncode == 0, done.stderr
    release = folder / "release" / NAME / f"{NAME}.ipynb"
    solutions = editions.solutions_of(NOTEBOOKS / f"{NAME}.ipynb")
    wrong = {"exercise_1_1": "ratio = 10", "exercise_1_2": solutions["exercise_1_2"]}
    for student, answers in {"ada": solutions, "bob": wrong}.items():
        notebook = nbformat.read(release, as_version=4)
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = answers.get(name, cell.source)
        target = folder / "submitted" / student / NAME / f"{NAME}.ipynb"
        target.parent.mkdir(parents=True)
        nbformat.write(notebook, target)
    return folder


def test_the_students_find_no_solution(course):
    text = (course / "release" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
    assert "SOLUTION" not in text and editions.STUB in text
    known = json.loads(text)["cells"]
    mine = nbformat.read(NOTEBOOKS / f"{NAME}.ipynb", as_version=4).cells
    stubs = {
        c.metadata.nbgrader.grade_id: c.source for c in mine if "nbgrader" in c.metadata
    }
    for cell in known:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name:
            assert "".join(cell["source"]) == stubs[name], name


def test_nbgrader_validates_the_teachers_edition_and_not_the_students(course):
    solved = editions.nbgrader(course, "validate", f"source/{NAME}/{NAME}.ipynb")
    assert "Success! Your notebook passes all the tests." in solved.stdout, (
        solved.stderr
    )
    open_ = editions.nbgrader(course, "validate", f"release/{NAME}/{NAME}.ipynb")
    assert "VALIDATION FAILED ON 5 CELL(S)" in open_.stdout


def test_nbgrader_marks_a_solved_and_a_wrong_submission(course):
    from nbgrader.api import Gradebook

    done = editions.nbgrader(course, "autograde", NAME)
    assert done.returncode == 0, done.stderr
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        marks = {s: book.find_submission(NAME, s) for s in ("ada", "bob")}
        assert marks["ada"].score == marks["ada"].max_score == 9
        assert marks["bob"].score == 1  # the entropy


@pytest.mark.parametrize("path", SOLVED, ids=lambda path: path.stem)
def test_the_teachers_edition_runs_from_top_to_bottom(path, monkeypatch):
    """Lesson and solutions together; a check that is not content would raise."""
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    monkeypatch.setenv("TQDM_DISABLE", "1")
    where = {"metadata": {"path": str(NOTEBOOKS)}}
    NotebookClient(editions.teachers(path), timeout=600, resources=where).execute()

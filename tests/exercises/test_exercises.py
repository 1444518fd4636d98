"""Exercises: the solutions pass, the unsolved state and typical mistakes do not."""

import re
from importlib import import_module
from pathlib import Path
from runpy import run_path

import nbformat
import numpy as np
import pytest

import helpers.exercises
from helpers.exercises.checking import Wrong, call, exercise, expect
from helpers.workshop import editions

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
SOLUTIONS = sorted((NOTEBOOKS / "solutions").glob("*.py"))
KINDS = ("easy", "medium", "hard", "research")

CHECKS = {
    name: function
    for module in helpers.exercises.__all__
    for name, function in vars(import_module(f"helpers.exercises.{module}")).items()
    if name.startswith("exercise_")
}


def cells(path):
    """The cells of a notebook that nbgrader knows, by name."""
    found = nbformat.read(NOTEBOOKS / f"{path.stem}.ipynb", as_version=4).cells
    return {c.metadata.nbgrader.grade_id: c for c in found if "nbgrader" in c.metadata}


def arguments(cell):
    """What the cell of a check hands over."""
    return re.search(r"check\.exercise_\w+\((.*)\)$", cell.source)[1].split(", ")


each_notebook = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)


@each_notebook
def test_every_solution_is_right(path, capsys):
    solved, known = run_path(str(path)), cells(path)
    names = editions.solutions_of(NOTEBOOKS / f"{path.stem}.ipynb")
    assert 4 <= len(names) <= 6
    for name in names:
        handed = arguments(known[name.replace("exercise", "check")])
        CHECKS[name](*(solved[argument] for argument in handed))
        assert capsys.readouterr().out.endswith(": right.\n"), name


@each_notebook
def test_the_notebook_holds_the_cells_of_the_solutions_unsolved(path, capsys):
    known = cells(path)
    for name, solution in editions.solutions_of(
        NOTEBOOKS / f"{path.stem}.ipynb"
    ).items():
        stub, checked = known[name], known[name.replace("exercise", "check")]
        assert stub.source == editions.cleared(solution), name
        assert (stub.metadata.nbgrader.solution, stub.metadata.nbgrader.grade) == (1, 0)
        assert checked.metadata.nbgrader.grade and checked.metadata.nbgrader.locked
        assert 1 <= checked.metadata.nbgrader.points <= 3
        (output,) = checked.outputs
        assert output.text.endswith(": not solved yet.\n"), name


@each_notebook
def test_an_unsolved_exercise_fails_under_nbgrader(path, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    scope = run_path(str(path))
    for name, solution in editions.solutions_of(
        NOTEBOOKS / f"{path.stem}.ipynb"
    ).items():
        exec(editions.cleared(solution), scope)  # our own file, as a student finds it
        handed = arguments(cells(path)[name.replace("exercise", "check")])
        with pytest.raises(AssertionError, match="not solved yet"):
            CHECKS[name](*(scope[argument] for argument in handed))


@each_notebook
def test_every_exercise_says_how_hard_it_is_and_has_a_hint(path):
    text = "\n".join(
        c.source for c in nbformat.read(NOTEBOOKS / f"{path.stem}.ipynb", 4).cells
        if c.cell_type == "markdown"
    ).partition("## Exercises")[2]  # fmt: skip
    heads = re.findall(r"^\*\*(\d)\. .+?\*\*\s+\((\w+), \d+\s+minutes\)", text, re.M)
    number = len(editions.solutions_of(NOTEBOOKS / f"{path.stem}.ipynb"))
    assert [int(n) for n, _ in heads] == [*range(1, number + 1)]
    assert {kind for _, kind in heads} <= set(KINDS)
    assert text.count("<details><summary>Hint</summary>") == number


def test_every_check_has_an_exercise():
    named = {n for path in SOLUTIONS for n in cells(path) if n.startswith("exercise")}
    assert named == {*CHECKS}


# Typical mistakes, and what is said of them: mistakes/

FILES = sorted(Path(__file__).with_name("mistakes").glob("notebook_*.py"))
MISTAKES = [mistake for path in FILES for mistake in run_path(str(path))["MISTAKES"]]


def test_every_exercise_has_typical_mistakes():
    told = [checked.__name__ for checked, *_ in MISTAKES]
    assert {name for name in CHECKS if told.count(name) < 1} == set()


@pytest.mark.parametrize(("checked", "answers", "said"), MISTAKES)
def test_a_mistake_is_named(checked, answers, said, capsys):
    checked(*answers)
    told = capsys.readouterr().out
    assert "not yet right." in told and re.search(said, told), told


# Answers that are right in another form


def bootstrap(marks, draws=1000, seed=0):
    shares, rng = np.mean(marks, axis=1), np.random.default_rng(seed)
    means = rng.choice(shares, size=(draws, len(shares))).mean(axis=1)
    return np.quantile(means, [0.025, 0.975])


def slopes_in_a_list(z, y):
    p = (1 + np.tanh(z / 2)) / 2
    return [np.mean((p - y) ** 2), [*(2 * (p - y) * p * (1 - p) / len(y))]]


def moments(now, start):
    p, x = np.array([(p, q / p) for p, q in zip(now, start, strict=True) if p]).T
    terms = np.array([-np.log(x), x - np.log(x) - 1])
    means = terms @ p
    return np.array([means, ((terms - means[:, None]) ** 2 @ p) ** 0.5]).T


def plan(trial, problems, speed, price):
    half = 1.96 * np.std(trial, ddof=1) / len(trial) ** 0.5
    tokens = problems * (np.mean(trial) + np.array([0, -half, half]))
    return {"tokens": tokens, "hours": tuple(np.float32(tokens / speed / 3600)),
            "money": tokens * price / 1e6}  # fmt: skip


@pytest.mark.parametrize(
    ("checked", "answers"),
    [
        (CHECKS["exercise_3_1"], [{2: np.array([21, 4]), 8: (np.int64(25), 2)}]),
        (CHECKS["exercise_4_4"], [bootstrap, np.float64(4)]),
        (CHECKS["exercise_5_1"], ["C", np.float32(1), np.float64(0.825)]),
        (CHECKS["exercise_6_4"], [slopes_in_a_list]),
        (CHECKS["exercise_7_4"], [moments]),
        (CHECKS["exercise_7_6"], [np.array([[0.9999, 0.0001], [0.96, 0.04]])]),
        (CHECKS["exercise_8_3"], [plan]),
    ],
)
def test_numpys_numbers_and_arrays_are_welcome(checked, answers, capsys):
    checked(*answers)
    assert capsys.readouterr().out.endswith(": right.\n")


# The verdicts


@exercise
def exercise_9_1(double):
    """Twice the number."""
    for x in (1, 4):
        found = call(double, x)
        expect(found == 2 * x, f"double({x}) is {2 * x}, not {found}.")


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (..., "not solved yet."),
        (None, "not solved yet."),
        (lambda x: None, "not solved yet."),
        (lambda x: 2 * x, "right."),
        (lambda x: 2, "not yet right. double(4) is 8, not 2."),
        (
            lambda x: 2 if x == 1 else None,
            "not yet right. <lambda>(4) gives None: is a",
        ),
        (lambda x: 1 / 0, "not yet right. <lambda>(1) raises ZeroDivisionError: divi"),
        (lambda: 1, "not yet right. <lambda>(1) raises TypeError"),
        (3, "not yet right. your function(1) raises TypeError: 'int' object is not c"),
    ],
)
def test_the_verdict_is_printed(answer, verdict, capsys, monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    exercise_9_1(answer)
    assert capsys.readouterr().out.startswith(f"Exercise 9.1: {verdict}")
    if verdict != "right.":
        monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
        with pytest.raises(AssertionError, match=re.escape(verdict)):
            exercise_9_1(answer)


def test_a_function_that_is_not_implemented_is_not_solved(capsys):
    def double(x):
        raise NotImplementedError

    exercise_9_1(double)
    assert "not solved yet" in capsys.readouterr().out


def test_long_arguments_are_cut():
    with pytest.raises(Wrong, match=r"\.\.\., k='y'\) raises KeyError") as error:
        call(lambda text, k: {}["x"], "word " * 100, k="y")
    assert len(str(error.value)) < 150

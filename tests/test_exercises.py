"""Exercises: the solutions pass, the unsolved state and typical mistakes do not."""

import importlib.util
import inspect
import math
import re
from pathlib import Path

import nbformat
import pytest

from helpers.exercises import check
from helpers.exercises.checking import Wrong, call, exercise, expect
from helpers.llm import derive_seed

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
SOLUTIONS = sorted((NOTEBOOKS / "solutions").glob("*.py"))
KINDS = ("easy", "medium", "hard", "research")


def load(path):
    """A file of Python as a module."""
    spec = importlib.util.spec_from_file_location("loaded", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


edition = load(NOTEBOOKS / "edition.py")


def cells(path):
    """The cells of a notebook that nbgrader knows, by name."""
    found = nbformat.read(NOTEBOOKS / f"{path.stem}.ipynb", as_version=4).cells
    return {c.metadata.nbgrader.grade_id: c for c in found if "nbgrader" in c.metadata}


def arguments(cell):
    """What the cell of a check hands over."""
    return re.search(r"check\.exercise_\w+\((.*)\)$", cell.source)[1].split(", ")


each_chapter = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)


@each_chapter
def test_every_solution_is_right(path, capsys):
    solved, known = load(path), cells(path)
    names = edition.solutions_of(NOTEBOOKS / f"{path.stem}.ipynb")
    assert 4 <= len(names) <= 6
    for name in names:
        handed = arguments(known[name.replace("exercise", "check")])
        getattr(check, name)(*(getattr(solved, argument) for argument in handed))
        assert capsys.readouterr().out.endswith(": right.\n"), name


@each_chapter
def test_the_notebook_holds_the_cells_of_the_solutions_unsolved(path, capsys):
    known = cells(path)
    for name, solution in edition.solutions_of(
        NOTEBOOKS / f"{path.stem}.ipynb"
    ).items():
        stub, checked = known[name], known[name.replace("exercise", "check")]
        assert stub.source == edition.cleared(solution), name
        assert (stub.metadata.nbgrader.solution, stub.metadata.nbgrader.grade) == (1, 0)
        assert checked.metadata.nbgrader.grade and checked.metadata.nbgrader.locked
        assert 1 <= checked.metadata.nbgrader.points <= 3
        (output,) = checked.outputs
        assert output.text.endswith(": not solved yet.\n"), name


@each_chapter
def test_an_unsolved_exercise_fails_under_nbgrader(path, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    scope = dict(vars(load(path)))
    for name, solution in edition.solutions_of(
        NOTEBOOKS / f"{path.stem}.ipynb"
    ).items():
        exec(edition.cleared(solution), scope)  # our own file, as a student finds it
        handed = arguments(cells(path)[name.replace("exercise", "check")])
        with pytest.raises(AssertionError, match="not solved yet"):
            getattr(check, name)(*(scope[argument] for argument in handed))


@each_chapter
def test_every_exercise_says_how_hard_it_is_and_has_a_hint(path):
    text = "\n".join(
        c.source for c in nbformat.read(NOTEBOOKS / f"{path.stem}.ipynb", 4).cells
        if c.cell_type == "markdown"
    ).partition("## Exercises")[2]  # fmt: skip
    heads = re.findall(r"^\*\*(\d)\. .+?\*\*\s+\((\w+), \d+\s+minutes\)", text, re.M)
    number = len(edition.solutions_of(NOTEBOOKS / f"{path.stem}.ipynb"))
    assert [int(n) for n, _ in heads] == [*range(1, number + 1)]
    assert {kind for _, kind in heads} <= set(KINDS)
    assert text.count("<details><summary>Hint</summary>") == number


def test_every_check_has_an_exercise():
    named = {n for path in SOLUTIONS for n in cells(path) if n.startswith("exercise")}
    assert named == {n for n, _ in inspect.getmembers(check, inspect.isfunction)}


# Typical mistakes, and what is said of them


def per_sibling(seed_of):
    """`sample_until_different` with another way to choose seeds."""

    def sample_until_different(llm, prompt, wanted, seed, limit=64):
        texts, tokens = [], 0
        for i in range(limit):
            (step,) = llm.sample(prompt, 1, seed_of(seed, prompt, i))
            tokens += step.tokens
            texts += [step.text] if step.text not in texts else []
            if len(texts) == wanted:
                break
        return texts, tokens

    return sample_until_different


def cheap(llm, prompt, wanted, seed, limit=64):
    texts, _ = per_sibling(derive_seed)(llm, prompt, wanted, seed, limit)
    return texts, 3 * len(texts)


def endless(llm, prompt, wanted, seed, limit=64):
    return per_sibling(derive_seed)(llm, prompt, wanted, seed, 64)


def copies(llm, prompt, k, seed):
    return llm.sample(prompt, 1, seed) * k


def siblings(llm, prompt, k, seed):
    return llm.sample(prompt, k, seed)


def always_zero(llm, prompt, k, seed):
    return llm.sample(prompt, 1, 0) * k


def bits(probs):
    return -sum(p * math.log2(p) for p in probs.values() if p)


def naive(probs):
    return -sum(p * math.log(p) for p in probs.values())


MISTAKES = [
    (check.exercise_1_1, [10], "before the temperature"),
    (check.exercise_1_1, [0.1**0.1], "larger share is divided"),
    (check.exercise_1_1, [1], "does not level"),
    (check.exercise_1_1, [5.0], "a tenth of the best"),
    (check.exercise_1_1, ["1.26"], "A number is asked for"),
    (check.exercise_1_2, [bits], "natural logarithm"),
    (check.exercise_1_2, [lambda probs: -naive(probs)], "mind the sign"),
    (check.exercise_1_2, [naive], "raises ValueError"),
    (check.exercise_1_2, [lambda probs: float(len(probs))], "entropy 0, not 1.0"),
    (check.exercise_1_3, [per_sibling(lambda seed, prompt, i: seed)], "Five different"),
    (check.exercise_1_3, [per_sibling(lambda seed, p, i: seed + i)], "seed . i is no"),
    (check.exercise_1_3, [cheap], "copies included"),
    (check.exercise_1_3, [endless], "although the limit"),
    (check.exercise_1_3, [lambda *a: ["x"] * 5], "two things"),
    (check.exercise_1_4, [siblings, "different"], "The siblings differ"),
    (check.exercise_1_4, [always_zero, "different"], "Another seed"),
    (check.exercise_1_4, [copies, "tokens"], "looks much the same"),
    (check.exercise_1_4, [copies, "seed"], "no column"),
    (check.exercise_1_5, [{"question": "What?", "answer": "1"}], "Take a problem"),
]


@pytest.mark.parametrize(("checked", "answers", "said"), MISTAKES)
def test_a_mistake_is_named(checked, answers, said, capsys):
    checked(*answers)
    told = capsys.readouterr().out
    assert "not yet right." in told and re.search(said, told), told


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

"""The form of the notebooks, and that their code is the code in `helpers`.

What the notebooks print is compared by nbval (`make test`), not here.
"""

import ast
import random
import textwrap
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_code import differences
from notebook_lint import lint

from helpers.problems import extract_answer
from helpers.stats import majority_at_k

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9A]*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)

TWINS = {"majority_at_k"}  # two texts with one behaviour: tested below

HEAD = """# Title

## What you will learn
[Later](#Summary), in 20 minutes. Prerequisites: none."""


def test_the_series_is_there_and_numbered_without_a_gap():
    numbers = [int(path.name[:2]) for path in NOTEBOOKS if path.name < "A"]
    assert numbers == [*range(1, len(numbers) + 1)]


@each_notebook
def test_form(path):
    problems = lint(path)
    assert not problems, f"{path.name}:\n" + "\n".join(problems)


@each_notebook
def test_code_is_the_code_in_helpers(path):
    problems = differences(path, ROOT / "helpers", twins=TWINS)
    assert not problems, f"{path.name}:\n" + "\n".join(problems)


def defined_in(stem, names):
    """These definitions of a notebook, and what they need to run."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4)
    trees = [ast.parse(c.source) for c in notebook.cells if c.cell_type == "code"]
    body = [
        node for tree in trees for node in tree.body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        or getattr(node, "name", None) in names
    ]  # fmt: skip
    scope = {}
    exec(compile(ast.Module(body, []), stem, "exec"), scope)  # our own notebook
    return [scope[name] for name in names]


def test_the_vote_of_notebook_04_is_that_of_helpers():
    taught, _ = defined_in("04_gsm8k_evaluation", ["majority_at_k", "majority_vote"])
    rng = random.Random(0)
    for seed in range(50):
        texts = rng.choices(["18", "$18.00", "20", "7", "no idea"], k=9)
        answers = [extract_answer(text) for text in texts]
        for k in (1, 4, 9):
            assert taught(answers, "18", k, 20, seed) == majority_at_k(
                answers, "18", k, 20, seed
            )
    for function in (taught, majority_at_k):
        with pytest.raises(ValueError, match="between 1 and 9"):
            function(answers, "18", 10)


# The checks themselves, on a notebook without faults and on one fault at a time.


def good_notebook():
    """The smallest notebook that the lint accepts: 35 cells, one figure."""
    cells = [new_markdown_cell(HEAD)]
    for count in range(1, 33):
        cells.append(new_code_cell(f"x = {count}", execution_count=count))
    image = {"image/png": "aGk="}
    alt = {"image/png": {"alt": "a line"}}
    cells[1].outputs = [new_output("display_data", image, metadata=alt)]
    cells[2].outputs = [new_output("stream", name="stdout", text="1\n")]
    cells += [new_markdown_cell("## Summary"), new_markdown_cell("## Exercises")]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(
        cells=cells,
        metadata={"kernelspec": kernel, "language_info": {"name": "python"}},
    )


def lint_of(notebook, folder):
    nbformat.write(notebook, folder / "01_test.ipynb")
    return lint(folder / "01_test.ipynb")


def test_lint_accepts_a_notebook_without_faults(tmp_path):
    assert lint_of(good_notebook(), tmp_path) == []


def source(cell, text):
    """A fault: this cell, with this source."""
    return lambda notebook: notebook.cells[cell].update(source=text)


def output(*arguments, **fields):
    """A fault: the second code cell shows this."""
    new = [new_output(*arguments, **fields)]
    return lambda notebook: notebook.cells[2].update(outputs=new)


def figure_in_prose(notebook):
    """A fault: the prose repeats a result."""
    shown = new_output("stream", name="stdout", text="right: 73.5 of 100\n")
    notebook.cells[2].update(outputs=[shown])
    notebook.cells[-2].update(
        source="## Summary\nThe vote is right in 73.5 % of cases."
    )


FAULTS = {
    "kernel is not python3": lambda n: n.metadata.kernelspec.update(name="mine"),
    "language_info": lambda n: n.metadata.language_info.update(version="3.11"),
    "a personal path": source(1, "open('" + "/home" + "/ada/x')"),
    "34 cells": lambda n: n.cells.pop(3),
    "26 lines": source(1, "x = 1\n" * 25 + "x"),
    "80 characters": source(1, "x" * 80),
    "first cell is not Markdown": lambda n: n.cells.insert(0, n.cells.pop(1)),
    "no 'What you will learn'": source(0, HEAD.replace("What you will", "To")),
    "no '[Pp]rerequisite'": source(0, HEAD.replace("Prerequisites", "Before")),
    "minutes'": source(0, HEAD.replace("20 minutes", "no time")),
    "2 headings of level 1": source(-1, "# Exercises"),
    "skips a level": source(-1, "#### Exercises"),
    "with the word 'summary'": source(-2, "## End"),
    "with the word 'exercise'": source(-1, "## End"),
    "which does not exist": source(-1, "## Exercises\n[next](02_none.ipynb)"),
    "which is no heading": source(-1, "## Exercises\n[up](#Nowhere)"),
    "no alt text for x.png": source(-1, "## Exercises\n![](x.png)"),
    "no alt text in <img": source(-1, "## Exercises\n<img src='x.png'>"),
    "are not 1, 2, 3": lambda n: n.cells[2].update(execution_count=9),
    "ends in an error": output("error", ename="E", evalue="", traceback=[]),
    "a warning is shown": output("stream", name="stderr", text="careful"),
    "shows an address": output("stream", name="stdout", text="<a at 0x7f>"),
    "no alt text for image/png": output("display_data", {"image/png": "aGk="}),
    "trailing semicolon": source(1, "plot(x);"),
    "%time": source(1, "%time x = 1"),
    "clear_output": source(1, "clear_output()"),
    "input()": source(1, "input('?')"),
    "the figure 73.5 is printed": figure_in_prose,
}


@pytest.mark.parametrize("message", FAULTS)
def test_lint_finds(message, tmp_path):
    notebook = good_notebook()
    FAULTS[message](notebook)
    problems = lint_of(notebook, tmp_path)
    assert any(message in problem for problem in problems), problems


def test_lint_knows_the_tag_for_wanted_errors(tmp_path):
    notebook = good_notebook()
    notebook.cells[2].outputs = [
        new_output("error", ename="E", evalue="", traceback=[])
    ]
    notebook.cells[2].metadata["tags"] = ["raises-exception"]
    assert lint_of(notebook, tmp_path) == []


MODULE = '''
def double(x: int) -> int:
    """Twice x."""
    return 2 * x


class Dog:
    """A dog."""

    legs: int = 4

    def bark(self) -> str:
        """What it says."""
        return "woof"

    def sit(self) -> None:
        """It sits."""
'''


def differences_of(folder, *cells):
    """The differences between a notebook of these cells and MODULE."""
    package = folder / "helpers"
    package.mkdir()
    (package / "dog.py").write_text(MODULE, encoding="utf-8")
    (package / "cat.py").write_text("def purr(): return 1\n", encoding="utf-8")
    (package / "lion.py").write_text("def purr(): return 9\n", encoding="utf-8")
    (package / "zoo").mkdir()
    face = "from .tiger import purr\n"
    (package / "zoo" / "__init__.py").write_text(face, encoding="utf-8")
    tiger = "def purr(): return 5\n"
    (package / "zoo" / "tiger.py").write_text(tiger, encoding="utf-8")
    notebook = new_notebook(cells=[new_code_cell(textwrap.dedent(c)) for c in cells])
    nbformat.write(notebook, folder / "n.ipynb")
    return differences(folder / "n.ipynb", package)


DOUBLE = "def double(x: int) -> int:\n    return 2 * x  # a comment"
STAGES = (
    "class Dog:\n    legs: int = 4\n\n    def sit(self) -> None: pass",
    "class Dog(Dog):\n    '''More.'''\n    def bark(self) -> str: return 'miau'",
    "def bark(self) -> str:\n    return 'woof'\n\nDog.bark = bark",
)


@pytest.mark.parametrize(
    "cells",
    [
        (DOUBLE,),
        ("%matplotlib inline\n!ls\n" + DOUBLE,),
        ("def double(x): return x + x", DOUBLE),  # the last definition counts
        ("def other(): return 0",),  # helpers has none of this name
        STAGES,
        ("def purr(): return 9",),  # one of the two modules has it
        ("def purr(): return 9", "from helpers.lion import purr"),
        ("def purr(): return 5", "from helpers.zoo import purr"),  # by a face
    ],
)
def test_agreement_accepts(cells, tmp_path):
    assert differences_of(tmp_path, *cells) == []


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (("def double(x: int) -> int: return x + x",), "double is not the one in"),
        (("def double(x): return 2 * x",), "helpers.dog"),  # the types count too
        ((DOUBLE, "def double(x): return 0"), "double"),
        (STAGES[:1], "Dog"),
        (STAGES[:2], "Dog"),
        (("def purr(): return 7",), "helpers.cat, helpers.lion"),
        (("def purr(): return 1", "from helpers.lion import purr"), "helpers.lion"),
        (("def purr(): return 1", "from helpers.zoo import purr"), "helpers.zoo.tiger"),
    ],
)
def test_agreement_finds(cells, message, tmp_path):
    (problem,) = differences_of(tmp_path, *cells)
    assert message in problem

"""Notebook 04 on real GSM8K questions, which this project does not ship.

GSM8K is looked for where GSM8K_PATH says, else in `shared/gsm8k` beside the checkout.
"""

import os
import re
from pathlib import Path

import pytest

from helpers.workshop import pages

ROOT = Path(__file__).resolve().parents[2]
GSM8K = Path(os.environ.get("GSM8K_PATH") or ROOT.parent / "shared" / "gsm8k")
QUESTIONS = 50
needs_gsm8k = pytest.mark.skipif(
    not GSM8K.exists(), reason="no GSM8K here: set GSM8K_PATH to it"
)


def printed(notebook) -> str:
    """All that the cells of a notebook printed."""
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    return "".join(out.text for out in outputs if out.get("name") == "stdout")


@pytest.fixture(scope="module")
def output() -> str:
    """What notebook 04 prints with abacus and GSM8K_PATH set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GSM8K_PATH", str(GSM8K.resolve()))
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("TQDM_DISABLE", "1")
        patch.delenv("REASONING_MODEL", raising=False)
        notebook = pages.read(ROOT / "notebooks" / "04_gsm8k_evaluation.ipynb")
        error = pages.execute(notebook)
    assert error is None, pages.last_lines(error)
    return printed(notebook)


def count(output: str, what: str) -> int:
    """The number in the line "GSM8K, <what>: <number> ..."."""
    return int(re.search(rf"^GSM8K, {re.escape(what)}: (\d+)", output, re.M)[1])


@needs_gsm8k
def test_the_notebook_runs_on_real_questions(output: str) -> None:
    from helpers.problems import load_problems

    first = load_problems("gsm8k", path=GSM8K)[0]["question"]
    assert first in output and "GSM8K is not here" not in output
    assert count(output, "evaluated questions") == QUESTIONS


@needs_gsm8k
def test_abacus_gets_next_to_nothing_right_there(output: str) -> None:
    """It knows only this project's stories; more would mean that the grader is lax."""
    greedy, passed = count(output, "greedy right"), count(output, "pass@4")
    assert greedy <= 5 and count(output, "majority of 4 right") <= passed <= 10

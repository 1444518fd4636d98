"""Which form is best: a comparison on a model whose answers are known."""

import json
from dataclasses import replace

import pytest
from chatty import Chatty

from helpers.evaluation import best_form, form_rows, measure_forms
from helpers.evaluation.__main__ import main
from helpers.evaluation.prompts import forms_for
from helpers.llm import FORMS, LLMError, Step

RAW = ["question", "examples", "think", "worked"]
PROBLEMS = [{"question": f"{n}?", "answer": f"#### {n}"} for n in range(6)]


class Wise(Chatty):
    """Knows an answer if the question is even, or if it may think step by step."""

    def sample(self, prompt, k, seed=None, image=None, stop="\n"):
        number = int(prompt.rpartition("Question: ")[2].partition("?")[0])
        knows = "step by step.\n" in prompt or number % 2 == 0
        self.asked.append(prompt)
        text = f"The answer is {number if knows else -1}."
        return [Step(text, 5, -0.5, "end", text)] * k


def test_a_form_that_is_better_and_what_it_costs(tmp_path):
    reports = measure_forms(Wise("x"), PROBLEMS, tmp_path)
    assert [*reports] == RAW  # there is no markup
    assert sum(reports["think"].right.values()) == 6
    assert sum(reports["examples"].right.values()) == 3
    assert best_form(reports) == "think"
    rows = {row[0]: row for row in form_rows(reports)}
    assert rows["think"][1:3] == ["6", reports["think"].accuracy().percent()]
    assert rows["think"][3].startswith("+50.0 (") and rows["think"][4] == "0.250"
    assert rows["examples"][3:5] == ["", ""] and rows["think"][6] == "0.0"
    assert {f.name for f in tmp_path.glob("*.jsonl")} == {
        f"{name}.jsonl" for name in reports
    }


def test_it_is_resumed(tmp_path):
    measure_forms(Wise("x"), PROBLEMS[:2], tmp_path, forms=["think"])
    llm = Wise("x")
    found = measure_forms(llm, PROBLEMS, tmp_path, forms=["think"])
    assert len(found["think"].right) == 6 and len(llm.asked) == 4


def test_the_form_stands_in_the_file_if_it_is_open(tmp_path):
    measure_forms(Wise("x"), PROBLEMS[:1], tmp_path)
    told = {}
    for name in ("question", "think"):
        first = (tmp_path / f"{name}.jsonl").read_text("utf-8").splitlines()[0]
        told[name] = json.loads(first)["configuration"]["environment"]
    assert told["think"]["form"] == "think" and "form" not in told["question"]
    assert told["think"]["max_steps"] == FORMS["think"].limits.max_steps


def test_the_command(tmp_path, capsys):
    typed = ["prompts", "--model", "abacus", "--problems", "practice", "--split",
             "validation", "--limit", "3", "--out", str(tmp_path)]  # fmt: skip
    assert main(typed) == 0
    said = capsys.readouterr()
    header, *rows = said.out.splitlines()
    assert header.split()[0] == "form" and "tokens" in header
    assert [row.split()[0] for row in rows[:-1]] == RAW
    assert rows[-1].startswith("most right answers: ")
    assert main([*typed, "--forms", "question"]) == 0  # nothing is asked again
    assert "3 of 3" not in capsys.readouterr().err


class Broken:
    """Markup that cannot be used."""

    def open_turn(self, messages):
        raise LLMError("it closes turns with a token that it does not tell")


def test_markup_that_cannot_be_used_leaves_the_raw_forms():
    llm = Wise("x")
    llm.form = replace(FORMS["boxed"], chat=Broken())
    assert forms_for(llm) == RAW


def test_a_form_that_the_model_has_no_markup_for(tmp_path, capsys):
    typed = ["prompts", "--model", "abacus", "--problems", "practice", "--split",
             "validation", "--limit", "1", "--out", str(tmp_path)]  # fmt: skip
    assert main([*typed, "--forms", "boxed"]) == 1
    assert 'form="examples"' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*typed, "--forms", "nonsense"])

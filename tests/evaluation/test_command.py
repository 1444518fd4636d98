"""The command line of evaluation, as a person types it."""

import re
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import pytest
from fake_ollama import FakeOllama
from toy_runs import results

from helpers.evaluation import Report, evaluate, read_configuration
from helpers.evaluation.__main__ import main
from helpers.evaluation.options import SCORERS
from helpers.llm import LLMGen
from helpers.problems import load_problems
from helpers.rewards import confidence
from helpers.search import beam_search

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def out(tmp_path):
    return str(tmp_path / "runs" / "x.jsonl")


def run(out, *more, limit=3, strategy="greedy"):
    limit = ["--limit", str(limit)]
    return main(["--strategy", strategy, *limit, "--out", out, *more])


def run_another(out, tmp_path, capsys, *options):
    """Two runs, of which one has these options: the file of that one."""
    other = str(tmp_path / "runs" / "y.jsonl")
    run(out)
    run(other, *options)
    capsys.readouterr()
    return other


@pytest.mark.parametrize("command", [[], ["report"], ["compare"]])
def test_help_has_an_example(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*command, "--help"])
    said = capsys.readouterr().out
    assert stop.value.code == 0
    assert re.search(r"example: .*\n  python -m helpers.evaluation", said)


@pytest.mark.parametrize("scorer", SCORERS)
def test_every_scorer_can_be_named(out, scorer):
    options = ("--scorer", scorer, "--budget", "200")
    assert run(out, *options, limit=1, strategy="best_of_n") == 0
    assert len(Report(out).right) == 1


def test_a_run_is_that_of_the_function(out, tmp_path, capsys):
    options = ("--scorer", "confidence", "--budget", "256", "--set", "n=4")
    assert run(out, *options, "--seed", "3", strategy="beam_search") == 0
    strategy = partial(beam_search, budget=256, n=4, scorer=confidence)
    rows, llm = load_problems("practice", limit=3), LLMGen("abacus")
    direct = evaluate(strategy, rows, llm, out=tmp_path / "direct", seed=3)
    assert results(Report(out)) == results(direct)
    found = dict(Report(out).configuration)
    assert found.pop("about") == {"problems": "practice", "split": "test"}
    assert found == direct.configuration
    said = capsys.readouterr()
    assert "beam_search(budget=256, n=4, scorer=confidence)  abacus" in said.out
    lines = said.err.splitlines()  # no terminal: plain lines
    assert len(lines) == 3 and re.match(r"3 of 3, 00:00 left: right .* %", lines[-1])


def test_it_goes_on_and_says_so(out, capsys):
    run(out, limit=2)
    before = results(Report(out))
    capsys.readouterr()
    assert run(out, limit=3) == 0
    assert re.match(r"\A3 of 3, [^\n]*\n\Z", capsys.readouterr().err)
    assert results(Report(out)).items() > before.items()


def test_workers_are_processes_for_abacus(out, tmp_path):
    assert run(out, "--workers", "2") == 0
    run(str(tmp_path / "alone"))
    assert results(Report(out)) == results(Report(tmp_path / "alone"))


def test_an_ollama_model_on_two_hosts_recorded(out, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    record = ["--record", str(tmp_path / "answers.sqlite")]
    with FakeOllama("llama3.2") as a, FakeOllama("llama3.2") as b:
        hosts = ["--hosts", f"{a.host},{b.host}", "--workers", "3"]
        model = ["--model", "llama3.2", "--temperature", "0.5", *record]
        assert run(out, *model, *hosts) == 0
        assert all("/api/generate" in [p for p, _ in x.requests] for x in (a, b))
        body = a.bodies("/api/generate")[-1]
    assert body["options"]["temperature"] == 0.5 or body["options"]["temperature"] == 0
    assert read_configuration(out)["environment"]["is_few_shot"] is True
    other = str(tmp_path / "replayed")
    assert run(other, *model, "--replay-only") == 0
    assert results(Report(other)) == results(Report(out))


def test_reports_of_several_runs(out, tmp_path, capsys):
    run_another(out, tmp_path, capsys, "--budget", "300")
    files = {
        f"--{kind}": tmp_path / "new" / kind for kind in ("html", "markdown", "figure")
    }
    options = [text for pair in files.items() for text in map(str, pair)]
    assert main(["report", str(tmp_path / "runs" / "*.jsonl"), *options]) == 0
    said = capsys.readouterr().out
    assert "greedy(budget=1024)" in said and "greedy(budget=300)" in said
    assert files["--html"].read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert files["--markdown"].read_text(encoding="utf-8").count("\n") == 4
    assert files["--figure"].read_bytes().startswith(b"\x89PNG")


def test_two_runs_compared(out, tmp_path, capsys):
    other = run_another(out, tmp_path, capsys, "--budget", "300")
    assert main(["compare", out, other]) == 0
    assert re.search(
        r"3 problems .*\n.*\na - b: \+0\.0 points", capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--set", "n"], "type NAME=NUMBER"),
        (["--set", "n=many"], "type NAME=NUMBER"),
        (["--set", "seed=3"], "options of their own"),
        (["--workers", "0"], "type a whole number from 1"),
        (["--hosts", "desk1:11434"], "type --model as well"),
        (["--set", "wings=2"], "unexpected keyword argument 'wings'"),
        (["--budget", "0"], "Type a budget from 1"),
        (["--limit", "0"], "limit must be at least 1"),
        (["--split", "exam"], "has no split 'exam'"),
        (["--replay-only"], "--record"),
        (["--model", "llama3.2", "--hosts", "127.0.0.1:1"], "ollama serve"),
    ],
)
def test_mistakes_are_told_in_a_sentence(out, capsys, arguments, told):
    assert run(out, *arguments) == 1
    said = capsys.readouterr().err
    assert told in said and "Traceback" not in said


def test_files_that_are_no_runs(tmp_path, capsys):
    for command in (["report", "none.jsonl"], ["compare", __file__, __file__]):
        assert main(command) == 1
    said = capsys.readouterr().err
    assert (
        "none.jsonl is not there" in said and "test_command.py holds no records" in said
    )


def test_a_typing_error_does_not_spoil_the_file(out):
    assert run(out, "--set", "wings=2") == 1 and Path(out).exists()
    assert run(out) == 0


def test_two_splits_are_two_runs(out, tmp_path, capsys):
    other = run_another(out, tmp_path, capsys, "--split", "train")
    assert main(["report", out, other]) == 0
    said = capsys.readouterr().out
    assert "split=test" in said and "split=train" in said


def test_a_worker_that_dies_is_told_in_a_sentence(out, monkeypatch, capsys):
    def broken(*args, **options):
        raise BrokenProcessPool("died")

    monkeypatch.setattr("helpers.evaluation.__main__.evaluate", broken)
    assert run(out) == 1
    assert capsys.readouterr().err.startswith("A worker ended before its time.")


def test_a_file_that_was_torn_at_once_is_gone_on_with(out):
    run(out, limit=2)
    expected, content = results(Report(out)), Path(out).read_bytes()
    for size in (0, 1, 30):
        Path(out).write_bytes(content[:size])
        assert run(out, limit=2) == 0 and results(Report(out)) == expected


def test_ctrl_c_says_how_to_go_on(out, monkeypatch, capsys):
    def interrupted(*args, **options):
        raise KeyboardInterrupt("Stopped. To go on, type the same again.")

    monkeypatch.setattr("helpers.evaluation.__main__.evaluate", interrupted)
    assert run(out) == 130
    assert "type the same again" in capsys.readouterr().err


def test_failures_are_told(out, monkeypatch, capsys):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr("helpers.evaluation.solver.time.sleep", lambda seconds: None)
    with FakeOllama("llama3.2") as server:
        server.changes = {"response": ""}
        arguments = ["--model", "llama3.2", "--hosts", server.host]
        assert run(out, *arguments) == 1
    said = capsys.readouterr()
    assert "failed: problem 0: 'llama3.2' said nothing" in said.out
    assert "try what failed once more" in said.out and "failed 3" in said.err


def test_it_runs_as_a_module():
    command = [sys.executable, "-m", "helpers.evaluation", "compare", "a"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert (
        done.returncode == 2
        and "usage: python -m helpers.evaluation compare" in done.stderr
    )

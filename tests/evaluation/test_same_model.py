"""A run belongs to one model: resumed after an update, ended when the model changes."""

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
from fake_ollama import FakeOllama
from toy_runs import results

from helpers.evaluation import Report, evaluate, processes
from helpers.evaluation.records import differences, read_configuration, read_records
from helpers.llm import LLMError, LLMGen
from helpers.search import self_consistency

ROWS = [{"question": f"How many, {i}?", "answer": "7"} for i in range(4)]
STRATEGY = partial(self_consistency, budget=200, n=1)
OLD = Path(__file__).with_name("run_0_1.jsonl")


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr("helpers.llm.connection.BACKOFF", (0.0,))


@pytest.fixture
def served():
    with FakeOllama("llama3.2:latest") as fake:
        yield fake


@pytest.fixture
def out(tmp_path):
    return tmp_path / "run.jsonl"


def run(served, out, rows=ROWS, **options):
    model = options.pop("model", "llama3.2")
    temperature = options.pop("temperature", 1.0)
    strategy = options.pop("strategy", STRATEGY)
    llm = LLMGen(model, temperature, host=served.host)
    return evaluate(strategy, rows, llm, out=out, pauses=(), **options)


def test_a_run_of_version_0_1_is_resumed(served, out):
    shutil.copy(OLD, out)
    old = results(Report(out))
    new = results(run(served, out))
    assert old.items() <= new.items() and len(new) == 4
    assert len([*read_records(out)]) == 4  # nothing was solved twice


def test_an_update_of_the_server_is_noted_and_the_run_goes_on(served, out):
    run(served, out, ROWS[:2])
    served.version = "0.34.1"
    report = run(served, out)
    assert len(report.right) == 4
    notes = [line for line in out.read_text(encoding="utf-8").splitlines()
             if "resumed" in line]  # fmt: skip
    assert notes == ['{"resumed": {"server": "0.34.1"}}']
    served.version = "0.33.0"
    assert results(run(served, out)) == results(report)  # nothing left: nothing noted


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"digest": "d2"}, "model.digest: d1 there, d2 here"),
     ({"version": "0.24.0"}, "model.engine: llama.cpp there, ollama here")],
)  # fmt: skip
def test_another_model_is_another_run(served, out, changes, told):
    run(served, out, ROWS[:2])
    before = out.read_bytes()
    for name, value in changes.items():
        setattr(served, name, value)
    with pytest.raises(ValueError, match=told):
        run(served, out)
    assert out.read_bytes() == before


def test_what_changes_no_result_makes_no_other_run(served, out):
    run(served, out, ROWS[:2])
    again = run(served, out, model="library/llama3.2:LATEST", temperature=1,
                strategy=partial(STRATEGY, budget=200.0))  # fmt: skip
    assert len(again.right) == 4


@pytest.mark.parametrize("how", [{"digest": "d2"}, {"version": "0.24.0"}])
def test_a_model_that_changes_ends_the_run(served, out, how):
    def pull(record):
        for name, value in how.items():
            setattr(served, name, value)

    with pytest.raises(LLMError, match="another than when this began.*Begin anew"):
        run(served, out, on_record=pull)
    assert [r.index for r in read_records(out) if not r.failure] == [0]


def test_weights_that_are_exchanged_end_a_run(out, tmp_path):
    from helpers.abacus import HASTY, WEIGHTS

    file = tmp_path / "mine.npz"
    shutil.copy(WEIGHTS, file)
    with pytest.raises(LLMError, match="digest"):
        evaluate(STRATEGY, ROWS, LLMGen("abacus", weights=file), out=out, pauses=(),
                 on_record=lambda record: shutil.copy(HASTY, file))  # fmt: skip
    assert [r.index for r in read_records(out) if not r.failure] == [0]


def test_processes_ask_the_server_of_the_one_that_began_them(served, out, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", served.host)
    llm = LLMGen("llama3.2")
    with FakeOllama("llama3.2:latest") as other:
        other.digest = "d2"
        monkeypatch.setenv("OLLAMA_HOST", other.host)
        with processes(2) as pool:
            report = evaluate(STRATEGY, ROWS, llm, out=out, executor=pool)
        assert len(report.right) == 4 and other.requests == []


def test_a_worker_that_finds_another_model_ends_the_run(served, out):
    llm = LLMGen("llama3.2", host=served.host)
    with processes(1) as pool:
        usual, before = served.usual, 3 * ["d1"]  # what it asks before it begins

        def other(path, body):
            """Another model for whoever comes later."""
            if path == "/api/tags":
                served.digest = before.pop() if before else "d2"
            return usual(path, body)

        served.usual = other
        with pytest.raises(LLMError, match="This worker asked http.*d1 there, d2 here"):
            evaluate(STRATEGY, ROWS, llm, out=out, executor=pool, pauses=())


def test_no_secret_stands_in_a_run(served, out):
    host = served.host.replace("//", "//anna:geheim@")
    llm = LLMGen("llama3.2", host=host)
    served.script["/api/generate"].append((500, {"error": "no memory"}))
    evaluate(STRATEGY, ROWS, llm, out=out, pauses=())
    told = out.read_text(encoding="utf-8")
    assert "no memory" in told and "geheim" not in told and "anna" not in told
    facts = read_configuration(out)["model"]
    assert facts["engine"] == "llama.cpp" and facts["server"] == "0.33.0"


def test_differences_of_numbers_and_nests():
    there = {"a": 1, "b": {"c": [1.0, None]}, "d": True, "e": 0}
    assert differences(there, json.loads(json.dumps(there))) == []
    assert differences(there, there | {"a": 1.0, "b": {"c": [1, None]}}) == []
    assert differences(there, there | {"d": 1}) == ["d: True there, 1 here"]
    found = differences(there, {"a": 1, "b": {"c": [2, None]}, "d": True})
    assert found == [
        "b.c: [1.0, None] there, [2, None] here",
        "e: 0 there, nothing here",
    ]

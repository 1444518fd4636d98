"""An evaluation over a server that misbehaves: every fault becomes a recorded failure
that says what to do, and nothing is lost."""

import json
import re
import socket
from functools import partial

import pytest
from fake_ollama import BREAK, HANG, FakeOllama, answer
from toy_runs import results

from helpers.evaluation import evaluate
from helpers.llm import LLMError, LLMGen
from helpers.search import self_consistency

ROWS = [{"question": f"How many, {i}?", "answer": "7"} for i in range(3)]
STRATEGY = partial(self_consistency, budget=200, n=1)
LONG = "word " * 9000


def fields(**changes):
    return 200, answer("", 0, **changes)


def cut_body():
    """The head promises more than comes."""
    return 200, b'{"model": "scripted", "response": " Sen'


FAULTS = {  # what the server does: (its answer, what the failure says)
    "resets the connection": (BREAK, "broke off.*ollama serve"),
    "404": ((404, {"error": "model 'x' not found"}), "not found.*ollama pull"),
    "500": ((500, {"error": "llama runner has died"}), "runner has died.*Change"),
    "503": ((503, {"error": "server busy"}), "is busy.*OLLAMA_MAX_QUEUE"),
    "hangs": (HANG, "within timeout.*Allow more"),
    "no JSON": ((200, b"<html>"), "does not speak Ollama.*Type the right address"),
    "null": ((200, b"null"), "does not speak Ollama"),
    "a list": ((200, b"[1]"), "does not speak Ollama"),
    "no text": ((200, b"\xff\xfe"), "does not speak Ollama"),
    "a deep nest": ((200, b"[" * 100_000), "does not speak Ollama"),
    "half of the JSON": (cut_body(), "does not speak Ollama.*Type the right"),
    "an empty response": (fields(response="", eval_count=1), "said nothing.*prompt"),
    "not done": (
        fields(done=False, done_reason=None, eval_count=None, prompt_eval_count=None),
        "counted no tokens.*cut off",
    ),
    "not done, no text": (
        fields(response="", done=False, eval_count=None), "said nothing",
    ),
    "no counts": (fields(eval_count=None), "counted no tokens.*Update the server"),
    "too long for the context": (
        (400, {"error": "the input length exceeds the context length"}),
        "does not fit into num_ctx.*Shorten it",
    ),
}  # fmt: skip


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr("helpers.llm.connection.BACKOFF", (0.0, 0.0))
    with FakeOllama("llama3.2:latest") as fake:
        yield fake


def run(server, out, **options):
    llm = LLMGen("llama3.2", host=server.host, timeout=0.3)
    options = {"out": out, "pauses": (0,)} | options
    return evaluate(STRATEGY, ROWS, llm, **options)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_recorded_and_the_next_run_solves_it(server, tmp_path, fault):
    said, told = FAULTS[fault]
    expected = results(run(server, tmp_path / "healthy"))
    usual = server.usual

    def ill(path, body):
        """Misbehave for the second problem, whenever it is asked."""
        if path == "/api/generate" and "How many, 1?" in body["prompt"]:
            return said
        return usual(path, body)

    server.usual = ill
    report = run(server, tmp_path / "x")
    assert [*report.failed] == [1]
    assert re.search(told, report.failed[1], re.S)
    assert results(report) == {i: expected[i] for i in (0, 2)}
    server.usual = usual
    report = run(server, tmp_path / "x")
    assert report.failed == {} and results(report) == expected


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_leaves_no_trace(server, tmp_path, fault):
    expected = results(run(server, tmp_path / "healthy"))
    tries = 3 if fault in ("503", "an empty response", "not done, no text") else 1
    server.script["/api/generate"].extend([FAULTS[fault][0]] * tries)
    report = run(server, tmp_path / "x")
    if "context" in fault:  # asked again, it would be cut again
        assert [*report.failed] == [0]
    else:
        assert report.failed == {} and results(report) == expected


def test_a_server_that_refuses(server, tmp_path):
    def refuse(record):
        server.server.shutdown()
        server.server.server_close()

    report = run(server, tmp_path / "x", pauses=(), on_record=refuse)
    assert [*report.failed] == [1, 2] and "ollama serve" in report.failed[2]
    with pytest.raises(LLMError, match="ollama serve"):  # before the run begins
        run(server, tmp_path / "y")


def test_failures_hold_no_text_that_breaks_the_file(server, tmp_path):
    error = {"error": 'line\nbreak "quoted" \ud83d'}
    server.script["/api/generate"].append((500, json.dumps(error).encode()))
    report = run(server, tmp_path / "x", pauses=())
    assert len(report.failed) == 1 and len(report.right) == 2


def test_half_a_request_is_none(server):
    """Who asked was killed: notebook 08 does that, and its requests are counted."""
    host, _, port = server.host.removeprefix("http://").partition(":")
    head = "POST /api/generate HTTP/1.1\r\nContent-Length: 99\r\n\r\n"
    with socket.create_connection((host, int(port))) as line:
        line.sendall(head.encode())
        line.shutdown(socket.SHUT_WR)
        assert line.recv(1) == b""
    assert server.requests == []

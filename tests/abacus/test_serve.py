"""abacus behind HTTP, asked by the genuine Ollama client."""

import json
import threading
import urllib.error
import urllib.request
from http.server import ThreadingHTTPServer

import ollama
import pytest

from helpers.abacus import AbacusClient
from helpers.abacus.serve import VERSION, Handler
from helpers.llm import LLMGen

PROMPT = "Question: Tom has 3 apples and buys 4. How many?\nAnswer:\n"


@pytest.fixture(scope="module")
def host():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")


def test_it_writes_what_abacus_writes(host):
    here, there = LLMGen("abacus"), LLMGen("abacus:latest", host=host)
    for a, b in zip(*(m.sample(PROMPT, 4, seed=1) for m in (here, there)), strict=True):
        assert (a.text, a.tokens, a.reason) == (b.text, b.tokens, b.reason)
        assert a.logprob == pytest.approx(b.logprob)
    assert there.connection.options == here.connection.options


def test_every_call_of_the_client(host):
    client, own = ollama.Client(host=host), AbacusClient()
    (model,), (row,) = client.list().models, own.list()
    assert (model.model, model.digest, model.size) == (
        row["model"], row["digest"], row["size"])  # fmt: skip
    shown, known = client.show("abacus"), own.show("abacus")
    assert shown.modelinfo == known["model_info"]
    assert shown.capabilities == known["capabilities"]
    found = client.embed("abacus", [PROMPT, "x"]).embeddings
    for a, b in zip(found, own.embed("abacus", [PROMPT, "x"]), strict=True):
        assert a == pytest.approx(b)
    assert client.pull("abacus").status == "success"
    assert [part.status for part in client.pull("abacus", stream=True)] == ["success"]
    said = client.generate("abacus", PROMPT, options={"seed": 3, "num_predict": 5})
    again = own.generate("abacus", PROMPT, options={"seed": 3, "num_predict": 5})
    assert (said.response, said.done_reason) == (again.response, again.done_reason)
    assert LLMGen("abacus:latest", host=host).connection.provenance() == {
        "name": "abacus:latest", "digest": own.list()[0]["digest"],
        "quantisation": None, "runner": None, "engine": None, "server": VERSION,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (lambda c: c.generate("llama3.2", PROMPT), 404),
        (lambda c: c.generate("abacus", PROMPT, options={"wrong": 1}), 400),
        (lambda c: c.generate("abacus", PROMPT, images=[b"x"]), 400),
        (lambda c: c.generate("abacus", "word " * 5000), 400),
        (lambda c: c.chat("abacus", []), 404),
        (lambda c: c.delete("abacus"), 501),
    ],
)
def test_what_it_cannot_do_it_says(host, call, status):
    with pytest.raises(ollama.ResponseError) as error:
        call(ollama.Client(host=host))
    assert error.value.status_code == status


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b"\xff", b"{}"])
def test_bad_requests_are_answered_too(host, body):
    request = urllib.request.Request(f"{host}/api/generate", data=body, method="POST")
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    assert error.value.code in (400, 404) and "error" in json.loads(error.value.read())

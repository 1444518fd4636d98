"""The stand-in for an Ollama server against two real ones.

`ollama_exchanges.jsonl` holds what Ollama 0.24.0 and 0.33.0-rc2 answered to the same
requests about abacus (in half precision, with a stop string of a backslash and an n,
which was never met). Those about SmolLM2 stand beside the repository, where its weights
come from, too.

Times, ids and paths were taken out: "..." is anything but nothing. Texts drawn at a
temperature are compared in form. Where two tokens are as good as equally likely, a text
may go either way.
"""

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

pytest.importorskip("gguf")
pytest.importorskip("xllamacpp", reason="needs the extra `test`, on x86-64 or a Mac")

from ollama_server import OllamaServer  # noqa: E402

from helpers.abacus import Engine, write_gguf  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
SMOLLM = "smollm2:135m"
SMOLLM_FILE = """\
FROM {weights}
TEMPLATE \"\"\"{{{{- range .Messages }}}}<|im_start|>{{{{ .Role }}}}
{{{{ .Content }}}}<|im_end|>
{{{{ end }}}}<|im_start|>assistant
\"\"\"
PARAMETER stop "<|im_start|>"
PARAMETER stop "<|im_end|>"
"""
# Log-probabilities that count as equal. Those of SmolLM2, whose weights have 4 bits,
# differ that much (0.1 for likely tokens, 0.4 for others) from one way to multiply
# them to another, within llama.cpp as well.
NEAR = {"abacus": 0.05, SMOLLM: 0.5}
ANYTHING = object()
ANY_VALUE = {"size", "digest"}  # told in form only
WRITTEN = {  # what depends on the tokens that were drawn
    *("response", "text", "content", "context", "done_reason", "finish_reason"),
    *("eval_count", "eval_duration", "completion_tokens", "total_tokens"),
    *("token", "bytes", "logprob"),
}


def exchanges(file, about_smollm):
    """The requests with their answers, each under a name."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    found = [json.loads(line) for line in lines]
    return [
        pytest.param(x, id=f"{x['server']}, {x['case']}")
        for x in found
        if (model_of(x["body"]) == SMOLLM) == about_smollm
    ]


def model_of(body):
    return body.get("model") if isinstance(body, dict) else None


OWN = exchanges(Path(__file__).with_name("ollama_exchanges.jsonl"), False)
OTHERS = exchanges(SHARED / "cases" / "ollama_exchanges.jsonl", True)


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """A stand-in for each version, with abacus."""
    modelfile = write_gguf(Engine(), tmp_path_factory.mktemp("gguf") / "abacus.gguf")
    with modelfile.open("a", encoding="utf-8") as file:
        file.write('PARAMETER stop "\\n"\n')
    with ExitStack() as stack:
        found = {v: OllamaServer(version=v) for v in ("0.24.0", "0.33.0")}
        for server in found.values():
            stack.enter_context(server).create("abacus", modelfile)
            server.is_offline = True
            server.defaults["num_thread"] = 1  # others may be at work here
        yield found


@pytest.fixture(scope="module")
def with_smollm(servers, tmp_path_factory):
    """The same, with SmolLM2 as well."""
    get, folder = SHARED / "real_models" / "get", ROOT / "build" / "models"
    if not get.exists():
        pytest.skip("there are no real models beside the repository")
    command = [sys.executable, str(get), "smollm2-135m", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        pytest.skip(f"SmolLM2 could not be fetched: {run.stderr[-200:]}")
    modelfile = tmp_path_factory.mktemp("smollm") / "Modelfile"
    text = SMOLLM_FILE.format(weights=run.stdout.splitlines()[-1])
    modelfile.write_text(text, encoding="utf-8")
    for server in servers.values():
        server.create(SMOLLM, modelfile)
    return servers


@pytest.mark.parametrize("exchange", OWN)
def test_it_answers_as_a_real_server_did(exchange, servers):
    server = servers[exchange["server"]]
    if exchange["case"] == "ps":
        httpx.post(f"{server.host}/api/generate", json={"model": "abacus"})
    compare(exchange, *ask(server, exchange))


@pytest.mark.parametrize("exchange", OTHERS)
def test_a_real_model_answers_as_it_did_there(exchange, with_smollm):
    compare(exchange, *ask(with_smollm[exchange["server"]], exchange))


def ask(server, exchange):
    """The status, the content type and the answer of the stand-in."""
    body, address = exchange["body"], server.host + exchange["path"]
    sent = "" if body is None else body if isinstance(body, str) else json.dumps(body)
    said = httpx.request(exchange["method"], address, content=sent, timeout=None)
    kind = said.headers["Content-Type"]
    if "json" not in kind:
        return said.status_code, kind, said.text
    lines = [json.loads(line) for line in said.text.splitlines()]
    return said.status_code, kind, lines if "ndjson" in kind else lines[0]


def compare(exchange, status, kind, said):
    """An answer with that of the real server."""
    real, body = exchange["answer"], exchange["body"]
    near = NEAR.get(model_of(body), 0)
    assert (status, kind) == (exchange["status"], exchange["type"])
    if isinstance(real, dict):
        only_what_is_there(real, said)
        if status == 200 and is_drawn(body):
            real, said = in_form(real), in_form(said)
        elif logprobs_of(real):
            real, said = until_a_near_tie(real, said, near)
        elif model_of(body) == SMOLLM and text_of(real) != text_of(said):
            assert text_of(real).split()[0] == text_of(said).split()[0]
            real = in_form(real)
    check(real, said, near)


def check(real, said, near, where="answer"):
    """Fails, and names the place, where two answers are not alike."""
    if real == "...":
        assert said not in (None, "", 0), where
    elif where.endswith(".parent_model"):
        assert real.partition("sha256-")[1] == said.partition("sha256-")[1], where
    elif where.endswith(".top_logprobs"):
        check_likeliest(real, said, near, where)
    elif isinstance(real, dict):
        assert said.keys() == real.keys(), where
        for key in real.keys() - ANY_VALUE:
            check(real[key], said[key], near, f"{where}.{key}")
    elif isinstance(real, list):
        assert len(said) == len(real), where
        for i, pair in enumerate(zip(real, said, strict=True)):
            check(*pair, near, f"{where}[{i}]")
    elif where.endswith(".logprob"):
        assert said == pytest.approx(real, abs=near), where
    elif real is not ANYTHING:
        assert said == real, where


def check_likeliest(real, said, near, where):
    """The likeliest tokens: near ties change places, or just miss the list."""
    assert len(said) == len(real), where
    ours = {token["token"]: token for token in said}
    least = min(token["logprob"] for token in said)
    for token in real:
        if token["token"] in ours:
            check(token, ours[token["token"]], near, f"{where}.{token['token']}")
        else:
            assert token["logprob"] <= least + near, where


def only_what_is_there(real, said):
    """Of a list, the models that the stand-in has; another one's entry in form."""
    for key in real.keys() & {"models", "data"}:
        known = {m.get("name"): m for m in real[key] if m.get("name")}
        other = {name: ANYTHING for name in real[key][0]}
        real[key] = [known.get(m.get("name"), other) for m in said[key]]


def is_drawn(body):
    """Whether a text depends on the server's random numbers."""
    if not isinstance(body, dict) or not {"prompt", "messages"} & body.keys():
        return False
    options = body if "max_tokens" in body else body.get("options", {})
    return options.get("temperature", 1) > 0 and options.get("top_k") != 1


def in_form(answer):
    """An answer without what depends on the tokens. Of log-probabilities the first."""
    if isinstance(answer, list):
        return [in_form(answer[0])]
    if not isinstance(answer, dict):
        return answer
    return {
        key: ANYTHING if key in WRITTEN else in_form(value)
        for key, value in answer.items()
    }


def text_of(answer):
    """What the model wrote."""
    choice = answer.get("choices", [answer])[0]
    message = choice.get("message", {})
    return message.get("content") or choice.get("text") or choice.get("response")


def logprobs_of(answer):
    """The list of log-probabilities within an answer."""
    if "choices" in answer:
        return answer["choices"][0].get("logprobs", {}).get("content", [])
    return answer.get("logprobs", [])


def until_a_near_tie(real, said, near):
    """Both answers up to where one token is as good as another and the texts part."""
    theirs, ours = logprobs_of(real), logprobs_of(said)
    for i, (a, b) in enumerate(zip(theirs, ours, strict=False)):
        if a["token"] != b["token"]:
            assert abs(a["logprob"] - b["logprob"]) < near, (i, a["token"], b["token"])
            check(theirs[:i], ours[:i], near)
            return in_form(real), in_form(said)
    return real, said

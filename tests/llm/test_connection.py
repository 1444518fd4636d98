"""The line to a model: what goes over the wire, and what is said when it fails."""

import base64
import math
import pickle
import shutil
import socket
from collections.abc import Iterator

import numpy as np
import pytest
import tqdm
from fake_ollama import BREAK, HANG, FakeOllama

from helpers.abacus import HASTY, WEIGHTS
from helpers.llm import LLMError, LLMGen
from helpers.llm import connection as module
from helpers.llm.addresses import server_address
from helpers.llm.checks import was_cut
from helpers.llm.clients import reopen
from helpers.wire import Response

PROMPT = "Question: What is 2 + 3?\nAnswer:\n"
OPTIONS = {
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": 0,
    "min_p": 0.0,
    "num_ctx": 2048,
    "repeat_penalty": 1.0,
    "num_predict": 128,
    "stop": ["\n"],
}


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(module, "BACKOFF", (0.0, 0.0))


@pytest.fixture
def server() -> Iterator[FakeOllama]:
    with FakeOllama("llama3.2:latest") as fake:
        yield fake


@pytest.fixture
def llm(server: FakeOllama) -> LLMGen:
    return LLMGen("llama3.2", host=server.host, seed=7)


def script(server: FakeOllama, *answers: object) -> None:
    server.script["/api/generate"].extend(answers)


def test_a_call_sends_every_option_and_nothing_else(server, llm):
    assert isinstance(llm(PROMPT), Response)
    assert server.bodies("/api/generate") == [
        {
            "model": "llama3.2",
            "prompt": PROMPT,
            "stream": False,
            "raw": True,
            "think": False,
            "logprobs": True,
            "truncate": False,
            "shift": False,
            "options": OPTIONS | {"seed": 7},
        }
    ]


def test_every_setting_reaches_the_server(server):
    settings = dict(top_k=5, min_p=0.05, num_ctx=512, repeat_penalty=1.1)
    LLMGen("llama3.2", 0.5, 0.9, 16, stop="#", seed=1, host=server.host, **settings)(
        "x"
    )
    sent = {
        "temperature": 0.5,
        "top_p": 0.9,
        "num_predict": 16,
        "stop": ["#"],
        "seed": 1,
    }
    assert server.bodies("/api/generate")[0]["options"] == settings | sent


def test_an_image_travels_as_base64(server):
    server.show["capabilities"] = ["completion", "vision"]
    picture = base64.b64encode(b"\x89PNG picture").decode()
    LLMGen("llama3.2", host=server.host)("Look.\n", picture)
    assert server.bodies("/api/generate")[0]["images"] == [picture]


def test_a_broken_image_is_refused(server):
    server.show["capabilities"] = ["vision"]
    with pytest.raises(ValueError, match="base64"):
        LLMGen("llama3.2", host=server.host)("Look.\n", "no picture!")
    assert not server.bodies("/api/generate")


def test_an_image_may_be_a_data_address_with_line_breaks(server):
    server.show["capabilities"] = ["vision"]
    llm = LLMGen("llama3.2", host=server.host)
    llm("Look.\n", "data:image/png;base64,aGVs\nbG8=\n")
    assert server.bodies("/api/generate")[0]["images"] == ["aGVsbG8="]


def test_numpy_numbers_travel_as_plain_ones(server):
    llm = LLMGen(
        "llama3.2", n=np.int64(5), temperature=np.float32(0.5), host=server.host
    )
    llm.sample(PROMPT, 1, seed=np.int64(3))
    options = server.bodies("/api/generate")[0]["options"]
    assert (options["num_predict"], options["temperature"]) == (5, 0.5)


def test_abacus_is_not_suspected_of_cutting_prompts():
    llm = LLMGen("abacus", n=1)
    assert llm.sample(" dollars" * 514, 1, seed=0)[0].tokens == 1  # half its context
    assert llm.sample("7" * 1022, 1, seed=0)[0].tokens == 1  # all but one of 1024


def test_a_present_model_is_not_pulled(server):
    for name in ("llama3.2", "llama3.2:latest"):
        LLMGen(name, host=server.host)
    assert "/api/pull" not in [path for path, _ in server.requests]


def test_a_missing_model_is_pulled_with_a_progress_bar(server, monkeypatch, capsys):
    bars = []

    class Bar(tqdm.tqdm):
        def close(self):
            bars.append((self.n, self.total, self.disable))
            super().close()

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    LLMGen("fresh", host=server.host)
    asked = [path for path, _ in server.requests]
    assert asked[:3] == ["/api/show", "/api/pull", "/api/show"]
    (body,) = server.bodies("/api/pull")
    assert body["model"] == "fresh" and body["stream"]
    assert bars[0] == (4_000, 4_000, False)
    captured = capsys.readouterr()
    assert "pull fresh" in captured.err and not captured.out


def test_the_context_is_no_larger_than_the_model(server):
    server.show["model_info"] = {"gemma3.context_length": 512}
    LLMGen("llama3.2", host=server.host)("x")
    assert server.bodies("/api/generate")[0]["options"]["num_ctx"] == 512


def test_the_address_comes_from_the_environment(server, monkeypatch):
    port = server.host.rpartition(":")[2]
    monkeypatch.setenv("OLLAMA_HOST", f"0.0.0.0:{port}")
    assert server_address(None) == f"127.0.0.1:{port}"
    assert LLMGen("llama3.2")("x").done
    assert server_address("10.0.0.0") == "10.0.0.0"


def no_server() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def test_no_server():
    host = no_server()
    with pytest.raises(LLMError) as caught:
        LLMGen("llama3.2", host=host)
    assert str(caught.value) == (
        f"No Ollama server answers at {host}. Start it (ollama serve), or use the "
        'model that needs none: LLMGen("abacus"), or unset REASONING_MODEL'
    )


def test_the_server_goes_away(server, llm):
    server.server.shutdown()
    server.server.server_close()
    with pytest.raises(LLMError, match="No Ollama server answers .*ollama serve"):
        llm(PROMPT)


def test_an_unknown_model(server, capsys):
    with pytest.raises(LLMError) as caught:
        LLMGen("lama", host=server.host)
    assert str(caught.value) == (
        "The server has no model 'lama' and could not pull it (pull model manifest: "
        "file does not exist). Check the name (ollama list) and the network, or use "
        'what ships: LLMGen("abacus")'
    )


BUSY = (
    503,
    {"error": "server busy, please try again.  maximum pending requests exceeded"},
)


def test_a_busy_server_is_asked_again(server, llm, monkeypatch):
    pauses = []
    monkeypatch.setattr(module, "BACKOFF", (0.5, 1.0))
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    script(server, BUSY, BUSY)
    assert llm(PROMPT).done and pauses == [0.5, 1.0]
    bodies = server.bodies("/api/generate")
    assert len(bodies) == 3 and bodies[0] == bodies[2]


def test_a_server_that_stays_busy(server, llm):
    script(server, *[BUSY] * 3)
    with pytest.raises(
        LLMError, match="busy, after several tries .*OLLAMA_MAX_QUEUE=2048"
    ):
        llm(PROMPT)
    assert len(server.bodies("/api/generate")) == 3


LONG = "the prompt is longer than the context length currently available to the model"
EXCEEDED = {"code": 400, "message": "too big", "type": "exceed_context_size_error"}
FAULTS = {
    "broken": (BREAK, r"broke off .*ollama serve.* smaller model"),
    "not JSON": ((200, b"<html>hello"), r"does not speak Ollama's .*host="),
    "not Ollama": ((200, {"done": "soon"}), r"does not speak Ollama's .*host="),
    "too long": (
        (400, {"error": LONG}),
        r"num_ctx=2048 tokens .*LLMGen\(\.\.\., num_ctx",
    ),
    "exceeded": ((400, {"error": EXCEEDED}), r"does not fit into num_ctx=2048 tokens"),
    "bad request": ((400, {"error": "no such {option}"}), r"\(no such \{option\}\)"),
    "gone": (
        (404, {"error": "model 'llama3.2' not found"}),
        r"has no model .*found.*ollama pull",
    ),
    "crash": ((500, b"llama runner process no longer running"), r"no longer running"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_explained(server, llm, fault):
    said, message = FAULTS[fault]
    script(server, said)
    with pytest.raises(LLMError, match=message):
        llm(PROMPT)
    assert llm(PROMPT).done  # the wrapper survives


def test_a_time_out(server):
    slow = LLMGen("llama3.2", timeout=0.2, host=server.host)
    script(server, HANG)
    with pytest.raises(LLMError, match=r"within timeout=0.2 seconds.*timeout=\.\.\."):
        slow(PROMPT)


def test_a_model_that_only_thinks(server, llm):
    server.changes = {"response": None, "thinking": "Hm, 2 + 3"}
    with pytest.raises(LLMError, match=r"only thought .*LLMGen\(\"llama3.2\"\)"):
        llm(PROMPT)
    server.changes = {"response": "5", "thinking": "Hm, 2 + 3"}
    assert llm(PROMPT).response == "5"


def test_a_model_without_eyes(server, llm):
    with pytest.raises(LLMError, match="'llama3.2' has no eyes.*llava"):
        llm(PROMPT, "AAAA")
    assert not server.bodies("/api/generate")


def test_a_cut_prompt_is_an_error_on_older_servers_too(server):
    server.version = "0.12.5"
    llm = LLMGen("llama3.2", num_ctx=512, host=server.host)
    server.changes = {"prompt_eval_count": 258}
    with pytest.raises(LLMError, match="num_ctx=512 tokens .*cut off"):
        llm("How many apples? " * 200)
    assert llm("How many? " * 50).done  # 500 bytes always fit


# Of a prompt of `tokens`, how many each generation of servers keeps
KEEPS = {
    "until 0.24": lambda tokens, n: min(tokens, n),
    "0.30.0": lambda tokens, n: tokens if tokens < n else n - 1,
    "now": lambda tokens, n: tokens if tokens < n else 4 + (n - 4) // 2,
    "now, with BOS": lambda tokens, n: tokens if tokens < n else 5 + (n - 5) // 2,
    "now, llama3": lambda tokens, n: tokens if tokens < n else 25 + (n - 25) // 2,
}


@pytest.mark.parametrize("server_version", KEEPS)
@pytest.mark.parametrize("bytes_per_token", [3, 4, 4.8])
def test_cut_prompts_are_found_and_whole_ones_are_not(server_version, bytes_per_token):
    n = 512
    for tokens in range(1, 4 * n):
        count = KEEPS[server_version](tokens, n)
        response = Response(prompt_eval_count=count, eval_count=1)
        cut = was_cut("x" * math.ceil(bytes_per_token * tokens), response, n)
        assert cut == (tokens >= n - 1), tokens  # one place is left for the step


def test_a_step_that_overflows_the_context_is_found():
    response = Response(prompt_eval_count=500, eval_count=12)
    assert not was_cut("x" * 2000, response, 512)
    response = Response(prompt_eval_count=500, eval_count=13)
    assert was_cut("x" * 2000, response, 512)


def test_servers_that_count_nothing_are_believed():
    assert not was_cut("x" * 9000, Response(), 512)


# The same model, wherever and whenever it is asked


def sent(llm):
    """The model as another process has it, which opened no line before."""
    reopen.cache_clear()
    return pickle.loads(pickle.dumps(llm))


def test_another_process_asks_the_same_server(server, llm, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", server.host)
    by_variable = LLMGen("llama3.2", seed=7)
    with FakeOllama("llama3.2:latest") as other:
        monkeypatch.setenv("OLLAMA_HOST", other.host)  # a worker's own
        assert sent(by_variable).sample(PROMPT, 2) == llm.sample(PROMPT, 2)
        assert other.requests == []


CHANGES = {
    "digest": {"digest": "d2"},
    "engine": {"version": "0.24.0"},
    "quantization": {"show": {"details": {"quantization_level": "F16"}}},
    "runner": {"show": {"details": {"format": "safetensors"}}},
}


@pytest.fixture
def told(server):
    server.show["details"] = {"format": "gguf", "quantization_level": "Q4_K_M"}
    return LLMGen("llama3.2", host=server.host, seed=7)


def change(server, what):
    for name, value in CHANGES[what].items():
        old = getattr(server, name)
        setattr(server, name, old | value if isinstance(old, dict) else value)


@pytest.mark.parametrize("what", CHANGES)
def test_a_worker_that_finds_another_model_refuses(server, told, what):
    """Such as the one at the same address of another computer."""
    change(server, what)
    with pytest.raises(LLMError, match="This worker asked .* there, .* here") as error:
        sent(told).sample(PROMPT, 1)
    assert error.value.kind == "worker" and server.host in str(error.value)
    assert not server.bodies("/api/generate")


def test_a_worker_pulls_nothing(server, llm):
    server.models.clear()
    with pytest.raises(LLMError, match="has no model 'llama3.2'") as error:
        sent(llm).sample(PROMPT, 1)
    assert server.host in str(error.value) and not server.bodies("/api/pull")


@pytest.mark.parametrize("what", CHANGES)
def test_a_model_that_changes_is_noticed(server, told, what):
    told.connection.check_unchanged()
    change(server, what)
    with pytest.raises(LLMError, match="another than when this began") as error:
        told.connection.check_unchanged()
    assert error.value.kind == "changed"
    told.connection.provenance()  # this is now the model
    told.connection.check_unchanged()


def test_an_update_of_the_server_is_no_other_model(server, told):
    server.version = "0.40.12"
    told.connection.check_unchanged()
    assert sent(told).sample(PROMPT, 1)
    assert told.connection.provenance()["server"] == "0.40.12"


def test_a_secret_is_taken_from_the_workers_own_variables(server, monkeypatch):
    host = server.host.replace("//", "//anna:geheim@")
    content = pickle.dumps(LLMGen("llama3.2", host=host))
    assert b"geheim" not in content
    reopen.cache_clear()
    with pytest.raises(LLMError, match="password for .* is not on this computer"):
        pickle.loads(content).sample(PROMPT, 1)
    monkeypatch.setenv("OLLAMA_HOST", host)
    server.headers.clear()
    assert pickle.loads(content).sample(PROMPT, 1)
    assert all("Authorization" in headers for headers in server.headers)


def test_files_are_whole_paths_and_must_be_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    shutil.copy(WEIGHTS, "mine.npz")
    learned = LLMGen("abacus", weights="mine.npz")
    recorded = LLMGen("abacus", record="~/answers.sqlite")
    assert (tmp_path / "answers.sqlite").is_file()
    monkeypatch.chdir("/")
    assert sent(learned).sample(PROMPT, 1, seed=0)
    assert sent(recorded).sample(PROMPT, 1, seed=0)
    for file in tmp_path.iterdir():
        file.unlink()
    with pytest.raises(LLMError, match="mine.npz is not on this computer"):
        sent(learned).sample(PROMPT, 1, seed=0)
    with pytest.raises(LLMError, match="answers.sqlite.*not on this computer"):
        sent(recorded).sample(PROMPT, 1, seed=0)
    assert [*tmp_path.iterdir()] == []


def test_other_weights_at_a_worker_are_another_model(tmp_path):
    file = tmp_path / "mine.npz"
    shutil.copy(WEIGHTS, file)
    learned = LLMGen("abacus", weights=file)
    shutil.copy(HASTY, file)
    with pytest.raises(LLMError, match="another model.*digest"):
        sent(learned).sample(PROMPT, 1, seed=0)


def test_a_fork_opens_a_line_of_its_own(llm, monkeypatch):
    line = llm.connection.client.line
    assert llm.connection.client.line is line
    monkeypatch.setattr("helpers.llm.ollama_client.os.getpid", lambda: -1)
    assert llm.connection.client.line is not line

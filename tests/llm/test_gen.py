"""`helpers.llm`: the genuine Ollama client on a scripted server, and abacus itself."""

import base64
import copy
import math
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import gymnasium
import numpy as np
import ollama
import pytest
import tqdm
from fake_ollama import BREAK, HANG, FakeOllama, answer
from gymnasium.utils.env_checker import check_env

from helpers.abacus import AbacusClient
from helpers.llm import LLMError, LLMGen, Step, derive_seed
from helpers.llm import connection as module
from helpers.llm.connection import was_cut
from helpers.llm.gen import to_step

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


# What goes over the wire


def test_a_call_sends_every_option_and_nothing_else(server, llm):
    assert isinstance(llm(PROMPT), ollama.GenerateResponse)
    assert server.bodies("/api/generate") == [
        {
            "model": "llama3.2",
            "prompt": PROMPT,
            "stream": False,
            "raw": True,
            "think": False,
            "logprobs": True,
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
    assert [path for path, _ in server.requests] == ["/api/show"] * 2


def test_a_missing_model_is_pulled_with_a_progress_bar(server, monkeypatch, capsys):
    bars = []

    class Bar(tqdm.tqdm):
        def close(self):
            bars.append((self.n, self.total, self.disable))
            super().close()

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    LLMGen("fresh", host=server.host)
    assert [path for path, _ in server.requests] == [
        "/api/show",
        "/api/pull",
        "/api/show",
    ]
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
    assert module.server_address(None) == f"127.0.0.1:{port}"
    assert LLMGen("llama3.2")("x").done
    assert module.server_address("10.0.0.0") == "10.0.0.0"


# Seeds


def test_derived_seeds_are_stable_and_distinct():
    assert (
        derive_seed(0, "a", 1) == 1_246_279_023
    )  # so notebooks print the same anywhere
    seeds = {derive_seed(s, p, i) for s in range(5) for p in "ab" for i in range(50)}
    assert len(seeds) == 500 and all(0 <= seed < 2**31 for seed in seeds)
    assert derive_seed(1, "ab", "c") != derive_seed(1, "a", "bc")
    assert derive_seed(1, "1") != derive_seed(1, 1)


def test_every_child_has_a_seed_of_its_own(server, llm):
    steps = llm.sample(PROMPT, 8, seed=3)
    sent = [body["options"]["seed"] for body in server.bodies("/api/generate")]
    assert sent == [derive_seed(3, PROMPT, i) for i in range(8)]
    assert len(set(sent)) == 8
    assert [step.text for step in steps] == [
        f"Sentence number {seed}." for seed in sent
    ]


def test_a_sample_depends_on_its_seed_alone(server, llm):
    other = LLMGen("llama3.2", seed=99, host=server.host)
    assert llm.sample(PROMPT, 3, seed=0) == other.sample(PROMPT, 3, seed=0)
    assert llm.sample(PROMPT, 3, seed=0) == llm.sample(PROMPT, 5, seed=0)[:3]
    assert llm.sample(PROMPT, 3, seed=0) != llm.sample(PROMPT, 3, seed=1)
    assert llm.sample(PROMPT, 3) == llm.sample(PROMPT, 3, seed=7)  # the seed of llm


def test_without_a_seed_every_draw_is_fresh(server):
    free = LLMGen("llama3.2", host=server.host)
    for draw in (free, lambda prompt: free.sample(prompt, 2)):
        draw("x")
        draw("x")
    seeds = [body["options"]["seed"] for body in server.bodies("/api/generate")]
    assert len(set(seeds)) == 6 and min(seeds) >= 0


# Steps


def test_a_step_by_hand():
    step = to_step(ollama.GenerateResponse(**answer("x", 1)))
    assert step == Step("Sentence number 1.", tokens=5, logprob=-1.0, reason="stop")


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        (
            {"response": "", "eval_count": 1, "logprobs": None},
            Step("", 1, None, "stop"),
        ),
        ({"response": " ab", "eval_count": None}, Step("ab", 0, -1.0, "stop")),
        ({"response": "a", "done_reason": "length"}, Step("a", 5, -1.0, "length")),
        (
            {"response": "99", "done": False, "done_reason": None, "logprobs": []},
            Step("99", 5, None, "length"),
        ),
    ],
    ids=["empty", "no count", "length", "not done"],
)
def test_odd_answers_are_steps_too(server, llm, changes, step):
    server.changes = changes
    assert llm.sample(PROMPT, 2) == [step, step]


def test_a_copy_asks_the_same_model(server, llm):
    """Gymnasium copies what `make` is given; the line to a server has no copy."""
    env = gymnasium.make("helpers.env:GSM8K-CoT-v0", llm_gen=llm, render_mode="ansi")
    check_env(env.unwrapped)
    copied = copy.deepcopy(llm)
    assert copied.sample(PROMPT, 2) == llm.sample(PROMPT, 2)


def test_a_model_that_babbles_gives_an_empty_step(server, llm):
    error = {"error": "prediction aborted, token repeat limit reached"}
    script(server, (500, error))
    first, second = llm.sample(PROMPT, 2)
    assert first == Step("", 0, None, "length") and second.reason == "stop"


# Failures: what happened and what to type


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
        r"gives no answer .*found",
    ),
    "crash": ((500, b"llama runner process no longer running"), r"no longer running"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_explained(server, llm, fault):
    said, message = FAULTS[fault]
    script(server, said)
    with pytest.raises(LLMError, match=message) as caught:
        llm(PROMPT)
    assert caught.value.__cause__ is not None
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


def test_a_cut_prompt_is_an_error(server):
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
        response = ollama.GenerateResponse(prompt_eval_count=count, eval_count=1)
        cut = was_cut("x" * math.ceil(bytes_per_token * tokens), response, n)
        assert cut == (tokens >= n - 1), tokens  # one place is left for the step


def test_a_step_that_overflows_the_context_is_found():
    response = ollama.GenerateResponse(prompt_eval_count=500, eval_count=12)
    assert not was_cut("x" * 2000, response, 512)
    response.eval_count = 13
    assert was_cut("x" * 2000, response, 512)


def test_servers_that_count_nothing_are_believed():
    assert not was_cut("x" * 9000, ollama.GenerateResponse(), 512)


BAD = {
    "model": ["", None, 3],
    "n": [0, 1.5, "8"],
    "temperature": [-0.1, math.nan, math.inf, "hot"],
    "top_p": [0, 1.1, None],
    "top_k": [-1],
    "min_p": [-0.1, 2],
    "num_ctx": [1, None],
    "repeat_penalty": [0],
    "seed": [-1, 2**31, 0.5],
    "stop": ["", ["\n"]],
    "timeout": [0, None],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n in BAD for v in BAD[n]])
def test_bad_arguments_never_reach_the_server(server, name, value):
    arguments = {"model": "llama3.2", "host": server.host, name: value}
    with pytest.raises(ValueError, match=f"^{name}=.*: type "):
        LLMGen(**arguments)
    assert not server.requests


@pytest.mark.parametrize(
    ("prompt", "k", "seed"), [("", 1, 0), ("x", 0, 0), ("x", 1, -1)]
)
def test_bad_samples_never_reach_the_server(server, llm, prompt, k, seed):
    with pytest.raises(ValueError, match="^(prompt|k|seed)=.*: type "):
        llm.sample(prompt, k, seed)
    assert not server.bodies("/api/generate")


# The embedded model


def test_abacus_draws_steps_that_its_client_draws():
    llm = LLMGen("abacus", n=16)
    assert llm.is_embedded
    steps = llm.sample(PROMPT, 4, seed=5)
    settings = dict(raw=True, logprobs=True, options=None)
    for i, step in enumerate(steps):
        settings["options"] = llm.connection.options | {
            "seed": derive_seed(5, PROMPT, i)
        }
        alone = to_step(AbacusClient().generate("abacus", PROMPT, **settings))
        # A batch of another size may round the last bit of a probability differently.
        assert step == replace(alone, logprob=pytest.approx(alone.logprob))
        assert "\n" not in step.text and 0 < step.tokens <= 16 and step.logprob < 0
    texts = [step.text for step in steps]
    assert [step.text for step in llm.sample(PROMPT, 2, seed=5)] == texts[:2]
    assert [step.text for step in llm.sample(PROMPT, 4, seed=6)] != texts


def test_a_call_of_abacus_is_repeatable_with_a_seed():
    first, second = (LLMGen("abacus", n=8, seed=1)(PROMPT) for _ in range(2))
    assert isinstance(first, ollama.GenerateResponse)
    assert first.response == second.response and first.eval_count <= 8


@pytest.mark.parametrize(
    ("settings", "prompt", "image", "message"),
    [
        ({}, PROMPT, "AAAA", "'abacus' has no eyes"),
        ({}, "apple " * 5000, None, "does not fit into num_ctx="),
        ({"num_ctx": 8}, "one two three " * 9, None, "does not fit into num_ctx=8 "),
        ({"repeat_penalty": 1.1}, PROMPT, None, "gives no answer .*repeat_penalty=1.1"),
    ],
)
def test_abacus_says_what_it_cannot_do(settings, prompt, image, message):
    with pytest.raises(LLMError, match=message):
        LLMGen("abacus", **settings)(prompt, image)


def test_a_mistake_in_a_call_of_abacus_is_not_blamed_on_a_server():
    with pytest.raises(TypeError):
        LLMGen("abacus").connection.generate([PROMPT], ["no seed"])


def test_the_module_is_light_to_import():
    heavy = "ollama httpx pydantic numpy tqdm helpers.abacus.client"
    code = f"import sys, helpers.llm; print({{*{heavy.split()}}} & {{*sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "set()", run.stderr

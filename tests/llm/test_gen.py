"""One sentence at a time: seeds, steps, arguments, the embedded model."""

import copy
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import gymnasium
import pytest
from fake_ollama import FakeOllama, answer
from gymnasium.utils.env_checker import check_env

from helpers.abacus import AbacusClient
from helpers.llm import LLMError, LLMGen, Step, derive_seed
from helpers.llm import connection as module
from helpers.llm.gen import to_step
from helpers.wire import Response, read_response

PROMPT = "Question: What is 2 + 3?\nAnswer:\n"


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


def test_a_step_by_hand():
    step = to_step(read_response(answer("x", 1)))
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
    "stop": ["", None, 3],
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
    assert isinstance(first, Response)
    assert first.response == second.response and first.eval_count <= 8


@pytest.mark.parametrize(
    ("settings", "prompt", "image", "message"),
    [
        ({}, PROMPT, "AAAA", "'abacus' has no eyes"),
        ({}, "apple " * 5000, None, "does not fit into num_ctx="),
        ({"num_ctx": 8}, "one two three " * 9, None, "does not fit into num_ctx=8 "),
        ({"repeat_penalty": 1.1}, PROMPT, None, "refuses .*repeat_penalty=1.1"),
    ],
)
def test_abacus_says_what_it_cannot_do(settings, prompt, image, message):
    with pytest.raises(LLMError, match=message):
        LLMGen("abacus", **settings)(prompt, image)


def test_a_mistake_in_a_call_of_abacus_is_not_blamed_on_a_server():
    with pytest.raises(TypeError):
        LLMGen("abacus").connection.generate([PROMPT], ["no seed"])


def test_the_module_is_light_to_import():
    heavy = "ollama httpx pydantic tqdm helpers.abacus"
    code = f"import sys, helpers.llm; print({{*{heavy.split()}}} & {{*sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "set()", run.stderr

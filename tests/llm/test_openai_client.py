"""OpenAI's completions: llama.cpp's own server, and one with vLLM's field names."""

import json
import pickle
import warnings

import pytest

pytest.importorskip("openai", reason="needs the extra `openai`")

from fake_ollama import BREAK, HANG  # noqa: E402
from fake_vllm import FakeVLLM  # noqa: E402
from real_weights import llama_server  # noqa: E402
from same_steps import same_steps  # noqa: E402

from helpers.abacus import Engine, write_gguf  # noqa: E402
from helpers.llm import (  # noqa: E402
    LLMError,
    LLMGen,
    derive_seed,
    has_states,
    next_tokens,
)
from helpers.llm.openai_wire import to_response  # noqa: E402
from helpers.problems import generate, prompt_of  # noqa: E402

PROMPT = "Question: How many?\nAnswer:\n"


@pytest.fixture
def server():
    with FakeVLLM() as server:
        yield server


def model(server, *args, **settings):
    return LLMGen("scripted", *args, host=f"{server.host}/v1", **settings)


def test_siblings_are_one_request_and_each_has_its_own_seed(server):
    llm = model(server)
    steps = llm.sample(PROMPT, 4, seed=7)
    (body,) = server.bodies("/v1/completions")
    first = derive_seed(7, PROMPT)
    assert (body["n"], body["seed"]) == (4, first)
    assert [s.text for s in steps] == [
        f"Sentence number {first + i}." for i in range(4)
    ]
    assert llm.sample(PROMPT, 2, seed=7) == steps[:2]


def test_a_step_by_hand(server):
    (step,) = model(server).sample(PROMPT, 1, seed=7)
    assert (step.tokens, step.logprob, step.reason) == (5, -1.0, "stop")


def test_what_is_sent(server):
    settings = {"temperature": 0.5, "top_k": 3, "min_p": 0.1, "repeat_penalty": 1.2}
    model(server, **settings, n=9, stop=["\n", "."]).sample(PROMPT, 1, seed=1)
    model(server).sample(PROMPT, 1, seed=1)
    bold, plain = server.bodies("/v1/completions")
    told = {"temperature": 0.5, "top_k": 3, "min_p": 0.1, "repetition_penalty": 1.2,
            "max_tokens": 9, "stop": ["\n", "."], "prompt": PROMPT}  # fmt: skip
    assert {name: bold[name] for name in told} == told
    # What is off is told as well: vLLM takes a model's own settings for what is not.
    off = {"top_k": -1, "top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0}
    assert {name: plain[name] for name in off} == off


@pytest.mark.parametrize(
    ("fields", "reason", "tokens"),
    [
        ({"stop_reason": None}, "end", 5),
        ({"finish_reason": "length", "stop_reason": None}, "length", 5),
        ({"finish_reason": None}, "length", 5),
    ],
)
def test_why_a_step_ended(fields, reason, tokens, server):
    server.fields = fields
    (step,) = model(server).sample(PROMPT, 1, seed=7)
    assert (step.reason, step.tokens) == (reason, tokens)


def test_the_likeliest_tokens(server):
    found = next_tokens(model(server), PROMPT)
    assert found == {" Sentence": pytest.approx(0.6065, abs=1e-4),
                     "x": pytest.approx(0.0821, abs=1e-4)}  # fmt: skip


def test_a_server_that_ignores_n_is_found_out_once_and_asked_singly():
    with FakeVLLM(ignores=["n"]) as server:
        llm = model(server)
        with pytest.warns(UserWarning, match="k of them take k requests"):
            steps = llm.sample(PROMPT, 3, seed=7)
        first = derive_seed(7, PROMPT)
        texts = [f"Sentence number {first + i}." for i in range(3)]
        assert [s.text for s in steps] == texts
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert llm.sample(PROMPT, 3, seed=7) == steps
        asked = server.bodies("/v1/completions")
        assert [body["n"] for body in asked] == [3, 1, 1, 1, 1, 1]
        assert [body["seed"] - first for body in asked] == [0, 1, 2, 0, 1, 2]


def test_a_server_that_draws_fewer_at_once(server):
    llm = model(server)
    full = 400, {"error": {"message": "Field 'n': must be between 1 <= value <= 2"}}
    server.script["/v1/completions"] += [full, full]
    steps = llm.sample(PROMPT, 9, seed=7)
    first = derive_seed(7, PROMPT)
    assert [s.text for s in steps] == [
        f"Sentence number {first + i}." for i in range(9)
    ]
    asked = [body["n"] for body in server.bodies("/v1/completions")]
    assert asked == [9, 4, 2, 2, 2, 2, 1]
    assert same_steps(llm.sample(PROMPT, 9, seed=7), steps)


def test_a_server_that_ignores_logprobs():
    with FakeVLLM(ignores=["logprobs"]) as server:
        with pytest.warns(UserWarning, match="no log-probabilities"):
            (step,) = model(server).sample(PROMPT, 1, seed=7)
        assert (step.logprob, step.tokens) == (None, 5)  # counted by `usage`


def test_without_logprobs_samples_are_counted_one_by_one():
    with FakeVLLM(ignores=["logprobs"]) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        steps = model(server).sample(PROMPT, 3, seed=7)
        assert [step.tokens for step in steps] == [5, 5, 5]
        first = derive_seed(7, PROMPT)
        assert [s.text for s in steps] == [
            f"Sentence number {first + i}." for i in range(3)
        ]


def test_a_recording_is_replayed_while_the_server_is_down(tmp_path):
    file = str(tmp_path / "answers.sqlite")
    with FakeVLLM() as server:
        host = f"{server.host}/v1"
        steps = LLMGen("scripted", host=host, record=file).sample(PROMPT, 2, seed=5)
    again = LLMGen("scripted", host=host, record=file)
    assert again.sample(PROMPT, 2, seed=5) == steps


def test_a_key_is_never_shown(server, monkeypatch):
    for key in ("sk-secret\nsecond", "sk-secret\u00e9"):
        monkeypatch.setenv("OPENAI_API_KEY", key)
        with pytest.raises(LLMError, match="cannot be sent") as error:
            model(server)
        assert error.value.kind == "key" and "secret" not in str(error.value)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    told = 401, {"error": {"message": "Incorrect API key provided: Bearer sk-secret"}}
    server.script["/v1/models"].append(told)
    with pytest.raises(LLMError, match="Incorrect API key") as error:
        model(server)
    assert "secret" not in str(error.value)


def test_the_engine_is_that_of_the_model():
    rows = [{"id": x, "owned_by": y} for x, y in
            [("a", ["odd"]), ("other", "sglang"), ("scripted", "vllm")]]  # fmt: skip
    with FakeVLLM() as server:
        server.script["/v1/models"] += [(200, {"data": rows})] * 4
        llm = model(server)
        assert llm.connection.identity.engine == "vllm"


def test_tokens_that_are_held_back_end_nothing():
    """As llama-server tells '\\nh\\ni', with "\\n\\n" to stop at."""
    tokens = [{"token": t, "logprob": -1.0, "top_logprobs": []}
              for t in ("", "\nh", "", "\ni")]  # fmt: skip
    choice = {
        "text": "\nh\ni",
        "finish_reason": "stop",
        "logprobs": {"content": tokens},
    }
    found = to_response(choice, {"completion_tokens": 6}, 1, 0, ["\n\n"])
    assert (found.eval_count, len(found.logprobs)) == (6, 4)
    assert found.done_reason == "stop"
    ended = {**choice, "logprobs": {"content": [*tokens, tokens[0]]}}
    found = to_response(ended, {}, 2, 0, ["\n"])
    assert (found.eval_count, len(found.logprobs), found.done_reason) == (5, 4, "end")


def test_a_server_that_counts_nothing_keeps_no_budget():
    from helpers.env import GSM8KEnv
    from helpers.search import greedy

    with FakeVLLM(ignores=["logprobs", "usage"]) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env = GSM8KEnv(llm_gen=model(server))
        env.reset(seed=0)
        with pytest.raises(LLMError, match="counted no tokens"):
            greedy(env, env.llm_gen, budget=100)


# llama.cpp's own server, with abacus in it


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    pytest.importorskip("gguf")
    pytest.importorskip("xllamacpp", reason="needs the extra `gguf`")
    path = tmp_path_factory.mktemp("openai") / "abacus.gguf"
    write_gguf(Engine(), path, 32)
    return path


@pytest.fixture(scope="module")
def llama(file):
    """The address of OpenAI's interface of a llama-server."""
    with llama_server(file) as host:
        yield host


@pytest.fixture(scope="module")
def name(llama):
    import httpx

    told = httpx.get(f"{llama}/models").json()["data"][0]["id"]
    assert told.endswith("/abacus.gguf")  # a path, which stands in no record
    return "abacus.gguf"


def test_the_same_samples_as_in_this_process(file, llama, name):
    """One engine, reached in two ways, and the same seeds."""
    here, there = LLMGen(str(file)), LLMGen(name, host=llama)
    for problem in generate("test", 6):
        steps = [x.sample(prompt_of(problem), 3, seed=2) for x in (here, there)]
        assert same_steps(*steps)
        greedy = [x.at_temperature(0).sample(prompt_of(problem), 1, seed=0)
                  for x in (here, there)]  # fmt: skip
        assert same_steps(*greedy)


def test_stops_and_the_end_of_a_text(llama, name):
    llm = LLMGen(name, 0, host=llama, n=200, stop=["Question:"])
    prompt = prompt_of(generate("test", 1)[0])
    (whole,) = llm.sample(prompt, 1, seed=0)
    assert whole.reason == "stop" and "The answer is" in whole.text
    cut = LLMGen(name, 0, host=llama, n=200, stop=["Question:", "answer"])
    (step,) = cut.sample(prompt, 1, seed=0)
    assert step.reason == "stop" and whole.text.startswith(step.text)
    assert 0 < step.tokens < whole.tokens


def test_a_llama_server_refuses_what_is_too_long(llama, name):
    llm = LLMGen(name, host=llama)
    with pytest.raises(LLMError, match="num_ctx=1024 tokens .it has 9001") as error:
        llm.sample("12345678 " * 1000, 1, seed=0)
    assert error.value.kind == "context"
    assert llm.sample(PROMPT, 1, seed=0)


def test_the_engine_and_the_template_of_a_llama_server(llama, name):
    llm = LLMGen(name, host=llama)
    assert llm.connection.provenance()["engine"] == "llama.cpp"
    told = llm.connection.info["model_info"]["tokenizer.chat_template"]
    assert told is None or isinstance(told, str)


# Failures


def test_nobody_answers():
    with pytest.raises(LLMError, match="No server answers at .*vllm serve") as error:
        LLMGen("scripted", host="http://127.0.0.1:1/v1")
    assert error.value.kind == "unreached"


def test_a_model_that_is_not_there(server):
    with pytest.raises(LLMError, match="no model 'other' .it has scripted") as error:
        LLMGen("other", host=f"{server.host}/v1")
    assert error.value.kind == "unknown"


def test_a_prompt_that_is_too_long_and_a_client_that_stays_usable(server):
    llm = model(server, num_ctx=4096)
    with pytest.raises(LLMError, match="does not fit.*maximum context") as error:
        llm.sample("many " * 5000, 1, seed=0)
    assert error.value.kind == "context"
    assert llm.sample(PROMPT, 1, seed=0)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ((400, {"error": {"message": "bad min_p"}}), "request"),
        ((500, {"error": {"message": "CUDA out of memory"}}), "broken"),
        ((200, b"<html>"), "no_openai"),
        ((200, {"choices": 3}), "no_openai"),
        ((200, {"choices": []}), "no_openai"),
        ((200, {"choices": [{"text": 3}]}), "no_openai"),
        ((307, b"", "text/plain", {"Location": "http://u:secret@x/"}), "redirect"),
        (BREAK, "unreached"),
    ],
)
def test_answers_that_are_none(said, kind, server):
    llm = model(server)
    server.script["/v1/completions"].append(said)
    with pytest.raises(LLMError) as error:
        llm.sample(PROMPT, 1, seed=0)
    assert error.value.kind == kind and "secret" not in str(error.value)
    assert llm.sample(PROMPT, 1, seed=0)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(status, server, monkeypatch):
    monkeypatch.setattr("helpers.llm.connection.BACKOFF", (0.0, 0.0))
    llm = model(server)
    busy = status, {"error": {"message": "queue is full"}}
    server.script["/v1/completions"] += [busy, busy]
    assert llm.sample(PROMPT, 1, seed=0)
    server.script["/v1/completions"] += [busy] * 3
    with pytest.raises(LLMError, match="busy"):
        llm.sample(PROMPT, 1, seed=0)


def test_a_time_out(server):
    llm = model(server, timeout=0.2)
    server.script["/v1/completions"].append(HANG)
    with pytest.raises(LLMError, match="within timeout=0.2 seconds") as error:
        llm.sample(PROMPT, 1, seed=0)
    assert error.value.kind == "timeout"


def test_keys(monkeypatch):
    with FakeVLLM(key="open sesame") as server:
        with pytest.raises(LLMError, match="Set OPENAI_API_KEY") as error:
            model(server)
        assert error.value.kind == "key"
        monkeypatch.setenv("OPENAI_API_KEY", "wrong key")
        with pytest.raises(LLMError) as error:
            model(server)
        assert "wrong key" not in str(error.value)
        monkeypatch.setenv("OPENAI_API_KEY", "open sesame")
        llm = model(server)
        assert llm.sample(PROMPT, 1, seed=0)
        assert b"sesame" not in pickle.dumps(llm)
        assert "sesame" not in json.dumps(llm.connection.provenance())


def test_it_goes_to_another_process_and_is_opened_there(server):
    llm = model(server)
    there = pickle.loads(pickle.dumps(llm))
    assert there.sample(PROMPT, 2, seed=3) == llm.sample(PROMPT, 2, seed=3)


def test_pictures_and_states_are_refused(server):
    llm = model(server)
    with pytest.raises(LLMError, match="no eyes"):
        llm(PROMPT, image="aGk=")
    assert not has_states(llm)


def test_several_addresses_of_openai_are_refused(server):
    with pytest.raises(LLMError, match="Type it alone"):
        LLMGen("scripted", host=f"{server.host}/v1,{server.host}/v1/")


def test_a_recording_is_replayed_without_a_server(tmp_path):
    file = str(tmp_path / "answers.sqlite")
    with FakeVLLM() as server:
        steps = model(server, record=file).sample(PROMPT, 3, seed=5)
        host = f"{server.host}/v1"
    again = LLMGen("scripted", host=host, record=file, replay_only=True)
    assert again.sample(PROMPT, 3, seed=5) == steps
    assert again.sample(PROMPT, 2, seed=5) == steps[:2]


def test_the_package_is_missing(server, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openai", None)
    with pytest.raises(LLMError, match=r'openai is missing.*".\[openai\]"'):
        model(server)


def test_which_model_it_is(server):
    found = model(server).connection.provenance()
    assert found["engine"] == found["server"] == "vllm" and found["digest"] is None

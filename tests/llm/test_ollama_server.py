"""What goes over the wire to the engine inside Ollama, what comes back, and what fails:
the genuine client on `OllamaServer`, with the weights in 16 bits."""

import threading
from types import SimpleNamespace

import numpy as np
import ollama
import pytest

pytest.importorskip("gguf")
pytest.importorskip("xllamacpp", reason="needs the extra `test`, on x86-64 or a Mac")

from ollama_server import REPEATED, OllamaServer  # noqa: E402

from helpers.abacus import Config, Engine, init_params, write_gguf  # noqa: E402
from helpers.llm import (  # noqa: E402
    LLMError,
    LLMGen,
    Step,
    connection,
    derive_seed,
    embed,
    has_states,
    next_tokens,
)
from helpers.wire import Response  # noqa: E402

NAME = "abacus:latest"
PROMPT = "Question: Tom has 3 apples and buys 4. How many?\nAnswer:\n"
ENGINE = Engine()
OPTIONS = {
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": 0,
    "min_p": 0.0,
    "num_ctx": 1024,
    "repeat_penalty": 1.0,
    "num_predict": 128,
    "stop": ["\n"],
}


@pytest.fixture(scope="module")
def modelfile(tmp_path_factory):
    return write_gguf(ENGINE, tmp_path_factory.mktemp("gguf") / "abacus.gguf")


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(connection, "BACKOFF", (0.0,))


@pytest.fixture
def server(modelfile):
    with OllamaServer() as opened:
        opened.create("abacus", modelfile)
        yield opened


@pytest.fixture
def llm(server):
    return LLMGen(NAME, host=server.host, seed=1)


# The exact JSON of each call


def request(prompt, seed, **changes):
    options = OPTIONS | changes.pop("options", {}) | {"seed": seed}
    fixed = {"model": NAME, "raw": True, "think": False, "stream": False}
    fixed |= {"truncate": False, "shift": False}
    return fixed | {"prompt": prompt, "logprobs": True, "options": options} | changes


def test_the_exact_json_of_every_call(server, llm):
    who = [("/api/show", {"model": NAME}), ("/api/version", {}), ("/api/tags", {})]
    assert server.requests == [who[0], *who]
    server.requests.clear()
    llm.sample(PROMPT, 2, seed=5)
    llm(PROMPT)
    next_tokens(llm, PROMPT)
    llm.at_temperature(0)("x")
    seeds = [derive_seed(5, PROMPT, i) for i in range(2)]
    likeliest = {"num_predict": 1, "temperature": 0, "stop": []}
    assert server.requests == [
        ("/api/generate", request(PROMPT, seeds[0])),
        ("/api/generate", request(PROMPT, seeds[1])),
        ("/api/generate", request(PROMPT, 1)),
        ("/api/generate", request(PROMPT, 0, options=likeliest, top_logprobs=20)),
        ("/api/generate", request("x", 1, options={"temperature": 0})),
    ]
    server.requests.clear()
    llm.connection.provenance()
    with pytest.raises(LLMError):
        embed(llm, ["x", "y"])
    assert server.requests == [
        *who,
        ("/api/embed", {"model": NAME, "input": ["x", "y"], "truncate": False}),
    ]


def test_a_missing_model_is_pulled(modelfile, capsys):
    with OllamaServer() as server:
        server.registry["abacus:latest"] = modelfile
        llm = LLMGen(NAME, host=server.host, seed=1)
        asked = [path for path, _ in server.requests]
        assert asked[:3] == ["/api/show", "/api/pull", "/api/show"]
        pull = {"model": NAME, "stream": True}
        assert server.bodies("/api/pull") == [pull]
        assert llm.sample(PROMPT, 1)
        with pytest.raises(LLMError, match="file does not exist.*ollama list"):
            LLMGen("nobody", host=server.host)


def test_the_parameters_of_the_modelfile_count_where_nothing_else_is_said(
    server, modelfile, tmp_path
):
    """abacus's own has no stop string, so that `ollama run` writes a whole solution."""
    client, cold = ollama.Client(server.host), {"temperature": 0}
    whole = client.generate("abacus", PROMPT, raw=True, options=cold)
    assert whole.response.startswith("Tom has 3*4 = 12 apples.\n")
    assert "\nThe answer is" in whole.response and whole.done_reason == "stop"
    assert server.loaded[1:] == (1024, 1)  # num_ctx as the file allows, one thread
    other, weights = tmp_path / "Modelfile", modelfile.parent / "abacus.gguf"
    lines = [f"FROM {weights}", 'PARAMETER stop "."', "PARAMETER num_ctx 512"]
    other.write_text("\n".join(lines), encoding="utf-8")
    server.create("brief", other)
    brief = client.generate("brief", PROMPT, raw=True, options=cold)
    assert brief.response == "Tom has 3*4 = 12 apples"
    assert server.loaded[1:] == (512, 0)
    more = client.generate("brief", PROMPT, raw=True, options=cold | {"stop": ["="]})
    assert more.response == "Tom has 3*4 "


# Prefixes and slots


def test_the_prompt_is_evaluated_once_for_all_samples(server, llm):
    length = len(ENGINE.encode(PROMPT))
    llm.sample(PROMPT, 8)
    assert [t["prompt_n"] for t in server.timings] == [length] + [1] * 7
    server.timings.clear()
    line = "Tom has 3+4 = 7 apples.\n"
    llm.sample(PROMPT + line, 8)  # the next state: only its last sentence is new
    new = len(ENGINE.tokenizer.encode(line))
    first, *others = [t["prompt_n"] for t in server.timings]
    assert first <= new + 1 and others == [1] * 7
    assert server.loads == 1


@pytest.mark.parametrize("slots", [2, 4])
def test_the_prompt_is_evaluated_once_a_slot(slots, modelfile, monkeypatch):
    monkeypatch.setenv("OLLAMA_NUM_PARALLEL", str(slots))
    with OllamaServer(slots) as server:
        server.create("abacus", modelfile)
        LLMGen(NAME, host=server.host, seed=1).sample(PROMPT, 16)
        evaluated = [t["prompt_n"] for t in server.timings]
        assert len(evaluated) == 16
        assert 1 <= sum(n > 1 for n in evaluated) <= slots


def test_more_requests_than_slots_wait(modelfile, monkeypatch):
    monkeypatch.setenv("OLLAMA_NUM_PARALLEL", "8")
    with OllamaServer(slots=2) as server:
        server.create("abacus", modelfile)
        steps = LLMGen(NAME, host=server.host, seed=1).sample(PROMPT, 16)
        assert len(steps) == 16 and server.most_at_once <= 2


class Meeting(OllamaServer):
    """Answers a request only when three more have come."""

    def complete(self, *request):
        self.barrier.wait(timeout=60)
        return super().complete(*request)


def test_samples_run_side_by_side(modelfile, monkeypatch):
    monkeypatch.setenv("OLLAMA_NUM_PARALLEL", "4")
    with Meeting(slots=4) as server:
        server.barrier = threading.Barrier(4)
        server.create("abacus", modelfile)
        steps = LLMGen(NAME, host=server.host, seed=1, n=4).sample(PROMPT, 8)
    assert len(steps) == 8 and not server.barrier.broken


@pytest.mark.parametrize(
    ("told", "hosts", "slots"),
    [
        (None, 1, 1), ("4", 1, 4), ("4", 3, 12), (None, 2, 2),
        ("", 1, 1), ("0", 1, 1), ("many", 1, 1), ("-2", 1, 1), (' "4" ', 1, 4),
        ("9" * 5000, 1, 1), ("99", 2, 100),
    ],
)  # fmt: skip
def test_how_many_requests_are_under_way(told, hosts, slots, server, monkeypatch):
    if told is not None:
        monkeypatch.setenv("OLLAMA_NUM_PARALLEL", told)
    llm = LLMGen(NAME, host=", ".join([server.host] * hosts + [""] * (hosts > 1)))
    assert llm.connection.parallel == slots


def test_other_runner_options_load_the_model_again(server, llm):
    for context in (1024, 512, 512):
        llm.connection.with_options(num_ctx=context).generate([PROMPT], [1])
    assert server.loads == 2


# What comes back


def test_a_step_is_told_without_the_token_that_ended_it(server, llm):
    raw = llm.at_temperature(0)(PROMPT)
    assert raw.response == "Tom has 3*4 = 12 apples."
    assert raw.eval_count == len(raw.logprobs) + 1 == 14
    assert "".join(token.token for token in raw.logprobs) == raw.response
    assert raw.prompt_eval_count == len(ENGINE.encode(PROMPT))


def test_zeros_are_left_out(server, llm):
    said = ollama.Client(server.host).generate("abacus", "", raw=True)
    assert said.eval_count is None and said.prompt_eval_count is None
    assert llm.connection.client.generate("abacus", "") == Response(done_reason="load")


def test_an_older_server_knows_no_log_probabilities(server, llm):
    server.knows_logprobs = False
    assert all(step.logprob is None and step.tokens for step in llm.sample(PROMPT, 3))
    with pytest.raises(ValueError, match="Update Ollama to 0.12.11"):
        next_tokens(llm, PROMPT)


def test_what_an_older_server_does_by_default_changes_nothing(server, llm):
    """Until 0.32.9 the default repeat_penalty was 1.1; every option is sent."""
    wanted = llm.sample(PROMPT, 6)
    server.defaults |= {"repeat_penalty": 1.1, "temperature": 0.1, "top_k": 1}
    assert llm.sample(PROMPT, 6) == wanted


# What fails


def refusal(llm, prompt):
    with pytest.raises(LLMError) as error:
        llm.sample(prompt, 1, seed=0)
    return error.value.kind, str(error.value)


SCRIPTS = {  # few bytes per token, and many
    "words": "Tom has 12 apples. ",
    "digits": "31415926535897932384",
    "a times table": "7 x 8 = 56\n",
    "equations": "<<3+4=7>>",
    "Hindi": "टॉम के पास 3 सेब हैं। ",
    "Chinese": "汤姆有三个苹果。",
}


def text_of(script, tokens):
    """A prompt of so many tokens, the one that begins every text included."""
    ids = ENGINE.tokenizer.encode(script * tokens)[: tokens - 1]
    text = ENGINE.tokenizer.decode(ids)
    return text if "\ufffd" not in text else text_of(script, tokens - 1)


@pytest.fixture(scope="module", params=["0.24.0", "0.33.0"])
def roomy(request, tmp_path_factory):
    """A server with a model of random parameters that has room for 4,096 tokens."""
    config = Config(width=32, layers=1, heads=2, hidden=64, context=4096)
    params = init_params(config, np.random.default_rng(0))
    engine = SimpleNamespace(config=config, params=params, tokenizer=ENGINE.tokenizer)
    file = tmp_path_factory.mktemp("roomy") / "roomy.gguf"
    with OllamaServer(version=request.param) as server:
        server.create("roomy", write_gguf(engine, file))
        yield server


@pytest.mark.parametrize("context", [512, 1024, 2048, 4096])
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_prompt_that_is_too_long_is_refused_and_no_other(roomy, context, script):
    """The server counts its tokens; nobody guesses."""
    llm = LLMGen("roomy", host=roomy.host, num_ctx=context, n=4)
    whole = text_of(SCRIPTS[script], context - 8)
    assert llm.sample(whole, 1, seed=0)[0].tokens
    # About what is left where a server cuts to half: it was not cut.
    assert llm.sample(text_of(SCRIPTS[script], context // 2 + 3), 1, seed=0)
    for tokens in (context + 8, context + context // 2, 3 * context):
        prompt = text_of(SCRIPTS[script], tokens)
        kind, said = refusal(llm, prompt)
        assert kind == "context" and f"num_ctx={context} " in said
        if roomy.version == "0.33.0":
            assert f"it has {len(ENGINE.encode(prompt))} tokens" in said


@pytest.mark.parametrize(("cuts", "left"), [("half", 256 - 125), ("tail", 256)])
@pytest.mark.parametrize("words", [300, 1200, 5000])
def test_what_an_older_server_cuts_is_guessed(cuts, left, words, modelfile):
    """Kept are num_keep and the first token, 5, and half or all of the rest."""
    with OllamaServer(version="0.12.5") as server:
        server.cuts, server.knows_truncate = cuts, False
        server.create("abacus", modelfile)
        llm = LLMGen(NAME, host=server.host, num_ctx=256)
        prompt = "Tom has 12 apples. " * words
        options = {"num_ctx": 256, "num_predict": 5}
        raw = ollama.Client(server.host).generate(
            NAME, prompt, raw=True, options=options
        )
        assert raw.prompt_eval_count == left
        kind, said = refusal(llm, prompt)
        assert kind == "context" and "a part was cut off" in said


def nearly_full():
    """A prompt of 240 tokens and the one that begins every text."""
    return text_of("Tom has 12 apples. ", 241)


def test_a_prompt_that_just_fits_is_not_taken_for_cut(server):
    llm = LLMGen(NAME, host=server.host, num_ctx=256, n=8, temperature=0)
    assert len(llm.sample(nearly_full(), 2)) == 2


def test_a_step_that_fills_the_context_ends_there(server):
    """The context does not slide, so no step loses sight of its prompt."""
    llm = LLMGen(NAME, host=server.host, num_ctx=256, n=60, stop="@", temperature=0)
    raw = llm.connection.request(nearly_full(), 0)
    assert raw.done and raw.prompt_eval_count + raw.eval_count <= 257
    (step,) = llm.sample(nearly_full(), 1)
    assert step.reason == "length" and 10 < step.tokens < 20


def test_a_server_that_ignores_the_stop(server, llm):
    """What it writes too much is cut off, and is paid for."""
    wanted = llm.at_temperature(0).sample(PROMPT, 1)[0]
    server.ignores_stop = True
    with pytest.warns(UserWarning, match="writes on after the stop"):
        (found,) = llm.at_temperature(0).sample(PROMPT, 1)
    assert (found.text, found.reason) == (wanted.text, "stop")
    assert found.logprob == pytest.approx(wanted.logprob, abs=1e-3)
    assert found.tokens > wanted.tokens


def test_the_end_of_a_text_has_one_name(modelfile, monkeypatch):
    found = []
    for version in ("0.24.0", "0.33.0"):
        with OllamaServer(version=version) as server:
            server.create("abacus", modelfile)
            line = PROMPT + "Tom has 3+4 = 7 apples."
            found.append(next_tokens(LLMGen(NAME, host=server.host), line))
    own = next_tokens(LLMGen("abacus"), line)
    for listed in found:
        assert listed[""] == pytest.approx(own[""], rel=0.1)
        assert "<|endoftext|>" not in listed


def test_a_model_that_repeats_itself(server):
    """Newer servers stop it with an error, some older ones without a word."""
    llm = LLMGen(NAME, host=server.host, temperature=0, n=60, stop="no such text")
    prompt = "1" * 40
    assert "22222" in llm(prompt).response
    server.repeat_limit = 3
    (step,) = llm.sample(prompt, 1)
    assert step == Step("", 0, None, "length")
    with pytest.raises(ollama.ResponseError, match=REPEATED) as error:
        ollama.Client(server.host).generate(
            "abacus", prompt, raw=True, options=llm.connection.options
        )
    assert error.value.status_code == 500
    server.gives_up_quietly = True
    (step,) = llm.sample(prompt, 1)
    assert step.reason == "length" and step.tokens == 0


def test_a_busy_server_is_asked_again(server, llm):
    busy = (
        503,
        {"error": "server busy, please try again.  maximum pending requests exceeded"},
    )
    server.script["/api/generate"].append(busy)
    assert len(llm.sample(PROMPT, 2)) == 2
    server.script["/api/generate"].extend([busy] * 9)
    assert refusal(llm, PROMPT)[0] == "busy"


@pytest.mark.parametrize(
    ("call", "status", "said"),
    [
        (lambda c: c.generate("nobody", PROMPT), 404, "model 'nobody' not found"),
        (
            lambda c: c.generate("abacus", PROMPT, logprobs=True, top_logprobs=21),
            400,
            "0 and 20",
        ),
        (lambda c: c.generate("abacus", PROMPT, think=True), 400, "thinking"),
        (lambda c: c.embed("abacus", ["x"]), 501, "does not support embeddings"),
        (lambda c: c.chat("nobody", []), 404, "model 'nobody' not found"),
    ],
)
def test_what_the_server_refuses(server, call, status, said):
    with pytest.raises(ollama.ResponseError, match=said) as error:
        call(ollama.Client(server.host))
    assert error.value.status_code == status


def test_since_0_30_only_embedding_models_embed(server, llm, modelfile, tmp_path):
    """A file that names a pooling type is started as such, and then writes nothing."""
    with pytest.raises(LLMError, match='0.30.*use=."arithmetic", "plain".') as error:
        embed(llm, ["x"])
    assert error.value.kind == "states" and not has_states(llm)
    server.script["/api/embed"].append((500, {"error": "out of memory"}))
    with pytest.raises(LLMError, match="out of memory"):
        has_states(llm)
    server.script["/api/generate"].append((501, {"error": "no image input"}))
    assert refusal(llm, PROMPT)[0] == "other"
    recorded = dict(host=server.host, record=str(tmp_path / "answers.sqlite"))
    assert not has_states(LLMGen(NAME, **recorded))
    assert not has_states(LLMGen(NAME, **recorded, replay_only=True))
    with OllamaServer(embeddings=True) as other:
        other.create("abacus", modelfile)
        assert has_states(there := LLMGen(NAME, host=other.host))
        found = embed(there, [PROMPT, "x"])
        own = embed(LLMGen("abacus"), [PROMPT, "x"])
        for a, b in zip(found, own, strict=True):  # unit vectors of the same direction
            assert a @ b / (b @ b) ** 0.5 == pytest.approx(1, abs=1e-3)
        with pytest.raises(ollama.ResponseError, match="does not support generate"):
            ollama.Client(other.host).generate("abacus", PROMPT)

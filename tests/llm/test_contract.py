"""One contract for every way to a model, with the same weights behind each: abacus.

The ways: embedded, a GGUF file in this process, the stand-in for an Ollama server, and
llama.cpp's own server, which speaks OpenAI's completions. With real weights the same is
asked by `make test-real`.
"""

import _thread
import pickle
import signal
import subprocess
import sys
import threading

import pytest

pytest.importorskip("gguf")
pytest.importorskip("xllamacpp", reason="needs the extra `gguf`")

from ollama_server import OllamaServer  # noqa: E402
from real_weights import llama_server  # noqa: E402
from same_steps import same_steps  # noqa: E402

from helpers.abacus import Engine, write_gguf  # noqa: E402
from helpers.llm import LLMError, LLMGen, derive_seed, next_tokens  # noqa: E402
from helpers.problems import generate, prompt_of  # noqa: E402

PROMPT = prompt_of(generate("test", 1)[0])
WAYS = ["abacus", "file", "ollama", "openai"]


@pytest.fixture(scope="module")
def modelfile(tmp_path_factory):
    return write_gguf(Engine(), tmp_path_factory.mktemp("ways") / "abacus.gguf", 32)


@pytest.fixture(scope="module")
def file(modelfile):
    return modelfile.parent / "abacus.gguf"


@pytest.fixture(scope="module")
def ollama(modelfile):
    with OllamaServer(slots=2) as server:
        server.create("ours", modelfile)
        yield server.host


@pytest.fixture(scope="module")
def openai(file):
    pytest.importorskip("openai", reason="needs the extra `openai`")
    with llama_server(file, slots=8) as host:
        yield host


@pytest.fixture(params=WAYS)
def typed(request):
    """What a reader types: a model, and where it is."""
    way = request.param
    if way == "abacus":
        return "abacus", {}
    if way == "file":
        return str(request.getfixturevalue("file")), {}
    if way == "ollama":
        return "ours", {"host": request.getfixturevalue("ollama")}
    return "abacus.gguf", {"host": request.getfixturevalue("openai")}


@pytest.fixture
def make(typed):
    name, place = typed
    return lambda *args, **settings: LLMGen(name, *args, **settings, **place)


def test_counts_and_log_probabilities(make):
    for step in make(n=12).sample(PROMPT, 6, seed=1):
        assert 0 < step.tokens <= 12 and "\n" not in step.text
        assert not step.text or step.logprob <= 0


def test_the_same_seed_is_the_same_text_and_another_is_another(make):
    llm = make()
    assert same_steps(llm.sample(PROMPT, 4, seed=2), llm.sample(PROMPT, 4, seed=2))
    texts = {step.text for seed in range(6) for step in llm.sample(PROMPT, 4, seed)}
    assert len(texts) > 1


def test_k_samples_are_the_first_of_more(make):
    llm = make()
    assert same_steps(llm.sample(PROMPT, 3, seed=3), llm.sample(PROMPT, 9, seed=3)[:3])


def test_greedy_is_the_same_in_every_way(make):
    (step,) = make(0).sample(PROMPT, 1, seed=0)
    (own,) = LLMGen("abacus", 0).sample(PROMPT, 1, seed=0)
    assert (step.text, step.tokens) == (own.text, own.tokens)
    assert step.logprob == pytest.approx(own.logprob, abs=0.02)


def test_one_stop_and_several(make):
    whole = make(0, n=60, stop="Question:")(PROMPT).response
    assert "\n" in whole and "=" in whole
    cut = make(0, n=60, stop=["=", "\n", "Question:"])(PROMPT)
    assert cut.response == whole.partition("=")[0] and cut.done_reason == "stop"


def test_a_step_that_is_cut_says_so(make):
    (step,) = make(0, n=3).sample(PROMPT, 1, seed=0)
    assert (step.tokens, step.reason) == (3, "length")


def test_a_long_prompt_is_refused_and_the_model_stays_usable(make):
    llm = make()
    with pytest.raises(LLMError) as error:
        llm.sample("12345678 " * 400, 1, seed=0)
    assert error.value.kind == "context" and "tokens" in str(error.value)
    assert llm.sample(PROMPT, 1, seed=0)[0].text


def test_the_likeliest_tokens(make):
    found, own = next_tokens(make(), PROMPT), next_tokens(LLMGen("abacus"), PROMPT)
    best = max(own, key=own.get)
    assert found[best] == pytest.approx(own[best], abs=0.01)


def test_it_goes_to_another_process(make):
    llm = make()
    there = pickle.loads(pickle.dumps(llm))
    assert same_steps(there.sample(PROMPT, 2, seed=4), llm.sample(PROMPT, 2, seed=4))


def test_an_interrupt_ends_it_within_a_step_and_leaves_it_usable(make, monkeypatch):
    """The interrupt comes while the model is asked."""
    llm = make(n=40)
    wanted = llm.sample(PROMPT, 2, seed=5)
    client = llm.connection.client
    for name in {"generate", "generate_many"} & {*dir(type(client))}:
        monkeypatch.setattr(client, name, interrupted(getattr(client, name)))
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            llm.sample(PROMPT, 2, seed=derive_seed(5, "other"))
            threading.Event().wait(20)  # it comes when Python runs again
    finally:
        signal.signal(signal.SIGINT, usual)
        monkeypatch.undo()
    assert same_steps(llm.sample(PROMPT, 2, seed=5), wanted)


def interrupted(call):
    """A call that Ctrl-C comes into."""

    def ask(*args, **settings):
        _thread.interrupt_main()
        return call(*args, **settings)

    return ask


def test_nothing_is_printed(typed):
    """The engine's own log reaches no notebook."""
    name, place = typed
    lines = f"""
from helpers.llm import LLMGen
LLMGen({name!r}, **{place!r}).sample({PROMPT!r}, 2, seed=0)
"""
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

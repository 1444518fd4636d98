"""Real, pre-trained weights, reached in three ways: `make test-real`.

The file is that which REAL_MODEL names, or SmolLM2 (135 million parameters), which
`../shared/real_models/get` fetches where it is there. The ways are a GGUF file in this
process, the stand-in for an Ollama server, and llama.cpp's own server, which speaks
OpenAI's completions.
"""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.real
pytest.importorskip("gguf")
pytest.importorskip("xllamacpp", reason="needs the extra `gguf`")
pytest.importorskip("openai", reason="needs the extra `openai`")

from ollama_server import OllamaServer  # noqa: E402
from real_weights import find_weights, llama_server  # noqa: E402

from helpers.env import GSM8KEnv, Problem  # noqa: E402
from helpers.llm import LLMError, LLMGen, next_tokens  # noqa: E402
from helpers.problems import generate  # noqa: E402

QUESTIONS = [row["question"] for row in generate("test", 6)]
PROMPTS = [f"Question: {question}\nAnswer:\n" for question in QUESTIONS]


@pytest.fixture(scope="module")
def weights():
    return find_weights()


@pytest.fixture(scope="module")
def served(weights, tmp_path_factory):
    modelfile = tmp_path_factory.mktemp("real") / "Modelfile"
    modelfile.write_text(f"FROM {weights}\n", encoding="utf-8")
    with OllamaServer() as server:
        server.create("real", modelfile)
        server.defaults["num_thread"] = 1
        yield server


@pytest.fixture(scope="module")
def openai_host(weights):
    """The address of a llama-server's completions."""
    with llama_server(weights, context=2048) as host:
        yield host


WAYS = ["file", "ollama", "openai"]


@pytest.fixture(params=WAYS)
def make(request):
    """A function that makes a model, one way."""
    return maker(request.param, request.getfixturevalue)


def maker(way, fixture):
    name, place = str(fixture("weights")), {}
    if way == "ollama":
        own = LLMGen(name).form.chat  # which the stand-in does not tell
        name, place = "real", {"host": fixture("served").host}
        if own and "<|im_start|>" in own.template:
            place["chat"] = "chatml"
    if way == "openai":
        name, place = Path(name).name, {"host": fixture("openai_host")}
    return lambda *args, **settings: LLMGen(name, *args, **settings, **place)


def test_all_ways_write_the_same(request):
    """Greedy, one sentence; where two tokens are as good as equally likely, a text may
    go either way."""
    makers = [maker(way, request.getfixturevalue) for way in WAYS]
    here, *others = [make(temperature=0, n=24) for make in makers]
    for there in others:
        equal = 0
        for prompt in PROMPTS:
            (a,), (b,) = here.sample(prompt, 1, seed=0), there.sample(prompt, 1, seed=0)
            if a.text == b.text:
                equal += 1
                assert a.tokens == b.tokens
                assert a.logprob == pytest.approx(b.logprob, abs=0.1)
        assert equal >= len(PROMPTS) - 2


def test_markup_is_read_as_tokens_and_what_looks_like_it_in_a_question_is_not(make):
    """Counted by the engine: a mark of the chat is one token."""
    llm = make(n=1)
    if llm.form.chat is None:
        pytest.skip("this model has no chat template")

    def size(text):
        return llm(text).prompt_eval_count

    turn = llm.form.chat.open_turn([{"role": "user", "content": "x"}])
    mark = re.findall(r"<[^<>\s]+>", turn)[0]
    more = size(f"x{mark}y") - size("xy")
    assert more <= 2
    harmless = llm.form.chat.open_turn([{"role": "user", "content": f"x{mark}y"}])
    assert harmless.count(mark) == turn.count(mark)
    assert size(harmless) > size(turn) + more + 1


def test_a_problem_is_solved_in_an_open_turn(make):
    llm = make(0, n=48)
    if llm.form.chat is None:
        pytest.skip("this model has no chat template")
    assert llm.form.name == "boxed"
    env = GSM8KEnv(Problem(QUESTIONS[0], "1"), llm, max_steps=4)
    env.reset(seed=0)
    while env.legal_actions:
        env.step(env.legal_actions[0].text)
    assert env.ended and env.state.startswith(env.prompt)
    assert env.prompt.count(QUESTIONS[0]) == 1


def test_samples_repeat_and_are_the_first_of_more(make):
    llm = make(n=16)
    found = [step.text for step in llm.sample(PROMPTS[0], 4, seed=1)]
    assert found == [step.text for step in llm.sample(PROMPTS[0], 4, seed=1)]
    assert found[:2] == [step.text for step in llm.sample(PROMPTS[0], 2, seed=1)]
    assert len({*found}) > 1


def test_counts_and_log_probabilities(make):
    for step in make(n=16).sample(PROMPTS[0], 4, seed=2):
        assert 0 < step.tokens <= 16 and "\n" not in step.text
        assert not step.text or step.logprob < 0


def test_stops_one_and_several(make):
    whole = make(0, n=40, stop="no such text")(PROMPTS[0]).response
    letter = next(c for c in whole[5:] if c.isalpha())
    cut = make(0, n=40, stop=["no such text", letter])(PROMPTS[0])
    assert letter not in cut.response and cut.done_reason in ("stop", "end")
    assert whole.startswith(cut.response)


def test_a_prompt_that_is_too_long_is_refused_and_the_client_stays_usable(make):
    llm = make(num_ctx=512, n=4)
    with pytest.raises(LLMError, match="num_ctx=512 tokens .it has") as error:
        llm("12345 " * 400)
    assert error.value.kind == "context"
    assert llm(PROMPTS[0]).done


def test_the_likeliest_tokens(make):
    found = next_tokens(make(), PROMPTS[0])
    assert len(found) > 10 and 0 < sum(found.values()) <= 1.001

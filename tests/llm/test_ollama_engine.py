"""The project on llama.cpp, the engine inside Ollama, asked by the genuine client.

Every test of the contract runs on a server that stands in for Ollama (`OllamaServer`),
and under `pytest -m live` on a real one, as README says. There abacus is "abacus-test",
exported in 32 bits: "abacus" alone would not ask a server.
"""

import math
import random
import shutil
import subprocess
from functools import partial
from types import SimpleNamespace

import ollama
import pytest

pytest.importorskip("gguf")
pytest.importorskip("xllamacpp", reason="needs the extra `test`, on x86-64 or a Mac")

from ollama_server import OllamaServer  # noqa: E402
from same_steps import same_steps  # noqa: E402
from scipy.stats import binomtest  # noqa: E402
from toy_language import (  # noqa: E402
    ALL,
    PLENTY,
    narrow,
)
from toy_runs import results  # noqa: E402

from helpers.abacus import Engine, Sampling, allowed, write_gguf  # noqa: E402
from helpers.env import GSM8KEnv, Problem  # noqa: E402
from helpers.evaluation import evaluate  # noqa: E402
from helpers.evaluation.__main__ import main  # noqa: E402
from helpers.llm import (  # noqa: E402
    LLMGen,
    SharedSamples,
    Step,
    next_tokens,
    server_address,
)
from helpers.problems import generate  # noqa: E402
from helpers.rewards import ArithmeticChecker  # noqa: E402
from helpers.search import best_of_n, greedy  # noqa: E402

NAME = "abacus-test:latest"
PROMPT = "Question: Tom has 3 apples and buys 4. How many?\nAnswer:\n"
ENGINE = Engine()
PROBLEMS = generate("test", 200)


def prompt_of(problem):
    return f"Question: {problem['question']}\nAnswer:\n"


@pytest.fixture(scope="module")
def modelfile(tmp_path_factory):
    return write_gguf(ENGINE, tmp_path_factory.mktemp("gguf") / "abacus.gguf", 32)


@pytest.fixture(scope="module")
def stand_in(modelfile):
    with OllamaServer(exact=True) as server:
        server.create(NAME, modelfile)
        yield server


def real_ollama(modelfile):
    """A real server that has our model: made for these tests, or there before."""
    host = server_address(None)
    try:
        models = ollama.Client(host).list().models
        is_there = NAME in [model.model for model in models]
    except ConnectionError:
        pytest.skip(f"no Ollama server at {host}")
    if not is_there:
        if not shutil.which("ollama"):
            pytest.skip(f"no command `ollama` here that could create {NAME} at {host}")
        create = ["ollama", "create", NAME, "-f", str(modelfile)]
        subprocess.run(create, check=True, capture_output=True)
    yield SimpleNamespace(host=host, exact=False)
    if not is_there:
        ollama.Client(host).delete(NAME)


@pytest.fixture(
    scope="module", params=["llama.cpp", pytest.param("live", marks=pytest.mark.live)]
)
def server(request, modelfile):
    """host: the address. exact: whether it computes in single precision throughout."""
    if request.param == "live":
        yield from real_ollama(modelfile)
    else:
        yield request.getfixturevalue("stand_in")


@pytest.fixture
def llm(server):
    return LLMGen(NAME, host=server.host, seed=1)


@pytest.fixture(scope="module")
def own():
    return LLMGen("abacus", seed=1)


# It is the same model


def test_log_probabilities_on_two_hundred_prefixes(server, llm, own):
    """Single precision against double: the likeliest token within 1e-4 (measured
    2.0e-5), the five likeliest within 2e-4 (1.01e-4, once, after 315 tokens; NumPy in
    single precision comes to 3.6e-5)."""
    rng = random.Random(3)
    texts = [prompt_of(p) + p["answer"] for p in PROBLEMS]
    worst = [0.0] * 5
    for text in texts:
        prefix = text[: rng.randint(1, len(text))]
        wanted, found = next_tokens(own, prefix), next_tokens(llm, prefix)
        assert bool(wanted) == bool(found)  # neither has any where the text ends
        for rank, (token, p) in enumerate(list(wanted.items())[:5]):
            worst[rank] = max(worst[rank], abs(math.log(found[token] / p)))
    limits = (1e-4, 2e-4) if server.exact else (0.1, 0.2)
    assert 0 < worst[0] < limits[0] and max(worst) < limits[1]


def test_greedy_texts_of_two_hundred_problems(server):
    settings = dict(temperature=0, n=100, stop="\n\n", seed=0)
    models = LLMGen(NAME, host=server.host, **settings), LLMGen("abacus", **settings)
    prompts = [prompt_of(problem) for problem in PROBLEMS]
    there, here = (m.connection.generate(prompts, [0] * 200) for m in models)
    # llama.cpp holds half a stop string back, and drops it if that is the last token.
    told = [
        [(r.response.rstrip(), r.eval_count, r.done_reason, r.prompt_eval_count)
         for r in found] for found in (there, here)
    ]  # fmt: skip
    same = sum(a == b for a, b in zip(*told, strict=True))
    assert same == 200 if server.exact else same > 180


def test_steps_are_drawn_from_the_same_distribution(llm, own):
    """How many of 300 steps begin with the likeliest token."""
    token, p = max(next_tokens(own, PROMPT).items(), key=lambda entry: entry[1])
    one_token = llm.connection.with_options(num_predict=1)
    drawn = one_token.generate([PROMPT] * 300, [*range(300)])
    count = sum(r.response == token for r in drawn)
    assert 0.2 < p < 0.8
    assert binomtest(count, 300, p).pvalue > 0.01


@pytest.mark.parametrize(
    "settings",
    [{"top_k": 2}, {"top_p": 0.7}, {"min_p": 0.2}, {"top_p": 0.7, "top_k": 3}],
)
def test_the_filters_come_before_the_temperature(settings, server):
    """At a high temperature every token that passed the filters is drawn."""
    hot = LLMGen(NAME, temperature=20.0, n=1, host=server.host, seed=1, **settings)
    state, _ = ENGINE.read(ENGINE.encode(PROMPT))
    scores = ENGINE.params["embedding"] @ state
    log_probs = scores - math.log(math.fsum(map(math.exp, scores)))
    (passed,) = allowed(log_probs[None], Sampling(**settings))
    wanted = {ENGINE.tokenizer.decode([i]) for i in passed.nonzero()[0]}
    assert {step.text for step in hot.sample(PROMPT, 60)} == wanted


def test_what_the_engine_says_of_itself(server, llm):
    found = llm.connection.provenance()
    assert found["name"] == NAME and len(found["digest"]) == 64
    assert found["quantisation"] == "F32" and found["runner"] == "gguf"
    assert found["engine"] in ("ollama", "llama.cpp")
    assert found["server"].count(".") == 2
    assert llm.connection.options["num_ctx"] == ENGINE.config.context


# It is led step by step


def test_a_seed_repeats_a_step_and_another_does_not(llm):
    assert same_steps(llm.sample(PROMPT, 6), llm.sample(PROMPT, 6))
    assert same_steps(llm.sample(PROMPT, 6), llm.sample(PROMPT, 8)[:6])
    assert len({step.text for step in llm.sample(PROMPT, 20, seed=9)}) > 3


def test_a_model_that_ends_at_once_says_nothing(server):
    """Before the newline of a finished line nothing is left to say."""
    cold = LLMGen(NAME, temperature=0, host=server.host)
    (step,) = cold.sample(PROMPT + "Tom has 3+4 = 7 apples.", 1)
    assert step == Step("", 1, None, "stop")


def test_a_step_that_is_too_long_is_cut_off(server):
    (step,) = LLMGen(NAME, n=3, temperature=0, host=server.host).sample(PROMPT, 1)
    assert (step.tokens, step.reason) == (3, "length")


def test_the_text_and_the_logprobs_belong_together(llm, own):
    """The log-probability of a step, added up from the NumPy engine's."""
    cold, colder = llm.at_temperature(0), own.at_temperature(0)
    (a,), (b,) = cold.sample(PROMPT, 1), colder.sample(PROMPT, 1)
    assert (a.text, a.tokens) == (b.text, b.tokens)
    assert a.logprob == pytest.approx(b.logprob, abs=1e-3)


def test_an_episode_is_that_of_the_embedded_model(llm, own):
    def play(model):
        env = GSM8KEnv(
            llm_gen=model.at_temperature(0), is_few_shot=False, max_actions=1
        )
        state, info = env.reset(seed=3)
        over = False
        while not over and env.legal_actions:
            state, reward, *ends, info = env.step(env.legal_actions[0].text)
            over = any(ends)
        return state, reward, info

    assert play(llm) == play(own)


def make_env(llm):
    problem = Problem(PROBLEMS[0]["question"], PROBLEMS[0]["answer"])
    env = GSM8KEnv(problem, llm, is_few_shot=False)
    env.reset(seed=0)
    return env


@pytest.mark.parametrize("name", ALL)
def test_every_strategy_finds_the_greedy_path_if_it_has_no_choice(name, llm, own):
    def search(model, strategy, **options):
        model = SharedSamples(model.at_temperature(0))
        checker = ArithmeticChecker()
        return strategy(make_env(model), model, checker, budget=PLENTY, **options)

    wanted, found = search(own, greedy), search(llm, ALL[name], **narrow(name))
    assert found.answer == wanted.answer and found.path.path == wanted.path.path


@pytest.mark.parametrize("name", ALL)
def test_every_strategy_keeps_its_budget(name, llm):
    result = ALL[name](make_env(llm), llm, ArithmeticChecker(), budget=300, seed=2)
    assert 0 < result.tokens <= 300 + 128 * 8  # what was under way is paid, too
    assert result.calls > 0 and result.path is not None


def test_an_evaluation_is_that_of_the_embedded_model(server, llm, own, tmp_path):
    strategy, make = (
        partial(greedy, budget=PLENTY),
        partial(GSM8KEnv, is_few_shot=False),
    )
    reports = [
        evaluate(strategy, PROBLEMS[:20], m, out=tmp_path / f"{i}.jsonl", make_env=make)
        for i, m in enumerate((llm, own))
    ]
    found, wanted = (results(report) for report in reports)
    same = sum(found[i] == wanted[i] for i in range(20))
    assert same == 20 if server.exact else same >= 17


def test_the_command_line_measures_it(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OLLAMA_HOST", server.host)
    out = str(tmp_path / "x.jsonl")
    line = ["--strategy", "self_consistency", "--limit", "4", "--workers", "2"]
    assert main([*line, "--model", NAME, "--budget", "300", "--out", out]) == 0
    assert main(["report", out]) == 0
    assert "self_consistency" in capsys.readouterr().out


@pytest.mark.live
def test_llama_if_it_is_there():
    """A real model is led as abacus is; what it says is its own."""
    host = server_address(None)
    try:
        names = [m.model for m in ollama.Client(host).list().models]
    except ConnectionError:
        pytest.skip(f"no Ollama server at {host}")
    if "llama3.2:latest" not in names:
        pytest.skip("no llama3.2 there; type: ollama pull llama3.2")
    llm = LLMGen("llama3.2", host=host, seed=1, n=64)
    env = GSM8KEnv(Problem(PROBLEMS[0]["question"], "1"), llm)
    env.reset(seed=0)
    steps = llm.sample(env.state, 8)
    assert all(s.tokens <= 64 and "\n" not in s.text for s in steps)
    assert len({s.text for s in steps}) > 1
    assert all(s.logprob <= 0 for s in steps if s.text)
    result = best_of_n(env, llm, ArithmeticChecker(), budget=400, seed=0)
    assert result.tokens > 0

"""A GGUF file in this process: the contract, and every failure with its sentence."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

pytest.importorskip("gguf")
pytest.importorskip("xllamacpp", reason="needs the extra `gguf`")

from same_steps import same_steps  # noqa: E402

from helpers.abacus import Engine, write_gguf  # noqa: E402
from helpers.evaluation import evaluate  # noqa: E402
from helpers.llm import (  # noqa: E402
    LLMError,
    LLMGen,
    derive_seed,
    draw_each,
    embed,
    gguf_engine,
    has_states,
    next_tokens,
    sibling_seeds,
)
from helpers.llm import gguf_client as module  # noqa: E402
from helpers.llm.gguf_engine import SLOTS, Engines  # noqa: E402
from helpers.llm.siblings import siblings
from helpers.problems import generate, prompt_of  # noqa: E402
from helpers.search import self_consistency  # noqa: E402

PROMPT = "Question: Tom has 3 apples and buys 4. How many?\nAnswer:\n"
PROMPTS = [prompt_of(problem) for problem in generate("test", 40)]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gguf")
    write_gguf(Engine(), folder / "abacus.gguf", 32)
    return folder / "abacus.gguf"


@pytest.fixture
def llm(file):
    return LLMGen(str(file), seed=1)


@pytest.fixture(scope="module")
def own():
    return LLMGen("abacus", seed=1)


# The contract


def test_it_is_the_model_in_the_file(llm, own):
    """Greedy texts, counts and log-probabilities of the NumPy engine; near ties may
    differ."""
    there, here = llm.at_temperature(0), own.at_temperature(0)
    equal = 0
    for prompt in PROMPTS:
        (a,), (b,) = there.sample(prompt, 1), here.sample(prompt, 1)
        equal += a.text == b.text
        if a.text == b.text:
            assert (a.tokens, a.reason) == (b.tokens, b.reason)
            assert a.logprob == pytest.approx(b.logprob, abs=0.02)
    assert equal >= 38


def test_likeliest_tokens_and_the_end_of_a_text(llm, own):
    for prompt in (PROMPT, PROMPT + "Tom has 3+4 = 7 apples."):
        found, wanted = next_tokens(llm, prompt), next_tokens(own, prompt)
        for token, p in [*wanted.items()][:3]:
            assert found[token] == pytest.approx(p, rel=0.1, abs=0.01)


def test_samples_are_the_first_of_more_and_repeat(llm):
    found = llm.sample(PROMPT, 20, seed=5)
    assert same_steps(found, llm.sample(PROMPT, 20, seed=5))
    assert same_steps(found[:3], llm.sample(PROMPT, 3, seed=5))
    assert len({step.text for step in found}) > 3
    others = llm.sample(PROMPT, 4, seed=6)
    assert [step.text for step in others] != [step.text for step in found[:4]]
    for step in found:
        assert step.logprob <= 0 and 0 < step.tokens <= 128 and "\n" not in step.text


def test_siblings_are_one_request(llm, monkeypatch):
    asked, engine = [], module.ENGINES.get

    def counted(*args):
        real = engine(*args)

        def complete(request):
            asked.append((request["seed"], request["n"]))
            return real.handle_completions(request)

        return SimpleNamespace(handle_completions=complete)

    monkeypatch.setattr(module.ENGINES, "get", counted)
    llm.sample(PROMPT, SLOTS, seed=3)
    assert asked == [(derive_seed(3, PROMPT), SLOTS)]
    assert sibling_seeds(3, PROMPT, 2, True) == [
        derive_seed(3, PROMPT) + i for i in (0, 1)
    ]


def test_groups_of_siblings():
    many = [*siblings(["a"] * 3 + ["b", "a"], [5, 6, 7, 8, 8], 8)]
    assert many == [("a", 5, 3), ("b", 8, 1), ("a", 8, 1)]
    assert [*siblings(["a"] * 10, range(10), 8)] == [("a", 0, 8), ("a", 8, 2)]
    assert [*siblings(["a", "a"], [2, 1], 8)] == [("a", 2, 1), ("a", 1, 1)]
    assert [*siblings([], [], 8)] == []


def test_stops_one_and_several(file):
    whole = LLMGen(str(file), 0, n=60, stop="Question:")(PROMPT).response
    assert "\n" in whole
    first = LLMGen(str(file), 0, n=60, stop=["\n", "="])(PROMPT)
    assert first.response == whole[: len(first.response)] and "=" not in first.response
    assert first.done_reason == "stop" and first.eval_count > len(first.logprobs)
    short = LLMGen(str(file), 0, n=3)(PROMPT)
    assert (short.done_reason, short.eval_count) == ("length", 3)


def test_a_model_that_ends_at_once_says_nothing(file):
    said = LLMGen(str(file), 0)(PROMPT + "Tom has 3+4 = 7 apples.")
    assert (said.response, said.eval_count, said.done_reason) == ("", 1, "stop")


def test_a_prompt_that_is_too_long_is_refused(file):
    llm = LLMGen(str(file), num_ctx=64)
    with pytest.raises(
        LLMError, match="num_ctx=64 tokens .it has [0-9]+ tokens"
    ) as error:
        llm("word " * 100)
    assert error.value.kind == "context" and llm("word").done  # usable afterwards
    big = LLMGen(str(file), num_ctx=10**6)
    assert big.connection.options["num_ctx"] == 1024  # the model was made for
    with pytest.raises(LLMError, match="it has 10003"):
        big("word " * 5000)


def test_threads_and_many_prompts(llm):
    wanted = [llm.sample(prompt, 2, seed=0) for prompt in PROMPTS[:8]]
    with ThreadPoolExecutor(8) as pool:
        found = [*pool.map(lambda p: llm.sample(p, 2, seed=0), PROMPTS[:8])]
    equal = sum(same_steps(a, b) for a, b in zip(found, wanted, strict=True))
    assert equal >= 6  # a batch of another size rounds otherwise


def test_it_goes_to_other_processes_and_files_are_recorded(file, tmp_path):
    llm = LLMGen(str(file), record=str(tmp_path / "a.sqlite"))
    said = llm.sample(PROMPT, 3, seed=0)
    assert [
        s.text for s in pickle.loads(pickle.dumps(llm)).sample(PROMPT, 3, seed=0)
    ] == [s.text for s in said]
    replayed = LLMGen(str(file), record=str(tmp_path / "a.sqlite"), replay_only=True)
    assert replayed.sample(PROMPT, 3, seed=0) == said


def test_no_path_stands_in_a_record(llm, file, tmp_path):
    rows = generate("test", 2)
    out = tmp_path / "run.jsonl"
    evaluate(lambda_free, rows, llm, out=out, pauses=())
    told = out.read_text(encoding="utf-8")
    assert str(file.parent) not in told and '"abacus.gguf"' in told
    facts = json.loads(told.splitlines()[0])["configuration"]["model"]
    assert len(facts["digest"]) == 64 and facts["engine"] == "llama.cpp"
    assert facts["server"].startswith("xllamacpp ")


def lambda_free(env, llm, seed):
    """A strategy of this module."""
    return self_consistency(env, llm, budget=120, n=2, seed=seed)


def test_what_it_cannot_do_it_says(llm):
    assert not has_states(llm) and not llm.is_embedded
    with pytest.raises(LLMError, match="gives no states"):
        embed(llm, ["x"])
    with pytest.raises(LLMError, match="has no eyes"):
        llm("x", "AAAA")
    with pytest.raises(ValueError, match="a file is computed here"):
        LLMGen("abacus.gguf", host="pc")


def test_the_log_of_the_engine_stays_away(file, capfd):
    Engines().get(gguf_engine.read_model(file, 0), 0, 512)
    LLMGen(str(file)).sample(PROMPT, 2, seed=0)
    assert capfd.readouterr() == ("", "")


# Failures


def test_files_that_are_none(file, tmp_path):
    content = file.read_bytes()
    for name, damage, told in (
        ("missing", None, "there is no such file"),
        ("foreign", b"hello" * 99, "it is no GGUF file"),
        ("empty", b"", "it is no GGUF file"),
        ("half", content[: len(content) // 2], "not copied whole"),
        ("head", content[:3000], "ends within its head"),
    ):
        path = tmp_path / f"{name}.gguf"
        if damage is not None:
            path.write_bytes(damage)
        with pytest.raises(LLMError, match=told) as error:
            LLMGen(str(path))
        assert error.value.kind == "gguf" and f"{name}.gguf" in str(error.value)
        assert str(tmp_path) not in str(error.value)


def test_a_file_that_the_engine_cannot_load(file, tmp_path):
    """Its head is whole; the architecture is one that nobody knows."""
    other = tmp_path / "other.gguf"
    other.write_bytes(file.read_bytes().replace(b"llama", b"lla\xe4a"[:5]))
    with pytest.raises(LLMError, match="other.gguf.*cannot be used") as error:
        LLMGen(str(other)).sample(PROMPT, 1, seed=0)
    assert error.value.kind in ("gguf", "request")


def test_too_little_memory(file, monkeypatch):
    free = SimpleNamespace(available=10**6)
    monkeypatch.setattr("psutil.virtual_memory", lambda: free)
    monkeypatch.setattr(module, "ENGINES", Engines())
    with pytest.raises(
        LLMError, match="needs about .* GB, and 0.0 GB are free"
    ) as error:
        LLMGen(str(file)).sample(PROMPT, 1, seed=0)
    assert error.value.kind == "memory" and "num_ctx below 1024" in str(error.value)


@pytest.mark.parametrize("package", ["xllamacpp", "gguf"])
def test_a_package_that_is_missing(file, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(LLMError, match=rf'{package} is missing.*".\[gguf\]"'):
        LLMGen(str(file))


def test_a_file_that_is_exchanged_is_another_model(file, tmp_path):
    path = tmp_path / "mine.gguf"
    shutil.copy(file, path)
    llm = LLMGen(str(path))
    path.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(LLMError, match="another than when this began.*digest"):
        llm.connection.check_unchanged()
    assert llm.sample(PROMPT, 1, seed=0)


def test_one_engine_per_file(file):
    engines, model = Engines(), gguf_engine.read_model(file, 0)
    first = engines.get(model, 0, 256)
    assert engines.get(model, 0, 128) is first  # there is room in it
    assert engines.get(model, 0, 512) is not first
    assert len(engines.loaded) == 1


def test_the_engine_of_a_file_that_is_exchanged_is_freed(file):
    engines, model = Engines(), gguf_engine.read_model(file, 0)
    first = engines.get(model, 0, 256)
    assert engines.get(model, 1, 128) is not first
    assert len(engines.loaded) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_loads_its_own_engine(file):
    lines = f"""
import multiprocessing as mp, sys
from helpers.llm import LLMGen
llm = LLMGen({str(file)!r}, 0, n=4)
def ask(_): return llm.sample("Question: 1?", 1, 0)[0].text
if __name__ == "__main__":
    here = ask(0)
    with mp.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(ask, (0,)).get(timeout=60) == here
    print("same")
"""
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True,
                          timeout=120)  # fmt: skip
    assert done.stdout == "same\n", done.stderr[-500:]


def test_the_first_of_samples_is_counted_by_the_engine(file):
    """A sign of four bytes is several tokens, and one entry."""
    llm = LLMGen(str(file), 5.0, n=14, stop="no such")  # any token may come
    for seed in range(6):
        for step in llm.sample(PROMPT, 1, seed):
            assert step.tokens == 14 or step.reason != "length"


def test_without_a_seed_texts_differ(file):
    client = module.GGUFClient(file)
    options = {"num_predict": 12, "temperature": 2.0}
    found = {client.generate("m", PROMPT, options=options).response for _ in range(4)}
    assert len(found) > 1
    assert client.generate("m", PROMPT, options=options).logprobs is None


def test_pictures_and_wishes_that_it_has_no_answer_to(file):
    client = module.GGUFClient(file)
    with pytest.raises(LLMError, match="has no eyes"):
        client.generate("m", PROMPT, images=["aGk="])
    with pytest.raises(ValueError, match="top_logprobs=21"):
        client.generate("m", PROMPT, top_logprobs=21, options={"num_predict": 1})


@pytest.mark.parametrize(
    ("told", "heads"), [([2, 4, 1], 4), ("many", 8), ({}, 8), ([], 8), (True, 8)]
)
def test_odd_counts_in_a_head_are_the_usual_ones(told, heads, file):
    metadata = {"general.architecture": "x", "x.attention.head_count_kv": told}
    head = gguf_engine.Head(metadata, 1, 1)
    model = gguf_engine.Model(file, head)
    assert model.count("attention.head_count_kv", 8) == heads
    assert model.need(100) > 0 and model.ends == set()


def test_whole_texts_are_siblings_too(file):
    llm = LLMGen(str(file), n=8)
    found = draw_each(llm.connection.generate, [PROMPT, "x\n"], 3, 4)
    for prompt, texts in zip([PROMPT, "x\n"], found, strict=True):
        seeds = sibling_seeds(4, prompt, 3, True)
        wanted = llm.connection.generate([prompt] * 3, seeds)
        assert [r.response for r in texts] == [r.response for r in wanted]

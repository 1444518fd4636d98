"""The engine of abacus against a plain loop, and against itself."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from queue import SimpleQueue
from threading import Event

import numpy as np
import pytest
from plain_engine import PROMPT, plain_log_probs, plain_states

from helpers.abacus import (
    END_OF_TEXT,
    WEIGHTS,
    Cache,
    Engine,
    Sampling,
)
from helpers.abacus.client import load_engine
from helpers.abacus.engine import in_threads, settle
from helpers.abacus.sampling import draw


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine(WEIGHTS)


def plain_generate(engine: Engine, prompt: str, seed: int, n: int, how: Sampling):
    """The engine's oracle: no cache, no batch, the whole text read for every token."""
    ids, uniform = engine.encode(prompt), np.random.default_rng(seed).random(n)
    written: list[int] = []
    for u in uniform:
        scores = plain_log_probs(engine, ids + written)[-1:]
        token = int(draw(scores, [0], np.array([u]), how)[0])
        if token == END_OF_TEXT:
            break
        written.append(token)
    return written


def test_batch_with_cache_equals_the_plain_loop(engine: Engine) -> None:
    how = Sampling(temperature=1.3, top_p=0.98)
    rows = engine.generate([PROMPT] * 8, range(8), 40, how)
    for seed, row in enumerate(rows):
        assert row.ids == plain_generate(engine, PROMPT, seed, 40, how)


def test_what_was_read_before_changes_nothing() -> None:
    """A fresh engine reads all of it, the next goes on from a common beginning."""
    other = PROMPT.replace("buys", "finds") + "She has"
    fresh = Engine().read(engine_ids := Engine().encode(other))
    warm = Engine()
    for text in (PROMPT, PROMPT + "She", other, other):
        state, memory = warm.read(warm.encode(text))
    assert memory.shape[-2] == len(engine_ids)
    np.testing.assert_allclose(state, fresh[0], atol=1e-10)
    np.testing.assert_allclose(memory, fresh[1], atol=1e-10)
    np.testing.assert_allclose(state, plain_states(warm, engine_ids)[-1], atol=1e-10)


def test_text_does_not_depend_on_the_batch(engine: Engine) -> None:
    how = Sampling(temperature=1.5)
    many = engine.generate([PROMPT] * 40, range(40), 60, how, ["\n"])
    assert len({row.sampled for row in many}) > 5  # rows end at different times
    for seed in (0, 7, 39):
        (one,) = engine.generate([PROMPT], [seed], 60, how, ["\n"])
        assert one.text == many[seed].text
        np.testing.assert_allclose(one.log_probs, many[seed].log_probs, atol=1e-10)


def test_a_batch_may_hold_many_prompts(engine: Engine) -> None:
    """Each row is what it would be alone, up to a limit of its own."""
    prompts = (
        [PROMPT] * 3 + [PROMPT + "She"] * 2 + ["Question: 1+1?\nAnswer:\n", PROMPT]
    )
    limits, how = [60, 5, 60, 1, 60, 30, 60], Sampling(temperature=1.5)
    rows = engine.generate(prompts, range(7), limits, how, ["\n"])
    for seed, (prompt, n, row) in enumerate(zip(prompts, limits, rows, strict=True)):
        (one,) = engine.generate([prompt], [seed], n, how, ["\n"])
        assert (one.ids, one.reason, one.sampled) == (row.ids, row.reason, row.sampled)
        np.testing.assert_allclose(one.log_probs, row.log_probs, atol=1e-10)
    assert rows[3].reason == "length" and rows[3].sampled == 1


@pytest.mark.parametrize("heat", [0.0, 0.7, 1.5])
def test_what_is_equal_is_computed_once(engine: Engine, monkeypatch, heat) -> None:
    """As many rows in each step as there are different texts that go on."""
    computed, step = [], engine.decoder.step

    def counted(tokens: np.ndarray, cache: Cache) -> np.ndarray:
        computed.append(len(tokens))
        return step(tokens, cache)

    monkeypatch.setattr(engine.decoder, "step", counted)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    prompts = [PROMPT] * 30 + [PROMPT + "She"] * 10
    limits, how = [*range(1, 41)], Sampling(temperature=heat)
    found = engine.generate(prompts, range(40), limits, how, ["\n"])
    for t, rows in enumerate(computed, 1):
        written = zip(prompts, found, strict=True)
        texts = {(p, *one.ids[:t]) for p, one in written if one.sampled > t}
        assert rows == len(texts)
    assert sum(row.sampled - 1 for row in found) > sum(computed) > 0


def test_samples_of_one_text_share_no_lists(engine: Engine) -> None:
    how = Sampling(temperature=0)
    one, other = engine.generate([PROMPT] * 2, [1, 2], 5, how, top=1)
    assert one == other and one.reason == "length"
    one.top[0].clear(), one.top.clear(), one.ids.clear(), one.log_probs.clear()
    assert len(other.ids) == len(other.log_probs) == 5
    assert [len(best) for best in other.top] == [1] * 5


@pytest.mark.parametrize("seed", range(20))
def test_rows_stay_where_they_are_if_they_can(seed: int) -> None:
    """Nothing is lost, and whoever is not the first to leave a row fills a gap."""
    rng = np.random.default_rng(seed)
    parents = sorted(rng.integers(0, 8, rng.integers(1, 12)).tolist())
    branches = [(row, token, [token]) for token, row in enumerate(parents)]
    settled = settle(branches)
    assert sorted(settled) == sorted(branches)
    stayed = {i for i, (row, _, _) in enumerate(settled) if row == i}
    assert stayed == {row for row in parents if row < len(parents)}


def test_a_large_batch_is_shared_out_to_threads(engine: Engine, monkeypatch) -> None:
    """Whoever computes a row, and however many there are."""
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    monkeypatch.setattr("helpers.abacus.engine.SMALLEST", 16)
    prompts = [PROMPT] * 90 + [PROMPT + "She"] * 10  # parts of 34, 34, 32
    how = Sampling(temperature=1.5)
    rows = engine.generate(prompts, range(100), 20, how, ["\n"])
    for seed in (0, 33, 34, 67, 68, 89, 90, 99):
        (one,) = engine.generate([prompts[seed]], [seed], 20, how, ["\n"])
        assert (one.ids, one.reason, one.text) == (
            rows[seed].ids, rows[seed].reason, rows[seed].text
        )  # fmt: skip


@pytest.mark.parametrize(
    ("cores", "n", "rows", "sizes"),
    [
        (2, 0, 0, []),
        (2, 1, 1, [1]),
        (2, 127, 63, [127]),
        (2, 127, 64, [64, 63]),
        (1, 129, 129, [65, 64]),
        (4, 200, 100, [67, 67, 66]),
        (2, 1024, 512, [128] * 8),
    ],
)
def test_parts_are_neither_small_nor_large(
    monkeypatch, cores: int, n: int, rows: int, sizes: list[int]
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    found = in_threads(lambda part, is_over: [*range(n)[part]], n, rows)
    assert [len(part) for part in found] == sizes
    assert [i for part in found for i in part] == [*range(n)]


@pytest.mark.skipif(os.name == "nt", reason="sends a signal, as Ctrl-C does elsewhere")
def test_after_ctrl_c_no_thread_goes_on(monkeypatch) -> None:
    """The parts that are under way are given up, not written to their ends."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    given_up = SimpleQueue()

    def write(part: slice, is_over: Event) -> None:
        if part.start:
            os.kill(os.getpid(), signal.SIGINT)
        given_up.put(is_over.wait(60))  # as a batch that would take long

    # A job in the background of a shell begins without Python's handler.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            in_threads(write, 64, 64)
    finally:
        signal.signal(signal.SIGINT, before)
    assert given_up.get(timeout=30) and given_up.get(timeout=30)


def test_a_text_may_end_where_the_context_does(engine: Engine) -> None:
    """Beside others that go on from a shorter prompt, with more tokens."""
    long = "one " * 600
    room = engine.config.context - len(engine.encode(long))
    prompts, how = [long] + [PROMPT] * 6, Sampling(temperature=0.3)
    rows = engine.generate(prompts, range(7), [room] + [room + 30] * 6, how, ["@"])
    (one,) = engine.generate([PROMPT], [6], room + 30, how, ["@"])
    assert rows[0].sampled <= room and rows[6].ids == one.ids


def test_more_tokens_than_the_context_holds_are_refused(engine: Engine) -> None:
    room = engine.config.context - len(engine.encode(PROMPT))
    for n in (room + 1, [1, room + 1]):
        with pytest.raises(ValueError, match=f"room for {room} tokens"):
            engine.generate([PROMPT] * 2, [0, 1], n, Sampling())


@pytest.mark.parametrize(
    ("prompts", "seeds", "n", "named"),
    [(["a"], [1, 2], 3, "1 prompts and 2 seeds"), (["a", "b"], [1], 3, "one each"),
     (["a"], [1], 0, "n=0"), (["a", "b"], [1, 2], [0, 3], "one token at least")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(engine, prompts, seeds, n, named) -> None:
    with pytest.raises(ValueError, match=named):
        engine.generate(prompts, seeds, n, Sampling())


def test_nothing_is_written_if_nothing_is_asked_for(engine: Engine) -> None:
    assert engine.generate([], [], 5, Sampling()) == []


def test_a_stop_may_lie_across_tokens(engine: Engine) -> None:
    """It is found wherever it begins and ends, as in the text as a whole."""
    how = Sampling(temperature=0)
    (free,) = engine.generate([PROMPT], [0], 40, how)
    for start in range(1, 30):
        stop = free.text[start : start + 5]
        (cut,) = engine.generate([PROMPT], [0], 40, how, [stop, "@@"])
        assert cut.text == free.text[: free.text.index(stop)]
        assert cut.reason == "stop" and cut.sampled == len(cut.ids) + 1


def test_single_precision_is_near(engine: Engine) -> None:
    """The same network, to the digits that single precision has."""
    single = Engine(precision="float32")
    ids = single.encode(PROMPT)
    state, past = single.read(ids)
    assert state.dtype == past.dtype == np.float32
    np.testing.assert_allclose(state, plain_states(engine, ids)[-1], atol=1e-4)
    (row,) = single.generate([PROMPT], [3], 30, Sampling(), ["\n"])
    expected = plain_log_probs(engine, ids + row.ids)[len(ids) - 1 : -1]
    expected = expected[np.arange(len(row.ids)), row.ids]
    np.testing.assert_allclose(row.log_probs, expected, atol=1e-4)
    with pytest.raises(ValueError, match='type "float64" or "float32"'):
        Engine(precision="half")


def test_log_probs_are_those_of_the_forward_pass(engine: Engine) -> None:
    (row,) = engine.generate([PROMPT], [3], 30, Sampling(temperature=2.0), ["\n"])
    ids = engine.encode(PROMPT)
    scores = plain_log_probs(engine, ids + row.ids)[len(ids) - 1 : -1]
    expected = scores[np.arange(len(row.ids)), row.ids]
    np.testing.assert_allclose(row.log_probs, expected, atol=1e-10)


def test_the_same_text_on_every_processor() -> None:
    """OpenBLAS picks its kernels by processor: the texts must not notice."""
    code = (
        "from helpers.abacus import AbacusClient\n"
        "from tests.doubles.plain_engine import PROMPT, WILD\n"
        "rows = AbacusClient().generate_many('abacus', [PROMPT]*64, seeds=range(64),"
        " options=WILD)\n"
        "print(ascii([row.response for row in rows]))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"OPENBLAS_CORETYPE": kernel},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=True,
        ).stdout
        for kernel in ("Prescott", "Nehalem", "Sandybridge", "Haswell")
    }
    assert len(texts) == 1 and len(texts.pop()) > 1000

"""The benchmarks: that the frame counts right, and that the parts run."""

import json
import os
import sys
from functools import partial
from os.path import commonprefix

import numpy as np
import peak
import peers
import pytest
import run
import sampling
from frame import Row, alternate, machine, ratios, spread, store, table

from helpers.abacus import Config, Engine, Sampling, hidden_states, init_params, logits

FAST = Row("draw", "abacus", "tokens/s", [30.0, 10.0, 40.0])
PEER = Row("draw", "peer", "tokens/s", [10.0, 10.0, 80.0], is_peer=True, note="best")


@pytest.fixture(scope="module")
def engine():
    return Engine()


def test_rounds_go_there_and_back_after_one_that_does_not_count():
    log = []
    runs = {name: lambda i, name=name: log.append((name, i)) or i for name in "abc"}
    assert alternate(runs, 3) == {name: [0, 1, 2] for name in "abc"}
    assert "".join(name for name, _ in log) == "cba" + "abc" + "cba" + "abc"
    assert [i for _, i in log] == [-1] * 3 + [0] * 3 + [1] * 3 + [2] * 3
    log.clear()
    assert alternate(runs, 1, warm=False) == {name: [0] for name in "abc"}
    assert log == [("a", 0), ("b", 0), ("c", 0)]


def test_ratios_are_those_of_each_round_and_more_is_better():
    assert ratios(FAST, PEER) == [3.0, 1.0, 0.5]
    slow, peer = Row("x", "a", "s", [4.0, 3.0]), Row("x", "b", "s", [2.0, 6.0])
    assert ratios(slow, peer) == [0.5, 2.0]


def test_a_spread_is_the_median_and_the_ends():
    assert spread([3.0, 1.0, 200.0]) == "3 (1 to 200)"
    assert spread([4.0, 1.0]) == "2.5 (1 to 4)"
    assert spread([12345.6]) == "12,346" and spread([0.01234]) == "0.0123"
    assert spread([]) == ""


def test_the_table_begins_with_the_ratio_to_each_peer():
    missing = Row("draw", "other", "tokens/s", [], note="left out: type x")
    alone = Row("start", "abacus", "s", [0.5])
    assert table([FAST, PEER, missing, alone]).splitlines() == [
        "| task | who | times peer | measured |  | note |",
        "| --- | --- | ---: | ---: | --- | --- |",
        "| draw | abacus | 1 (0.5 to 3) | 30 (10 to 40) | tokens/s |  |",
        "| draw | peer |  | 10 (10 to 80) | tokens/s | best |",
        "| draw | other |  |  |  | left out: type x |",
        "| start | abacus |  | 0.5 | s |  |",
    ]


def test_results_are_stored_with_the_machine(tmp_path):
    about = machine()
    assert about["cores"] == os.cpu_count() and about["numpy"] == np.__version__
    assert about["CPU"] and about["BLAS"]
    store(tmp_path / "new", {"sampling": [FAST, PEER]}, about)
    text = (tmp_path / "new/bench.json").read_text(encoding="utf-8")
    told = json.loads(text)
    assert told["about"] == about
    assert [Row(**row) for row in told["parts"]["sampling"]] == [FAST, PEER]
    page = (tmp_path / "new/bench.md").read_text(encoding="utf-8")
    assert f"- CPU: {about['CPU']}\n" in page and table([FAST, PEER]) in page


class Counting(np.ndarray):
    """An array that counts the operations of matrix products."""

    done = 0

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        inputs = [np.asarray(x) for x in inputs]
        options.pop("out", None)
        found = getattr(ufunc, method)(*inputs, **options)
        if ufunc is np.matmul:
            Counting.done += 2 * found.size * inputs[0].shape[-1]
        return np.asarray(found).view(Counting)


def test_the_operations_of_a_token_are_those_of_its_matrix_products():
    config, before = Config(layers=2), 37
    params = {k: v.view(Counting) for k, v in init_params(config, 0).items()}
    size = config.width // config.heads
    far = np.ones((1, config.heads, before, size)).view(Counting)

    def attend(layer, q, k, v):
        return q @ np.swapaxes(far, -1, -2) @ far

    turn = np.ones((1, size // 2)), np.zeros((1, size // 2))
    Counting.done = 0
    logits(params, hidden_states(params, np.array([[5]]), config, turn, attend))
    assert Counting.done == peak.flops(config, before)


def test_a_prefix_has_100_tokens_and_is_new_in_every_round(engine):
    found = [sampling.one_prefix(engine, seed)[0] for seed in range(5)]
    assert {len(ids) for ids in found} == {100} and len({*map(tuple, found)}) == 5
    for ids in found:
        assert engine.encode(engine.tokenizer.decode(ids[1:])) == ids


def test_the_leaves_of_a_tree_share_the_way_to_where_they_part(engine):
    leaves = sampling.each_of_16_leaves(engine, 1)
    assert len({*map(tuple, leaves)}) == 16
    assert max(map(len, leaves)) + 64 < peers.CONTEXT
    shared = [len(commonprefix([leaves[0], other])) for other in leaves[1:]]
    longest, *_, shortest = shared
    assert longest > shared[1] == shared[2] > shared[3] > shared[7] == shortest > 20


def test_of_equal_texts_one_is_computed(engine):
    """Eight times the same five tokens; the first needs no step, as it was read."""
    greedy = partial(sampling.abacus, engine, Sampling(temperature=0))
    rounds = [sampling.one_prefix(engine, seed) for seed in (1, 2)]
    assert sampling.computed(engine, greedy, rounds, 8, 5) == 4 / (8 * 5)
    assert sampling.computed(engine, greedy, rounds, 1, 5) == 4 / 5


def test_every_draw_reads_its_prefix(engine, monkeypatch):
    read, known = engine.decoder.read, []
    monkeypatch.setattr(
        engine.decoder,
        "read",
        lambda ids, past: known.append(len(ids)) or read(ids, past),
    )
    prefixes = sampling.one_prefix(engine, 1)
    for _ in range(2):
        sampling.abacus(engine, Sampling(), prefixes, 2, 1)
    assert known == [100, 100]


def check_counts(engine, settings, names):
    """One token each is as many tokens as continuations; with more, some end early."""
    assert {*settings} == names
    prefixes = sampling.each_of_16_leaves(engine, 3)[:2]
    for draw in settings.values():
        assert draw(prefixes, 3, 1) == 6
        assert 6 * 5 < draw(prefixes, 3, 40) <= 6 * 40


def test_every_sampled_token_of_llama_cpp_counts(engine, monkeypatch):
    pytest.importorskip("xllamacpp")
    monkeypatch.setattr(peers, "THREADS", [1])
    names = {"slots 1, threads 1", "slots 4, threads 1", "slots 4, threads 1, copies"}
    check_counts(engine, peers.llama_cpp(engine, 4), names)


@pytest.mark.train
def test_every_sampled_token_of_hugging_face_counts(engine, monkeypatch):
    pytest.importorskip("transformers")
    monkeypatch.setattr(peers, "THREADS", [1])
    names = {"threads 1", "threads 1, prefix read once"}
    check_counts(engine, peers.hugging_face(engine), names)


def test_the_parts_run_and_a_missing_peer_is_a_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    parts = [*run.PARTS]
    parts.remove("notebook_time"), parts.remove("ollama_speed")
    command = ["run.py", "--quick", "--out", str(tmp_path), "--only", *parts]
    monkeypatch.setattr(sys, "argv", command)
    run.main()
    told = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))["parts"]
    assert [*told] == parts
    for rows in told.values():
        names = [(row["task"], row["who"]) for row in rows]
        assert len({*names}) == len(names)
        for row in rows:
            assert row["note"].startswith("left out") == (not row["values"])
            assert all(0 < value < float("inf") for value in row["values"])
    left_out = {row["who"] for row in told["sampling"] if not row["values"]}
    assert left_out == {"llama.cpp", "generate"}
    assert "left out: it needs xllamacpp; type: pip" in capsys.readouterr().out

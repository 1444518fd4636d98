"""Dask's workers find what one process finds, also when one of them is killed."""

import os
import signal
from functools import partial

import pytest
from toy_runs import problems, results

from helpers.evaluation import Report, evaluate
from helpers.evaluation.__main__ import main
from helpers.llm import LLMGen
from helpers.problems import load_problems
from helpers.search import greedy, self_consistency

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:
        yield cluster


def test_a_worker_killed_in_mid_run_changes_nothing(cluster, tmp_path):
    rows, llm = problems(16), LLMGen("abacus")
    strategy = partial(self_consistency, budget=300, n=2)
    alone = evaluate(strategy, rows, llm, out=tmp_path / "alone")
    killed = []
    with distributed.Client(cluster) as client:
        pids = client.run(os.getpid)

        def kill(record):
            if not killed:
                killed.append([*pids.values()][0])
                os.kill(killed[0], getattr(signal, "SIGKILL", signal.SIGTERM))

        report = evaluate(
            strategy, rows, llm, out=tmp_path / "dask",
            executor=client.get_executor(pure=False), on_record=kill,
        )  # fmt: skip
        assert killed[0] not in client.run(os.getpid).values()
    assert results(report) == results(alone) and report.failed == {}


def test_the_command_line_sends_work_to_a_scheduler(cluster, tmp_path, capsys):
    out = str(tmp_path / "x.jsonl")
    arguments = ["--strategy", "greedy", "--limit", "4", "--out", out]
    assert main([*arguments, "--dask", cluster.scheduler_address]) == 0
    strategy = partial(greedy, budget=1024)
    rows = load_problems("practice", limit=4)
    alone = evaluate(strategy, rows, LLMGen("abacus"), out=tmp_path / "alone")
    assert results(Report(out)) == results(alone)
    assert "greedy(budget=1024)" in capsys.readouterr().out


def test_a_scheduler_that_is_not_there(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("helpers.evaluation.executors.DASK_TIMEOUT", 0.5)
    arguments = ["--strategy", "greedy", "--limit", "1", "--out", str(tmp_path / "x")]
    assert main([*arguments, "--dask", "tcp://127.0.0.1:1"]) == 1
    assert "dask worker tcp://127.0.0.1:1" in capsys.readouterr().err

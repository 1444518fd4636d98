"""Processes that are fit for abacus."""

import os

from helpers.evaluation import processes
from helpers.evaluation.executors import WORKER


def test_a_worker_has_its_variables_and_keeps_those_that_are_set(monkeypatch):
    for name in WORKER:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    with processes(1) as executor:
        found = [*executor.map(os.getenv, WORKER)]
    assert found == ["3", str(2**28), str(2**25)]

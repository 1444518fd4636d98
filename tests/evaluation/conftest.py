"""What several tests of evaluation begin with."""

import pytest
from toy_records import FIVE, OTHER, solved, write
from toy_runs import results, run

from helpers.evaluation import Record


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return results(run(tmp_path_factory.mktemp("whole") / "x.jsonl"))


@pytest.fixture
def report(tmp_path):
    """Two problems with five samples each, one of them failed before."""
    a = {"tokens": 10, "seconds": 1.0, "confidence": 0.9, "rule": "####"}
    b = {"tokens": 30, "seconds": 2.0, "confidence": 0.3}
    return write(
        tmp_path / "x.jsonl",
        Record(1, f"{2:016x}", failure="dead"),
        solved(0, True, samples=FIVE, **a),
        solved(1, False, samples=OTHER, **b),
    )

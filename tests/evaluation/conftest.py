"""What several tests of evaluation begin with."""

import pytest
from toy_runs import results, run


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return results(run(tmp_path_factory.mktemp("whole") / "x.jsonl"))

"""Notebooks 01 and 04 on real weights: `make test-real`.

They are copies, in which fewer samples are drawn. Nothing is compared: every cell must
run, whatever such a model says.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from real_weights import find_weights

pytestmark = pytest.mark.real
pytest.importorskip("gguf")
pytest.importorskip("xllamacpp", reason="needs the extra `gguf`")

ROOT = Path(__file__).resolve().parents[2]
FEWER = {  # notebook: what a reader draws, and what is drawn here
    "01_llm_wrapper": {
        'DRAWS = 1000 if MODEL == "abacus" else 200': "DRAWS = 12",
        'generate("test", 24, seed=5': 'generate("test", 2, seed=5',
        "sample(prompt, 16, seed=0)": "sample(prompt, 3, seed=0)",
        "whole_texts(bold, candidate, 8)": "whole_texts(bold, candidate, 2)",
        '"n": 200,': '"n": 60,',
    },
    "04_gsm8k_evaluation": {
        "(48, 12) if llm.is_embedded else (10, 4)": "(3, 2)",
        'WHOLE = {"n": 400,': 'WHOLE = {"n": 80,',
        "few.select(range(6))": "few.select(range(2))",
        "budget=10_000, n=4)": "budget=400, n=2)",
    },
}


@pytest.fixture(scope="module")
def weights():
    return find_weights()


def with_fewer(name):
    """The notebook with smaller numbers; each of them must stand in it."""
    file = ROOT / "notebooks" / f"{name}.ipynb"
    notebook = json.loads(file.read_text(encoding="utf-8"))
    missing = set(FEWER[name])
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        for much, little in FEWER[name].items():
            if cell["cell_type"] == "code" and much in source:
                source = source.replace(much, little)
                missing.discard(much)
        cell["source"] = source
    assert not missing
    return json.dumps(notebook)


@pytest.mark.parametrize("name", FEWER)
def test_every_cell_runs(name, weights, tmp_path):
    copy = tmp_path / f"{name}.ipynb"
    copy.write_text(with_fewer(name), encoding="utf-8")
    variables = {"REASONING_MODEL": str(weights), "PYTHONPATH": str(ROOT)}
    nbval = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=600"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *nbval, str(copy)],
        cwd=tmp_path, env=os.environ | variables, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-3000:]

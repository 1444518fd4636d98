"""Every notebook on the engine inside Ollama: `make test-ollama`.

The model is called llama3.2 and is none that a notebook could know: the weights of
`hasty.npz`, which answer without thinking, with more context, and no states. Nothing is
compared: another model says other things. But every cell must run.
"""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytestmark = pytest.mark.ollama
pytest.importorskip("gguf")
pytest.importorskip("xllamacpp", reason="needs the extra `test`, on x86-64 or a Mac")

from ollama_server import OllamaServer  # noqa: E402

from helpers.abacus import (  # noqa: E402
    HASTY,
    Engine,
    write_gguf,
)

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9A]*.ipynb"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    engine = Engine(HASTY)
    engine.config = replace(engine.config, context=4096)
    modelfile = write_gguf(engine, tmp_path_factory.mktemp("gguf") / "model.gguf")
    with OllamaServer(slots=4) as server:
        server.create("llama3.2", modelfile)
        yield server


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_runs(notebook, server):
    variables = {
        "REASONING_MODEL": "llama3.2",
        "OLLAMA_HOST": server.host,
        "OLLAMA_NUM_PARALLEL": "4",
        "NO_PROXY": "*",
    }
    nbval = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=600"]
    server.requests.clear()
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *nbval, str(notebook)],
        cwd=ROOT, env=os.environ | variables, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-3000:]
    asked = server.bodies("/api/generate")
    if notebook.stem[:2] in ("07", "A1"):  # they need a model's parameters: abacus
        assert not asked
    else:
        assert len(asked) > 20 and {body["model"] for body in asked} == {"llama3.2"}

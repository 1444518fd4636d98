"""Real weights for tests, and llama.cpp's own server with a file in it."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GET = ROOT.parent / "shared" / "real_models" / "get"


def find_weights():
    """The file that REAL_MODEL names, else SmolLM2; without either the test is
    skipped."""
    if named := os.environ.get("REAL_MODEL"):
        return Path(named).resolve()
    if not GET.exists():
        pytest.skip("no REAL_MODEL is set, and no weights lie beside the repository")
    command = [sys.executable, str(GET), "smollm2-135m", str(ROOT / "build" / "models")]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"SmolLM2 could not be fetched: {done.stderr[-200:]}")
    return Path(done.stdout.splitlines()[-1]).resolve()


@contextmanager
def llama_server(file, slots=4, context=1024):
    """A llama-server with this file; the address of its OpenAI interface."""
    import xllamacpp

    p = xllamacpp.CommonParams()
    p.model.path, p.verbosity, p.warmup = str(file), -1, False
    p.n_ctx, p.n_parallel, p.cpuparams.n_threads = slots * context, slots, 1
    server = xllamacpp.Server(p)
    # One that is closed before it has answered once waits for itself for ever.
    server.handle_completions({"prompt": "x", "max_tokens": 1})
    yield f"{server.listening_address}/v1"

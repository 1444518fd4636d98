"""Set-up: from a fresh copy of the project to a working environment.

`make set-up` is what runs, with uv and with Python's own venv and pip, in a copy of
what it needs. Nothing that was fetched before is used, so the network is a part of the
time; it is measured only when it is asked for: `--only setup_time`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from frame import ROOT, Row, alternate, seconds

NEEDED = "Makefile", "pyproject.toml", "README.md", "LICENSE"
HIDDEN = "CONDA_DEFAULT_ENV", "MAKEFLAGS", "MFLAGS", "PYTHONPATH", "VIRTUAL_ENV"


def set_up(uv: str, number: int) -> float:
    """Seconds; without the path of uv it is made by venv and pip."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in NEEDED:
            shutil.copy(ROOT / file, folder)
        shutil.copytree(ROOT / "helpers", folder / "helpers")
        environment = {k: v for k, v in os.environ.items() if k not in HIDDEN}
        environment |= {"PIP_NO_CACHE_DIR": "1", "UV_NO_CACHE": "1"}
        command = ["make", "set-up", f"UV={uv}", f"PYTHON={sys.executable}"]
        return seconds(
            lambda: subprocess.run(command, cwd=folder, env=environment, check=True)
        )


def rows(rounds: int, quick: bool = False) -> list[Row]:
    """With uv, if it is there, and with pip."""
    uv = shutil.which("uv")
    runs = {"pip": partial(set_up, "")} | ({"uv": partial(set_up, uv)} if uv else {})
    found = alternate(runs, min(rounds, 3), warm=False)
    told = [Row("set-up", who, "s", found[who], who == "pip") for who in found]
    if not uv:
        told.append(Row("set-up", "uv", "s", [], note="left out: uv is not installed"))
    return told

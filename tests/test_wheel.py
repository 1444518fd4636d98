"""The package as others get it: a wheel, in an environment that has no checkout.

The environment is new, except for the packages that ours needs: they are found where
they are installed for this Python, so that no network is needed. Whatever lost its data
on the way into the wheel (weights, templates) shows here.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import json
from functools import partial
from pathlib import Path

import nbformat

import helpers
from helpers.abacus import HASTY, Learner
from helpers.evaluation import Report, evaluate, to_html
from helpers.llm import LLMGen
from helpers.problems import generate, prompt_of
from helpers.rewards import PRM, PRM_STATES, PRM_UNCHECKED, ProcessRewardModel
from helpers.search import self_consistency
from helpers.workshop import pages, slides

llm, rows = LLMGen("abacus"), generate("test", 2, seed=1)
(step,) = LLMGen("abacus", temperature=0).sample(prompt_of(rows[0]), 1, seed=0)
models = [ProcessRewardModel.load(f, llm) for f in (PRM, PRM_STATES, PRM_UNCHECKED)]
evaluate(partial(self_consistency, budget=600), rows, llm, out="x.jsonl")
cell = nbformat.v4.new_markdown_cell("# A page", metadata={
    "slideshow": {"slide_type": "slide"}})
notebook = nbformat.v4.new_notebook(cells=[cell])
print(json.dumps({
    "where": helpers.__file__,
    "step": step.text,
    "uses": [model.use for model in models],
    "steps": Learner(HASTY).steps,
    "report": to_html([Report("x.jsonl")]),
    "page": pages.to_page(notebook, "x"),
    "slides": slides.to_slides(notebook),
}))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of an environment in which the wheel is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    source, target = folder / "source", folder / "env"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "helpers", source / "helpers", ignore=unwanted)
    build = "from setuptools import build_meta; build_meta.build_wheel('.')"
    subprocess.run(
        [sys.executable, "-c", build], cwd=source, check=True, capture_output=True
    )
    venv.create(target)
    names = {"base": str(target), "platbase": str(target)}
    packages = Path(sysconfig.get_path("purelib", "venv", names))
    (wheel,) = source.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(packages)
    needed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    # A .pth file adds these folders, and not what their own .pth files would add:
    # this checkout, which is installed there in place.
    (packages / "needed.pth").write_text("\n".join(sorted(needed)), encoding="utf-8")
    # nbconvert's templates are data of an environment, not of a package. The kernels
    # beside them stay where they are: they would run this Python.
    templates = Path(sys.prefix) / "share" / "jupyter" / "nbconvert"
    shutil.copytree(templates, folder / "jupyter" / "nbconvert")
    scripts = Path(sysconfig.get_path("scripts", "venv", names))
    return scripts / ("python.exe" if os.name == "nt" else "python")


def run(python, folder, *arguments):
    """Run it elsewhere, with nothing of this checkout on its path."""
    unwanted = ("PYTHON", "REASONING_", "GSM8K_PATH", "OLLAMA_", "JUPYTER_")
    env = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
    env["JUPYTER_PATH"] = str(python.parents[2] / "jupyter")
    env["JUPYTER_DATA_DIR"] = str(folder / "nothing")
    return subprocess.run(
        [python, *arguments], cwd=folder, env=env, capture_output=True, encoding="utf-8"
    )


def test_it_samples_judges_and_writes_pages(python, tmp_path):
    done = run(python, tmp_path, "-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert Path(found["where"]).is_relative_to(python.parents[1])
    assert found["step"] == "In 7 hours Mateo bakes 7*32 = 224 pies."
    plain = ["states", "arithmetic", "plain"]
    assert found["uses"] == [plain, ["states"], ["states", "plain"]]
    assert found["steps"] == 0
    assert "<h1>Runs</h1>" in found["report"] and "data:image/png" in found["report"]
    for page in (found["page"], found["slides"]):
        assert "<title>A page</title>" in page


@pytest.mark.parametrize(
    ("command", "said", "status"),
    [
        (["helpers"], "abacus writes: In 7 hours Mateo", 0),
        (["helpers.evaluation", "--help"], "Ctrl-C stops after the problems under", 0),
        (["helpers.learning", "--help"], "labelled steps for other programs", 0),
        (["helpers.workshop.pages", "build"], "There is no notebook in", 1),
        (["helpers.workshop.slides"], "There is no notebook in", 1),
        (["helpers.workshop.record_search"], "There is no notebook in", 1),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_its_commands_run_or_say_what_they_lack(
    python, tmp_path, command, said, status
):
    done = run(python, tmp_path, "-m", *command)
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == status


def test_every_file_of_the_package_is_in_the_wheel(python):
    (installed,) = python.parents[1].rglob("site-packages/helpers")
    there = {f.relative_to(installed) for f in installed.rglob("*") if f.is_file()}
    files = (f for f in (ROOT / "helpers").rglob("*") if f.is_file())
    wanted = {f.relative_to(ROOT / "helpers") for f in files if f.suffix != ".pyc"}
    assert {f for f in there if f.suffix != ".pyc"} == wanted

"""Is everything there? `python -m helpers`

Looks at Python, the packages, the notebooks' kernel, this computer, abacus, the ways to
a real model and GSM8K, and says for every problem what to type. It installs and fetches
nothing; of the network it asks only the server of a model.

Vocabulary: a *finding* is one line of the report. Its *kind* is "ok", "note" (good to
know; the notebooks run without it) or "problem" (some notebook will not run). Whatever
a check comes upon is told as a finding, with the variable that leads there.
"""

from __future__ import annotations

import os
import platform
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from helpers.settings import is_on, path_setting

ROOT = Path(__file__).resolve().parents[1]
SET_UP = 'make set-up, or in your environment: pip install -e ".[test]"'
TIMEOUT = 3.0  # seconds in which Ollama must answer
WRITES = "In 7 hours Mateo bakes 7*32 = 224 pies."  # abacus, on every computer


@dataclass(frozen=True)
class Finding:
    """One line of the report. advice: what to type, if there is something to do."""

    kind: str
    what: str
    advice: str = ""

    def __str__(self) -> str:
        advice = f"\n         Type: {self.advice}" if self.advice else ""
        return f"{self.kind:8} {self.what}{advice}"


def check_python() -> Iterator[Finding]:
    """Is this Python new enough?"""
    from packaging.specifiers import SpecifierSet

    version, needed = platform.python_version(), project()["requires-python"]
    if version in SpecifierSet(needed):
        yield Finding("ok", f"Python {version} in {sys.prefix}")
    else:
        advice = "conda env create -f environment.yml"
        yield Finding("problem", f"Python {version}; needed is {needed}", advice)


def project() -> dict[str, Any]:
    """What pyproject.toml declares, or elsewhere the installed package."""
    file = ROOT / "pyproject.toml"
    if file.exists():
        return tomllib.loads(file.read_text("utf-8"))["project"]
    declared = metadata.metadata("local-reasoning")
    needs = [n for n in declared.get_all("Requires-Dist", []) if "extra ==" not in n]
    return {"requires-python": declared["Requires-Python"], "dependencies": needs}


def check_packages() -> Iterator[Finding]:
    """Is every package there, in a version that is allowed?"""
    from packaging.requirements import Requirement

    needs = [Requirement(line) for line in project()["dependencies"]]
    found = {}
    for need in needs:
        with suppress(metadata.PackageNotFoundError):
            found[need.name] = metadata.version(need.name)
    for need in needs:
        version = found.get(need.name)
        if not (version and need.specifier.contains(version, prereleases=True)):
            what = f"{need.name} is {version or 'missing'}; needed: {need}"
            yield Finding("problem", what, SET_UP)
    yield Finding("ok", f"{len(found)} of {len(needs)} packages found")


def check_kernel() -> Iterator[Finding]:
    """Do the notebooks run in this Python?"""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    advice = "python -m ipykernel install --sys-prefix"
    try:
        program = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        yield Finding("problem", "there is no kernel python3", advice)
        return
    if Path(program).parent in (Path(), Path(sys.executable).parent):
        yield Finding("ok", f"notebooks run in {sys.executable}")
    else:
        yield Finding("problem", f"notebooks run in another Python, {program}", advice)


def check_computer() -> Iterator[Finding]:
    """Its cores, its memory."""
    memory = ""
    with suppress(ImportError):
        import psutil

        memory = f", {psutil.virtual_memory().total / 1e9:.0f} GB of memory"
    yield Finding("ok", f"{os.cpu_count()} cores{memory}")


def check_abacus() -> Iterator[Finding]:
    """Does the embedded model write what it writes on every computer?"""
    from helpers.llm import LLMError, LLMGen
    from helpers.problems import generate, prompt_of

    prompt = prompt_of(generate("test", 1, seed=1)[0])
    try:
        (step,) = LLMGen("abacus", temperature=0, record="").sample(prompt, 1, seed=0)
        said = step.text
    except LLMError as error:
        said = f"nothing ({error})"
    if said == WRITES:
        yield Finding("ok", f"abacus writes: {said}")
    else:
        advice = "git checkout -- helpers/abacus"
        yield Finding("problem", f"abacus writes {said}, not {WRITES}", advice)


def check_ways() -> Iterator[Finding]:
    """Which ways to a real model are installed, besides Ollama's?"""
    ways = {"gguf": ("xllamacpp", "GGUF files in the notebook itself"),
            "openai": ("openai", "servers such as vLLM and llama-server")}  # fmt: skip
    for extra, (package, what) in ways.items():
        if find_spec(package):
            yield Finding("ok", f"{what}: {package} is installed")
        else:
            install = f'pip install -e ".[{extra}]"'
            yield Finding("note", f"{what}: {package} is not installed", install)


def check_model() -> Iterator[Finding]:
    """Is the model there that REASONING_MODEL names, or a recording of it?"""
    from helpers.llm import LLMError, chosen_model, is_embedded, is_file, open_client

    wanted, file = chosen_model(), path_setting("REASONING_RECORD")
    if is_on("REASONING_REPLAY_ONLY"):
        try:
            open_client(wanted, TIMEOUT).show(wanted)
            yield Finding("ok", f"the answers of {wanted} are in {file}")
        except LLMError as error:
            yield Finding("problem", f"REASONING_RECORD: {error}")
        return
    if file:
        what = "goes on with" if Path(file).is_file() else "will make"
        yield Finding("ok", f"REASONING_RECORD {what} {file}")
    is_here = is_embedded(wanted) or is_file(wanted)
    server = [*check_server("note" if is_here else "problem")]
    yield from server
    if is_embedded(wanted) or server[-1].kind == "problem":
        return
    try:
        open_client(wanted, TIMEOUT, record="").show(wanted)
    except LLMError as error:
        if error.kind != "absent":
            yield Finding("problem", str(error))
            return
        what = f"REASONING_MODEL is {wanted}, which is not there"
        yield Finding("problem", what, f"ollama pull {wanted}")
        return
    if is_file(wanted):
        yield Finding("ok", f"REASONING_MODEL is a GGUF file, {Path(wanted).name}")


def check_server(kind: str) -> Iterator[Finding]:
    """Does a server answer, and which models has it?"""
    from helpers.llm import LLMError, open_client, server_address

    try:
        address = server_address(None)
        rows = open_client("any", TIMEOUT, record="").list()
    except (LLMError, ValueError) as error:
        yield Finding(kind, "No server is needed. " * (kind == "note") + str(error))
        return
    names = ", ".join(str(row.get("model")) for row in rows)
    yield Finding("ok", f"the server at {address} has {names or 'no model'}")


def check_gsm8k() -> Iterator[Finding]:
    """Is GSM8K here? The practice problems need nothing."""
    from helpers.problems import find_file

    place = path_setting("GSM8K_PATH")
    if not place:
        yield Finding("note", "no GSM8K_PATH: practice problems only (README)")
        return
    try:
        yield Finding("ok", f"GSM8K: {find_file(place, 'test')}")
    except OSError as error:
        yield Finding("problem", f"GSM8K_PATH: {error}")


CHECKS = (check_python, check_packages, check_kernel, check_computer, check_abacus,
          check_ways, check_model, check_gsm8k)  # fmt: skip


def findings() -> Iterator[Finding]:
    """All, in the order of `CHECKS`. A check that cannot be made is a problem too."""
    for check in CHECKS:
        try:
            yield from check()
        except ImportError as error:
            yield Finding("problem", f"{error.name} cannot be imported", SET_UP)
        except Exception as error:  # whatever it is, the other checks are made
            said = f"{type(error).__name__}: {error}"
            yield Finding("problem", f"{check.__name__} could not be made ({said})")


def main() -> int:
    """Print the report; the exit status is the number of problems."""
    found = []
    for finding in findings():
        found.append(finding)
        print(finding, flush=True)
    problems = sum(finding.kind == "problem" for finding in found)
    print(f"\n{problems or 'No'} problem{'s' * (problems != 1)}.")
    return min(problems, 100)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m helpers` finds what is missing, and says what to type."""

import subprocess
import sys
from pathlib import Path

import pytest
from fake_vllm import FakeVLLM

from helpers import __main__ as check
from helpers.__main__ import Finding, findings, main
from helpers.abacus import AbacusClient, Engine, write_gguf
from helpers.llm import LLMGen

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    for name in ("REASONING_MODEL", "REASONING_REPLAY_ONLY", "GSM8K_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")  # nobody there


def problems(only):
    return [f for f in only() if f.kind == "problem"]


def test_here_everything_is_there():
    run = subprocess.run(
        [sys.executable, "-m", "helpers"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    lines = run.stdout.splitlines()
    assert lines[-1] == "No problems."
    assert any("Mateo" in line and line.startswith("ok") for line in lines)


def test_a_finding_is_a_line_and_its_advice():
    assert str(Finding("ok", "fine")) == "ok       fine"
    said = str(Finding("problem", "no tea", "brew"))
    assert said == "problem  no tea\n         Type: brew"


def test_an_older_python(monkeypatch):
    monkeypatch.setattr(check, "project", lambda: {"requires-python": ">=99"})
    (found,) = problems(check.check_python)
    assert ">=99" in found.what and "conda env create" in found.advice


def test_packages_that_are_missing_or_of_another_version(monkeypatch):
    needs = ["numpy>=99", "no-such-thing>=1", "scipy"]
    monkeypatch.setattr(check, "project", lambda: {"dependencies": needs})
    told = [f.what for f in problems(check.check_packages)]
    assert len(told) == 2 and "numpy is " in told[0] and "is missing" in told[1]
    assert [*check.check_packages()][-1].what == "2 of 3 packages found"


@pytest.mark.parametrize("program", ["elsewhere", None])
def test_a_kernel_of_another_python(program, monkeypatch, tmp_path):
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel

    def get(self, name):
        if program is None:
            raise NoSuchKernel(name)
        (tmp_path / program).touch()
        return KernelSpec(argv=[str(tmp_path / program)])

    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", get)
    (found,) = problems(check.check_kernel)
    assert "ipykernel install" in found.advice


def test_a_kernel_whose_python_is_gone(monkeypatch, tmp_path):
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

    spec = KernelSpec(argv=[str(tmp_path / "gone" / "python")])
    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", lambda *_: spec)
    (found,) = problems(check.check_kernel)
    assert "ipykernel install" in found.advice


def test_an_abacus_that_writes_something_else(monkeypatch):
    monkeypatch.setattr(check, "WRITES", "Something else.")
    (found,) = problems(check.check_abacus)
    assert "git checkout" in found.advice and "Mateo" in found.what


def test_an_abacus_that_cannot_be_read(monkeypatch, tmp_path):
    broken = tmp_path / "weights.npz"
    broken.write_bytes(b"no weights")
    monkeypatch.setattr(AbacusClient.__init__, "__defaults__", (broken,))
    (found,) = problems(check.check_abacus)
    assert "nothing" in found.what and "git checkout" in found.advice


def test_no_server_is_a_problem_only_for_those_who_need_one(monkeypatch):
    (found,) = check.check_model()
    assert found.kind == "note" and "No server is needed" in found.what
    monkeypatch.setenv("REASONING_MODEL", "llama3.2")
    found, *_ = check.check_model()
    assert found.kind == "problem" and "127.0.0.1:1 (OLLAMA_HOST)" in found.what


def test_a_server_with_and_without_the_model(server, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", server.host)
    monkeypatch.setenv("REASONING_MODEL", " 'Scripted' ")
    server.models = {"scripted:latest"}
    (found,) = check.check_model()
    assert found.kind == "ok" and "scripted:latest" in found.what
    monkeypatch.setenv("REASONING_MODEL", "llama3.2")
    *_, found = check.check_model()
    assert found.kind == "problem" and found.advice == "ollama pull llama3.2"


@pytest.mark.parametrize("package", ["xllamacpp", "openai"])
def test_ways_that_are_installed_and_not(package, monkeypatch):
    monkeypatch.setattr(check, "find_spec", lambda name: name != package)
    there, missing = sorted(check.check_ways(), key=lambda found: found.kind == "note")
    assert there.kind == "ok" and missing.kind == "note" and package in missing.what
    extra = {"xllamacpp": "gguf", "openai": "openai"}[package]
    assert missing.advice == f'pip install -e ".[{extra}]"'


def test_a_gguf_file_needs_no_server(monkeypatch, tmp_path):
    pytest.importorskip("xllamacpp")
    file = tmp_path / "mine.gguf"
    monkeypatch.setenv("REASONING_MODEL", str(file))
    server, found = check.check_model()
    assert server.kind == "note" and "No server is needed" in server.what
    assert found.kind == "problem" and "mine.gguf" in found.what
    write_gguf(Engine(), file, 32)
    *_, found = check.check_model()
    assert found.kind == "ok" and found.what.endswith("mine.gguf")


def test_a_server_of_openais_completions(monkeypatch):
    pytest.importorskip("openai")
    with FakeVLLM("served") as server:
        monkeypatch.setenv("OLLAMA_HOST", f"{server.host}/v1")
        monkeypatch.setenv("REASONING_MODEL", "served")
        assert [found.kind for found in check.check_model()] == ["ok"]
        monkeypatch.setenv("REASONING_MODEL", "other")
        *_, found = check.check_model()
        assert found.kind == "problem" and "it has served" in found.what


@pytest.mark.parametrize("said", [(200, b"<html>"), (500, {"error": "no"})])
def test_a_server_that_is_none(server, said, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", server.host)
    server.script["/api/tags"].append(said)
    (found,) = check.check_model()
    assert found.kind == "note" and server.host in found.what


def test_recordings(monkeypatch, tmp_path):
    file = str(tmp_path / "answers.sqlite")
    monkeypatch.setenv("REASONING_RECORD", file)
    told = [found.what for found in check.check_model()]
    assert told[0] == f"REASONING_RECORD will make {file}"
    monkeypatch.setenv("REASONING_REPLAY_ONLY", "true")
    (found,) = check.check_model()
    assert found.kind == "problem" and file in found.what
    LLMGen("abacus", record=file)
    (found,) = check.check_model()
    assert found.kind == "ok" and file in found.what
    monkeypatch.setenv("REASONING_MODEL", "llama3.2")
    (found,) = check.check_model()
    assert found.kind == "problem" and "it is of abacus" in found.what


def test_a_check_that_fails_is_a_problem_and_no_traceback(monkeypatch):
    def broken():
        raise FileNotFoundError("SSL_CERT_FILE")
        yield

    monkeypatch.setattr(check, "CHECKS", (broken,))
    (found,) = findings()
    assert found.kind == "problem" and "SSL_CERT_FILE" in found.what


def test_gsm8k(monkeypatch, tmp_path):
    assert [f.kind for f in check.check_gsm8k()] == ["note"]
    monkeypatch.setenv("GSM8K_PATH", str(tmp_path / "none"))
    (found,) = problems(check.check_gsm8k)
    assert "none" in found.what
    (tmp_path / "test.jsonl").touch()
    monkeypatch.setenv("GSM8K_PATH", str(tmp_path))
    assert [f.kind for f in check.check_gsm8k()] == ["ok"]


def test_what_cannot_be_imported_is_a_problem_and_the_rest_goes_on(monkeypatch, capsys):
    def broken():
        raise ModuleNotFoundError("no", name="gymnasium")
        yield

    checks = (broken, lambda: iter([Finding("ok", "the rest")]))
    monkeypatch.setattr(check, "CHECKS", checks)
    assert [f.kind for f in findings()] == ["problem", "ok"]
    assert main() == 1
    said = capsys.readouterr().out
    assert "gymnasium cannot be imported" in said and said.endswith("\n1 problem.\n")

"""abacus and both commands in hostile surroundings: nothing is read that is not needed.

Each row of `HOSTILE` is an environment in which a client of an Ollama server could not
even be imported or opened; abacus and the commands run in all of them. Each row of
`ABSENT` names something that is not there: that ends in a sentence which names it.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
KEPT = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LANG", "MPLCONFIGDIR")
NOWHERE = "/no/such/place"
SCRIPT = """
import runpy, sys
from helpers.llm import LLMGen
from helpers.__main__ import WRITES
from helpers.problems import generate, prompt_of

(step,) = LLMGen("abacus", temperature=0).sample(
    prompt_of(generate("test", 1, seed=1)[0]), 1, seed=0)
assert step.text == WRITES, step
out, statuses = sys.argv[1], []
for words in (["helpers.evaluation", "--strategy", "greedy", "--limit", "1",
               "--budget", "64", "--out", out], ["helpers"]):
    sys.argv = words
    try:
        runpy.run_module(words[0], run_name="__main__")
    except SystemExit as end:
        statuses.append(end.code)
    if len(statuses) == 1:
        assert not {"ollama", "httpx", "httpcore"} & {*sys.modules}
assert statuses == [0, 0], statuses
"""
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
HOSTILE = {
    "socks without a number": {"ALL_PROXY": "socks://127.0.0.1:7890/"},
    "socks 5": {"ALL_PROXY": "socks5://127.0.0.1:7890"},
    "in small letters": {"all_proxy": "socks://127.0.0.1:7890/"},
    "no URL": dict.fromkeys(PROXIES, "://::/"),
    "no port": dict.fromkeys(PROXIES, "http://127.0.0.1:port"),
    "a proxy that is not there": dict.fromkeys(PROXIES, "http://127.0.0.1:1"),
    "a proxy in quotes": {"HTTP_PROXY": '"http://proxy:3128"'},
    "a proxy with a password": {"HTTPS_PROXY": "http://a:b@proxy:3128"},
    "half an address": {"http_proxy": "http://[::1"},
    "an emoji": {"HTTP_PROXY": "http://\U0001f600:1"},
    "a bad NO_PROXY": {"NO_PROXY": "http://[::1,*,::/x", "HTTP_PROXY": "http://x:1"},
    "certificates that are gone": {"SSL_CERT_FILE": NOWHERE},
    "certificates, a folder": {"SSL_CERT_FILE": str(ROOT)},
    "certificates, no such": {"SSL_CERT_FILE": str(ROOT / "README.md")},
    "a folder that is gone": {"SSL_CERT_DIR": NOWHERE},
    "requests' certificates": {
        "REQUESTS_CA_BUNDLE": NOWHERE,
        "CURL_CA_BUNDLE": NOWHERE,
    },
    "a key log": {"SSLKEYLOGFILE": f"{NOWHERE}/keys"},
    "no address": {"OLLAMA_HOST": "http://[::1"},
    "a port too large": {"OLLAMA_HOST": "127.0.0.1:99999"},
    "another scheme": {"OLLAMA_HOST": "ftp://127.0.0.1"},
    "only quotes": {"OLLAMA_HOST": '""'},
    "a dead server": {"OLLAMA_HOST": "127.0.0.1:1", "OLLAMA_API_KEY": "x"},
    "OpenAI's interface": {"OLLAMA_HOST": "http://127.0.0.1:1/v1"},
    "a control character": {"OLLAMA_HOST": "127.0.0.1\x1b[31m"},
    "hosts that are none": {"REASONING_HOSTS": ",,"},
    "many slots": {"OLLAMA_NUM_PARALLEL": "9" * 5000},
    "no number of slots": {"OLLAMA_NUM_PARALLEL": "many"},
    "a model in quotes": {"REASONING_MODEL": '"abacus"'},
    "a model and a blank": {"REASONING_MODEL": " ABACUS "},
    "nothing, in quotes": dict.fromkeys(
        ("REASONING_MODEL", "REASONING_RECORD", "REASONING_HOSTS", "GSM8K_PATH"), "' '"
    ),
    "no, in words": {"REASONING_REPLAY_ONLY": "False"},
}
ALL = {name: value for row in HOSTILE.values() for name, value in row.items()}
HOSTILE["all at once"] = ALL | {"ALL_PROXY": "socks://127.0.0.1:7890/"}


def run(surroundings, *words):
    """Run Python with nothing but these variables, and with no server on the usual
    port."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    home = str(Path.home())
    own = {"PYTHONPATH": str(ROOT), "HOME": home, "USERPROFILE": home,
           "OPENBLAS_NUM_THREADS": "1", "OLLAMA_HOST": "127.0.0.1:1",
           "PYTHONUTF8": "1"}  # fmt: skip
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=kept | own | surroundings,
        capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_abacus_and_both_commands_run(name, tmp_path):
    done = run(HOSTILE[name], "-c", SCRIPT, str(tmp_path / "x.jsonl"))
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "Traceback" not in said and "No problems." in said
    assert "\x1b" not in said and "a:b@" not in said


NOTEBOOK = """
import sys, nbformat
from nbclient import NotebookClient

file = sys.argv[1]
notebook = nbformat.read(file, as_version=4)
NotebookClient(notebook, resources={"metadata": {"path": sys.argv[2]}}).execute()
print(notebook.cells[2].outputs[0].text)
"""


def test_a_notebook_runs_in_the_worst_of_them():
    folder = ROOT / "notebooks"
    file = folder / "01_llm_wrapper.ipynb"
    done = run(HOSTILE["all at once"], "-c", NOTEBOOK, str(file), str(folder))
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "The model in this notebook is abacus"


FILE = "answers.sqlite"
ABSENT = {
    "a model": ({"REASONING_MODEL": "llama3.2"}, "127.0.0.1:1 (OLLAMA_HOST)"),
    "a recording": (
        {"REASONING_RECORD": FILE, "REASONING_REPLAY_ONLY": "yes"}, FILE,
    ),
    "no recording at all": ({"REASONING_REPLAY_ONLY": "1"}, "REASONING_RECORD"),
    "an address": (
        {"REASONING_MODEL": "llama3.2", "OLLAMA_HOST": "pc:port"},
        "OLLAMA_HOST='pc:port'",
    ),
    "several": (
        {"REASONING_MODEL": "llama3.2", "REASONING_HOSTS": "127.0.0.1:1,127.0.0.1:2"},
        "127.0.0.1:1,127.0.0.1:2",
    ),
    "questions": ({"GSM8K_PATH": f"{NOWHERE}.jsonl"}, f"{NOWHERE}.jsonl"),
}  # fmt: skip


@pytest.mark.parametrize("name", ABSENT)
def test_what_is_named_and_not_there_ends_in_a_sentence(name, tmp_path):
    surroundings, named = ABSENT[name]
    problems = "gsm8k" if "GSM8K_PATH" in surroundings else "practice"
    out = str(tmp_path / "x.jsonl")
    evaluation = ["helpers.evaluation", "--strategy", "greedy", "--limit", "1",
                  "--problems", problems, "--out", out]  # fmt: skip
    for words in (evaluation, ["helpers"]):
        done = run(surroundings, "-m", *words)
        said = done.stdout + done.stderr
        assert done.returncode == 1 and named in said, said
        assert "Traceback" not in said
    assert not (tmp_path / "x.jsonl").exists()

"""Calls side by side: `map_in_threads` is `map`, and stops at a failure."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fake_ollama import HANG

from helpers.llm import map_in_threads

each_number = pytest.mark.parametrize("n", [1, 2, 4, 100])


@each_number
def test_it_is_map(n):
    assert map_in_threads(n, pow, range(50), [2] * 50) == [i**2 for i in range(50)]
    assert map_in_threads(n, pow, [], []) == []


@pytest.mark.parametrize("n", [2, 4])
def test_the_order_is_that_of_the_arguments(n):
    """The first call ends last."""
    ended = [threading.Event() for _ in range(n)]

    def call(i):
        if i + 1 < n:
            assert ended[i + 1].wait(60)
        ended[i].set()
        return i

    assert map_in_threads(n, call, range(n)) == [*range(n)]


@each_number
def test_the_arguments_must_be_equally_many(n):
    with pytest.raises(ValueError, match="shorter|longer"):
        map_in_threads(n, pow, [1, 2], [1])


@pytest.mark.parametrize("n", [2, 4])
def test_so_many_calls_are_under_way_and_no_more(n):
    meeting, lock, at_once = threading.Barrier(n), threading.Lock(), [0, 0]

    def call(_):
        with lock:
            at_once[0] += 1
            at_once[1] = max(at_once)
        meeting.wait(60)  # breaks unless n calls come together
        with lock:
            at_once[0] -= 1

    map_in_threads(n, call, range(3 * n))
    assert at_once == [0, n]


@pytest.mark.parametrize("n", [1, 2, 4])
def test_after_a_failure_no_more_is_begun(n):
    """The others that were begun go on until the failure is told."""
    begun, over = [], threading.Event()

    def call(i):
        begun.append(i)
        if i == n - 1:
            raise ValueError("no")
        if n > 1:
            over.wait(60)

    with pytest.raises(ValueError, match="no"):
        map_in_threads(n, call, range(100))
    over.set()
    assert len(begun) <= 2 * n


CALL = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # some shells ignore it
from helpers.llm import LLMGen
llm = LLMGen("scripted", host=sys.argv[1], timeout=600)
print("asks", flush=True)
llm.sample("x", 4, seed=0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
@pytest.mark.parametrize("parallel", ["1", "4"])
def test_ctrl_c_ends_a_program_whose_server_hangs(server, parallel, monkeypatch):
    monkeypatch.setenv("OLLAMA_NUM_PARALLEL", parallel)
    server.script["/api/generate"].extend([HANG] * 4)
    program = subprocess.Popen(
        [sys.executable, "-c", CALL, server.host], cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert program.stdout.readline() == "asks\n"
    assert server.asked.wait(60)
    program.send_signal(signal.SIGINT)
    _, said = program.communicate(timeout=60)  # its own time-out is ten minutes
    assert program.returncode != 0 and "KeyboardInterrupt" in said

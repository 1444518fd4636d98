"""How fast steps come from Ollama: eight of one state, by one call or by eight.

`llm.sample(k=8)` draws them together, against a loop of single calls on the same
server, in turn along a path of states. On llama.cpp in place of Ollama
(`tests/doubles/ollama_server.py`) with 1, 4 and 8 slots, for abacus and for a network
of a hundred million random parameters in single precision: its speed is that of the
memory, as with real models. If REASONING_MODEL names one, it is asked instead, on your
server (say its slots: OLLAMA_NUM_PARALLEL).
"""

import os
import tempfile
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from frame import Row, alternate, rate

from helpers.abacus import Config, Engine, init_params, write_gguf
from helpers.llm import LLMGen
from helpers.problems import PROBLEM_FORMAT, generate

K, TOKENS = 8, 24
WAYS = {f"a loop of {K} calls": K, f"sample(k={K})": 1}
LARGE = Config(width=1024, layers=8, heads=16, hidden=2816)


def states() -> Iterator[str]:
    """A path: each state is a sentence longer, so that the cache has to grow."""
    text = PROBLEM_FORMAT.format(**generate("test", 1, seed=4)[0])
    for i in range(100):
        yield text
        text += f"Tom buys {i}+12 = {i + 12} apples.\n"


def compare(name: str, llm: LLMGen, rounds: int) -> list[Row]:
    """Both ways along one path."""
    path = states()

    def speed(calls: int, number: int) -> float:
        prompt = next(path)

        def draw() -> int:
            found = (llm.sample(prompt, K // calls, seed=i) for i in range(calls))
            return sum(step.tokens for steps in found for step in steps)

        return rate(draw)

    runs = {way: partial(speed, calls) for way, calls in WAYS.items()}
    loop, _ = WAYS
    task = f"{name}, {llm.connection.parallel} at once"
    return [
        Row(task, way, "tokens/s", values, way == loop)
        for way, values in alternate(runs, rounds).items()
    ]


def stand_in(
    name: str, engine: Engine | SimpleNamespace, bits: int, threads: int, slots: int,
    rounds: int,
) -> list[Row]:  # fmt: skip
    """Compare on llama.cpp."""
    from ollama_server import OllamaServer

    told = patch.dict(os.environ, OLLAMA_NUM_PARALLEL=str(slots))
    with told, tempfile.TemporaryDirectory() as folder, OllamaServer(slots) as server:
        server.create("model", write_gguf(engine, Path(folder) / "model.gguf", bits))
        server.created["model:latest"].parameters["num_thread"] = threads
        llm = LLMGen("model", n=TOKENS, host=server.host, seed=1)
        return compare(name, llm, rounds)


def rows(rounds: int, quick: bool = False) -> list[Row]:
    """Your server's model, or two models on llama.cpp."""
    if model := os.environ.get("REASONING_MODEL"):
        return compare(model, LLMGen(model, n=TOKENS, seed=1), rounds)
    if not find_spec("xllamacpp"):
        note = 'left out: it needs xllamacpp; type: pip install -e ".[test]"'
        return [Row("steps from Ollama", "llama.cpp", "tokens/s", [], note=note)]
    own = Engine()
    found = [r for s in (1, 4, 8) for r in stand_in("abacus", own, 16, 1, s, rounds)]
    if not quick:
        params = init_params(LARGE, 0)
        large = SimpleNamespace(config=LARGE, params=params, tokenizer=own.tokenizer)
        for slots in (1, 4, 8):
            cores = os.cpu_count() or 1
            found += stand_in("104 M parameters", large, 32, cores, slots, rounds)
    return found

"""How fast steps come from Ollama: `python tests/benchmarks/ollama_speed.py`.

Eight steps of one state, drawn together by `llm.sample(k=8)`, against a loop of eight
single calls on the same server, alternately, along a path of states. On llama.cpp in
place of Ollama (`tests/ollama_server.py`), for abacus and for a network of a hundred
million random parameters in single precision: its speed is that of the memory, as with
real models. With --model, on a server of yours (say its slots: OLLAMA_NUM_PARALLEL).

Prints medians, and the lowest and highest; and how many of the prompts' tokens were
evaluated: the rest were kept from the request before.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from helpers.abacus.engine import Engine
from helpers.abacus.problems import generate
from helpers.abacus.to_gguf import write_gguf
from helpers.abacus.transformer import Config, init_params
from helpers.connection import LLMError
from helpers.llm import LLMGen

K, ROUNDS, TOKENS = 8, 5, 24
LARGE = Config(width=1024, layers=8, heads=16, hidden=2816)


def prompts(n: int) -> list[str]:
    """States of one path, each a sentence longer, so that the cache has to grow."""
    problem = generate("test", 1, seed=4)[0]
    text, found = f"Question: {problem['question']}\nAnswer:\n", []
    for i in range(n):
        found.append(text)
        text += f"Tom buys {i}+12 = {i + 12} apples.\n"
    return found


def tokens_per_second(llm: LLMGen, prompt: str, calls: int) -> float:
    """How many tokens a second come when K steps are drawn in so many calls."""
    start = time.perf_counter()
    steps = [s for i in range(calls) for s in llm.sample(prompt, K // calls, seed=i)]
    return sum(step.tokens for step in steps) / (time.perf_counter() - start)


def spread(values: list[float], digits: int = 0) -> str:
    """The median, and the ends."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def compare(name: str, llm: LLMGen) -> None:
    """Alternate the two ways along one path."""
    path = prompts(2 * ROUNDS + 1)
    tokens_per_second(llm, path[0], 1)  # the model is loaded, every slot has the prompt
    alone, together = [], []
    for i in range(1, len(path), 2):
        alone.append(tokens_per_second(llm, path[i], K))
        together.append(tokens_per_second(llm, path[i + 1], 1))
    gain = [b / a for a, b in zip(alone, together, strict=True)]
    print(f"{name}, up to {llm.connection.parallel} requests at once")
    print(f"  a loop of {K} calls, tokens/s:   {spread(alone)}")
    print(f"  sample(k={K}), tokens/s:        {spread(together)}")
    print(f"  times as fast:                {spread(gain, 2)}", flush=True)


def stand_in(name: str, engine: Engine, bits: int, threads: int, slots: int) -> None:
    """Compare on llama.cpp."""
    from ollama_server import OllamaServer

    os.environ["OLLAMA_NUM_PARALLEL"] = str(slots)
    with tempfile.TemporaryDirectory() as folder, OllamaServer(slots) as server:
        server.create("model", write_gguf(engine, Path(folder) / "model.gguf", bits))
        server.created["model:latest"].parameters["num_thread"] = threads
        compare(name, LLMGen("model", n=TOKENS, host=server.host, seed=1))
        given = sum(t["prompt_n"] + t["cache_n"] for t in server.timings)
        evaluated = sum(t["prompt_n"] for t in server.timings)
        print(f"  prompt tokens evaluated:      {evaluated} of {given}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", help="of an Ollama server, such as llama3.2")
    parser.add_argument("--threads", type=int, default=2,
                        help="for the large network (%(default)s)")  # fmt: skip
    args = parser.parse_args()
    if args.model:
        try:
            compare(args.model, LLMGen(args.model, n=TOKENS, seed=1))
        except LLMError as error:
            parser.error(str(error))
        return
    own = Engine()
    large = SimpleNamespace(
        config=LARGE, params=init_params(LARGE, 0), tokenizer=own.tokenizer
    )
    for slots in (1, 4, 8):
        stand_in("abacus", own, 16, 1, slots)
    for slots in (1, 4, 8):
        stand_in("104 M parameters", large, 32, args.threads, slots)


if __name__ == "__main__":
    main()

"""How fast steps come from a GGUF file: eight of one state, by one request or by eight.

The prompt has 150 to 180 tokens, each sample 24. Single calls either read the prompt
anew each time, or find it read already. And a tree of 60 nodes, best first, four
children each: which share of its prompts' tokens is read a second time? The files are
those in `build/models/` (`../shared/real_models/get` fetches some), or in GGUF_MODELS.
"""

import heapq
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from unittest.mock import patch

from frame import Row, alternate, rate

from helpers.llm import LLMGen
from helpers.problems import PROBLEM_FORMAT, generate

K, TOKENS = 8, 24
MODELS = Path(__file__).resolve().parents[2] / "build" / "models"
WAYS = ("a new prompt", "a prompt that was read")
CALLS, ONE = f"{K} calls", f"sample(k={K})"


def prompts() -> Iterator[str]:
    """Prompts of 150 to 180 tokens, no two with the same beginning."""
    for i, problem in enumerate(generate("test", 400)):
        lines = "".join(
            f"Tom buys {j}+12 = {j + 12} apples.\n" for j in range(i, i + 7)
        )
        yield f"{i}. {PROBLEM_FORMAT.format(**problem)}{lines}"


def compare(llm: LLMGen, way: str, rounds: int) -> list[Row]:
    """Eight calls, each of which reads its prompt or finds it read, and one."""
    source = prompts()

    def speed(who: str, number: int) -> float:
        prompt, others = next(source), [next(source) for _ in range(K)]
        if way == WAYS[1]:
            others = [prompt] * K
            llm.sample(prompt, 1, seed=0)

        def draw() -> int:
            if who == ONE:
                found = [llm.sample(prompt, K, seed=number + 1)]
            else:
                found = [llm.sample(p, 1, seed=i) for i, p in enumerate(others)]
            return sum(step.tokens for steps in found for step in steps)

        return rate(draw)

    runs = {who: partial(speed, who) for who in (CALLS, ONE)}
    return [
        Row(f"{llm.model}, {way}", who, "tokens/s", values, who == CALLS)
        for who, values in alternate(runs, rounds).items()
    ]


def reread(llm: LLMGen, nodes: int = 60, k: int = 4) -> float:
    """The share of the prompts' tokens that are read although they were read before."""
    read, sent, seen = 0, 0, set()
    client = type(llm.connection.client)
    usual = client.ask
    told = []

    def ask(self, engine, prompt, seed, n, options, top):
        class Counting:
            def handle_completions(_, request):
                said = engine.handle_completions(request)
                told.append((prompt, said["timings"], said["usage"]["prompt_tokens"]))
                return said

        return usual(self, Counting(), prompt, seed, n, options, top)

    state = next(prompts())
    queue, made = [(0.0, state)], 1
    with patch.object(client, "ask", ask):
        while made < nodes and queue:
            value, state = heapq.heappop(queue)
            for step in llm.sample(state, k, seed=0):
                made += 1
                score = value - (step.logprob or 0.0)
                heapq.heappush(queue, (score, f"{state}{step.text}\n"))
    for prompt, timings, length in told:
        known = max((len(os.path.commonprefix([prompt, p])) for p in seen), default=0)
        new = length * (1 - known / len(prompt))  # tokens, by their share of the text
        read += max(0.0, timings["prompt_n"] - new)
        sent += length
        seen.add(prompt)
    return read / sent


def rows(rounds: int, quick: bool = False) -> list[Row]:
    """Each model that is there."""
    named = os.environ.get("GGUF_MODELS", "").split(os.pathsep)
    files = [Path(n) for n in named if n] or sorted(MODELS.glob("*.gguf"))
    found = []
    for file in files:
        llm = LLMGen(str(file), n=TOKENS, stop="no such text", num_ctx=1024)
        found += [row for way in WAYS for row in compare(llm, way, rounds)]
        share = [100 * reread(LLMGen(str(file), n=TOKENS, num_ctx=1024))]
        found.append(Row(f"{file.name}, a tree of 60 nodes", "read twice", "%", share))
    note = "left out: no GGUF file is there"
    return found or [Row("a GGUF file", "llama.cpp", "tokens/s", [], note=note)]

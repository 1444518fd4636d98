"""What abacus is measured against: llama.cpp and Hugging Face's `generate`.

Both have the same weights in single precision and draw at temperature 1 without any
filter or penalty, and neither is asked for log-probabilities (abacus always computes
them). Each is given the way to draw that suits it best: every setting here is tried.

llama.cpp is its own HTTP server, from the package `xllamacpp`, asked either for all
continuations in one request ("one request"), so that a slot that is free takes the
next, or for as many copies of a prompt as it has slots, again and again ("copies"):
these read the prompt once. Slots that are asked one by one by threads of Python are
slower than both. It stores keys and values in half precision, its default (in single
precision it is several times slower here), and its package is built for AVX2.

`generate` is asked for one prefix at a time (all in one padded batch is slower), with
`num_return_sequences`, which reads the prefix for every row, or with a cache in which
the prefix stands already, read once.
"""

import os
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import httpx

from helpers.abacus import END_OF_TEXT, Engine, write_gguf

if TYPE_CHECKING:
    import torch

Ids = list[int]
# Continue each prefix k times by so many tokens; how many were sampled in all.
Draw = Callable[[Sequence[Ids], int, int], int]

SLOTS = 1, 4, 8, 16, 32
CONTEXT = 512  # tokens; more than any prefix here with its continuation
THREADS = sorted({1, os.cpu_count() or 1})
OFF = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "repeat_penalty": 1.0}


class LlamaCpp:
    """A server with one setting."""

    def __init__(self, model: Path, slots: int, threads: int) -> None:
        import xllamacpp

        p = xllamacpp.CommonParams()
        p.model.path, p.verbosity = str(model), -1
        p.n_parallel, p.n_ctx = slots, slots * CONTEXT
        p.cpuparams.n_threads = p.cpuparams_batch.n_threads = threads
        self.slots, self.server = slots, xllamacpp.Server(p)
        address = self.server.listening_address
        self.line = httpx.Client(base_url=address, timeout=None, trust_env=False)

    def ask(self, prompt: object, tokens: int, **more: int) -> int:
        """The tokens that one request sampled."""
        settings = {"n_predict": tokens, "temperature": 1.0, **OFF, **more}
        found = self.line.post("/completion", json={"prompt": prompt, **settings})
        told = found.raise_for_status().json()
        told = told if isinstance(told, list) else [told]
        return sum(one["timings"]["predicted_n"] for one in told)

    def one_request(self, prefixes: Sequence[Ids], k: int, n: int) -> int:
        """A list of prompts, which the slots share."""
        return self.ask([ids for ids in prefixes for _ in range(k)], n)

    def copies(self, prefixes: Sequence[Ids], k: int, n: int) -> int:
        """So many copies of one prompt as there are slots, until there are k."""
        parts = [min(self.slots, k - i) for i in range(0, k, self.slots)]
        return sum(self.ask(ids, n, n=part) for ids in prefixes for part in parts)


def llama_cpp(engine: Engine, k: int) -> dict[str, Draw]:
    """Every setting that can serve k continuations; none without xllamacpp.

    Each has a server of its own, so that none finds what another has read.
    """
    found: dict[str, Draw] = {}
    if not find_spec("xllamacpp"):
        return found
    with TemporaryDirectory() as folder:  # servers have read it when they are there
        write_gguf(engine, model := Path(folder) / "abacus.gguf", bits=32)
        for slots, threads in product(SLOTS, THREADS):
            name = f"slots {slots}, threads {threads}"
            if slots <= k:
                found[name] = LlamaCpp(model, slots, threads).one_request
            if 1 < slots <= k:
                found[f"{name}, copies"] = LlamaCpp(model, slots, threads).copies
    return found


class HuggingFace:
    """The model in PyTorch, and the ways to draw from it."""

    def __init__(self, engine: Engine, threads: int) -> None:
        from helpers.abacus import to_llama

        self.model, self.threads = to_llama(engine), threads

    def ask(self, ids: "torch.Tensor", n: int, **more: object) -> int:
        """Tokens sampled, the one that ends a text included."""
        import torch

        torch.set_num_threads(self.threads)
        found = self.model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=True, temperature=1.0,
            top_k=0, top_p=1.0, max_new_tokens=n, **more,
        )[:, ids.shape[1] :]  # fmt: skip
        ended = (found == END_OF_TEXT).cumsum(1) - (found == END_OF_TEXT).long()
        return int((ended == 0).sum())

    def as_usual(self, prefixes: Sequence[Ids], k: int, n: int) -> int:
        """With `num_return_sequences`."""
        import torch

        rows = [torch.tensor([ids]) for ids in prefixes]
        return sum(self.ask(ids, n, num_return_sequences=k) for ids in rows)

    def read_once(self, prefixes: Sequence[Ids], k: int, n: int) -> int:
        """From a cache of the prefix, all but its last token, for every row."""
        import torch
        from transformers import DynamicCache

        torch.set_num_threads(self.threads)
        total = 0
        for ids in prefixes:
            cache, row = DynamicCache(config=self.model.config), torch.tensor([ids])
            with torch.inference_mode():
                self.model(row[:, :-1], past_key_values=cache)
            cache.batch_repeat_interleave(k)
            total += self.ask(row.repeat(k, 1), n, past_key_values=cache)
        return total


def hugging_face(engine: Engine) -> dict[str, Draw]:
    """Every setting; none without transformers."""
    found: dict[str, Draw] = {}
    if find_spec("torch") and find_spec("transformers"):
        # The first versions of transformers 5 know no other name for it.
        warnings.filterwarnings("ignore", "`past_key_values` is deprecated")
        for threads in THREADS:
            peer = HuggingFace(engine, threads)
            found[f"threads {threads}"] = peer.as_usual
            found[f"threads {threads}, prefix read once"] = peer.read_once
    return found

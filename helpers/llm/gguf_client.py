"""A GGUF file, computed in this process by llama.cpp: no server is needed.

Vocabulary: *siblings* are samples of one prompt. Those whose seeds follow each other
are one request, whose prompt is read once. A *slot* holds what was read for one sample,
so that a longer prompt of the same beginning is not read anew: a tree costs its new
sentences only.

The calls are those of `OllamaClient`, with `generate_many` on top. The package
`xllamacpp` is llama.cpp (the extra `gguf`). One engine is loaded per file and process.
Covers: raw generation, log-probabilities. Does not cover: states and the probability of
a given text, which the engine does not tell; images; graphics cards.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from helpers.wire import Response, read_response

from .checks import check_counts
from .errors import failure, refusal
from .gguf_file import Head, read_head
from .limits import check_options
from .threads import map_in_threads

SLOTS = 8  # samples at once
BATCH = 512  # tokens of a prompt that are read at once
SPARE = 2**28  # bytes that a computer needs for all else
SENT_ON = ("temperature", "top_k", "top_p", "min_p", "seed", "stop", "repeat_penalty")


def load_package() -> Any:
    """llama.cpp. Raises LLMError, with what to type, where it is not installed."""
    try:
        import gguf  # noqa: F401  (its table of number formats)
        import xllamacpp
    except ImportError as error:
        raise failure("package", package=error.name, extra="gguf") from error
    return xllamacpp


@dataclass(frozen=True)
class Model:
    """A file that can be loaded: its head, and the slots' context in tokens."""

    file: Path
    head: Head

    @property
    def context(self) -> int:
        """Tokens that the model was made for."""
        told = self.head.of_model("context_length")
        return told if type(told) is int and told > 1 else 2048

    @property
    def ends(self) -> set[int]:
        """The tokens that end a text."""
        names = ("eos_token_id", "eot_token_id", "eom_token_id")
        return {self.head.metadata.get(f"tokenizer.ggml.{name}") for name in names}

    def need(self, context: int) -> int:
        """About how many bytes of memory it takes: the file, what was read in all
        slots (keys and values of 16 bits), and room to compute in."""
        told = self.head.of_model
        heads = told("attention.head_count") or 1
        width = (
            told("embedding_length", 0) // heads * told("attention.head_count_kv", 1)
        )
        slots = 4 * width * told("block_count", 0) * context * SLOTS
        return self.head.size + slots + 4 * BATCH * told("vocab_size", 2**17)


@lru_cache(maxsize=8)
def read_model(file: Path, written: int) -> Model:
    """The model in a file, which was written then, in nanoseconds. Raises LLMError."""
    try:
        return Model(file, read_head(file))
    except (OSError, ValueError) as error:
        raise failure("gguf", file=file.name, said=error) from error


@lru_cache(maxsize=8)
def digest_of(file: Path, written: int) -> str:
    """The sha256 of a file; `written` as in `read_model`."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Engines:
    """The engines of this process: one per file, with the largest context asked for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.loaded: dict[tuple[Path, int], tuple[int, Any]] = {}

    def get(self, model: Model, written: int, context: int) -> Any:
        """The engine of a model with room for a context. Raises LLMError."""
        with self.lock:
            key = model.file, written
            room, engine = self.loaded.get(key, (0, None))
            if room < context:
                self.loaded.pop(key, None)
                engine = None  # the memory of the smaller one is needed
                engine = open_engine(model, context)
                self.loaded[key] = context, engine
            return engine


ENGINES = Engines()


def open_engine(model: Model, context: int) -> Any:
    """Load a model. Raises LLMError where there is too little memory, or the engine
    cannot load the file, for which it has one error."""
    import psutil

    package = load_package()
    need, free = model.need(context) + SPARE, psutil.virtual_memory().available
    if need > free:
        said = f"it needs about {need / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free"
        raise failure("memory", file=model.file.name, said=said, num_ctx=context)
    p = package.CommonParams()
    p.model.path, p.verbosity, p.warmup = str(model.file), -1, False
    p.n_ctx, p.n_parallel = context * SLOTS, SLOTS
    p.n_batch = p.n_ubatch = BATCH
    p.ctx_shift = False  # a full context ends a step; it does not slide
    # A thread that waits for a busy core stops all others: one core is left free.
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = threads()
    try:
        engine = package.Server(p)
    except RuntimeError as error:
        raise failure("gguf", file=model.file.name, said=error) from error
    # An engine that is closed before it has answered once waits for itself for ever.
    engine.handle_completions({"prompt": "x", "max_tokens": 1})
    return engine


def threads() -> int:
    """How many threads compute."""
    return max(1, (os.cpu_count() or 1) - 1)


class GGUFClient:
    """Answers as the client of a server does, computed in this process.

    file: the model. Raises LLMError for one that is missing or damaged.
    """

    def __init__(self, file: Path) -> None:
        load_package()
        self.file = file
        if not file.is_file():
            raise failure("gguf", file=file.name, said="there is no such file")
        self.model = read_model(file, self.written)

    @property
    def written(self) -> int:
        """When the file was written, in nanoseconds."""
        return self.file.stat().st_mtime_ns

    def __getstate__(self) -> dict[str, Any]:
        return {"file": self.file, "model": self.model}

    def generate(
        self, model: str, prompt: str, *, raw: bool = True, think: bool = False,
        options: Mapping[str, Any] | None = None, logprobs: bool = False,
        top_logprobs: int = 0, images: Sequence[str] = (),
    ) -> Response:  # fmt: skip
        """One continuation of the prompt; `raw` and `think` change nothing here."""
        options = dict(options or {})
        seeds = [options.pop("seed", 0)]
        return self.generate_many(
            model, [prompt], seeds=seeds, options=options, logprobs=logprobs,
            top_logprobs=top_logprobs,
        )[0]  # fmt: skip

    def generate_many(
        self, model: str, prompts: Sequence[str], *, seeds: Sequence[int],
        options: Mapping[str, Any] | None = None, logprobs: bool = False,
        top_logprobs: int = 0,
    ) -> list[Response]:  # fmt: skip
        """One continuation of each prompt by its seed; siblings in one request."""
        options = dict(options or {})
        check_options(options)
        context = min(options.get("num_ctx", 2048), self.model.context)
        options["num_ctx"] = context
        engine = ENGINES.get(self.model, self.written, context)
        groups = [*siblings(prompts, seeds)]

        def ask(prompt: str, seed: int, n: int) -> list[Response]:
            return self.ask(engine, prompt, seed, n, options, top_logprobs)

        found = map_in_threads(SLOTS, ask, *zip(*groups, strict=True)) if groups else []
        return [response for several in found for response in several]

    def ask(
        self, engine: Any, prompt: str, seed: int, n: int, options: Mapping[str, Any],
        top: int,
    ) -> list[Response]:  # fmt: skip
        """n samples of one prompt, by the seeds from `seed` on."""
        context = options["num_ctx"]
        if not prompt:  # nothing is written after nothing, as by a server
            return [Response(done_reason="load")] * n
        request = {name: options[name] for name in SENT_ON if name in options}
        most = options.get("num_predict", -1)
        request |= {"prompt": prompt, "n": n, "seed": int(seed),
                    "logprobs": max(top, 1),
                    "max_tokens": context if most < 0 else most, "stream": False,
                    "cache_prompt": True}  # fmt: skip
        said = engine.handle_completions(request)
        facts = {"model": self.file.name, "address": "this process", "num_ctx": context}
        if error := said.get("error"):
            raise refusal(error["code"], json.dumps(error), **facts)
        length = said["usage"]["prompt_tokens"]
        if length >= context:
            raise failure("context", said=f"it has {length} tokens", **facts)
        found = [self.to_response(choice, length, top) for choice in said["choices"]]
        for response in found:
            check_counts(response, options)
        return found

    def to_response(self, choice: Mapping[str, Any], length: int, top: int) -> Response:
        """One of the engine's choices. Of its tokens, the one that matched a stop
        string is not told; the one that ended the text is."""
        tokens = list((choice["logprobs"] or {}).get("content") or ())
        is_over = bool(tokens) and tokens[-1]["id"] in self.model.ends
        was_stopped = choice["finish_reason"] == "stop" and not is_over
        told = tokens[:-1] if is_over else tokens
        kept = [{**t, "top_logprobs": t["top_logprobs"] if top else []} for t in told]
        return read_response({
            "response": choice["text"], "done": True,
            "done_reason": "length" if choice["finish_reason"] == "length" else "stop",
            "prompt_eval_count": length, "eval_count": len(tokens) + was_stopped,
            "logprobs": kept,
        })  # fmt: skip

    def embed(self, model: str, input: Sequence[str]) -> list[list[float]]:
        """Refused: this engine gives no states of a model that writes."""
        said = "llama.cpp gives vectors of embedding models only"
        raise failure("states", model=self.file.name, said=said)

    def pull(self, model: str) -> Iterator[dict[str, Any]]:
        """Nothing to fetch: the file is here."""
        yield {"status": "success"}

    def list(self) -> list[dict[str, Any]]:
        """The one model there is."""
        digest = digest_of(self.file, self.written)
        return [
            {"model": self.file.name, "digest": digest, "size": self.model.head.size}
        ]

    def version(self) -> str:
        """Of the engine."""
        from importlib.metadata import version

        return f"xllamacpp {version('xllamacpp')}"

    def show(self, model: str) -> dict[str, Any]:
        """What the file tells of the model, under the names that Ollama uses."""
        metadata = self.model.head.metadata
        return {
            "model_info": {k: v for k, v in metadata.items() if v is not None},
            "details": {"format": "gguf", "quantization_level": self.quantisation()},
            "capabilities": ["completion"],
        }

    def quantisation(self) -> str | None:
        """Such as "Q4_K_M"."""
        from gguf.constants import LlamaFileType

        try:
            kind = LlamaFileType(self.model.head.metadata.get("general.file_type"))
        except ValueError:
            return None
        return kind.name.removeprefix("MOSTLY_").removeprefix("ALL_")


def siblings(
    prompts: Sequence[str], seeds: Sequence[int]
) -> Iterator[tuple[str, int, int]]:
    """Equal prompts whose seeds follow each other: (prompt, first seed, how many)."""
    pairs = [*zip(prompts, seeds, strict=True)]
    first = 0
    for i, (a, b) in enumerate(pairwise([*pairs, (None, 0)]), start=1):
        if b != (a[0], a[1] + 1) or i - first == SLOTS:
            yield (*pairs[first], i - first)
            first = i

"""The engine that computes GGUF files: llama.cpp, one per file and process.

Vocabulary: a *slot* holds what was read for one sample, so that a longer prompt of the
same beginning is not read anew: a tree costs its new sentences only. The *context* is
how many tokens a slot holds.

The engine has one error for everything that may be wrong with a file, and dies of
some. So the file is read, and its need of memory compared, before it is loaded. Does
not cover: what the engine is asked (`gguf_client.py`), graphics cards.
"""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from .errors import failure
from .gguf_file import Head, read_head

SLOTS = 8  # samples at once
BATCH = 512  # tokens of a prompt that are read at once
SPARE = 2**28  # bytes that a computer needs for all else


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
        return max(2, self.count("context_length", 2048))

    @property
    def ends(self) -> set[int]:
        """The tokens that end a text."""
        names = ("eos_token_id", "eot_token_id", "eom_token_id")
        told = (self.head.metadata.get(f"tokenizer.ggml.{name}") for name in names)
        return {token for token in told if token is not None}

    def need(self, context: int) -> int:
        """About how many bytes of memory it takes: the file, what was read in all
        slots (keys and values of 16 bits), and room to compute in."""
        heads = self.count("attention.head_count", 1)
        shared = self.count("attention.head_count_kv", heads)
        width = self.count("embedding_length", 0) * shared // heads
        slots = 4 * width * self.count("block_count", 0) * context * SLOTS
        return self.head.size + slots + 4 * BATCH * self.count("vocab_size", 2**17)

    def count(self, name: str, usual: int) -> int:
        """A count that the head tells, the largest if it tells one for each layer."""
        told = self.head.of_model(name)
        counts = told if isinstance(told, list) else [told]
        return max((n for n in counts if type(n) is int and n > 0), default=usual)


@lru_cache(maxsize=8)
def read_model(file: Path, written: int) -> Model:
    """The model in a file, which was written then, in nanoseconds. Raises LLMError."""
    try:
        return Model(file, read_head(file))
    except (OSError, RecursionError, ValueError) as error:
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
        self.loaded: dict[Path, tuple[int, int, Any]] = {}  # written, room, engine

    def get(self, model: Model, written: int, context: int) -> Any:
        """The engine of a model with room for a context. Raises LLMError."""
        with self.lock:
            when, room, engine = self.loaded.get(model.file, (0, 0, None))
            if when != written or room < context:
                self.loaded.pop(model.file, None)
                engine = None  # its memory is needed
                engine = open_engine(model, context)
                self.loaded[model.file] = written, context, engine
            return engine


ENGINES = Engines()
LEFT_BEHIND = []  # engines of a parent: closed in the child, they would wait for ever


def forget_parents() -> None:
    """A fork takes the engines along, but not the threads that compute in them."""
    LEFT_BEHIND.append(ENGINES.loaded)
    ENGINES.loaded, ENGINES.lock = {}, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_parents)


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

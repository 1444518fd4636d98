"""The engine of abacus: samples text from the transformer, in NumPy.

Vocabulary used here: a *prefix* is the token ids of a prompt; a *continuation* is
what the model writes after it; a *row* is one of those that are written side by side,
a *batch*; a *group* is the rows of one prefix, which is read once for all of them.

Every row draws from a random stream of its own seed, so its text depends on nothing
else in the batch. Double precision makes rounding so small that every computer samples
the same text. Single precision is about 1.6 times as fast, and once in some million
tokens another computer may draw another one.

What is computed stands in `decoder.py`, how a token is drawn in `sampling.py`.
"""

import math
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import groupby
from multiprocessing import parent_process
from os.path import commonprefix
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from .decoder import Cache, Decoder
from .sampling import Sampling, draw, log_softmax
from .tokenizer import END_OF_TEXT, Tokenizer, load_merges
from .transformer import Config, Params

HERE = Path(__file__).parent
WEIGHTS = HERE / "weights.npz"
MERGES = HERE / "merges.txt"
SMALLEST, LARGEST = 32, 128  # rows of a batch; one larger gains little
TIDY = 0.75  # the share of a batch's rows that are left when the others are dropped

Text = tuple[list[int], np.ndarray]  # ids read, and their keys and values


@dataclass
class Continuation:
    """What was written after a prefix.

    `log_probs` are the model's own, before any filter or temperature, and `top` the
    most probable tokens with theirs, one dictionary a token. The token that ended
    the text is counted in `sampled` but stands neither in the text nor in the
    lists, as with Ollama.
    """

    written: bytes = b""
    ids: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
    top: list[dict[int, float]] = field(default_factory=list)
    sampled: int = 0
    reason: str = ""  # "stop" (a stop string or the end of the text) or "length"

    @property
    def text(self) -> str:
        """The words written; broken UTF-8 shows as the replacement character."""
        return self.written.decode("utf-8", "replace")


class Engine:
    """The model in memory, from a file or from parameters that are there already.

    precision: "float64", or "float32" for 1.6 times the speed; ValueError else.
    From the first one on, NumPy's matrix products in this process keep to one thread.
    """

    def __init__(
        self, weights: Path | Params = WEIGHTS, precision: str = "float64"
    ) -> None:
        if precision not in ("float64", "float32"):
            raise ValueError(f'precision={precision!r}: type "float64" or "float32"')
        if not isinstance(weights, dict):
            with np.load(weights, allow_pickle=False) as file:
                weights = dict(file)
        self.params = {name: array.astype(precision) for name, array in weights.items()}
        limit_blas()
        self.config = Config()
        self.tokenizer = Tokenizer(load_merges(MERGES))
        self.decoder = Decoder(self.params, self.config)
        self.memory: deque[Text] = deque(maxlen=16)  # texts read lately

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum(array.size for array in self.params.values())

    def encode(self, prompt: str) -> list[int]:
        """The prompt's token ids, after the token that begins every text."""
        return [END_OF_TEXT, *self.tokenizer.encode(prompt)]

    def read(self, ids: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """The state (d,) after the last token, and the keys and values for a `Cache`.

        What the ids have in common with a text read lately is not computed again:
        in a tree of steps that is nearly all of it.
        """
        known, past = self.recall(ids[:-1])
        state, past = self.decoder.read(ids[known:], past)
        self.memory.append((ids, past))  # threads share the memory: never ask it back
        return state, past

    def recall(self, ids: list[int]) -> tuple[int, np.ndarray]:
        """How many of the first ids were read lately, and their keys and values."""

        def shared(text: Text) -> int:
            return len(commonprefix([ids, text[0]]))

        best = max([([], self.decoder.nothing), *self.memory.copy()], key=shared)
        return shared(best), best[1][..., : shared(best), :]

    def generate(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        n: int | Sequence[int],
        how: Sampling,
        stop: Sequence[str] = (),
        top: int = 0,
    ) -> list[Continuation]:
        """Continue each prompt by its seed, up to a stop string.

        Equal prompts should stand together: each of their groups is read once. `n` is
        the number of tokens at most, of every row or of all; ValueError if prompt and
        tokens are more than the context.
        """
        sizes = [len([*same]) for _, same in groupby(prompts)]
        begun = [self.read(self.encode(prompt)) for prompt, _ in groupby(prompts)]
        group = np.repeat(np.arange(len(begun)), sizes)
        seeds, limits = [*seeds], np.broadcast_to(n, len(group))
        rooms = [self.config.context - past.shape[-2] for _, past in begun]
        if (limits > np.repeat(rooms, sizes)).any():
            raise ValueError(f"n={n}: a prompt leaves room for {min(rooms)} tokens")

        def write(part: slice, is_over: Event) -> list[Continuation]:
            """Some of the rows, in a batch of their own."""
            found, sizes = np.unique(group[part], return_counts=True)
            cache = Cache([begun[i][1] for i in found], sizes)
            states = np.stack([begun[i][0] for i in group[part]])
            batch = states, cache, seeds[part], limits[part]
            return self.write(*batch, how, tuple(stop), top, is_over)

        return [row for rows in in_threads(write, len(group)) for row in rows]

    def write(
        self,
        states: np.ndarray,
        cache: Cache,
        seeds: Sequence[int],
        limits: np.ndarray,
        how: Sampling,
        stop: tuple[str, ...],
        top: int,
        is_over: Event,
    ) -> list[Continuation]:
        """Write a batch, a token of every row at a time."""
        longest = limits.max()
        uniform = np.array([np.random.default_rng(s).random(longest) for s in seeds])
        done = rows = [Continuation() for _ in seeds]
        for t in range(longest):
            log_probs = log_softmax(self.decoder.scores(states))
            tokens = draw(log_probs, uniform[:, t], how)
            drawn = zip(rows, tokens.tolist(), log_probs, limits, strict=True)
            for row, token, scores, limit in drawn:
                if not row.reason:
                    self.add(row, token, scores, stop, top)
                    if t + 1 >= limit and not row.reason:
                        row.reason = "length"
            going = [i for i, row in enumerate(rows) if not row.reason]
            if not going or is_over.is_set():
                break
            # To drop a row is to copy the others: rows that have ended are carried
            # along for a while, and nobody reads what they write (saves 9 % for 64
            # rows, 16 % for 256).
            if len(going) <= TIDY * len(rows):
                cache.keep(going)
                rows, tokens = [rows[i] for i in going], tokens[going]
                uniform, limits = uniform[going], limits[going]
            states = self.decoder.step(tokens, cache)
        return done

    def add(
        self,
        row: Continuation,
        token: int,
        log_probs: np.ndarray,
        stop: tuple[str, ...],
        top: int,
    ) -> None:
        """Append a token to a row, or end the row at a stop string."""
        row.sampled += 1
        before, row.written = row.written, row.written + self.tokenizer.tokens[token]
        if token in enders(self.tokenizer, stop):
            cuts = [row.written.find(s.encode("utf-8", "surrogatepass")) for s in stop]
            cuts = [cut for cut in cuts if cut >= 0]
            if cuts or token == END_OF_TEXT:
                row.reason = "stop"
                row.written = row.written[: min(cuts, default=len(before))]
                return
        row.ids.append(token)
        row.log_probs.append(float(log_probs[token]))
        if top:
            best = np.argsort(-log_probs, kind="stable")[:top]
            row.top.append({int(i): float(log_probs[i]) for i in best})


@lru_cache
def enders(tokenizer: Tokenizer, stop: tuple[str, ...]) -> frozenset[int]:
    """The tokens with which a text may end: only they hold a stop's last byte."""
    last = {s.encode("utf-8", "surrogatepass")[-1] for s in stop}
    tokens = enumerate(tokenizer.tokens)
    return frozenset({END_OF_TEXT} | {i for i, token in tokens if last & {*token}})


def in_threads(write: Callable[[slice, Event], Any], n: int) -> list[Any]:
    """Share n rows out to the processor's cores: the results of `write` for each part.

    NumPy computes without holding Python's lock, so threads do (two: up to 1.9 times as
    fast). `write` is handed an event that is set when nobody waits for it any more.
    """
    cores = 1 if parent_process() else os.cpu_count() or 1  # workers share the cores
    size = min(max(math.ceil(n / cores), SMALLEST), LARGEST)
    parts = [slice(i, i + size) for i in range(0, n, size)]
    pool, is_over = ThreadPoolExecutor(cores), Event()  # starts no thread before work
    try:
        found = pool.map if len(parts) > 1 else map
        return [*found(partial(write, is_over=is_over), parts)]
    finally:  # after Ctrl-C too
        is_over.set()
        pool.shutdown(wait=False, cancel_futures=True)


@lru_cache
def limit_blas() -> None:
    """One thread for the library that multiplies matrices, from now on in this process.

    A second one would gain a tenth if a core is idle, and cost half of the speed if it
    is not (8 rows).
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1, user_api="blas")

"""The engine of abacus: samples text from the transformer, in NumPy.

Vocabulary used here: a *prefix* is the token ids of a prompt; a *continuation* is
what the model writes after it; a *sample* is one that is asked for; a *batch* is the
samples that are written side by side; a *row* is a text of a batch that is computed; a
*branch* is where it goes on with a token that some of its samples have drawn.

Every sample draws from a random stream of its own seed, so its text depends on nothing
else in the batch. As long as samples of one prefix have drawn the same tokens, they
are one row: what is equal in a batch is computed once.

Double precision makes rounding so small that every computer samples the same text.
Single precision is about 1.6 times as fast, and once in some million tokens another
computer may draw another one.

What is computed stands in `decoder.py`, how a token is drawn in `sampling.py`.
"""

import math
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from multiprocessing import parent_process
from os.path import commonprefix
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from .arrays import load_arrays
from .decoder import Cache, Decoder
from .sampling import Sampling, draw, log_softmax
from .tokenizer import END_OF_TEXT, Tokenizer, load_merges
from .transformer import Config, Params

HERE = Path(__file__).parent
WEIGHTS = HERE / "weights.npz"
HASTY = HERE / "hasty.npz"  # answers in a hurry: the start of notebook 07
MERGES = HERE / "merges.txt"
# Each thread gets at least so many rows, as far as one can expect (two with fewer took
# up to twice as long as one: they wait for Python's lock), and a batch at most so many
# samples (a larger one gains little).
SMALLEST, LARGEST = 32, 128

Text = tuple[list[int], np.ndarray]  # ids read, and their keys and values
Branch = tuple[int, int, list[int]]  # number of the row, token, samples that drew it


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

    def finished(self) -> "Continuation":
        """A copy for one sample; the reason is "length" if nothing else ended it."""
        lists = [*self.ids], [*self.log_probs], [{**best} for best in self.top]
        return Continuation(self.written, *lists, self.sampled, self.reason or "length")


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
            weights = load_arrays(weights)
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

        Equal prompts share most if they stand together. `n` is the most tokens, of each
        sample or of all. ValueError if there are not as many seeds as prompts, or if
        prompt and tokens are more than the context, or no token is asked for.
        """
        if len(seeds) != len(prompts):
            raise ValueError(f"{len(prompts)} prompts and {len(seeds)} seeds: one each")
        number = {prompt: i for i, prompt in enumerate(dict.fromkeys(prompts))}
        begun = [self.read(self.encode(prompt)) for prompt in number]
        group = np.array([number[prompt] for prompt in prompts], dtype=int)
        limits = np.broadcast_to(n, len(group))
        if (limits < 1).any():
            raise ValueError(f"n={n}: ask for one token at least")
        rooms = np.array([self.config.context - past.shape[-2] for _, past in begun])
        if (limits > rooms[group]).any():
            raise ValueError(f"n={n}: a prompt leaves room for {min(rooms)} tokens")

        def write(part: slice, is_over: Event) -> list[Continuation]:
            """Some of the samples, in a batch of their own."""
            batch = group[part], seeds[part], limits[part]
            return self.write(begun, *batch, how, tuple(stop), top, is_over)

        # Samples of a prompt often draw the same: half of the others are expected to.
        rows = len(begun) + (len(group) - len(begun)) // 2
        parts = in_threads(write, len(group), rows)
        return [continuation for part in parts for continuation in part]

    def write(
        self,
        begun: list[tuple[np.ndarray, np.ndarray]],
        group: np.ndarray,
        seeds: Sequence[int],
        limits: np.ndarray,
        how: Sampling,
        stop: tuple[str, ...],
        top: int,
        is_over: Event,
    ) -> list[Continuation]:
        """Write a batch, a token of every row at a time.

        Sample i goes on from what has been read in `begun[group[i]]`.
        """
        used, first = np.unique(group, return_inverse=True)
        rows = [np.flatnonzero(first == i).tolist() for i in range(len(used))]
        states = np.stack([begun[i][0] for i in used])
        cache = Cache([begun[i][1] for i in used], most=len(group))
        uniform = [np.random.default_rng(s).random(limits.max()) for s in seeds]
        texts = [Continuation()] * len(group)  # of each sample
        for t, numbers in enumerate(np.transpose(uniform), 1):
            log_probs = log_softmax(self.decoder.scores(states))
            branches = []  # that go on
            for row, token, samples in branch(rows, log_probs, numbers, how):
                text = texts[samples[0]]
                text = self.add(text, token, log_probs[row], stop, top)
                for i in samples:
                    texts[i] = text
                samples = [i for i in samples if t < limits[i] and not text.reason]
                if samples:
                    branches.append((row, token, samples))
            if not branches or is_over.is_set():
                break
            parents, tokens, rows = zip(*settle(branches), strict=True)
            cache.follow([*parents])
            states = self.decoder.step(np.array(tokens), cache)
        return [text.finished() for text in texts]

    def add(
        self,
        text: Continuation,
        token: int,
        log_probs: np.ndarray,
        stop: tuple[str, ...],
        top: int,
    ) -> Continuation:
        """The text with one more token, or ended by it at a stop string."""
        written, sampled = text.written + self.tokenizer.tokens[token], text.sampled + 1
        if token in enders(self.tokenizer, stop):
            cuts = [written.find(s.encode("utf-8", "surrogatepass")) for s in stop]
            cuts = [cut for cut in cuts if cut >= 0]
            if cuts or token == END_OF_TEXT:
                cut = written[: min(cuts, default=len(text.written))]
                return replace(text, written=cut, sampled=sampled, reason="stop")
        best = np.argsort(-log_probs, kind="stable")[:top] if top else ()
        ranked = {int(i): float(log_probs[i]) for i in best}
        return Continuation(
            written,
            [*text.ids, token],
            [*text.log_probs, float(log_probs[token])],
            [*text.top, ranked],
            sampled,
        )


def branch(
    rows: Sequence[list[int]], log_probs: np.ndarray, uniform: np.ndarray, how: Sampling
) -> list[Branch]:
    """Draw a token for every sample of `rows`, the samples of each, and share them out
    by what they drew."""
    samples = [i for row in rows for i in row]
    numbers = [number for number, row in enumerate(rows) for _ in row]
    tokens = draw(log_probs, numbers, uniform[samples], how).tolist()
    found: dict[tuple[int, int], list[int]] = {}
    for i, row, token in zip(samples, numbers, tokens, strict=True):
        found.setdefault((row, token), []).append(i)
    return [(row, token, samples) for (row, token), samples in found.items()]


def settle(branches: list[Branch]) -> list[Branch]:
    """Order the branches so that most become the row that they come from: what has been
    read of it stays where it is."""
    stay: dict[int, Branch] = {}
    others = []
    for row, token, samples in branches:
        if row < len(branches) and row not in stay:
            stay[row] = row, token, samples
        else:
            others.append((row, token, samples))
    return [stay[i] if i in stay else others.pop() for i in range(len(branches))]


@lru_cache
def enders(tokenizer: Tokenizer, stop: tuple[str, ...]) -> frozenset[int]:
    """The tokens with which a text may end: only they hold a stop's last byte."""
    last = {s.encode("utf-8", "surrogatepass")[-1] for s in stop}
    tokens = enumerate(tokenizer.tokens)
    return frozenset({END_OF_TEXT} | {i for i, token in tokens if last & {*token}})


def in_threads(write: Callable[[slice, Event], Any], n: int, rows: int) -> list[Any]:
    """Share n samples out to the processor's cores: what `write` finds for each part.

    `rows` is how many are expected: threads are used only for SMALLEST of them each.
    NumPy computes without holding Python's lock, so threads do (two: 1.5 times as fast,
    for 128 texts that all differ). `write` is handed an event that is set when nobody
    waits for it any more.
    """
    cores = 1 if parent_process() else os.cpu_count() or 1  # workers share the cores
    number = max(min(cores, rows // SMALLEST), math.ceil(n / LARGEST), 1)
    size = max(math.ceil(n / number), 1)
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

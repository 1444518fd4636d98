"""The engine of abacus: samples text from the transformer, in NumPy, in float64.

Vocabulary used here: a *prefix* is the token ids of a prompt; a *continuation* is
what the model writes after it; a *batch* is all the continuations of one prefix; a
*row* is one continuation in the batch; the *cache* holds the keys and values of
tokens already read, so that each is computed once.

The prefix is read once and shared by all rows. Every row draws from a random
stream of its own seed, so its text depends on nothing else in the batch. Double
precision makes rounding so small that every computer samples the same text.

The order of the filters is llama.cpp's: top_k, top_p, min_p, then temperature. So
top_p and min_p judge the model's own probabilities, and temperature comes last.

Not covered: batches of different prefixes, penalties for repetition, grammars.

Source: Fan et al. 2018 (top-k); Holtzman et al. 2020 (nucleus, top-p); Nguyen et
al. 2024 (min-p).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from os.path import commonprefix
from pathlib import Path

import numpy as np

from .tokenizer import END_OF_TEXT, Tokenizer, load_merges
from .transformer import (
    Array,
    Config,
    causal_attention,
    hidden_states,
    logits,
    rotary,
)

HERE = Path(__file__).parent
WEIGHTS = HERE / "weights.npz"

Text = tuple[list[int], np.ndarray]  # ids read, and their keys and values


@dataclass(frozen=True)
class Sampling:
    """How a token is drawn; the defaults leave the model's distribution as it is."""

    temperature: float = 1.0  # 0 takes the most probable token
    top_k: int = 0  # keep the k most probable tokens; 0 keeps all
    top_p: float = 1.0  # keep the fewest tokens whose probabilities reach p
    min_p: float = 0.0  # keep tokens at least this share of the best one's probability


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


class Cache:
    """Keys and values of all layers: of the prefix once, of each row's own tokens.

    Both are (layers, 2, ..., tokens, D); the prefix has no axis of rows.
    """

    def __init__(self, prefix: np.ndarray, rows: int) -> None:
        layers, _, heads, _, size = prefix.shape
        self.prefix = prefix
        self.own = np.empty((layers, 2, rows, heads, 32, size))
        self.length = 0  # own tokens of every row

    def grow(self) -> None:
        """Make room for one more token in every row."""
        if self.length == self.own.shape[-2]:
            self.own = np.concatenate([self.own, np.empty_like(self.own)], axis=-2)
        self.length += 1

    def keep(self, rows: list[int]) -> None:
        """Forget the other rows."""
        self.own = self.own[:, :, rows]

    def attend(self, layer: int, q: Array, k: Array, v: Array) -> Array:
        """Attention of one new token a row (B, H, 1, D) to the prefix and its own."""
        own = self.own[layer, :, :, :, : self.length]
        own[0, ..., -1:, :], own[1, ..., -1:, :] = k, v
        keys, values = self.prefix[layer]
        q = q * q.shape[-1] ** -0.5
        # All rows share the prefix: one matrix product a head serves them together.
        far = np.swapaxes(np.swapaxes(q[:, :, 0], 0, 1) @ np.swapaxes(keys, 1, 2), 0, 1)
        near = (q @ np.swapaxes(own[0], -1, -2))[:, :, 0]
        scores = np.concatenate([far, near], axis=-1)  # (B, H, tokens)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        far, near = np.split(weights, [keys.shape[1]], axis=-1)
        seen = np.swapaxes(np.swapaxes(far, 0, 1) @ values, 0, 1)
        return seen[:, :, None] + near[:, :, None] @ own[1]


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """Log-probabilities from unnormalised ones, along the last axis."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def allowed(log_probs: np.ndarray, how: Sampling) -> np.ndarray:
    """Which tokens (B, V) pass top_k, top_p and min_p, in this order."""
    probs = np.exp(log_probs)
    passed = np.ones(probs.shape, dtype=bool)
    if how.top_k or how.top_p < 1:
        order = np.argsort(-log_probs, axis=-1, kind="stable")
        ranked = np.take_along_axis(probs, order, axis=-1)
        ranked[:, how.top_k or len(ranked[0]) :] = 0
        ranked /= ranked.sum(axis=-1, keepdims=True)
        before = np.cumsum(ranked, axis=-1) - ranked
        np.put_along_axis(passed, order, (ranked > 0) & (before < how.top_p), axis=-1)
    return passed & (probs >= how.min_p * probs.max(axis=-1, keepdims=True))


def draw(log_probs: np.ndarray, uniform: np.ndarray, how: Sampling) -> np.ndarray:
    """One token id a row: log_probs (B, V), uniform numbers (B,) in [0, 1)."""
    if how.temperature == 0:
        return log_probs.argmax(axis=-1)
    below = log_probs - log_probs.max(axis=-1, keepdims=True)
    with np.errstate(over="ignore"):  # a tiny temperature: all but the best are at -inf
        scaled = np.where(allowed(log_probs, how), below, -np.inf) / how.temperature
    cumulative = np.cumsum(np.exp(scaled), axis=-1)
    return (cumulative <= uniform[:, None] * cumulative[:, -1:]).sum(axis=-1)


class Engine:
    """The model in memory: its parameters, its tokenizer, and how it is run."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        with np.load(weights, allow_pickle=False) as file:
            self.params = {name: file[name].astype(np.float64) for name in file}
        self.config = Config()
        self.tokenizer = Tokenizer(load_merges(HERE / "merges.txt"))
        size = self.config.width // self.config.heads
        empty = np.empty((self.config.layers, 2, self.config.heads, 0, size))
        self.nothing: Text = ([], empty)
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
        layers: list[np.ndarray] = []
        causal = causal_attention()

        def attend(layer: int, q: Array, k: Array, v: Array) -> Array:
            both = np.concatenate([past[layer], np.stack([k[0], v[0]])], axis=-2)
            layers.append(both)
            return causal(layer, q, both[:1], both[1:])

        tokens = np.array([ids[known:]])
        positions = rotary(self.config, known, len(ids))
        states = hidden_states(self.params, tokens, self.config, positions, attend)
        past = np.stack(layers)
        self.memory.append((ids, past))  # threads share the memory: never ask it back
        return states[0, -1], past

    def recall(self, ids: list[int]) -> tuple[int, np.ndarray]:
        """How many of the first ids were read lately, and their keys and values."""

        def shared(text: Text) -> int:
            return len(commonprefix([ids, text[0]]))

        best = max([self.nothing, *self.memory.copy()], key=shared)
        return shared(best), best[1][..., : shared(best), :]

    def generate(
        self,
        prompt: str,
        seeds: Sequence[int],
        n: int,
        how: Sampling,
        stop: Sequence[str] = (),
        top: int = 0,
    ) -> list[Continuation]:
        """Continue the prompt once a seed, by at most n tokens, up to a stop string."""
        ids = self.encode(prompt)
        state, prefix = self.read(ids)
        cache = Cache(prefix, len(seeds))
        uniform = np.array([np.random.default_rng(seed).random(n) for seed in seeds])
        rows = done = [Continuation() for _ in seeds]
        log_probs = log_softmax(logits(self.params, state[None])).repeat(len(rows), 0)
        for t in range(n):
            tokens = draw(log_probs, uniform[:, t], how)
            for row, token, scores in zip(rows, tokens, log_probs, strict=True):
                self.write(row, int(token), scores, stop, top)
            going = [i for i, row in enumerate(rows) if not row.reason]
            if not going or t == n - 1:
                break
            if len(going) < len(rows):
                cache.keep(going)
                rows, tokens = [rows[i] for i in going], tokens[going]
                uniform = uniform[going]
            log_probs = self.step(tokens, len(ids) + t, cache)
        for row in rows:
            row.reason = row.reason or "length"
        return done

    def step(self, tokens: np.ndarray, position: int, cache: Cache) -> np.ndarray:
        """Read one more token a row (B,); log-probabilities (B, V) of the next."""
        cache.grow()
        positions = rotary(self.config, position, position + 1)
        states = hidden_states(
            self.params, tokens[:, None], self.config, positions, cache.attend
        )
        return log_softmax(logits(self.params, states[:, 0]))

    def write(
        self,
        row: Continuation,
        token: int,
        log_probs: np.ndarray,
        stop: Sequence[str],
        top: int,
    ) -> None:
        """Append a token to a row, or end the row at a stop string."""
        row.sampled += 1
        before, row.written = row.written, row.written + self.tokenizer.tokens[token]
        cuts = [row.written.find(s.encode("utf-8")) for s in stop]
        if token == END_OF_TEXT or max(cuts, default=-1) >= 0:
            row.reason = "stop"
            cut = min((c for c in cuts if c >= 0), default=len(before))
            row.written = row.written[:cut]
            return
        row.ids.append(token)
        row.log_probs.append(float(log_probs[token]))
        if top:
            best = np.argsort(-log_probs, kind="stable")[:top]
            row.top.append({int(i): float(log_probs[i]) for i in best})

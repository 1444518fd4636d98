"""The engine of abacus: samples text from the transformer, in NumPy, in float64.

Vocabulary used here: a *prefix* is the token ids of a prompt; a *continuation* is
what the model writes after it; a *batch* is all continuations that are written side
by side; a *row* is one of them; a *group* is the rows of one prefix; the *cache* holds
the keys and values of tokens already read, so that each is computed once.

A prefix is read once and shared by its group. Every row draws from a random stream of
its own seed, so its text depends on nothing else in the batch. Double precision makes
rounding so small that every computer samples the same text.

The order of the filters is llama.cpp's: top_k, top_p, min_p, then temperature. So
top_p and min_p judge the model's own probabilities, and temperature comes last.

Not covered: penalties for repetition, grammars.

Source: Fan et al. 2018 (top-k); Holtzman et al. 2020 (nucleus, top-p); Nguyen et
al. 2024 (min-p).
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from os.path import commonprefix
from pathlib import Path

import numpy as np

from .tokenizer import END_OF_TEXT, Tokenizer, load_merges
from .transformer import (
    Array,
    Config,
    Params,
    causal_attention,
    hidden_states,
    logits,
    rotary,
)

HERE = Path(__file__).parent
WEIGHTS = HERE / "weights.npz"
MERGES = HERE / "merges.txt"

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
    """Keys and values of all layers: of each prefix once, of each row its own tokens.

    A prefix is (layers, 2, H, tokens, D); `sizes` are the rows of each, which stand
    together. Own tokens are (layers, 2, B, H, tokens, D).
    """

    def __init__(self, prefixes: Sequence[np.ndarray], sizes: Sequence[int]) -> None:
        layers, _, heads, _, size = prefixes[0].shape
        self.prefixes = prefixes
        self.group = np.repeat(np.arange(len(prefixes)), sizes)  # of each row
        self.read = np.array([prefix.shape[-2] for prefix in prefixes])  # tokens
        self.own = np.empty((layers, 2, len(self.group), heads, 32, size))
        self.length = 0  # own tokens of every row

    @property
    def positions(self) -> np.ndarray:
        """The place (B,) of each row's next token in its text."""
        return self.read[self.group] + self.length

    def grow(self) -> None:
        """Make room for one more token in every row."""
        if self.length == self.own.shape[-2]:
            self.own = np.concatenate([self.own, np.empty_like(self.own)], axis=-2)
        self.length += 1

    def keep(self, rows: list[int]) -> None:
        """Forget the other rows."""
        self.own, self.group = self.own[:, :, rows], self.group[rows]

    def groups(self) -> Iterator[tuple[slice, int]]:
        """The rows of each prefix that has any, and which prefix it is."""
        found, starts = np.unique(self.group, return_index=True)
        stops = [*starts[1:], len(self.group)]
        return ((slice(a, b), i) for i, a, b in zip(found, starts, stops, strict=True))

    def attend(self, layer: int, q: Array, k: Array, v: Array) -> Array:
        """Attention of one new token a row (B, H, 1, D) to its prefix and its own."""
        own = self.own[layer, :, :, :, : self.length]
        own[0, ..., -1:, :], own[1, ..., -1:, :] = k, v
        q = q * q.shape[-1] ** -0.5
        longest = self.read[self.group].max()
        scores = np.full((*q.shape[:2], longest + self.length), -np.inf)
        # Rows that share a prefix are served by one matrix product a head.
        for rows, i in self.groups():
            keys = self.prefixes[i][layer, 0]
            far = np.swapaxes(q[rows, :, 0], 0, 1) @ np.swapaxes(keys, 1, 2)
            scores[rows, :, : self.read[i]] = np.swapaxes(far, 0, 1)
        scores[..., longest:] = (q @ np.swapaxes(own[0], -1, -2))[:, :, 0]
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        seen = weights[:, :, None, longest:] @ own[1]
        for rows, i in self.groups():
            far = np.swapaxes(weights[rows, :, : self.read[i]], 0, 1)
            values = self.prefixes[i][layer, 1]
            seen[rows, :, 0] += np.swapaxes(far @ values, 0, 1)
        return seen


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
    """The model in memory, from a file or from parameters that are there already."""

    def __init__(self, weights: Path | Params = WEIGHTS) -> None:
        if not isinstance(weights, dict):
            with np.load(weights, allow_pickle=False) as file:
                weights = {name: file[name].astype(np.float64) for name in file}
        self.params = weights
        self.config = Config()
        self.tokenizer = Tokenizer(load_merges(MERGES))
        size = self.config.width // self.config.heads
        empty = np.empty((self.config.layers, 2, self.config.heads, 0, size))
        self.nothing: Text = ([], empty)
        self.angles = rotary(self.config, 0, self.config.context)
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
        prompts: Sequence[str],
        seeds: Sequence[int],
        n: int | Sequence[int],
        how: Sampling,
        stop: Sequence[str] = (),
        top: int = 0,
    ) -> list[Continuation]:
        """Continue each prompt by its seed, up to a stop string.

        Equal prompts should stand together: each of their groups is read once. `n` is
        the number of tokens at most, of every row or of all.
        """
        done = [Continuation() for _ in seeds]
        limits = np.broadcast_to(n, len(done))
        uniform = np.array(
            [np.random.default_rng(seed).random(limits.max()) for seed in seeds]
        )
        groups = [(prompt, len([*same])) for prompt, same in groupby(prompts)]
        read = [self.read(self.encode(prompt)) for prompt, _ in groups]
        cache = Cache([prefix for _, prefix in read], [size for _, size in groups])
        states = np.stack([state for state, _ in read])
        log_probs = log_softmax(logits(self.params, states))[cache.group]
        rows, places = done, np.arange(len(done))
        for t in range(limits.max()):
            tokens = draw(log_probs, uniform[places, t], how)
            for row, token, scores in zip(rows, tokens, log_probs, strict=True):
                self.write(row, int(token), scores, stop, top)
            for row in (done[i] for i in places[limits[places] == t + 1]):
                row.reason = row.reason or "length"
            going = [i for i, row in enumerate(rows) if not row.reason]
            if not going:
                break
            if len(going) < len(rows):
                cache.keep(going)
                rows, tokens = [rows[i] for i in going], tokens[going]
                places = places[going]
            log_probs = self.step(tokens, cache)
        return done

    def step(self, tokens: np.ndarray, cache: Cache) -> np.ndarray:
        """Read one more token a row (B,); log-probabilities (B, V) of the next."""
        positions = [x[cache.positions][:, None, None] for x in self.angles]
        cache.grow()
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

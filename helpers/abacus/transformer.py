"""The transformer of abacus: a small Llama, as one function on plain arrays.

Vocabulary used here: `B` texts of `T` tokens, `d` the width of the residual
stream, `H` attention heads of `D = d/H` numbers each, `F` the width of the
feed-forward layer, `V` the size of the vocabulary. *Parameters* are a dictionary
from names to arrays. `xp` is the array library: `numpy` to run the model,
`autograd.numpy` or `torch` to train it. The forward pass is written once for all.

Attention is passed in as a function, because it is the one part that differs: in
training every position looks at the ones before it (`causal_attention`), while
the engine keeps the keys and values of earlier tokens (see `decoder.py`).

Not covered: biases, grouped queries, dropout, mixed precision.

Source: Touvron et al. 2023 (Llama); Zhang & Sennrich 2019 (RMSNorm); Su et al.
2021 (rotary positions, here on interleaved pairs as in the original code and in
llama.cpp); Shazeer 2020 (SwiGLU); Press & Wolf 2017 (tied embeddings).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any  # of whichever library `xp` is
Params = dict[str, Array]
LAYER = [  # the parameters of one layer
    *("attention_norm", "query", "key", "value", "attention_out"),
    *("feed_norm", "gate", "up", "down"),
]
Attention = Callable[[int, Array, Array, Array], Array]  # layer, q, k, v: (B, H, T, D)


@dataclass(frozen=True)
class Config:
    """The shape of the network; every number but `layers` and `heads` suits GGUF."""

    vocab: int = 1024
    width: int = 128
    layers: int = 5
    heads: int = 4
    hidden: int = 384
    context: int = 1024
    rotary_base: float = 10000.0
    epsilon: float = 1e-5


def layout(config: Config) -> dict[str, tuple[tuple[int, ...], float]]:
    """The shape of every parameter, and the standard deviation of its first values.

    It is smaller where a layer writes to the stream. Norms have 0: they begin as ones.
    """
    d, f = config.width, config.hidden
    small = 0.02 / np.sqrt(2 * config.layers)
    layer = {
        "attention_norm": ((d,), 0.0),
        **dict.fromkeys(("query", "key", "value"), ((d, d), 0.02)),
        "attention_out": ((d, d), small),
        "feed_norm": ((d,), 0.0),
        **dict.fromkeys(("gate", "up"), ((d, f), 0.02)),
        "down": ((f, d), small),
    }
    numbers = range(config.layers)
    layers = {f"{i}.{name}": part for i in numbers for name, part in layer.items()}
    return {"embedding": ((config.vocab, d), 0.02), **layers, "final_norm": ((d,), 0.0)}


def init_params(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Normal random parameters around 0; norms begin as ones."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(0, deviation, shape) if deviation else np.ones(shape)
        for name, (shape, deviation) in layout(config).items()
    }


def shapes(params: Params) -> dict[str, tuple[int, ...]]:
    """The shape of every parameter."""
    return {name: array.shape for name, array in params.items()}


def rotary(config: Config, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines of the rotation at positions start..stop, each (T, D/2)."""
    size = config.width // config.heads
    frequency = config.rotary_base ** (-np.arange(0, size, 2) / size)
    angle = np.arange(start, stop)[:, None] * frequency
    return np.cos(angle), np.sin(angle)


def rotate(x: Array, cos: Array, sin: Array, xp: Any = np) -> Array:
    """Turn each pair of neighbouring numbers of x (B, H, T, D) by its angle."""
    even, odd = x[..., 0::2], x[..., 1::2]
    pairs = xp.stack([even * cos - odd * sin, even * sin + odd * cos], axis=-1)
    return pairs.reshape(x.shape)


def rms_norm(x: Array, gain: Array, epsilon: float, xp: Any = np) -> Array:
    """Scale each vector to a root mean square of one, then by the learned gain."""
    return x * (xp.mean(x * x, axis=-1, keepdims=True) + epsilon) ** -0.5 * gain


def causal_attention(xp: Any = np) -> Attention:
    """Attention in which each position sees itself and what stands before it.

    There may be more keys than queries: then the queries are the last positions.
    """

    def attend(layer: int, q: Array, k: Array, v: Array) -> Array:
        queries, keys = q.shape[-2], k.shape[-2]
        mask = np.triu(np.full((queries, keys), -np.inf), 1 + keys - queries)
        scores = q @ xp.swapaxes(k, -1, -2) * q.shape[-1] ** -0.5 + mask
        weights = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
        return weights / xp.sum(weights, axis=-1, keepdims=True) @ v

    return attend


def hidden_states(
    params: Params,
    tokens: Array,
    config: Config,
    positions: tuple[Array, Array],
    attend: Attention,
    xp: Any = np,
) -> Array:
    """The last layer's normalised states (B, T, d) for token ids (B, T).

    `positions` are the `rotary` cosines and sines of the T positions.
    """
    shape = (*tokens.shape, config.heads, config.width // config.heads)

    def heads(x: Array) -> Array:  # (B T, d) -> (B, H, T, D)
        return xp.swapaxes(x.reshape(shape), 1, 2)

    # All texts form one matrix (B T, d), so that each layer is one matrix product.
    x = params["embedding"][tokens.reshape(-1)]
    for i in range(config.layers):
        w = {name: params[f"{i}.{name}"] for name in LAYER}
        h = rms_norm(x, w["attention_norm"], config.epsilon, xp)
        q = rotate(heads(h @ w["query"]), *positions, xp)
        k = rotate(heads(h @ w["key"]), *positions, xp)
        seen = attend(i, q, k, heads(h @ w["value"]))
        x = x + xp.swapaxes(seen, 1, 2).reshape(x.shape) @ w["attention_out"]
        h = rms_norm(x, w["feed_norm"], config.epsilon, xp)
        gate = h @ w["gate"]
        x = x + (gate / (1 + xp.exp(-gate)) * (h @ w["up"])) @ w["down"]
    x = rms_norm(x, params["final_norm"], config.epsilon, xp)
    return x.reshape(*tokens.shape, config.width)


def logits(params: Params, states: Array) -> Array:
    """Unnormalised log-probabilities of the next token, (..., d) -> (..., V)."""
    return states @ params["embedding"].T

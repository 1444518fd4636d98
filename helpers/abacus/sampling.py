"""How the next token is drawn from the model's scores.

Vocabulary used here: *log_probs* (B, V) are the log-probabilities of all tokens, a row
for each text; a *filter* rules tokens out; a *uniform* number in [0, 1) decides.

The order of the filters is llama.cpp's: top_k, top_p, min_p, then temperature. So
top_p and min_p judge the model's own probabilities, and temperature comes last.

Not covered: penalties for repetition, grammars.

Source: Fan et al. 2018 (top-k); Holtzman et al. 2020 (nucleus, top-p); Nguyen et
al. 2024 (min-p).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sampling:
    """How a token is drawn; the defaults leave the model's distribution as it is."""

    temperature: float = 1.0  # 0 takes the most probable token
    top_k: int = 0  # keep the k most probable tokens; 0 keeps all
    top_p: float = 1.0  # keep the fewest tokens whose probabilities reach p
    min_p: float = 0.0  # keep tokens at least this share of the best one's probability


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """Log-probabilities from unnormalised ones, along the last axis."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def allowed(log_probs: np.ndarray, how: Sampling) -> np.ndarray:
    """Which tokens (B, V) pass top_k, top_p and min_p, in this order."""
    probs = np.exp(log_probs)
    passed = np.ones(probs.shape, dtype=bool)
    if how.top_k or how.top_p < 1:
        order = np.argsort(-log_probs, axis=-1, kind="stable")
        ranked = np.take_along_axis(probs, order, axis=-1)
        ranked[:, how.top_k or len(ranked[0]) :] = 0
        ranked /= ranked.sum(axis=-1, keepdims=True)
        kept = ranked > 0
        if how.top_p < 1:  # rounding could make all that is before one token a 1
            kept &= np.cumsum(ranked, axis=-1) - ranked < how.top_p
        np.put_along_axis(passed, order, kept, axis=-1)
    return passed & (probs >= how.min_p * probs.max(axis=-1, keepdims=True))


def weigh(log_probs: np.ndarray, how: Sampling) -> np.ndarray:
    """The weights (B, V) with which tokens are drawn; their sum may be any number."""
    if how == Sampling():
        return np.exp(log_probs)
    log_probs = log_probs.astype(np.float64)  # an extreme setting needs the range
    below = log_probs - log_probs.max(axis=-1, keepdims=True)
    below[~allowed(log_probs, how)] = -np.inf
    with np.errstate(over="ignore"):  # a tiny temperature: all but the best are at -inf
        return np.exp(below / how.temperature)


def draw(
    log_probs: np.ndarray, rows: Sequence[int], uniform: np.ndarray, how: Sampling
) -> np.ndarray:
    """Token ids (B,): the number uniform[i] picks one by log_probs[rows[i]]."""
    if how.temperature == 0:
        return log_probs.argmax(axis=-1)[rows]
    cumulative = np.cumsum(weigh(log_probs, how), axis=-1, dtype=np.float64)[rows]
    return (cumulative > uniform[:, None] * cumulative[:, -1:]).argmax(axis=-1)

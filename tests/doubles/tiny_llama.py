"""The transformer with eleven tokens and random parameters."""

import numpy as np

from helpers.abacus import Config, causal_attention, hidden_states, init_params, rotary

TINY = Config(vocab=11, width=8, layers=2, heads=2, hidden=12)
RNG = np.random.default_rng(0)
TOKENS = RNG.integers(0, 11, (3, 6))
PARAMS = {k: v + RNG.normal(0, 0.3, v.shape) for k, v in init_params(TINY, 0).items()}


def states(params: dict, tokens: np.ndarray, xp=np) -> np.ndarray:
    positions = rotary(TINY, 0, tokens.shape[1])
    return hidden_states(params, tokens, TINY, positions, causal_attention(xp), xp)

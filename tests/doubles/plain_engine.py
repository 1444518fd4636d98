"""abacus without a cache and without a batch: the oracle of the engine."""

import numpy as np

from helpers.abacus import (
    Engine,
    causal_attention,
    hidden_states,
    log_softmax,
    logits,
    rotary,
)
from helpers.problems import prompt_of

QUESTION = "Maya has 12 apples. She buys 7 more. How many apples does she have now?"
PROMPT = prompt_of({"question": QUESTION})
WILD = {"temperature": 1.5, "top_k": 0, "top_p": 1.0, "num_predict": 40}


def plain_states(engine: Engine, ids: list[int]) -> np.ndarray:
    """The states (T, d) after every token, from the forward pass alone."""
    tokens, positions = np.array([ids]), rotary(engine.config, 0, len(ids))
    attend = causal_attention()
    return hidden_states(engine.params, tokens, engine.config, positions, attend)[0]


def plain_log_probs(engine: Engine, ids: list[int]) -> np.ndarray:
    """Log-probabilities (T, V) of the token after every position."""
    return log_softmax(logits(engine.params, plain_states(engine, ids)))

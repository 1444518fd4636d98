"""abacus, the language model of this project: a small Llama, computed in NumPy.

Vocabulary
    engine       the model in memory; it writes text, the same on every computer.
    tokenizer    cuts a text into tokens, numbers that the model knows.
    transformer  the network: tokens in, *states* out, and from them *logits*.
    sampling     how the next token is drawn.
    lesson       a prompt with its solutions, from which a `Learner` learns. (In
                 pre-training a lesson is one text; `lesson` writes it.)
    client       the engine behind the calls of an Ollama server's client.

How it was made and how often it is right: README.md here. Commands of their own, and so
not on this list: `serve` (behind HTTP), `export` (for other programs), `pretrain`.
"""

from .arrays import intact, load_arrays, save_arrays
from .attention import (
    Head,
    digit_log_prob,
    find_drops,
    find_sums,
    mean_shares,
    without,
)
from .client import AbacusClient
from .decoder import Cache
from .engine import HASTY, WEIGHTS, Continuation, Engine
from .finetune import (
    Learner,
    Lesson,
    gradients,
    imitation_loss,
    log_probs,
    states_before,
    to_lesson,
)
from .lessons import lesson
from .optimizer import adamw, rate_at, update
from .sampling import Sampling, allowed, log_softmax
from .to_gguf import write_gguf
from .to_hf import to_hf_tokenizer, to_llama
from .tokenizer import END_OF_TEXT, NEWLINE, Tokenizer, merge_pair
from .transformer import (
    LAYER,
    Array,
    Attention,
    Config,
    Params,
    causal_attention,
    hidden_states,
    init_params,
    logits,
    rms_norm,
    rotary,
)

__all__ = [
    "WEIGHTS",
    "HASTY",
    "Continuation",
    "Engine",
    "AbacusClient",
    "END_OF_TEXT",
    "NEWLINE",
    "Tokenizer",
    "merge_pair",
    "LAYER",
    "Array",
    "Attention",
    "Config",
    "Params",
    "init_params",
    "rms_norm",
    "rotary",
    "causal_attention",
    "hidden_states",
    "logits",
    "Cache",
    "Sampling",
    "allowed",
    "log_softmax",
    "Head",
    "find_sums",
    "mean_shares",
    "without",
    "digit_log_prob",
    "find_drops",
    "lesson",
    "adamw",
    "rate_at",
    "update",
    "Learner",
    "Lesson",
    "to_lesson",
    "states_before",
    "log_probs",
    "imitation_loss",
    "gradients",
    "save_arrays",
    "load_arrays",
    "intact",
    "write_gguf",
    "to_llama",
    "to_hf_tokenizer",
]

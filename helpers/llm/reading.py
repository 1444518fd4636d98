"""What a language model makes of a text that is given to it.

Vocabulary: the *state* after a text is the vector that the model has there, from which
it would go on. For abacus it is that of the last token. Ollama, since version 0.30,
gives vectors of embedding models only, which write no text; older versions give one of
any model, some averaged over the text, each of its own length. The *next tokens* are
the likeliest to follow, with their probabilities.

Does not cover: the probability of the text itself; Ollama does not tell it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .errors import LLMError
from .gen import LLMGen
from .limits import check_limits

if TYPE_CHECKING:
    import numpy as np

ENDS = {  # tokens that end a text or a turn; Ollama since 0.30 names them ""
    *("<|endoftext|>", "</s>", "<eos>", "<|im_end|>", "<|eot_id|>", "<|end_of_text|>"),
    *("<|eom_id|>", "<end_of_turn>", "<|end|>", "<|return|>", "[EOS]"),
}


def embed(llm: LLMGen, texts: Sequence[str]) -> np.ndarray:
    """The state (d,) after each text, as one array (texts, d)."""
    import numpy as np

    texts = [texts] if isinstance(texts, str) else list(texts)
    return np.array(llm.connection.embed(texts))


def has_states(llm: LLMGen) -> bool:
    """Whether this model's states can be had here; it asks for one."""
    try:
        embed(llm, ["x"])
    except LLMError as error:
        if error.kind not in ("states", "missing"):  # the latter: not recorded
            raise
        return False
    return True


def next_tokens(llm: LLMGen, prompt: str) -> dict[str, float]:
    """The likeliest 20 tokens to come next, with their probabilities; "" is the end of
    the text, however the server names it.

    Empty where the likeliest is the one that ends a text: of it, no server tells.

    Raises ValueError where the server gives no log-probabilities.
    """
    check_limits(prompt=prompt)
    line = llm.connection.with_options(num_predict=1, temperature=0, stop=[])
    (response,) = line.generate([prompt], [0], top=20)
    if response.response and not response.logprobs:
        raise ValueError(
            "This server gives no log-probabilities. Update Ollama to 0.12.11 or newer."
        )
    found: dict[str, float] = {}
    for entry in response.logprobs[0].top_logprobs if response.logprobs else ():
        text = "" if entry.token in ENDS else entry.token
        found[text] = found.get(text, 0.0) + math.exp(entry.logprob)
    return found

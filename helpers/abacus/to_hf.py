"""abacus as a Hugging Face model, which transformers and TRL's trainers take.

Two conventions differ from ours. Hugging Face stores a matrix as (outputs, inputs), so
all are transposed. And its rotary positions turn number i of a head together with
number i + D/2, where ours (and the original Llama's) turns neighbours; so the rows of
each head of `query` and `key` are put in another order, which leaves attention as it
is.

Not covered: special tokens inside a text.
"""

from typing import TYPE_CHECKING

import numpy as np

from .engine import Engine
from .tokenizer import Tokenizer, printable
from .transformer import Config

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

NAMES = {  # ours: theirs, within a layer
    "attention_norm": "input_layernorm",
    "query": "self_attn.q_proj",
    "key": "self_attn.k_proj",
    "value": "self_attn.v_proj",
    "attention_out": "self_attn.o_proj",
    "feed_norm": "post_attention_layernorm",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
}


def halves(matrix: np.ndarray, heads: int) -> np.ndarray:
    """The columns of each head: those of even place first, then those of odd place."""
    pairs = matrix.reshape(len(matrix), heads, -1, 2)
    return pairs.swapaxes(2, 3).reshape(matrix.shape)


def llama_weights(
    params: dict[str, np.ndarray], config: Config
) -> dict[str, np.ndarray]:
    """The parameters under Hugging Face's names, shapes and order."""
    found = {
        "model.embed_tokens.weight": params["embedding"],
        "lm_head.weight": params["embedding"],
        "model.norm.weight": params["final_norm"],
    }
    for i in range(config.layers):
        for ours, theirs in NAMES.items():
            array = params[f"{i}.{ours}"]
            if ours in ("query", "key"):
                array = halves(array, config.heads)
            found[f"model.layers.{i}.{theirs}.weight"] = array.T
    return found


def to_llama(engine: Engine) -> "LlamaForCausalLM":
    """The same model in PyTorch, in single precision."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    c = engine.config
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=c.vocab,
            hidden_size=c.width,
            intermediate_size=c.hidden,
            num_hidden_layers=c.layers,
            num_attention_heads=c.heads,
            max_position_embeddings=c.context,
            rms_norm_eps=c.epsilon,
            rope_parameters={"rope_type": "default", "rope_theta": c.rotary_base},
            tie_word_embeddings=True,
            bos_token_id=0,
            eos_token_id=0,
            pad_token_id=0,
        )
    )
    weights = llama_weights(engine.params, c)
    model.load_state_dict(
        {name: torch.tensor(a, dtype=torch.float32) for name, a in weights.items()}
    )
    return model.eval()


def to_hf_tokenizer(tokenizer: Tokenizer) -> "PreTrainedTokenizerFast":
    """The same merges for Hugging Face; a text begins with the token that ends one."""
    from tokenizers import Tokenizer as Fast
    from tokenizers import decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    end, *_ = names = [printable(token) for token in tokenizer.tokens]
    merges = [(printable(left), printable(right)) for left, right in tokenizer.merges]
    vocab = {name: i for i, name in enumerate(names)}
    fast = Fast(models.BPE(vocab=vocab, merges=merges))
    fast.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    fast.decoder = decoders.ByteLevel()
    fast.post_processor = processors.TemplateProcessing(
        single=f"{end} $A", special_tokens=[(end, 0)]
    )
    special = dict.fromkeys(("bos_token", "eos_token", "pad_token"), end)
    return PreTrainedTokenizerFast(tokenizer_object=fast, **special)

"""abacus for other programs: `python -m helpers.abacus.export --hf DIR`.

Writes the folder of a Hugging Face `LlamaForCausalLM` with its tokenizer, so that
`AutoModel...from_pretrained(DIR)` and TRL's trainers take it. It needs the extra
`train` (transformers).

Two conventions differ. Hugging Face stores a matrix as (outputs, inputs), so all are
turned over. And its rotary positions turn number i of a head together with number
i + D/2, where ours (and the original Llama's) turns neighbours; so the rows of each
head of `query` and `key` are put in another order, which leaves attention as it is.

Not covered: GGUF for Ollama; special tokens inside a text.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .client import AbacusClient
from .engine import WEIGHTS, Engine
from .tokenizer import Tokenizer, printable_bytes
from .transformer import Config

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

END = "<|endoftext|>"
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

    show = printable_bytes()
    names = ["".join(show[b] for b in token) for token in tokenizer.tokens]
    vocab = {name or END: i for i, name in enumerate(names)}
    merges = [
        tuple("".join(show[b] for b in token) for token in pair)
        for pair in tokenizer.merges
    ]
    fast = Fast(models.BPE(vocab=vocab, merges=merges))
    fast.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    fast.decoder = decoders.ByteLevel()
    fast.post_processor = processors.TemplateProcessing(
        single=f"{END} $A", special_tokens=[(END, 0)]
    )
    special = {"bos_token": END, "eos_token": END, "pad_token": END}
    return PreTrainedTokenizerFast(tokenizer_object=fast, **special)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.abacus.export",
        description="Write abacus for other programs. Example: --hf build/abacus-hf",
    )
    parser.add_argument("--hf", type=Path, required=True, metavar="DIR",
                        help="folder for Hugging Face's transformers")  # fmt: skip
    parser.add_argument("--weights", type=Path, default=WEIGHTS, metavar="FILE",
                        help="a taught model (the one that ships)")  # fmt: skip
    args = parser.parse_args()
    try:
        import transformers  # noqa: F401
    except ImportError:
        parser.error('this needs transformers; type: pip install -e ".[train]"')
    if not args.weights.is_file():
        parser.error(f"there is no file {args.weights}")
    engine = AbacusClient(args.weights).engine
    to_llama(engine).save_pretrained(args.hf)
    to_hf_tokenizer(engine.tokenizer).save_pretrained(args.hf)
    print(f"Wrote {args.hf}. Load it: AutoModelForCausalLM.from_pretrained(...)")


if __name__ == "__main__":
    main()

"""abacus for other programs: `python -m helpers.abacus.export`.

`--gguf FILE` writes a GGUF file and, beside it, a Modelfile: `ollama create` takes them
(`to_gguf.py`).

`--hf DIR` writes the folder of a Hugging Face `LlamaForCausalLM` with its tokenizer, so
that `AutoModel...from_pretrained(DIR)` and TRL's trainers take it. It needs the extra
`train` (transformers).

Two conventions of Hugging Face differ from ours. It stores a matrix as (outputs,
inputs), so all are transposed. And its rotary positions turn number i of a head
together with number i + D/2, where ours (and the original Llama's) turns neighbours; so
the rows of each head of `query` and `key` are put in another order, which leaves
attention as it is.

Not covered: special tokens inside a text.
"""

import argparse
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import numpy as np
from ollama import ResponseError

from helpers.abacus.client import AbacusClient
from helpers.abacus.engine import WEIGHTS, Engine
from helpers.abacus.to_gguf import write_gguf
from helpers.abacus.tokenizer import Tokenizer, printable
from helpers.abacus.transformer import Config

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


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.abacus.export",
        description="Write abacus for other programs. Example: "
        "--gguf build/abacus.gguf, then: ollama create abacus -f build/Modelfile",
    )
    add = parser.add_mutually_exclusive_group(required=True).add_argument
    add("--gguf", type=Path, metavar="FILE", help="file for Ollama and llama.cpp")
    add("--hf", type=Path, metavar="DIR", help="folder for Hugging Face's transformers")
    parser.add_argument("--bits", type=int, choices=(16, 32), default=16,
                        help="bits a number, for GGUF (%(default)s)")  # fmt: skip
    parser.add_argument("--weights", type=Path, default=WEIGHTS, metavar="FILE",
                        help="a taught model (the one that ships)")  # fmt: skip
    args = parser.parse_args()
    package, extra = ("gguf", "test") if args.gguf else ("transformers", "train")
    if find_spec(package) is None:
        parser.error(f'this needs {package}; type: pip install -e ".[{extra}]"')
    if not args.weights.is_file():
        parser.error(f"there is no file {args.weights}")
    if args.gguf and args.gguf.suffix != ".gguf":
        parser.error(f"type a file that ends in .gguf, not {args.gguf}")
    try:
        engine = AbacusClient(args.weights).engine
        if args.gguf:
            file = quote(str(write_gguf(engine, args.gguf, args.bits)))
            load = f"ollama create {quote(args.gguf.stem)} -f {file}"
        else:
            to_llama(engine).save_pretrained(args.hf)
            to_hf_tokenizer(engine.tokenizer).save_pretrained(args.hf)
            load = "AutoModelForCausalLM.from_pretrained(...)"
    except (OSError, ResponseError) as error:
        parser.error(str(error))
    print(f"Wrote {args.gguf or args.hf}. Load it: {load}")


if __name__ == "__main__":
    main()

"""abacus as a GGUF file, which Ollama and llama.cpp read.

Vocabulary: a *GGUF file* holds a model's tensors with all that a program must know to
run it: its shape, its tokens, how a text is cut into pieces. A *Modelfile* tells
`ollama create` where that file is and which parameters go with it.

To llama.cpp abacus is a "llama": the same layers, rotary positions on neighbouring
numbers, no output matrix of its own (tied embeddings). Its matrices are (outputs,
inputs), ours are transposed. Its tokenizer is "gpt2", byte-level BPE, after the
pre-tokenizer "smollm": digits one by one, every newline for itself.

One thing differs in Ollama: `<|endoftext|>` written in a prompt is read as the token
that ends a text; to `Tokenizer` it is thirteen characters.

Source: the GGUF specification in ggml's repository (docs/gguf.md); Ollama's Modelfile
reference (docs/modelfile.mdx).
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .engine import Engine
from .tokenizer import END_OF_TEXT, Tokenizer, printable
from .transformer import Config

if TYPE_CHECKING:
    from gguf import GGUFWriter

NAMES = {  # ours: llama.cpp's, within a layer
    "attention_norm": "attn_norm",
    "query": "attn_q",
    "key": "attn_k",
    "value": "attn_v",
    "attention_out": "attn_output",
    "feed_norm": "ffn_norm",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}
# num_thread 1: the matrices are so small that a second thread mostly waits.
MODELFILE = """\
FROM ./{file}
TEMPLATE "{{{{ .Prompt }}}}"
PARAMETER repeat_penalty 1
PARAMETER num_thread 1
"""


def tensors(params: dict[str, np.ndarray], config: Config) -> dict[str, np.ndarray]:
    """The parameters under llama.cpp's names, matrices as (outputs, inputs)."""
    found = {
        "token_embd": params["embedding"],
        "output_norm": params["final_norm"],
    }
    for i in range(config.layers):
        for ours, theirs in NAMES.items():
            found[f"blk.{i}.{theirs}"] = params[f"{i}.{ours}"].T
    return {f"{name}.weight": array for name, array in found.items()}


def add_shape(writer: "GGUFWriter", config: Config) -> None:
    """Everything that llama.cpp must know to build the layers."""
    writer.add_vocab_size(config.vocab)
    writer.add_context_length(config.context)
    writer.add_embedding_length(config.width)
    writer.add_block_count(config.layers)
    writer.add_feed_forward_length(config.hidden)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.heads)
    writer.add_layer_norm_rms_eps(config.epsilon)
    writer.add_rope_dimension_count(config.width // config.heads)
    writer.add_rope_freq_base(config.rotary_base)


def add_tokens(writer: "GGUFWriter", tokenizer: Tokenizer) -> None:
    """The tokens and merges in GPT-2's notation, and how a text is cut."""
    from gguf import TokenType

    kinds = [TokenType.NORMAL] * len(tokenizer)
    kinds[END_OF_TEXT] = TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list([printable(token) for token in tokenizer.tokens])
    writer.add_token_types(kinds)
    writer.add_token_merges(
        [f"{printable(a)} {printable(b)}" for a, b in tokenizer.merges]
    )
    writer.add_bos_token_id(END_OF_TEXT)
    writer.add_eos_token_id(END_OF_TEXT)
    writer.add_add_bos_token(True)


def write_gguf(engine: Engine, path: Path, bits: int = 16) -> Path:
    """Write the model, and a Modelfile beside it, whose path is returned.

    bits: 16 or 32, of each number in a matrix. What ships loses nothing by 16.
    Raises FileExistsError if the Modelfile there is another model's.
    """
    from gguf import GGUFWriter, LlamaFileType

    path.parent.mkdir(parents=True, exist_ok=True)
    modelfile = path.with_name("Modelfile")
    text = MODELFILE.format(file=path.name)
    if modelfile.exists() and modelfile.read_text(encoding="utf-8") != text:
        raise FileExistsError(f"{modelfile} is another model's; name another folder")
    writer = GGUFWriter(path, "llama")
    writer.add_name("abacus")
    writer.add_license("MIT")
    types = {16: LlamaFileType.MOSTLY_F16, 32: LlamaFileType.ALL_F32}
    writer.add_file_type(types[bits])
    add_shape(writer, engine.config)
    add_tokens(writer, engine.tokenizer)
    for name, array in tensors(engine.params, engine.config).items():
        # Vectors stay in 32 bits, which is what llama.cpp multiplies them in.
        kind = np.float16 if bits == 16 and array.ndim == 2 else np.float32
        writer.add_tensor(name, np.ascontiguousarray(array, dtype=kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    modelfile.write_text(text, encoding="utf-8")
    return modelfile

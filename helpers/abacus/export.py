"""abacus for other programs: `python -m helpers.abacus.export`.

`--gguf FILE` writes a GGUF file and, beside it, a Modelfile: `ollama create` takes them
(`to_gguf.py`).

`--hf DIR` writes the folder of a Hugging Face `LlamaForCausalLM` with its tokenizer, so
that `AutoModel...from_pretrained(DIR)` and TRL's trainers take it. It needs the extra
`train` (transformers), and is written by `to_hf.py`.
"""

import argparse
from importlib.util import find_spec
from pathlib import Path
from shlex import quote

from helpers.wire import Refused

from .client import AbacusClient
from .engine import WEIGHTS
from .to_gguf import write_gguf
from .to_hf import to_hf_tokenizer, to_llama


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
    except (OSError, Refused) as error:
        parser.error(str(error))
    print(f"Wrote {args.gguf or args.hf}. Load it: {load}")


if __name__ == "__main__":
    main()

"""What `ollama create` makes of a Modelfile: of FROM and PARAMETER, no more."""

import hashlib
import json
import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gguf import GGUFReader, LlamaFileType

DEFAULTS = {  # Ollama's own, since 0.32.10
    "num_ctx": 4096,
    "num_keep": 4,
    "num_thread": 0,
    "num_predict": -1,
    "temperature": 0.8,
    "top_k": 40,
    "top_p": 0.9,
    "min_p": 0.0,
    "typical_p": 1.0,
    "repeat_last_n": 64,
    "repeat_penalty": 1.0,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
    "seed": -1,
    "stop": [],
}


@dataclass
class Model:
    """What `ollama create` keeps of a Modelfile."""

    file: Path
    parameters: dict

    @classmethod
    def read(cls, modelfile: Path) -> "Model":
        """FROM and PARAMETER of a Modelfile; a parameter may be given several times."""
        file, parameters = Path(), {}
        for line in modelfile.read_text(encoding="utf-8").splitlines():
            word, _, rest = line.partition(" ")
            if word == "FROM":
                file = modelfile.parent / rest
            elif word == "PARAMETER":
                name, value = shlex.split(rest)
                value = json.loads(f'"{value}"')  # "\n" is written as in Go
                if isinstance(DEFAULTS[name], list):
                    parameters.setdefault(name, []).append(value)
                else:
                    parameters[name] = type(DEFAULTS[name])(value)
        return cls(file, parameters)

    @cached_property
    def info(self) -> dict:
        """The metadata of the file, without the tokenizer's lists."""
        fields = GGUFReader(self.file).fields
        found = {name: field.contents() for name, field in fields.items()}
        return {k: v for k, v in found.items() if not isinstance(v, list)}

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.file.read_bytes()).hexdigest()

    @property
    def quantisation(self) -> str:
        return LlamaFileType(self.info["general.file_type"]).name.rpartition("_")[2]

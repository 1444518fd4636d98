"""What `ollama create` makes of a Modelfile, and what a server tells of the model.

Of a Modelfile: FROM, PARAMETER and TEMPLATE, no more. Text in quotes counts as it
stands: "\\n" is a backslash and an n. Of Go's templates: `.Prompt` for one message, and
`range .Messages` with `.Role` and `.Content`.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from gguf import GGUFReader, GGUFValueType, LlamaFileType

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
COMMAND = re.compile(r'^([A-Z]+)[ \t]+(?:"""(.*?)"""|([^\n]*))$', re.M | re.S)
LOOP = re.compile(r"\{\{ ?range \.Messages ?\}\}(.*?)\{\{ ?end ?\}\}", re.S)


@dataclass
class Model:
    """What `ollama create` keeps of a Modelfile."""

    file: Path
    parameters: dict
    template: str = "{{ .Prompt }}"

    @classmethod
    def read(cls, modelfile: Path) -> "Model":
        """A parameter of several values may be given several times."""
        model = cls(Path(), {})
        for found in COMMAND.finditer(modelfile.read_text(encoding="utf-8")):
            word, text = found[1], found[2] or found[3]
            if word == "FROM":
                model.file = modelfile.parent / text
            elif word == "TEMPLATE":
                model.template = found[2] or without_quotes(text)
            elif word == "PARAMETER":
                model.add_parameter(*text.split(None, 1))
        return model

    def add_parameter(self, name: str, value: str) -> None:
        kind = type(DEFAULTS[name])
        if kind is list:
            self.parameters.setdefault(name, []).append(without_quotes(value))
        else:
            self.parameters[name] = kind(value)

    @cached_property
    def info(self) -> dict:
        """The metadata of the file as servers tell them: every list is None."""
        reader = GGUFReader(self.file)
        found = {
            name: None if GGUFValueType.ARRAY in field.types else field.contents()
            for name, field in reader.fields.items()
            if not name.startswith("GGUF.")
        }
        for name in ("general.name", "tokenizer.chat_template"):
            found.pop(name, None)
        count = sum(int(tensor.n_elements) for tensor in reader.tensors)
        found["general.parameter_count"] = count
        return {name: in_few_digits(found[name]) for name in sorted(found)}

    def about(self, name: str) -> int:
        """A number that each architecture tells under its own name."""
        return self.info[f"{self.info['general.architecture']}.{name}"]

    @cached_property
    def digest(self) -> str:
        """The hash of the file."""
        return hashlib.sha256(self.file.read_bytes()).hexdigest()

    @property
    def details(self) -> dict:
        """What /api/tags, /api/show and /api/ps tell of a model."""
        family = self.info["general.architecture"]
        return {
            "parent_model": "",
            "format": "gguf",
            "family": family,
            "families": [family],
            "parameter_size": human(self.info["general.parameter_count"]),
            "quantization_level": quantisation(self.info.get("general.file_type")),
        }

    @property
    def parameter_lines(self) -> str:
        """The parameters as /api/show lists them."""
        lines = []
        for name, value in sorted(self.parameters.items()):
            for one in value if isinstance(value, list) else [value]:
                text = f"{one:g}" if isinstance(one, float) else json.dumps(one)
                lines.append(f"{name:<30} {text}")
        return "\n".join(lines)

    def prompt_of(self, messages: list[dict], template: str = "") -> str:
        """The messages of a chat, filled into the template."""
        text = re.sub(r"\s*\{\{-", "{{", template or self.template)
        parts = LOOP.split(re.sub(r"-\}\}\s*", "}}", text))
        if len(parts) == 1 and len(messages) > 1:
            raise NotImplementedError("several messages in a template for one")
        last = {".Prompt": messages[-1]["content"]}
        parts[::2] = [fill(part, last) for part in parts[::2]]
        turns = [{".Role": m["role"], ".Content": m["content"]} for m in messages]
        for i, part in enumerate(parts[1::2]):
            parts[2 * i + 1] = "".join(fill(part, turn) for turn in turns)
        return "".join(parts)


def without_quotes(text: str) -> str:
    """Ollama takes the quotes off and leaves the rest as it is."""
    text = text.strip()
    in_quotes = len(text) > 1 and text[0] == text[-1] == '"'
    return text[1:-1] if in_quotes else text


def fill(part: str, values: dict[str, str]) -> str:
    """A piece of a template without loops. KeyError: it asks for more than there is."""
    return re.sub(r"\{\{ *(.*?) *\}\}", lambda found: values[found[1]], part)


def in_few_digits(value: object) -> object:
    """A number of 32 bits with the digits that tell it, as Go writes it."""
    return float(str(np.float32(value))) if isinstance(value, float) else value


def human(count: int) -> str:
    """A number of parameters: 1197440 is 1.20M."""
    if count >= 10**9:
        return f"{count / 1e9:.1f}B"
    return f"{count / 1e6:.2f}M" if count >= 10**6 else f"{count / 1e3:.0f}K"


def quantisation(file_type: int | None) -> str:
    """The name of a file type; the first, 32 bits throughout, counts as not told."""
    if not file_type:
        return "unknown"
    return LlamaFileType(file_type).name.removeprefix("MOSTLY_")

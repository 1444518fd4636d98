"""Which model it is: one model is one model, however it is named and stored.

Vocabulary
    name       folded as Ollama folds it: "Llama3.2" and "library/llama3.2:latest" are
               "llama3.2:latest". "abacus" alone is the embedded model.
    digest     the hash of a model as a server stores it. One file may have two: older
               and newer servers store it in two forms, and an update may list both.
    runner     what computes the model on its server: "gguf" (llama.cpp) or "mlx".
    engine     the family of the server's engine. The same file, prompt and seed give
               other texts on Ollama before 0.30 ("ollama", its own engine) and since
               ("llama.cpp"), so answers of the two are never mixed.

Compared in one place, `differences`, by hosts, recordings, runs and workers. What one
side does not tell (None) is no difference. The version of a server is noted and not
compared: an update within one family changes no model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import LLMError

EMBEDDED = "abacus"
LLAMA_CPP_SINCE = (0, 30)  # the version of Ollama
ENGINES = {  # by who computes, or serves, without Ollama
    **{"xllamacpp": "llama.cpp", "llamacpp": "llama.cpp", "vllm": "vllm"},
    **{"sglang": "sglang", "embedded": EMBEDDED},
}
PREFIXES = ("registry.ollama.ai/", "library/")  # implied where they are not typed


def is_embedded(model: str) -> bool:
    """Whether a name, as typed, means the model that needs no server."""
    return model.strip().lower() == EMBEDDED


def full_name(model: str) -> str:
    """A model's name as servers list it: "Llama3.2" is "llama3.2:latest"."""
    name = model.strip().lower()
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def is_file(model: str) -> bool:
    """Whether a name, as typed, is the path of a GGUF file."""
    return model.strip().lower().endswith(".gguf")


def shown_name(model: str) -> str:
    """How a model is named in records: a file by its name, without its folder."""
    if is_embedded(model):
        return EMBEDDED
    name = model.strip()
    return re.split(r"[/\\]", name)[-1] if is_file(name) else name


def folded(model: str) -> str:
    """What two spellings of one model have in common."""
    name = shown_name(model)
    return name if name == EMBEDDED or is_file(name) else full_name(name)


@dataclass(frozen=True)
class Identity:
    """What tells a model from others. The first digest is the one in use."""

    name: str
    digests: tuple[str, ...] = ()
    quantisation: str | None = None
    runner: str | None = None
    engine: str | None = None
    server: str | None = field(default=None, compare=False)

    @property
    def digest(self) -> str | None:
        """The hash that names it, if the server tells one."""
        return next(iter(self.digests), None)

    def facts(self) -> dict[str, str | None]:
        """For a record: plain JSON."""
        names = ("name", "digest", "quantisation", "runner", "engine", "server")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Identity:
        """What `facts` told, here or in an older version, which told less."""
        told = {k: v if isinstance(v, str) else None for k, v in facts.items()}
        digest, server = told.get("digest"), told.get("server")
        quantisation = told.get("quantisation")
        return cls(
            folded(told.get("name") or ""), (digest,) if digest else (),
            None if quantisation == "unknown" else quantisation, told.get("runner"),
            told.get("engine") or engine_of(server), server,
        )  # fmt: skip


def differences(there: Identity, here: Identity) -> list[str]:
    """In what two models differ: "digest: 3f5a there, 9c1e here"."""
    found = []
    if there.digests and here.digests and not {*there.digests} & {*here.digests}:
        found.append(f"digest: {there.digest[:12]} there, {here.digest[:12]} here")
    for name in ("name", "quantisation", "runner", "engine"):
        a, b = getattr(there, name), getattr(here, name)
        if a and b and a != b:
            found.append(f"{name}: {a} there, {b} here")
    return found


def identity_of(client: Any, model: str) -> Identity:
    """What a client tells of a model: three short questions."""
    shown, version = client.show(model), client.version()
    details = shown.get("details")
    details = details if isinstance(details, Mapping) else {}
    runner = runner_of(shown, details)
    engine = "mlx" if runner == "mlx" else engine_of(version)
    return Identity(
        folded(model), digests_of(rows_of(client), model, shown),
        quantisation_of(shown, details), runner, engine, version,
    )  # fmt: skip


def rows_of(client: Any) -> list[Mapping[str, Any]]:
    """The models that a client lists. Some gateways pass on no list."""
    try:
        return client.list()
    except LLMError as error:
        if error.kind in ("language", "gateway"):
            return []
        raise


def digests_of(
    rows: list[Mapping[str, Any]], model: str, shown: Mapping[str, Any]
) -> tuple[str, ...]:
    """All hashes under which a server lists a model; first the one that it shows."""
    name = full_name(model)
    found = [
        row["digest"]
        for row in rows
        if full_name(str(row.get("model") or row.get("name"))) == name
        and isinstance(row.get("digest"), str)
    ]
    confirmed = {m.get("digest") for m in manifests_of(shown)}
    return tuple(dict.fromkeys(sorted(found, key=lambda d: d not in confirmed)))


def manifests_of(shown: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The forms in which a server stores a model (since 0.40)."""
    found = shown.get("manifests")
    found = found if isinstance(found, list) else []
    return [manifest for manifest in found if isinstance(manifest, Mapping)]


def runner_of(shown: Mapping[str, Any], details: Mapping[str, Any]) -> str | None:
    """What computes it: "gguf" or "mlx"."""
    told = [manifest.get("runner") for manifest in manifests_of(shown)]
    form = next((r for r in told if isinstance(r, str)), details.get("format"))
    names = {"safetensors": "mlx", "llamacpp": "gguf"}
    return names.get(form, form) if isinstance(form, str) and form else None


def quantisation_of(shown: Mapping[str, Any], details: Mapping[str, Any]) -> str | None:
    """Such as "Q4_K_M". Servers call a file in single precision "unknown"."""
    told, info = details.get("quantization_level"), shown.get("model_info")
    if isinstance(info, Mapping) and info.get("general.file_type") == 0:
        return "F32"
    return told if isinstance(told, str) and told not in ("", "unknown") else None


def version_number(version: str | None) -> tuple[int, int, int] | None:
    """(0, 33, 0) of "0.33.0-rc2"; None if it names no version that was published."""
    found = re.match(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?", version or "")
    number = tuple(int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    return number if any(number) else None


def engine_of(version: str | None) -> str | None:
    """The family of a server's engine, by the server's version."""
    told = (version or "").split(" ")[0]
    if told in ENGINES:
        return ENGINES[told]
    number = version_number(version)
    if number is None:
        return None
    return "ollama" if number[:2] < LLAMA_CPP_SINCE else "llama.cpp"

"""The models of the stand-in for an Ollama server, and what it tells of them."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from modelfile import Model
from ollama_rules import Refused, full_name, is_name

OFFLINE = 'pull model manifest: Get "REGISTRY": dial tcp: lookup HOST: no such host'
UNKNOWN = "pull model manifest: file does not exist"


class Library:
    """Part of `OllamaServer`: /api/version, /tags, /show, /ps, /pull and /delete.

    created: the models, by their full names. registry: Modelfiles that can be pulled.
    """

    def __init__(self) -> None:
        self.created: dict[str, Model] = {}
        self.registry: dict[str, Path] = {}
        self.is_offline = False

    def create(self, name: str, modelfile: Path) -> None:
        """As `ollama create NAME -f MODELFILE`."""
        self.created[full_name(name)] = Model.read(modelfile)

    def find(self, body: dict, missing: str = "") -> Model:
        """The model that a request names."""
        name = body.get("model") or body.get("name") or ""
        if name and not is_name(name):
            raise Refused(400, "invalid model name")
        if model := self.created.get(full_name(name)):
            return model
        raise Refused(404, f"model '{missing or name}' not found")

    def told_version(self, _: dict) -> tuple:
        return 200, {"version": self.version}

    def tags(self, _: dict) -> tuple:
        told = [self.tag(name, model) for name, model in self.created.items()]
        return 200, {"models": told}

    def tag(self, name: str, model: Model) -> dict:
        """A model as /api/tags lists it."""
        told = self.named(name, model) | {"modified_at": modified_at(model)}
        if not self.is_old:
            numbers = ("context_length", "embedding_length")
            told["details"] |= {name: model.about(name) for name in numbers}
            told["capabilities"] = self.capabilities
        return told

    def named(self, name: str, model: Model) -> dict:
        """What every list tells of a model."""
        size = model.file.stat().st_size
        told = {"name": name, "model": name, "size": size, "details": model.details}
        return told | {"digest": self.digest_of(model)}

    def digest_of(self, model: Model) -> str:
        """A hash of all that was created; new servers write the file anew."""
        parts = model.digest, str(self.is_old), model.template, model.parameter_lines
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def capabilities(self) -> list[str]:
        return ["embedding" if self.embeddings else "completion"]

    def show(self, body: dict) -> tuple:
        """What is known of a model."""
        name = body.get("model") or body.get("name") or ""
        if not name:
            raise Refused(400, "model is required")
        tagged = name if ":" in name or self.is_old else f"{name}:latest"
        model = self.find(body, missing=tagged)
        details, info = model.details, dict(model.info)
        if self.is_old:
            details["parent_model"] = str(model.file.parent / f"sha256-{model.digest}")
        else:
            info.setdefault("general.quantization_version", 2)
        told = {
            "template": model.template,
            "details": details,
            "model_info": info,
            "capabilities": self.capabilities,
            "modified_at": modified_at(model),
        }
        lines = model.parameter_lines
        return 200, told | ({"parameters": lines} if lines else {})

    def ps(self, _: dict) -> tuple:
        """The model in memory."""
        told = [
            self.named(name, model)
            | {"expires_at": later(), "size_vram": 0, "context_length": self.loaded[1]}
            for name, model in self.created.items()
            if self.has(model)
        ]
        return 200, {"models": told}

    def pull(self, body: dict) -> tuple:
        """The progress of a download; the model is there at its end."""
        lines: list[dict] = [{"status": "pulling manifest"}]
        name = full_name(body.get("model") or body.get("name") or "")
        found = {full_name(n): file for n, file in self.registry.items()}.get(name)
        if found and not self.is_offline:
            self.create(name, found)
            lines += [layer(self.created[name]), {"status": "success"}]
        else:
            lines += [{"error": OFFLINE if self.is_offline else UNKNOWN}]
        if body.get("stream") is not False:
            return 200, lines
        return 500 if "error" in lines[-1] else 200, lines[-1], "application/json"

    def delete(self, body: dict) -> tuple:
        self.expire(model := self.find(body))
        self.created = {n: m for n, m in self.created.items() if m is not model}
        return 200, b""


def layer(model: Model) -> dict:
    """The download of a file, complete."""
    size, digest = model.file.stat().st_size, f"sha256:{model.digest}"
    told = {"status": f"pulling {model.digest[:12]}", "digest": digest}
    return told | {"total": size, "completed": size}


def modified_at(model: Model) -> str:
    return datetime.fromtimestamp(model.file.stat().st_mtime, UTC).isoformat()


def later() -> str:
    """When a model is unloaded that nobody asks."""
    return (datetime.now(UTC) + timedelta(minutes=5)).isoformat()

"""Where a server is, and what it knows of a model.

Vocabulary: an *address* says where a server is; a *digest* is the hash of a model's
file. The *embedded* model, abacus, needs no server.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ollama

EMBEDDED = "abacus"


def server_address(host: str | None) -> str:
    """Where Ollama is: `host`, else REASONING_HOSTS or OLLAMA_HOST (which cannot name
    several); but Windows cannot reach 0.0.0.0."""
    named = os.environ.get("REASONING_HOSTS") or os.environ.get("OLLAMA_HOST")
    address = host or named or "127.0.0.1:11434"
    return re.sub(r"\b0\.0\.0\.0\b", "127.0.0.1", address)


def slots(address: str) -> int:
    """How many requests the servers take at once, all together. They do not tell:
    OLLAMA_NUM_PARALLEL, as set here, is believed for each; else 1, Ollama's default."""
    told = os.environ.get("OLLAMA_NUM_PARALLEL", "").strip(" \"'")
    each = int(told) if re.fullmatch("[1-9][0-9]?", told) else 1
    hosts = [host for host in address.split(",") if host.strip()]
    return min(each * len(hosts), 100)  # connections that the client opens at most


def full_name(model: str) -> str:
    """A model's name as servers list it: "llama3.2" is "llama3.2:latest"."""
    return model if ":" in model else f"{model}:latest"


def find_digest(client: Any, model: str) -> str | None:
    """The hash of the model's file, as the server lists it."""
    name = full_name(model)
    models = client.list().models
    return next((m.digest for m in models if full_name(m.model or "") == name), None)


def server_version(client: Any) -> str | None:
    """The version of the server; `ollama.Client` has no call of its own for it."""
    if hasattr(client, "version"):
        return client.version()
    return client._client.get("/api/version").json().get("version")


def find_model(client: ollama.Client, model: str) -> ollama.ShowResponse:
    """What the server knows of a model, which is pulled first if it is missing."""
    from ollama import ResponseError

    try:
        return client.show(model)  # the server knows that llama3.2 is llama3.2:latest
    except ResponseError as error:
        if error.status_code != 404:
            raise
    from tqdm import tqdm

    done, size = {}, {}  # bytes, by layer
    with tqdm(desc=f"pull {model}", unit="B", unit_scale=True, leave=False) as bar:
        for part in client.pull(model, stream=True):
            done[part.digest], size[part.digest] = part.completed or 0, part.total or 0
            bar.total = sum(size.values())
            bar.update(sum(done.values()) - bar.n)
    return client.show(model)

"""Which server, which model: how a client is found for a name.

Vocabulary: a *client* is abacus's own, `ollama.Client`, or one that stands before them:
several servers (`hosts.py`), recorded answers (`recording.py`). All answer the same
calls. An *address* says where a server is; a *digest* is the hash of a model's file.

Covers: the choice of the client, its model (pulled if it is missing), what it is. Does
not cover: asking it for text, and what may fail then (`connection.py`).
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
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


def recording_of(record: str | None, replay_only: bool) -> tuple[str, bool]:
    """The file of recorded answers, and whether nobody else is asked; if no file is
    named, as REASONING_RECORD and REASONING_REPLAY_ONLY say."""
    if record is not None:
        return record, replay_only
    is_set = os.environ.get("REASONING_REPLAY_ONLY", "") not in ("", "0")
    return os.environ.get("REASONING_RECORD", ""), replay_only or is_set


def full_name(model: str) -> str:
    """A model's name as servers list it: "llama3.2" is "llama3.2:latest"."""
    return model if ":" in model else f"{model}:latest"


def open_client(
    model: str, timeout: float = 120.0, host: str | None = None,
    record: str | None = None, replay_only: bool = False,
    weights: Path | str | None = None,
) -> Any:  # fmt: skip
    """The client of a model: abacus's own, Ollama's, or one of those in `hosts.py`.

    host: several, with commas between them, share the work.
    record, replay_only: see `RecordedClient`; if `record` is None, the environment
        decides (`recording_of`), if it is "", there is none.
    weights: a file of abacus; what this model says is never recorded.

    Raises ValueError for weights of another model.
    """
    if weights is not None:
        from helpers.abacus.client import AbacusClient

        if model != EMBEDDED:
            raise ValueError(f"weights are those of abacus. Type LLMGen({EMBEDDED!r}, "
                             f"weights=...), or {model!r} without.")  # fmt: skip
        return AbacusClient(weights)
    record, replay_only = recording_of(record, replay_only)
    address = server_address(host)
    if model == EMBEDDED:
        from helpers.abacus.client import AbacusClient

        client: Any = AbacusClient()
    elif "," in address:
        from helpers.hosts import ManyHosts

        client = ManyHosts(address.split(","), timeout)
    else:
        from ollama import Client

        client = Client(host=address, timeout=timeout)
    if not record and not replay_only:
        return client
    from helpers.recording import RecordedClient

    return RecordedClient(client, model, record, replay_only)


reopen = lru_cache(open_client)  # in a process that a connection was sent to


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
    from tqdm import tqdm

    try:
        return client.show(model)  # the server knows that llama3.2 is llama3.2:latest
    except ResponseError as error:
        if error.status_code != 404:
            raise
    done, size = {}, {}  # bytes, by layer
    with tqdm(desc=f"pull {model}", unit="B", unit_scale=True, leave=False) as bar:
        for part in client.pull(model, stream=True):
            done[part.digest], size[part.digest] = part.completed or 0, part.total or 0
            bar.total = sum(size.values())
            bar.update(sum(done.values()) - bar.n)
    return client.show(model)

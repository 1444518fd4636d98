"""How a client is opened for the name of a model.

Vocabulary: a *client* is abacus's own, `ollama.Client`, or one that stands before them:
several servers (`hosts.py`), recorded answers (`recording.py`). All answer the same
calls.

Covers: the choice of the client. Does not cover: which model it has (`servers.py`), and
asking it for text (`connection.py`).
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from .servers import EMBEDDED, server_address


def recording_of(record: str | None, replay_only: bool) -> tuple[str, bool]:
    """The file of recorded answers, and whether nobody else is asked; if no file is
    named, as REASONING_RECORD and REASONING_REPLAY_ONLY say."""
    if record is not None:
        return record, replay_only
    is_set = os.environ.get("REASONING_REPLAY_ONLY", "") not in ("", "0")
    return os.environ.get("REASONING_RECORD", ""), replay_only or is_set


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
        from helpers.abacus import AbacusClient

        if model != EMBEDDED:
            raise ValueError(f"weights are those of abacus. Type LLMGen({EMBEDDED!r}, "
                             f"weights=...), or {model!r} without.")  # fmt: skip
        return AbacusClient(weights)
    record, replay_only = recording_of(record, replay_only)
    address = server_address(host)
    if model == EMBEDDED:
        from helpers.abacus import AbacusClient

        client: Any = AbacusClient()
    elif "," in address:
        from .hosts import ManyHosts

        client = ManyHosts(address.split(","), timeout)
    else:
        from ollama import Client

        client = Client(host=address, timeout=timeout)
    if not record and not replay_only:
        return client
    from .recording import RecordedClient

    return RecordedClient(client, model, record, replay_only)


reopen = lru_cache(open_client)  # in a process that a connection was sent to

"""How a client is opened for the name of a model.

Vocabulary: a *client* is abacus's own, that of an Ollama server, or one that stands
before them: several servers (`hosts.py`), recorded answers (`recording.py`). All answer
the same calls. An *opening* is all that it takes to open one, in whatever process.

Covers: the choice of the client. Does not cover: asking it for text (`connection.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from helpers.settings import is_on, path_setting, setting

from .addresses import Address, find_addresses
from .errors import LLMError, failure
from .identity import EMBEDDED, is_embedded, is_file, shown_name


def chosen_model() -> str:
    """The model that REASONING_MODEL names, or abacus."""
    model = setting("REASONING_MODEL", EMBEDDED)
    return EMBEDDED if is_embedded(model) else model


def slots(hosts: int) -> int:
    """How many requests the servers take at once, all together. They do not tell:
    OLLAMA_NUM_PARALLEL, as set here, is believed for each; else 1, Ollama's default."""
    told = setting("OLLAMA_NUM_PARALLEL")
    each = int(told) if told.isdecimal() and 0 < len(told) < 3 else 1
    return min(max(each, 1) * hosts, 100)  # connections that the client opens at most


def count_of(part: dict[str, Any], name: str) -> int:
    """A number of bytes that a server tells; 0 if it tells none."""
    told = part.get(name)
    return told if type(told) is int and told > 0 else 0


def find_model(client: Any, model: str) -> dict[str, Any]:
    """What the server knows of a model, which is pulled first if it is missing."""
    try:
        return client.show(model)  # the server knows that llama3.2 is llama3.2:latest
    except LLMError as error:
        if error.kind != "absent":
            raise
    from tqdm import tqdm

    done, size = {}, {}  # bytes, by layer
    with tqdm(desc=f"pull {model}", unit="B", unit_scale=True, leave=False) as bar:
        for part in client.pull(model):
            layer = str(part.get("digest"))
            done[layer] = count_of(part, "completed")
            size[layer] = count_of(part, "total")
            bar.total = sum(size.values())
            bar.update(sum(done.values()) - bar.n)
    return client.show(model)


@dataclass(frozen=True)
class Opening:
    """All that it takes to open a client. Paths are whole; secrets stay behind."""

    model: str
    timeout: float
    addresses: tuple[Address, ...]  # none: abacus, or a file
    record: str
    replay_only: bool
    weights: str
    file: str = ""  # a GGUF file

    def open(self, is_elsewhere: bool = False) -> Any:
        """The client.

        is_elsewhere: this is another process, where files must be there already.
        """
        if self.weights:
            from helpers.abacus import AbacusClient

            if is_elsewhere and not Path(self.weights).is_file():
                raise failure("weights", file=self.weights)
            return AbacusClient(self.weights)
        if not self.record and not self.replay_only:
            return self.open_source()
        from .recording import RecordedClient

        if is_elsewhere and not Path(self.record).is_file():
            said = "it is not on this computer"
            raise failure("recording", file=self.record, said=said)
        source = None if self.replay_only else self.open_source()
        return RecordedClient(source, self.model, self.record, self.replay_only)

    def open_source(self) -> Any:
        """Whoever answers what is not recorded."""
        if self.file:
            from .gguf_client import GGUFClient

            return GGUFClient(Path(self.file))
        if not self.addresses:
            from helpers.abacus import AbacusClient

            return AbacusClient()
        if len(self.addresses) > 1:
            from .hosts import ManyHosts

            return ManyHosts(self.addresses, self.timeout)
        return open_server(self.addresses[0], self.timeout)


def open_server(address: Address, timeout: float) -> Any:
    """The client of one server: of Ollama's own interface, wherever there is one."""
    from .ollama_client import OllamaClient

    try:
        return OllamaClient(address, timeout)
    except LLMError as error:
        if not address.url.endswith("/v1"):
            raise
        if error.kind not in ("openai", "locked", "server"):
            raise
    from .openai_client import OpenAIClient

    return OpenAIClient(address, timeout)


def plan(
    model: str, timeout: float, host: str | None, record: str | None,
    replay_only: bool, weights: Path | str | None,
) -> Opening:  # fmt: skip
    """What `open_client` is told, and what variables say where it is told nothing.

    Raises ValueError for arguments that do not go together.
    """
    embedded = is_embedded(model)
    is_served = bool(host) and host.strip().rstrip("/").endswith("/v1")
    has_file = is_file(model) and not is_served  # such servers name it by its file
    if weights is not None and not embedded:
        raise ValueError(f"weights are those of abacus. Type LLMGen({EMBEDDED!r}, "
                         f"weights=...), or {model!r} without.")  # fmt: skip
    if host and has_file:
        raise ValueError("host= is for a server's model; a file is computed here.")
    if host and embedded:
        shown = ",".join(part.rpartition("@")[2] for part in host.split(","))
        raise ValueError(
            f"host={shown!r}, but abacus alone means the embedded model, which asks no "
            'server. Type LLMGen("abacus:latest", host=...) for the server\'s.'
        )
    if record is None:
        record = path_setting("REASONING_RECORD")
        replay_only = replay_only or is_on("REASONING_REPLAY_ONLY")
    whole = [whole_path(path) if path else "" for path in (record, weights)]
    file = whole_path(model.strip()) if has_file else ""
    addresses = () if embedded or has_file else tuple(find_addresses(host))
    name = shown_name(model)
    return Opening(name, timeout, addresses, whole[0], replay_only, whole[1], file)


def whole_path(path: Path | str) -> str:
    """A path as it is meant here, wherever it is used. Raises ValueError for none."""
    try:
        return str(Path(path).expanduser().resolve())
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"{str(path)!a} is no path ({error}). Type another."
        ) from error


def open_client(
    model: str, timeout: float = 120.0, host: str | None = None,
    record: str | None = None, replay_only: bool = False,
    weights: Path | str | None = None,
) -> Any:  # fmt: skip
    """The client of a model: abacus's own, Ollama's, or one that stands before them.

    host: several, with commas between them, share the work (`hosts.py`).
    record, replay_only: see `RecordedClient`; if `record` is None, REASONING_RECORD and
        REASONING_REPLAY_ONLY decide; if it is "", there is none.
    weights: a file of abacus; what this model says is never recorded.

    Raises ValueError for weights of another model, or a host for abacus.
    """
    return plan(model, timeout, host, record, replay_only, weights).open()


@lru_cache
def reopen(opening: Opening) -> Any:
    """The client, in a process that a connection was sent to."""
    return opening.open(is_elsewhere=True)

"""Several Ollama servers as one: the least busy is asked, a dead one is left out.

Vocabulary: a *host* is a server's address. It is *busy* with as many requests as it has
not answered yet, and *out* from the moment when it fails to answer until it answers
again: after a pause, or at once if all are out, it is asked for its list of models,
which costs nothing. A host that answers with nonsense, or lacks the model, is out too.

All hosts must hold the same model (`identity.py`). Covers: requests of one process,
from any number of threads. Does not cover: work that other processes give to the same
hosts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .errors import LLMError, failure
from .identity import Identity, differences, identity_of
from .ollama_client import OllamaClient

if TYPE_CHECKING:
    from helpers.wire import Response

    from .addresses import Address

PAUSE = 10.0  # seconds before a host that is out is asked again
PROBE = 2.0  # seconds in which it must answer then
OURS = ("context", "request", "states")  # the request is at fault, not the host
DEAD = ("server", "timeout", "broken", "busy", "gateway", "other")  # it may come back


class Host:
    """One server, and how it is doing."""

    def __init__(self, address: Address, timeout: float) -> None:
        self.address, self.timeout = address, timeout
        self.busy, self.is_out, self.out_since = 0, False, 0.0
        self.opened: dict[float, OllamaClient] = {}

    def client(self, timeout: float | None = None) -> OllamaClient:
        """The line to it. Raises LLMError if there is none."""
        timeout = timeout or self.timeout
        if timeout not in self.opened:
            self.opened[timeout] = OllamaClient(self.address, timeout)
        return self.opened[timeout]


class ManyHosts:
    """A client with the calls of `OllamaClient`."""

    def __init__(self, addresses: Sequence[Address], timeout: float) -> None:
        self.hosts = [Host(address, timeout) for address in addresses]
        self.lock = threading.Lock()
        self.identity: dict[str, Identity] = {}  # the one of each model

    def generate(self, *args: Any, **settings: Any) -> Response:
        """As `OllamaClient.generate`, by the least busy host."""
        return self._ask(lambda client: client.generate(*args, **settings))

    def embed(self, *args: Any, **settings: Any) -> list[list[float]]:
        """As `OllamaClient.embed`, by the least busy host."""
        return self._ask(lambda client: client.embed(*args, **settings))

    def list(self) -> list[dict[str, Any]]:
        """The models of the first host that answers."""
        return self._ask(lambda client: client.list())

    def version(self) -> str | None:
        """The version of the first host that answers."""
        return self._ask(lambda client: client.version())

    def show(self, model: str) -> dict[str, Any]:
        """What the hosts know of a model. Raises LLMError if one lacks it ("absent"),
        or if they hold different ones ("hosts")."""
        shown, found, last = {}, {}, None
        for host in [h for h in self.hosts if not h.is_out] or self.hosts:
            try:
                shown = host.client().show(model)
                found[host] = identity_of(host.client(), model)
            except LLMError as error:
                if error.kind not in DEAD:  # the address is wrong
                    raise
                self._take_out(host)
                last = error
        if last and not found:
            raise last if last.kind != "server" else self._nobody()
        first = next(iter(found))
        for host, identity in found.items():
            if differs := differences(found[first], identity):
                pair = f"there {first.address}, here {host.address}"
                said = f"{'; '.join(differs)}: {pair}"
                raise failure("hosts", model=model, said=said)
        self.identity[model] = found[first]
        return shown

    def pull(self, model: str) -> Iterator[dict[str, Any]]:
        """Have every host fetch a model, one after the other."""
        for host in self.hosts:
            if not host.is_out:
                yield from host.client().pull(model)

    def _ask(self, request: Callable[[OllamaClient], Any]) -> Any:
        """The answer of the least busy host, or of the next, if that one fails."""
        tried: set[Host] = set()
        last: LLMError | None = None
        while True:
            with self._least_busy(tried) as host:
                if host is None:
                    is_told = last and last.kind != "server"
                    raise last if is_told else self._nobody()
                tried.add(host)
                try:
                    return request(host.client())
                except LLMError as error:
                    if error.kind in OURS:
                        raise
                    if error.kind != "busy":  # busy is not dead
                        self._take_out(host)
                    is_busy = getattr(last, "kind", "") == "busy"
                    last = last if is_busy else error  # the busy one may be waited for

    @contextmanager
    def _least_busy(self, tried: set[Host]) -> Iterator[Host | None]:
        """A host to ask, which is busier meanwhile; None if all were tried."""
        self._look_after_those_out(urgent=all(host.is_out for host in self.hosts))
        with self.lock:
            able = [h for h in self.hosts if not h.is_out and h not in tried]
            host = min(able, key=lambda h: h.busy, default=None)
            if host:
                host.busy += 1
        try:
            yield host
        finally:
            if host:
                with self.lock:
                    host.busy -= 1

    def _nobody(self) -> LLMError:
        names = ",".join(str(host.address) for host in self.hosts)
        return failure("server", address=names)

    def _take_out(self, host: Host) -> None:
        with self.lock:
            host.is_out, host.out_since = True, time.monotonic()

    def _look_after_those_out(self, urgent: bool) -> None:
        """Take hosts in again that answer and hold the same model, after a pause; if it
        is urgent, because all are out, without one."""
        for host in self.hosts:
            with self.lock:
                rest = time.monotonic() - host.out_since
                is_due = host.is_out and (urgent or rest >= PAUSE)
                if is_due:
                    since = host.out_since = time.monotonic()  # others need not ask
            if is_due and self._is_well(host):
                with self.lock:
                    if host.out_since == since:  # it has not failed again meanwhile
                        host.is_out = False

    def _is_well(self, host: Host) -> bool:
        try:
            found = [
                differences(known, identity_of(host.client(PROBE), name))
                for name, known in self.identity.items()
            ]
        except LLMError:
            return False
        return not any(found)

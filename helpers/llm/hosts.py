"""Several Ollama servers as one: the least busy is asked, a dead one is left out.

Vocabulary: a *host* is a server's address. It is *busy* with as many requests as it has
not answered yet, and *out* from the moment when it fails to answer until it answers
again: after a pause, or at once if all are out, it is asked for its list of models,
which costs nothing. A host that answers with nonsense, or lacks the model, is out too.

All hosts must hold the same model: equal digests. Covers: requests of one process, from
any number of threads. Does not cover: work that other processes give to the same hosts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
from ollama import Client, ResponseError

from .servers import find_digest, server_version

if TYPE_CHECKING:
    import ollama

PAUSE = 10.0  # seconds before a host that is out is asked again
PROBE = 2.0  # seconds in which it must answer then
DEAD = (ConnectionError, httpx.TransportError)


class Host:
    """One server, and how it is doing."""

    def __init__(self, address: str, timeout: float) -> None:
        self.address = address
        self.client = Client(host=address, timeout=timeout)
        self.probe = Client(host=address, timeout=PROBE)
        self.busy, self.is_out, self.out_since = 0, False, 0.0


class ManyHosts:
    """A client with the calls of `ollama.Client` that this project makes.

    addresses: of the servers, as OLLAMA_HOST has them. Raises ValueError for none.
    """

    def __init__(self, addresses: Sequence[str], timeout: float) -> None:
        names = [name.strip() for name in addresses if name.strip()]
        if not names:
            raise ValueError("No host is named. Type host=desk1:11434,desk2:11434.")
        self.hosts = [Host(name, timeout) for name in names]
        self.lock = threading.Lock()
        self.digest: dict[str, str | None] = {}  # the one digest of each model

    def generate(self, *args: Any, **settings: Any) -> ollama.GenerateResponse:
        """As `ollama.Client.generate`, by the least busy host."""
        return self._ask(lambda client: client.generate(*args, **settings))

    def embed(self, *args: Any, **settings: Any) -> ollama.EmbedResponse:
        """As `ollama.Client.embed`, by the least busy host."""
        return self._ask(lambda client: client.embed(*args, **settings))

    def list(self) -> ollama.ListResponse:
        """The models of the first host that answers."""
        return self._ask(lambda client: client.list())

    def version(self) -> str | None:
        """The version of the first host that answers."""
        return self._ask(server_version)

    def show(self, model: str) -> ollama.ShowResponse:
        """What the hosts know of a model. Raises ResponseError if one lacks it (404),
        or if they hold different ones."""
        shown, digests, last = None, {}, None
        for host in self.hosts:
            try:
                found = host.client.show(model)
                digests[host.address] = find_digest(host.client, model)
                shown = found
            except DEAD as error:
                self._take_out(host)
                last = error
        if shown is None:
            raise last or ConnectionError("no host answers")
        if len({*digests.values()}) > 1:
            told = ", ".join(f"{a}: {str(d)[:12]}" for a, d in digests.items())
            raise ResponseError(f"the hosts hold different models: {told}", 409)
        self.digest[model] = next(iter(digests.values()))
        return shown

    def pull(self, model: str, **settings: Any) -> Iterator[ollama.ProgressResponse]:
        """Have every host fetch a model, one after the other."""
        for host in self.hosts:
            if not host.is_out:
                yield from host.client.pull(model, **settings)

    def _ask(self, request: Callable[[Any], Any]) -> Any:
        """The answer of the least busy host, or of the next, if that one fails."""
        tried: set[Host] = set()
        last: Exception = ConnectionError("no host answers")
        while True:
            with self._least_busy(tried) as host:
                if host is None:
                    raise last
                tried.add(host)
                try:
                    return request(host.client)
                except ResponseError as error:
                    if error.status_code in (400, 501):
                        raise  # the request is at fault, not the host
                    if error.status_code != 503:  # busy is not dead
                        self._take_out(host)
                    last = error
                except (*DEAD, ValueError, TypeError) as error:  # the latter: no JSON
                    self._take_out(host)
                    is_busy = getattr(last, "status_code", None) == 503
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
            found = {name: find_digest(host.probe, name) for name in self.digest}
        except (*DEAD, ResponseError, ValueError, TypeError):
            return False
        return found == self.digest

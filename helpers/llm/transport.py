"""HTTP with limits: a whole answer within its time and its size, or none.

Vocabulary: a *deadline* is when an answer must be there to its last byte; httpx itself
only limits how long each read may take, so that a byte now and then would go on for
ever. What is *unpacked* is counted, because a small packet may hold a large text.

Nothing is read from the environment here: which proxy is asked is said by whoever opens
the line (`addresses.py`). Redirects are not followed: what was meant for one server is
sent to no other.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from typing import Any

import httpcore
import httpx

LARGEST = 64 * 2**20  # bytes of an answer, unpacked
LONGEST_LINE = 2**20  # bytes of a line that tells how far a download is
PATIENCE = 10.0  # seconds until a computer must have taken the connection
PACKED = ("", "identity", "gzip", "deflate")  # ways to pack an answer; bombs are small
clock = time.monotonic
DEADLINE: ContextVar[float] = ContextVar("DEADLINE", default=inf)


class TooLarge(httpx.TransportError):
    """An answer without an end."""


def left(timeout: float | None, error: type[Exception]) -> float | None:
    """Seconds for the next read or write: what is left until the deadline."""
    rest = DEADLINE.get() - clock()
    if rest <= 0:
        raise error("the time is over")
    return min(inf if timeout is None else timeout, rest) if rest < inf else timeout


class Stream(httpcore.NetworkStream):
    """A stream whose every read and write looks at the deadline."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self.stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Stream:  # fmt: skip
        rest = left(timeout, httpcore.ConnectTimeout)
        return Stream(self.stream.start_tls(ssl_context, server_hostname, rest))

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


class Backend(httpcore.SyncBackend):
    """Opens such streams."""

    def connect_tcp(self, *args: Any, **settings: Any) -> Stream:
        return Stream(super().connect_tcp(*args, **settings))


@contextmanager
def httpx_errors() -> Iterator[None]:
    """httpcore's errors as those of the same name in httpx."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError,
            httpcore.ProxyError, httpcore.UnsupportedProtocol) as error:  # fmt: skip
        raise getattr(httpx, type(error).__name__)(str(error)) from error


class Body(httpx.SyncByteStream):
    """The bytes of an answer as they come."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with httpx_errors():
            yield from self.stream

    def close(self) -> None:
        self.stream.close()


class Transport(httpx.BaseTransport):
    """httpx's way to the network, with a deadline for each request.

    proxy: the address of a proxy, or None. Raises ValueError for one that cannot be
    used, OSError where SSL_CERT_FILE names no certificates.
    A request has as long as its "read" time-out in all; a download ("is_download"
    among its extensions), each part of it.
    """

    def __init__(self, is_secure: bool, proxy: str | None = None) -> None:
        context = httpx.create_ssl_context() if is_secure else None
        settings = {"ssl_context": context, "max_connections": 100,
                    "max_keepalive_connections": 20, "keepalive_expiry": 5.0,
                    "network_backend": Backend()}  # fmt: skip
        self.pool = proxy_pool(proxy, settings) if proxy else (
            httpcore.ConnectionPool(**settings))  # fmt: skip

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        limit = request.extensions["timeout"]["read"]
        is_endless = limit is None or request.extensions.get("is_download")
        DEADLINE.set(inf if is_endless else clock() + limit)
        url = request.url
        asked = httpcore.Request(
            request.method, httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port,
                target=url.raw_path),
            headers=request.headers.raw, content=request.stream,
            extensions=request.extensions,
        )  # fmt: skip
        with httpx_errors():
            found = self.pool.handle_request(asked)
        return httpx.Response(
            found.status, headers=found.headers, stream=Body(found.stream),
            extensions=found.extensions,
        )  # fmt: skip

    def close(self) -> None:
        self.pool.close()


def proxy_pool(proxy: str, settings: dict[str, Any]) -> httpcore.ConnectionPool:
    """A pool behind a proxy, HTTP's or SOCKS's."""
    told = httpx.Proxy(proxy)  # ValueError for another kind
    auth = told.raw_auth
    if told.url.scheme.startswith("socks"):
        return httpcore.SOCKSProxy(str(told.url), proxy_auth=auth, **settings)
    return httpcore.HTTPProxy(str(told.url), proxy_auth=auth, **settings)


def whole_body(response: httpx.Response) -> bytes:
    """All of an answer. Raises TooLarge, or httpx.DecodingError if it is packed in a
    way that was not asked for."""
    if response.headers.get("Content-Encoding", "").strip().lower() not in PACKED:
        raise httpx.DecodingError("the answer is packed in an unknown way")
    parts, size = [], 0
    for part in response.iter_bytes():
        size += len(part)
        if size > LARGEST:
            raise TooLarge(f"the answer has more than {LARGEST >> 20} MB")
        parts.append(part)
    return b"".join(parts)


def lines_of(response: httpx.Response) -> Iterator[bytes]:
    """The lines of an answer as they come, each of them bounded."""
    rest = b""
    for part in response.iter_bytes():
        *lines, rest = (rest + part).split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise TooLarge("a line of the answer does not end")
        yield from filter(bytes.strip, lines)
    if rest.strip():
        yield rest

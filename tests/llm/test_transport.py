"""A whole answer within its time and its size: bytes by hand, a clock by hand."""

import gzip
import zlib

import httpcore
import httpx
import pytest

from helpers.llm import transport
from helpers.llm.transport import Transport, lines_of, whole_body

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
URL = "http://pc:11434/api/tags"


class Wire(httpcore.NetworkStream):
    """A server's bytes, some with each read, which takes some seconds."""

    def __init__(self, content, size, seconds):
        self.content, self.size, self.seconds = content, size, seconds
        self.now, self.waits = 0.0, []

    def read(self, max_bytes, timeout=None):
        self.waits.append(timeout)
        if timeout is not None and self.seconds > timeout:
            raise httpcore.ReadTimeout("timed out")
        self.now += self.seconds
        part, self.content = self.content[: self.size], self.content[self.size :]
        return part

    def write(self, buffer, timeout=None):
        pass

    def close(self):
        pass

    def get_extra_info(self, info):
        return None


@pytest.fixture
def serve(monkeypatch):
    """A function that has a client ask a server that sends these bytes."""

    def ask(content, size=2**16, seconds=0.0, timeout=1.0, **extensions):
        wire = Wire(content, size, seconds)
        monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", lambda *_, **__: wire)
        monkeypatch.setattr(transport, "clock", lambda: wire.now)
        client = httpx.Client(transport=Transport(is_secure=False), timeout=timeout)
        with client.stream("GET", URL, extensions=extensions) as response:
            return whole_body(response), wire

    return ask


def answer(body, *headers):
    told = b"".join(h + b"\r\n" for h in headers)
    return HEAD + b"Content-Length: %d\r\n" % len(body) + told + b"\r\n" + body


def test_an_answer_in_time(serve):
    assert serve(answer(b"[1, 2]"))[0] == b"[1, 2]"
    body, wire = serve(answer(b"x" * 8), size=40, seconds=0.2)
    assert body == b"x" * 8 and wire.now <= 1
    assert wire.waits[0] == 1.0 and wire.waits == sorted(wire.waits, reverse=True)


@pytest.mark.parametrize(
    "content", [answer(b"x" * 99), HEAD * 99], ids=["body", "head"]
)
def test_a_byte_now_and_then_is_no_answer(serve, content):
    """Each read is in time, and all of them are not."""
    with pytest.raises(httpx.ReadTimeout):
        serve(content, size=1, seconds=0.2)


def test_a_download_may_take_long(serve):
    body, wire = serve(answer(b"x" * 99), size=9, seconds=0.9, is_download=True)
    assert len(body) == 99 and wire.now > 10
    with pytest.raises(httpx.ReadTimeout):  # but each part has its limit
        serve(answer(b"x"), size=9, seconds=1.1, is_download=True)


def test_an_endless_answer_is_given_up(serve, monkeypatch):
    monkeypatch.setattr(transport, "LARGEST", 1000)
    assert len(serve(answer(b"x" * 1000))[0]) == 1000
    endless = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"3e8\r\n" + b"x" * 1000
    for content in (answer(b"x" * 1001), endless + b"\r\n1\r\nx\r\n"):
        with pytest.raises(transport.TooLarge, match="more than"):
            serve(content)


def test_a_packed_answer_is_counted_as_it_unpacks(serve, monkeypatch):
    monkeypatch.setattr(transport, "LARGEST", 10**6)
    told = answer(gzip.compress(b"x" * 10**6), b"Content-Encoding: gzip")
    assert len(serve(told)[0]) == 10**6
    bomb = answer(gzip.compress(b"x" * (10**6 + 1)), b"Content-Encoding: gzip")
    with pytest.raises(transport.TooLarge):
        serve(bomb)
    deflated = answer(zlib.compress(b"[]"), b"Content-Encoding: deflate")
    assert serve(deflated)[0] == b"[]"


@pytest.mark.parametrize("way", [b"br", b"zstd", b"gzip, br", b"x-unknown", b"gzip"])
def test_what_cannot_be_unpacked_is_no_answer(serve, way):
    with pytest.raises(httpx.DecodingError):
        serve(answer(b"no gzip", b"Content-Encoding: " + way))


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"HTTP/9 hello\r\n\r\n"])
def test_what_is_no_http_is_an_error_of_httpx(serve, content):
    with pytest.raises(httpx.TransportError):
        serve(content)


def test_lines_are_given_as_they_come_and_bounded(monkeypatch):
    def told(*parts):
        return httpx.Response(200, content=iter(parts))

    assert [*lines_of(told(b"a\nb", b"c\n", b"\n", b"d"))] == [b"a", b"bc", b"d"]
    monkeypatch.setattr(transport, "LONGEST_LINE", 10)
    with pytest.raises(transport.TooLarge, match="does not end"):
        [*lines_of(told(b"a\n", b"x" * 6, b"x" * 6))]


def test_proxies(monkeypatch):
    found = Transport(False, "http://anna:secret@proxy:3128").pool
    assert isinstance(found, httpcore.HTTPProxy)
    with pytest.raises(ValueError, match="scheme"):
        Transport(False, "socks://127.0.0.1:7890/")

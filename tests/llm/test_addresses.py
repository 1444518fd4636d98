"""Where a server is: what is typed, what is kept secret, who is on the way."""

import pickle
import re

import pytest

from helpers.llm.addresses import (
    find_addresses,
    is_this_computer,
    proxy_for,
    read_address,
)

URLS = {  # what is typed: where it leads, as for Ollama itself
    "1.2.3.4": "http://1.2.3.4:11434",
    ":56789": "http://127.0.0.1:56789",
    "1.2.3.4:56789": "http://1.2.3.4:56789",
    "http://1.2.3.4": "http://1.2.3.4:80",
    "HTTP://PC": "http://pc:80",
    "https://1.2.3.4": "https://1.2.3.4:443",
    "https://example.com:56789/path/": "https://example.com:56789/path",
    "example.com": "http://example.com:11434",
    "example.com/": "http://example.com:11434",
    "example.com:56789/path": "http://example.com:56789/path",
    "[::1]": "http://[::1]:11434",
    "[::1]:56789": "http://[::1]:56789",
    "::1": "http://[::1]:11434",
    "https://[::1]:56789/path": "https://[::1]:56789/path",
    "0.0.0.0": "http://127.0.0.1:11434",
    "0.0.0.0:1": "http://127.0.0.1:1",
    "[::]:1": "http://[::1]:1",
    "'pc:1'": "http://pc:1",
    "http://": "http://127.0.0.1:80",
}


@pytest.mark.parametrize("typed", URLS)
def test_an_address_is_read_as_ollama_reads_it(typed, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", typed)
    (address,) = find_addresses(None)
    assert (address.url, address.source) == (URLS[typed], "OLLAMA_HOST")
    assert find_addresses(typed)[0].url == address.url


def test_the_official_client_leads_to_the_same_places():
    parse = pytest.importorskip("ollama._client")._parse_host
    for typed, url in URLS.items():
        if not re.search(r"0\.0|::\]|^::|'|HTTP|//$", typed):  # it does not mend these
            assert parse(typed) == url, typed


@pytest.mark.parametrize(
    "typed",
    ["pc:99999", "pc:port", "pc:0", "pc:-1", "pc\0", "pc/\x1b", "ftp://pc",
     "http://[::1", "p c", "a:b:c", "pc\\x", "socks://pc:1", "http://user:pa/ss@pc:1",
     "http://u:secret@pc:port"],
)  # fmt: skip
def test_what_is_no_address_ends_in_a_sentence_without_secrets(typed):
    with pytest.raises(ValueError, match="^host=.*is no address. Type") as error:
        find_addresses(typed)
    assert "secret" not in str(error.value) and "pa/ss" not in str(error.value)
    assert error.value.__suppress_context__


def test_who_is_asked_first(monkeypatch):
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    monkeypatch.delenv("REASONING_HOSTS", raising=False)
    assert [str(a) for a in find_addresses(None)] == ["127.0.0.1:11434"]
    monkeypatch.setenv("OLLAMA_HOST", "one")
    monkeypatch.setenv("REASONING_HOSTS", "' '")
    assert [str(a) for a in find_addresses(None)] == ["one"]
    monkeypatch.setenv("REASONING_HOSTS", '"two:1, three"')
    assert [str(a) for a in find_addresses("")] == ["two:1", "three"]
    assert [str(a) for a in find_addresses("four")] == ["four"]
    with pytest.raises(ValueError, match="REASONING_HOSTS names no host"):
        monkeypatch.setenv("REASONING_HOSTS", ",")
        find_addresses(None)


def test_a_secret_is_in_no_text_and_no_pickle(monkeypatch):
    for name in ("OLLAMA_HOST", "REASONING_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    address = read_address("https://anna:geheim%40@pc:1/x")
    assert address.secret == "anna:geheim%40" and str(address) == "https://pc:1/x"
    sent = pickle.dumps(address)
    assert "geheim" not in repr(address) + address.url and b"geheim" not in sent
    there = pickle.loads(sent)
    assert there.has_secret and there.secret == ""
    monkeypatch.setenv("OLLAMA_HOST", "https://anna:other@pc:1/x")
    assert pickle.loads(sent).secret == "anna:other"
    monkeypatch.setenv("OLLAMA_HOST", "https://anna:other@elsewhere:1/x")
    assert pickle.loads(sent).secret == ""


def test_no_proxy_on_the_way_to_this_computer(monkeypatch):
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "proxy:3128")
    for here in ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1",
                 "http://127.8.9.1:1", "https://a.localhost:1"):  # fmt: skip
        assert is_this_computer(here) and proxy_for(here) is None
    assert proxy_for("http://pc:1") == "http://proxy:3128"
    monkeypatch.setenv("no_proxy", "pc")
    assert proxy_for("http://pc:1") is None
    assert proxy_for("http://127.0.0.1.evil.org:1") == "http://proxy:3128"

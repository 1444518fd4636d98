"""Where a server is: addresses, the secrets in them, and the proxies on the way.

Vocabulary: an *address* says where a server is, as OLLAMA_HOST does: `pc`, `pc:11434`,
`[::1]:11434`, `https://user:password@pc/path`. A *secret* is the part before the "@".
A *proxy* passes on what is sent to other computers; HTTP_PROXY and its kin name it.

A secret is sent to the server that it was typed for, and is otherwise kept: it is in
no text, no pickle, no record. A process elsewhere takes it from its own variables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from helpers.settings import meant, setting

PORTS = {"": 11434, "http": 80, "https": 443}  # where none is typed, as Ollama does
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # all of this computer: not to reach
SOURCES = ("REASONING_HOSTS", "OLLAMA_HOST")  # the first that is set is taken


@dataclass(frozen=True)
class Address:
    """An address. `str` gives what was typed, without the secret.

    url: the whole, with scheme and port, for requests. source: who said so.
    secret: "user:password", or ""; has_secret tells it in other processes too.
    """

    text: str
    url: str
    source: str = field(compare=False)
    secret: str = field(default="", repr=False, compare=False)
    has_secret: bool = False

    def __str__(self) -> str:
        return self.text

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"secret": ""}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In another process: the secret is looked for in its variables."""
        self.__dict__.update(state)
        if self.has_secret:
            here = (a for name in SOURCES for a in read_addresses(setting(name), name))
            secrets = [a.secret for a in here if a.url == self.url and a.secret]
            self.__dict__["secret"] = next(iter(secrets), "")


def find_addresses(host: str | None) -> list[Address]:
    """The servers to ask: of `host`, else of REASONING_HOSTS or OLLAMA_HOST, else the
    one of this computer. Raises ValueError for what is no address."""
    named = {"host=": host or "", **{name: setting(name) for name in SOURCES}}
    source = next((name for name, text in named.items() if text), "")
    found = read_addresses(named.get(source, "127.0.0.1:11434"), source)
    if not found:
        raise ValueError(f"{source} names no host. Type host=desk1:11434,desk2:11434.")
    return found


def server_address(host: str | None) -> str:
    """The servers to ask, as a text without secrets, with commas between them."""
    return ",".join(map(str, find_addresses(host)))


def read_addresses(text: str, source: str) -> list[Address]:
    """The addresses in a text with commas between them."""
    parts = [meant(part) for part in text.split(",")]
    return [read_address(part, source) for part in parts if part]


def read_address(text: str, source: str = "host=") -> Address:
    """One address. Raises ValueError, without the secret in it, for anything else."""
    scheme, mark, rest = text.rpartition("://")
    secret, _, place = rest.rpartition("@")
    if "/" in secret:  # an "@" in the path parts nothing
        secret, place = "", rest
    try:
        split = split_place(place)
        usual = PORTS[scheme.lower()]  # KeyError for another scheme
        port = usual if split.port is None else split.port
        if not port:
            raise ValueError("port 0")
        name = (split.hostname or "127.0.0.1").encode("idna").decode()
    except (KeyError, ValueError):
        shown = f"{scheme}{mark}{rest.rpartition('@')[2]}"
        raise ValueError(
            f"{source.rstrip('=')}={shown!r} is no address. Type host:port, such as "
            "127.0.0.1:11434, or http://host:port."
        ) from None
    name = ANYWHERE.get(name, name)
    host = f"[{name}]" if ":" in name else name
    url = f"{scheme.lower() or 'http'}://{host}:{port}/{split.path.strip('/')}"
    place = re.sub(r"^0\.0\.0\.0", "127.0.0.1", place) or f"{host}:{port}"
    shown = f"{scheme}{mark}{place}".rstrip("/")
    return Address(shown, url.rstrip("/"), source, secret, bool(secret))


def split_place(place: str) -> SplitResult:
    """Host, port and path. An IPv6 address may do without brackets."""
    bare, slash, path = place.partition("/")
    if bare.count(":") > 1 and not bare.startswith("["):
        bare = f"[{ip_address(bare)}]"
    if re.search(r"[\s\\^<>\"|{}?#]", bare) or not place.isprintable():
        raise ValueError(place)
    return urlsplit(f"http://{bare}{slash}{path}")


def is_this_computer(url: str) -> bool:
    """Whether an address leads nowhere else, so that no proxy is asked."""
    name = urlsplit(url).hostname or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def proxy_for(url: str) -> str | None:
    """The proxy that this computer's settings name for an address, if any."""
    from urllib.request import getproxies, proxy_bypass

    split = urlsplit(url)
    if is_this_computer(url) or proxy_bypass(split.netloc):
        return None
    proxies = getproxies()
    found = meant(proxies.get(split.scheme) or proxies.get("all") or "")
    return f"http://{found}" if found and "://" not in found else found or None


def without_secret(url: str) -> str:
    """A URL as it may be shown: nothing before an "@", which may be in a secret."""
    return re.sub(r"//.*@", "//", url, flags=re.S)

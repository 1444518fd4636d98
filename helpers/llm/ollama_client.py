"""One Ollama server: requests out, checked answers in.

Vocabulary: a *request* is a JSON object to one of Ollama's paths. An answer is *whole*
if the server read all of the prompt, and *sane* if its counts can be true. What is
neither is an `LLMError` that says what to type.

The calls are named as in the package `ollama`; that one cannot send `truncate` and
`shift`, without which servers cut a long prompt and do not tell. Both are sent with
every request, and since 0.12.11 servers then refuse it. Of an older server, or one that
hides its version, `was_cut` guesses.

Covers: raw generation, vectors, what a server knows of its models. Does not cover:
chat, streams of text.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from math import isfinite
from typing import Any
from urllib.parse import unquote, urljoin

import httpx

from helpers.settings import setting
from helpers.wire import Response, read_response

from .addresses import Address, proxy_for, without_secret
from .checks import check_counts, cut_at_stop, was_cut
from .errors import LLMError, error_text, failure, nonsense_is, refusal
from .identity import version_number
from .limits import check_options
from .transport import PATIENCE, Transport, lines_of, whole_body

EXACT_SINCE = (0, 12, 11)  # truncate and shift are kept to; log-probabilities are told
CLOUD = "https://ollama.com:443"  # the one server that OLLAMA_API_KEY is for


def refuse_number(name: str) -> float:
    """NaN and Infinity are no JSON, though Python reads them."""
    raise ValueError(f"{name} is no number")


class OllamaClient:
    """A server at an address.

    timeout: seconds for a whole answer. Raises LLMError where the way there cannot be
    used: a proxy or certificates that variables name, a secret that is not here.
    """

    def __init__(self, address: Address, timeout: float) -> None:
        self.address, self.timeout = address, timeout
        self.proxy = proxy_for(address.url)
        if address.has_secret and not address.secret:
            raise failure("secret", address=address)
        self.base = address.url.removesuffix("/v1")
        self.last_version: str | None = None
        self.process, self.has_warned = 0, False
        if self.base != address.url and self.version() is None:
            raise failure("openai", address=address)

    @property
    def line(self) -> httpx.Client:
        """The connections of this process: a fork must not share its parent's."""
        if self.process != os.getpid():
            self.process, self.opened = os.getpid(), self.open_line()
        return self.opened

    def open_line(self) -> httpx.Client:
        """Connections to the server. Raises LLMError where variables lead nowhere."""
        facts = {"address": self.address, "proxy": without_secret(self.proxy or "")}
        try:
            transport = Transport(self.base.startswith("https:"), self.proxy)
        except (ImportError, RuntimeError) as error:  # a package is missing
            raise failure("proxy", said=error, **facts) from None
        except (ValueError, httpx.InvalidURL):  # what it says may hold the password
            raise failure("proxy", said="it is no address", **facts) from None
        except OSError as error:
            raise failure("certificates", address=self.address, said=error) from error
        user, _, password = map(unquote, self.address.secret.partition(":"))
        headers = {"Accept-Encoding": "gzip, deflate", "User-Agent": "local-reasoning"}
        if self.base == CLOUD and (key := setting("OLLAMA_API_KEY")):
            headers["Authorization"] = f"Bearer {key}"
        return httpx.Client(
            transport=transport, headers=headers, trust_env=False,
            auth=(user, password) if self.address.secret else None,
            timeout=httpx.Timeout(self.timeout, connect=min(self.timeout, PATIENCE)),
        )  # fmt: skip

    def generate(
        self, model: str, prompt: str, *, raw: bool = True, think: bool = False,
        options: Mapping[str, Any] | None = None, logprobs: bool = False,
        top_logprobs: int = 0, images: Sequence[str] = (),
    ) -> Response:  # fmt: skip
        """One continuation of the prompt.

        think: some models think unless they are told not to. images: in base64.
        Raises ValueError for an option that is unknown or impossible.
        """
        options = dict(options or {})
        check_options(options)
        body = {"model": model, "prompt": prompt, "stream": False, "raw": raw,
                "think": think, "logprobs": logprobs, "truncate": False,
                "shift": False, "options": options}  # fmt: skip
        body |= {"top_logprobs": top_logprobs} if top_logprobs else {}
        body |= {"images": [*images]} if images else {}
        facts = {"model": model, "num_ctx": options.get("num_ctx", "its own")}
        try:
            said = self.ask("POST", "/api/generate", body, **facts)
        except LLMError as error:
            if "token repeat limit" in str(error):  # older servers: not done
                return Response(done=False)
            raise
        with self.sane(**facts):
            response = read_response(said)
            check_counts(response, options)
        context = options.get("num_ctx")
        if context and not self.is_exact() and was_cut(prompt, response, context):
            raise failure("context", said="a part was cut off", **self.facts | facts)
        return self.stopped(response, options.get("stop") or [])

    def stopped(self, response: Response, stops: Sequence[str]) -> Response:
        """The response, up to the stop that the server may have ignored."""
        found = cut_at_stop(response, stops)
        if found is not response and not self.has_warned:
            self.has_warned = True
            warnings.warn(
                f"The server at {self.address} writes on after the stop string, as "
                "Ollama does with models that run on MLX. What it writes too much is "
                "cut off here, and costs tokens all the same.",
                stacklevel=2,
            )
        return found

    def is_exact(self) -> bool:
        """Whether the server refuses a prompt that is too long."""
        number = version_number(self.last_version or self.version())
        return number is not None and number >= EXACT_SINCE

    def embed(self, model: str, input: Sequence[str]) -> list[list[float]]:
        """A vector for each text; too long a text is refused."""
        body = {"model": model, "input": [*input], "truncate": False}
        said = self.ask("POST", "/api/embed", body, model=model, num_ctx="its own")
        with self.sane(model=model):
            found = said["embeddings"]
            if len(found) != len(input) or not all(
                isfinite(x) for v in found for x in v
            ):
                raise ValueError(f"{len(found)} vectors for {len(input)} texts")
        return found

    def list(self) -> list[dict[str, Any]]:
        """The models of the server, a mapping each."""
        said = self.ask("GET", "/api/tags")
        with self.sane():
            return [row for row in said["models"] or [] if isinstance(row, dict)]

    def show(self, model: str) -> dict[str, Any]:
        """What the server knows of a model."""
        said = self.ask("POST", "/api/show", {"model": model}, model=model)
        with self.sane(model=model):
            return dict(said.items())

    def version(self) -> str | None:
        """The version of the server, if it tells one."""
        try:
            said = self.ask("GET", "/api/version")
        except LLMError as error:
            if error.kind in ("server", "timeout", "broken", "locked"):
                raise
            return None
        found = said.get("version") if isinstance(said, dict) else None
        self.last_version = found if isinstance(found, str) else None
        return self.last_version

    def pull(self, model: str) -> Iterator[dict[str, Any]]:
        """Have the server fetch a model; yields how far it is."""
        body, url = {"model": model, "stream": True}, f"{self.base}/api/pull"
        slowly = {"is_download": True}
        with (
            self.explained(model=model),
            self.line.stream("POST", url, json=body, extensions=slowly) as response,
        ):
            if response.status_code != 200:
                raise self.refusal(response, whole_body(response), model=model)
            for line in lines_of(response):
                with self.sane(model=model):
                    part = dict(json.loads(line).items())
                if "error" in part:
                    raise failure("pull", said=part["error"], model=model)
                yield part

    @property
    def facts(self) -> dict[str, Any]:
        """What advice may mention."""
        server = f"the server at {self.address}"
        return {"address": self.address, "timeout": self.timeout, "model": server}

    def ask(self, method: str, path: str, body: Any = None, **facts: Any) -> Any:
        """The JSON value that the server answers."""
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        headers = {"Content-Type": "application/json"}
        url = self.base + path
        with (
            self.explained(**facts),
            self.line.stream(method, url, content=content, headers=headers) as response,
        ):
            said = whole_body(response)
        if response.status_code != 200:
            raise self.refusal(response, said, **facts)
        with self.sane(**facts):
            value = json.loads(said, parse_constant=refuse_number)
            if isinstance(value, dict) and "error" in value:
                raise ValueError(value["error"])
        return value

    def refusal(
        self, response: httpx.Response, content: bytes, **facts: Any
    ) -> LLMError:
        """The failure behind an answer that is none."""
        status, facts = response.status_code, self.facts | facts
        said = error_text(content)
        if response.is_redirect:
            there = urljoin(self.base, response.headers.get("Location", ""))
            return failure("redirect", **facts | {"said": without_secret(there)})
        if said is not None and status != 407:
            return refusal(status, said, **facts)
        text = content[:999].decode("utf-8", "replace")
        said = f"{status} {response.reason_phrase} {text}"
        if status in (401, 403):
            return failure("locked", said=said, **facts)
        if status >= 500 or status == 407:
            proxy = f"the proxy {without_secret(self.proxy)}" if self.proxy else ""
            return failure(
                "gateway", said=said, way=proxy or "another program", **facts
            )
        return failure("language", said=said, **facts)

    def sane(self, **facts: Any) -> AbstractContextManager[None]:
        """Nonsense in an answer is told as such."""
        return nonsense_is("language", **self.facts | facts)

    @contextmanager
    def explained(self, **facts: Any) -> Iterator[None]:
        """Turn whatever goes wrong on the way into an `LLMError`."""
        facts = self.facts | facts
        try:
            yield
        except httpx.ProxyError as error:
            proxy = without_secret(self.proxy or "")
            raise failure("proxy", proxy=proxy, said=error, **facts) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if "CERTIFICATE" in str(error):
                raise failure("certificates", said=error, **facts) from error
            if self.proxy:
                proxy, said = without_secret(self.proxy), "nobody answers there"
                raise failure("proxy", proxy=proxy, said=said, **facts) from error
            raise failure("server", **facts) from error
        except httpx.TimeoutException as error:
            raise failure("timeout", **facts) from error
        except httpx.DecodingError as error:
            raise failure("language", said=error, **facts) from error
        except httpx.TransportError as error:
            raise failure("broken", said=error, **facts) from error

"""A server that speaks OpenAI's completions, such as vLLM, llama-server or LM Studio.

Vocabulary: *completions* are OpenAI's older interface: a prompt in, text out, nothing
added to it. A *choice* is one of the n samples of a request. A server may *ignore* an
option without a word; this is noticed at the first answer, and said once.

The package `openai` does the asking (the extra `openai`). A key is taken from
OPENAI_API_KEY and sent to the address that was typed; nobody is followed elsewhere.

Covers: raw generation, n samples in one request, log-probabilities. Does not cover:
chat, states, the digest of a model, which such servers do not tell: two models of one
name cannot be told apart.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from helpers.settings import setting
from helpers.wire import Response

from .addresses import Address, proxy_for, without_secret
from .checks import check_counts
from .errors import LLMError, failure, nonsense_is, told_tokens
from .identity import shown_name
from .openai_wire import body_of, to_response
from .siblings import SiblingClient

AT_ONCE = 16  # requests; such a server computes many side by side
MOST = 64  # samples in one request, at first
KINDS = {401: "key", 403: "key", 404: "unknown", 429: "busy", 503: "busy"}


def load_package() -> Any:
    """The package. Raises LLMError, with what to type, where it is not installed."""
    try:
        import openai
    except ImportError as error:
        raise failure("package", package=error.name, extra="openai") from error
    return openai


class OpenAIClient(SiblingClient):
    """Answers as `OllamaClient` does.

    address: with its /v1. timeout: seconds of each wait, not of the whole answer.
    """

    at_once = AT_ONCE

    def __init__(self, address: Address, timeout: float) -> None:
        self.package = load_package()
        self.address, self.timeout = address, timeout
        self.owner: Any = None  # of the model that was shown last
        self.most = MOST  # samples in one request
        self.ignored: set[str] = set()  # options
        self.names: dict[str, str] = {}  # a model's, as the server has it: a path
        self.process: int | None = None

    @property
    def line(self) -> Any:
        """The connections of this process: a fork must not share its parent's."""
        if self.process != os.getpid():
            http = self.package.DefaultHttpxClient(
                follow_redirects=False, trust_env=False,
                proxy=proxy_for(self.address.url),
            )  # fmt: skip
            self.process, self.opened = os.getpid(), self.package.OpenAI(
                base_url=self.address.url, http_client=http, max_retries=0,
                api_key=self.key() or "none",
                timeout=self.timeout,
            )  # fmt: skip
        return self.opened

    def key(self) -> str:
        """The key of this server. Raises LLMError for one that cannot be sent."""
        typed = self.address.secret.rpartition(":")[2] or setting("OPENAI_API_KEY")
        if not (typed.isascii() and typed.isprintable()):
            said = "it holds characters that cannot be sent"
            raise failure("key", said=said, **self.facts)
        return typed

    def without_key(self, said: str) -> str:
        """What may be shown of what the server said."""
        key = self.key()
        return said.replace(key, "...") if key else said

    def ask(
        self, model: str, prompt: str, seed: int, n: int, options: Mapping[str, Any],
        top: int,
    ) -> list[Response]:  # fmt: skip
        """n samples of one prompt, in as few requests as the server allows."""
        found: list[Response] = []
        while len(found) < n:
            part = min(self.most, n - len(found))
            try:
                found += self.draw(model, prompt, seed + len(found), part, options, top)
            except LLMError as error:
                if error.kind != "request" or part == 1:
                    raise
                self.most = part // 2  # llama-server draws as many as it has slots
        return found

    def draw(
        self, model: str, prompt: str, seed: int, n: int, options: Mapping[str, Any],
        top: int,
    ) -> list[Response]:  # fmt: skip
        """One request for n samples. A server that ignores n gives one; none are
        believed if nobody can tell how many tokens each of them has."""
        facts = {"model": model, "num_ctx": options.get("num_ctx", "its own")}
        name = self.names.get(model, model)
        body = body_of(name, prompt, seed, n, options, top)
        said = self.request("/completions", body, **facts)
        with self.sane(**facts):
            choices = sorted(said["choices"], key=lambda choice: choice.get("index", 0))
            about = said.get("usage"), n, top, options.get("stop") or ()
            found = [to_response(choice, *about) for choice in choices]
            for response in found:
                check_counts(response, options)
            if len(found) not in (1, n):
                raise ValueError(f"{len(found)} samples where {n} were asked for")
        if any(r.response and not r.logprobs for r in found):
            self.note("logprobs", "tells no log-probabilities")
            if n > 1:  # and so not how many tokens each sample has
                self.most = 1
                return []
        if len(found) < n:
            self.most = 1
            self.note("n", "draws one sample per request, so k of them take k requests")
        return found

    def note(self, option: str, said: str) -> None:
        """Say once what the server ignores."""
        if option not in self.ignored:
            self.ignored.add(option)
            warnings.warn(f"The server at {self.address} {said}.", stacklevel=2)

    def list(self) -> list[dict[str, Any]]:
        """The models of the server, a mapping each."""
        try:
            said = self.request("/models")
        except LLMError as error:
            if error.kind != "unknown":
                raise
            raise failure("no_openai", said="it has no /models", **self.facts) from None
        with self.sane():
            rows = [dict(row.items()) for row in said["data"]]
            return [{**row, "model": shown_name(row["id"])} for row in rows]

    def show(self, model: str) -> dict[str, Any]:
        """What the server tells of a model, under the names that Ollama uses."""
        rows = self.list()
        row = next((row for row in rows if row["model"] == model), None)
        if row is None:
            said = "it has " + (", ".join(row["model"] for row in rows) or "none")
            raise failure("unknown", said=said, **self.facts | {"model": model})
        self.names[model], self.owner = row["id"], row.get("owned_by")
        told = row.get("meta") if isinstance(row.get("meta"), dict) else {}
        info = {"served.context_length": row.get("max_model_len", told.get("n_ctx"))}
        return {
            "model_info": info | {"tokenizer.chat_template": self.template()},
            "capabilities": ["completion"],
            "siblings": "together",
        }

    def template(self) -> str | None:
        """The chat template, which llama-server tells beside OpenAI's interface."""
        try:
            said = self.request(f"{self.address.url.removesuffix('/v1')}/props")
        except LLMError:
            return None
        found = said.get("chat_template") if isinstance(said, dict) else None
        return found if isinstance(found, str) else None

    def version(self) -> str | None:
        """Who serves, such as "vllm"."""
        told = [self.owner, *(row.get("owned_by") for row in self.list())]
        return next((name for name in told if isinstance(name, str)), None)

    def pull(self, model: str) -> Iterator[dict[str, Any]]:
        """Refused: such a server is started with its model."""
        raise failure(
            "unknown", said="it fetches none", **self.facts | {"model": model}
        )

    def embed(self, model: str, input: Sequence[str]) -> list[list[float]]:
        """Refused: a server of completions gives no states."""
        raise failure("states", model=model, said="it writes, and tells no vectors")

    @property
    def facts(self) -> dict[str, Any]:
        """What advice may mention."""
        server = f"the server at {self.address}"
        return {"address": self.address, "timeout": self.timeout, "model": server}

    def request(self, path: str, body: dict | None = None, **facts: Any) -> Any:
        """The JSON value that the server answers."""
        with self.explained(**facts):
            if body is None:
                return self.line.get(path, cast_to=object)
            return self.line.post(path, body=body, cast_to=object)

    def sane(self, **facts: Any) -> AbstractContextManager[None]:
        """Nonsense in an answer is told as such."""
        return nonsense_is("no_openai", **self.facts | facts)

    @contextmanager
    def explained(self, **facts: Any) -> Iterator[None]:
        """Turn whatever goes wrong on the way into an `LLMError`."""
        facts, package = self.facts | facts, self.package
        try:
            with self.sane(**facts):
                yield
        except package.APITimeoutError as error:
            raise failure("timeout", **facts) from error
        except package.APIConnectionError as error:
            said = without_secret(self.without_key(str(error.__cause__ or error)))
            raise failure("unreached", said=said, **facts) from None
        except package.APIStatusError as error:
            raise self.refusal(error.response, **facts) from None
        except package.OpenAIError as error:
            raise failure("no_openai", said=error, **facts) from error

    def refusal(self, response: Any, **facts: Any) -> LLMError:
        """The failure behind an answer that is none."""
        status, said = response.status_code, self.without_key(response.text)
        if status in (400, 413, 422, 500) and re.search("context|too long", said):
            return failure("context", said=told_tokens(said), **facts)
        if 300 <= status < 400:
            there = without_secret(response.headers.get("location", "nowhere"))
            return failure("redirect", said=there, **facts)
        kind = KINDS.get(status, "broken" if status >= 500 else "request")
        return failure(kind, said=f"{status}: {said}", **facts)

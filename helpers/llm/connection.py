"""The line to a language model: prompts and seeds in, whole responses out.

Vocabulary: a *connection* is one model behind its client (`clients.py`), with the
*options* that go out with every request, because Ollama's defaults change between its
versions. What fails there is an `LLMError` (`errors.py`).

Covers: a busy server, the way to other processes, a model that changes. Does not cover:
chat, streaming.
"""

from __future__ import annotations

import base64
import copy
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .clients import find_model, plan, reopen, slots
from .errors import LLMError, explained, failure
from .identity import EMBEDDED, differences, identity_of
from .limits import FRACTIONS, check_options, check_whole
from .threads import map_in_threads

if TYPE_CHECKING:
    from helpers.wire import Response

BACKOFF = (0.5, 1.0, 2.0, 4.0)  # seconds to wait, try after try, for a busy server


def patiently(request: Callable[[], Any]) -> Any:
    """Make a request; while the server is busy, again after each pause of `BACKOFF`."""
    for pause in (*BACKOFF, None):
        try:
            return request()
        except LLMError as error:
            if error.kind != "busy" or pause is None:
                raise
            time.sleep(pause)


def clean_image(image: str) -> str:
    """A picture in base64; line breaks and a data: address are allowed."""
    try:
        text = "".join(image.rpartition(",")[2].split())
        return base64.b64encode(base64.b64decode(text, validate=True)).decode()
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            "image is not base64; type base64.b64encode(path.read_bytes()).decode()"
        ) from error


def plain(options: dict[str, Any]) -> dict[str, Any]:
    """The options as Python's own numbers, 1 as 1.0 where a fraction is allowed."""
    check_options(options)
    options = {k: v.item() if hasattr(v, "item") else v for k, v in options.items()}
    return {k: float(v) if k in FRACTIONS else v for k, v in options.items()}


def context_of(info: Mapping[str, Any], asked: int) -> int:
    """The context to ask for: a model may be made for a shorter one, and Ollama quietly
    keeps to it."""
    known = info.get("model_info")
    known = known.items() if isinstance(known, Mapping) else ()
    sizes = [size for name, size in known if name.endswith(".context_length")]
    return min([asked, *(n for n in sizes if type(n) is int and n > 1)])


class Connection:
    """One model behind its client: a prompt and seeds in, whole responses out."""

    def __init__(
        self, model: str, options: dict[str, Any], timeout: float, host: str | None,
        record: str | None = None, replay_only: bool = False,
        weights: Path | str | None = None,
    ) -> None:  # fmt: skip
        options = plain(options)
        self.opening = plan(model, timeout, host, record, replay_only, weights)
        self.model = self.opening.model
        self.parallel = slots(len(self.opening.addresses))
        self.facts = {"model": self.model, "timeout": timeout, "address": self.address}
        self.facts |= options  # what advice may mention
        self.opened = self.opening.open()
        with explained(**self.facts):
            self.info = find_model(self.opened, self.model)
            self.identity = identity_of(self.opened, self.model)
        context = context_of(self.info, options["num_ctx"])
        self.options = options | {"num_ctx": context}
        self.facts |= self.options

    @property
    def address(self) -> str:
        """Who is asked, as it may be shown."""
        return ",".join(map(str, self.opening.addresses)) or "this process"

    @property
    def is_embedded(self) -> bool:
        """Whether it is abacus, in this process."""
        return self.model == EMBEDDED

    @property
    def is_here(self) -> bool:
        """Whether this process computes, and can be asked for much at once."""
        return not self.opening.addresses

    @property
    def draws_together(self) -> bool:
        """Whether siblings are one request, by seeds that follow each other."""
        return self.info.get("siblings") == "together"

    @property
    def client(self) -> Any:
        """The line itself. In a process that this was sent to, it is opened anew, and
        must lead to the same model: LLMError if not."""
        if self.opened is None:
            with explained(**self.facts):
                opened = reopen(self.opening)
                found = differences(self.identity, identity_of(opened, self.model))
            if found:
                raise failure("worker", said="; ".join(found), **self.facts)
            self.opened = opened
        return self.opened

    def __deepcopy__(self, memo: dict) -> Connection:
        """A line cannot be copied: copies of what holds it share it."""
        return self

    def __copy__(self) -> Connection:
        """Another set of options on the same line."""
        other = object.__new__(Connection)
        other.__dict__.update(self.__dict__)
        return other

    def __getstate__(self) -> dict[str, Any]:
        """What is sent to another process: all but the line itself."""
        return self.__dict__ | {"opened": None}

    def provenance(self) -> dict[str, str | None]:
        """Which model this is: name, digest, quantisation, runner, engine, and the
        server's version. From now on it must stay that one: `check_unchanged`."""
        with explained(**self.facts):
            self.identity = identity_of(self.client, self.model)
        return self.identity.facts()

    def check_unchanged(self) -> None:
        """Raise an LLMError if the name leads to another model than at first: somebody
        has pulled it anew, or changed the server for one of another engine."""
        with explained(**self.facts):
            here = identity_of(self.client, self.model)
        if found := differences(self.identity, here):
            raise failure("changed", said="; ".join(found), **self.facts)

    def with_options(self, **options: Any) -> Connection:
        """The same line with some options changed."""
        options = plain(options)
        other = copy.copy(self)
        other.options = self.options | options
        other.facts = self.facts | other.options
        return other

    def generate(
        self, prompts: list[str], seeds: list[int], image: str | None = None,
        top: int = 0,
    ) -> list[Response]:  # fmt: skip
        """One raw continuation of each prompt by its seed, each of them checked.

        top: how many of the likeliest tokens to name at each place, up to 20.
        """
        if image and "vision" not in (self.info.get("capabilities") or ["vision"]):
            raise failure("image", **self.facts)
        with explained(**self.facts):
            if self.is_here or self.draws_together:
                batch = {"seeds": seeds, "options": self.options, "logprobs": True}
                batch["top_logprobs"] = top
                many = partial(self.client.generate_many, self.model, prompts, **batch)
                responses = patiently(many)
            else:
                ask = partial(self.request, image=image, top=top)
                responses = map_in_threads(self.parallel, ask, prompts, seeds)
        for response in responses:
            if response.thinking and not response.response:
                raise failure("thinking", **self.facts)
        return responses

    def embed(self, texts: list[str]) -> list[Sequence[float]]:
        """What the model makes of each text, as a vector; too long a text is refused.

        Ollama would cut it without a word.
        """
        for text in texts:
            check_whole("text", text)
        with explained(**self.facts):
            return patiently(partial(self.client.embed, self.model, texts))

    def request(
        self, prompt: str, seed: int, image: str | None = None, top: int = 0
    ) -> Response:
        """One request to a server. Some models think unless they are told not to."""
        settings = {"raw": True, "think": False, "logprobs": True, "top_logprobs": top,
                    "images": [clean_image(image)] if image else (),
                    "options": {**self.options, "seed": int(seed)}}  # fmt: skip
        return patiently(lambda: self.client.generate(self.model, prompt, **settings))

"""The line to a language model: prompts and seeds in, whole responses out.

Vocabulary: a *connection* is one model behind its client (`clients.py`), with the
*options* that go out with every request, because Ollama's defaults change between its
versions. What fails there is an `LLMError` (`errors.py`).

Covers: a busy server, time-outs, a prompt that the server cut without a word, the way
to other processes. Does not cover: chat, streaming.
"""

from __future__ import annotations

import base64
import copy
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .clients import open_client, recording_of, reopen
from .errors import explained, failure
from .servers import (
    EMBEDDED,
    find_digest,
    find_model,
    server_address,
    server_version,
    slots,
)
from .threads import map_in_threads

if TYPE_CHECKING:
    from ollama import GenerateResponse

BACKOFF = (0.5, 1.0, 2.0, 4.0)  # seconds to wait, try after try, for a busy server
BYTES_PER_TOKEN = 5  # ordinary text has 2 to 5; a prompt cut to half seems to have more


def patiently(request: Callable[[], Any]) -> Any:
    """Make a request; while the server is busy, again after each pause of `BACKOFF`."""
    from ollama import GenerateResponse, ResponseError

    for pause in (*BACKOFF, None):
        try:
            return request()
        except ResponseError as error:
            if "token repeat limit" in str(error.error):  # older servers: not done
                return GenerateResponse(response="", done=False)
            if error.status_code != 503 or pause is None:
                raise
            time.sleep(pause)


def was_cut(prompt: str, response: GenerateResponse, num_ctx: int) -> bool:
    """Whether the model lost a part of its prompt, which Ollama does not report.

    The one trace is its count of prompt tokens. Of too long a prompt, servers keep
    `num_ctx` tokens or one fewer, newer ones half as many; and a step that overflows
    the context pushes the prompt out. So it was cut if it fills the context, alone or
    with the step, or if the count is that half although the prompt has more bytes than
    `num_ctx`, and more of them a token than ordinary text has.
    """
    count, half = response.prompt_eval_count or 0, num_ctx // 2
    size = len(prompt.encode())
    halved = half <= count <= half + 16 and size > max(num_ctx, BYTES_PER_TOKEN * count)
    overflown = count + (response.eval_count or 0) > num_ctx
    return halved or overflown or count >= num_ctx - 1


def decode_image(image: str) -> bytes:
    """The bytes of a picture in base64; line breaks and a data: address are allowed."""
    try:
        text = "".join(image.rpartition(",")[2].split())
        return base64.b64decode(text, validate=True)
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            "image is not base64; type base64.b64encode(path.read_bytes()).decode()"
        ) from error


def plain(options: dict[str, Any]) -> dict[str, Any]:
    """NumPy's numbers are welcome, but a server is sent Python's own."""
    return {k: v.item() if hasattr(v, "item") else v for k, v in options.items()}


class Connection:
    """One model behind its client: a prompt and seeds in, whole responses out."""

    def __init__(
        self, model: str, options: dict[str, Any], timeout: float, host: str | None,
        record: str | None = None, replay_only: bool = False,
        weights: Path | str | None = None,
    ) -> None:  # fmt: skip
        self.model, options = model, plain(options)
        recorded = recording_of(record, replay_only)
        self.opening = model, timeout, host, *recorded, weights
        self.client = open_client(*self.opening)
        address = server_address(host)
        self.parallel = slots(address)
        facts = {"model": model, "timeout": timeout, "address": address}
        with explained(**facts, **options):
            self.info = find_model(self.client, model)
        # A model may be made for a shorter context, and Ollama quietly keeps to it.
        known = (self.info.modelinfo or {}).items()
        sizes = [size for name, size in known if name.endswith(".context_length")]
        self.options = options | {"num_ctx": min([options["num_ctx"], *sizes])}
        self.facts = facts | self.options  # what the advice may mention

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
        return {k: part for k, part in self.__dict__.items() if k != "client"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.client = reopen(*self.opening)

    def provenance(self) -> dict[str, str | None]:
        """Which model this is: its name, digest and quantisation, and the server's
        version."""
        with explained(**self.facts):
            digest = find_digest(self.client, self.model)
            version = server_version(self.client)
        details = self.info.details
        return {
            "name": self.model,
            "digest": digest,
            "quantisation": details.quantization_level if details else None,
            "server": version,
        }

    def with_options(self, **options: Any) -> Connection:
        """The same line with some options changed."""
        other = copy.copy(self)
        other.options = self.options | plain(options)
        other.facts = self.facts | other.options
        return other

    def generate(
        self, prompts: list[str], seeds: list[int], image: str | None = None,
        top: int = 0,
    ) -> list[GenerateResponse]:  # fmt: skip
        """One raw continuation of each prompt by its seed, each of them checked.

        top: how many of the likeliest tokens to name at each place, up to 20.
        """
        if image and "vision" not in (self.info.capabilities or ["vision"]):
            raise failure("image", **self.facts)
        with explained(**self.facts):
            if self.model == EMBEDDED:
                batch = {"seeds": seeds, "options": self.options, "logprobs": True}
                batch["top_logprobs"] = top
                responses = self.client.generate_many(self.model, prompts, **batch)
            else:
                ask = partial(self.request, image=image, top=top)
                responses = map_in_threads(self.parallel, ask, prompts, seeds)
        for prompt, response in zip(prompts, responses, strict=True):
            # abacus refuses a prompt that is too long; Ollama cuts it without a word.
            cut = was_cut(prompt, response, self.options["num_ctx"])
            if cut and self.model != EMBEDDED:
                raise failure("context", said="a part was cut off", **self.facts)
            if response.thinking and not response.response:
                raise failure("thinking", **self.facts)
        return responses

    def embed(self, texts: list[str]) -> list[Sequence[float]]:
        """What the model makes of each text, as a vector; too long a text is refused.

        Ollama would cut it without a word.
        """
        with explained(**self.facts):
            request = partial(self.client.embed, self.model, texts, truncate=False)
            found = patiently(request).embeddings
        if len(found) != len(texts):
            raise failure("language", **self.facts)
        return found

    def request(
        self, prompt: str, seed: int, image: str | None = None, top: int = 0
    ) -> GenerateResponse:
        """One request to Ollama. Some models think unless they are told not to."""
        images = [decode_image(image)] if image else None
        settings = {"raw": True, "think": False, "logprobs": True, "images": images}
        settings |= {"top_logprobs": top} if top else {}
        settings["options"] = {**self.options, "seed": int(seed)}
        return patiently(lambda: self.client.generate(self.model, prompt, **settings))

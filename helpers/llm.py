"""A language model that says one sentence at a time.

Vocabulary: the *prompt* is the whole text so far; it goes to the model *raw*, without a
chat template. A *step* is what the model adds until it writes the *stop* string, a
newline: one sentence. *Options* steer the draw; all go out with every request, because
Ollama's defaults change between its versions. `LLMGen` draws steps over a `Connection`
to "abacus", which ships with this project, or to a model of Ollama; what fails there is
an `LLMError` that says what to type. Not here: chat, streaming, parallel requests.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ollama
    from ollama import GenerateResponse

EMBEDDED = "abacus"
BACKOFF = (0.5, 1.0, 2.0, 4.0)  # seconds to wait, try after try, for a busy server
BYTES_PER_TOKEN = 5  # ordinary text has 2 to 5; a prompt cut to half seems to have more
LIMITS = {  # argument: (type, lowest, highest, what to type); of a text, the length
    "model": (str, 1, 999, 'a name such as "abacus" or "llama3.2"'),
    "prompt": (str, 1, 10**9, 'some text, if only "\\n"'),  # none: nothing generated
    "stop": (str, 1, 999, 'some text, such as "\\n"'),  # none: steps end at once
    "n": (int, 1, 10**9, "a whole number from 1"),
    "k": (int, 1, 10**9, "a whole number from 1"),
    "top_k": (int, 0, 10**9, "a whole number from 1, or 0 for all tokens"),
    "num_ctx": (int, 2, 10**9, "a whole number from 2"),
    "seed": (int, 0, 2**31 - 1, "a whole number from 0 to 2**31 - 1"),
    "temperature": ((int, float), 0, 10**9, "a number from 0"),
    "top_p": ((int, float), 1e-9, 1, "a number above 0 and up to 1"),
    "min_p": ((int, float), 0, 1, "a number from 0 to 1"),
    "repeat_penalty": ((int, float), 1e-9, 10**9, "a number above 0; 1.0 is off"),
    "timeout": ((int, float), 1e-9, 10**9, "a number of seconds above 0"),
}
ADVICE = {  # what went wrong: what happened and what to type
    "server": "No Ollama server answers at {address}. Start it (ollama serve), or use "
    'the model that needs none: LLMGen("abacus")',
    "timeout": "No answer from {model!r} within timeout={timeout:g} seconds; a large "
    "model takes long to load. Allow more: LLMGen(..., timeout=...)",
    "broken": "The server at {address} broke off ({said}); it may be out of memory. "
    "Start it again (ollama serve), or type the name of a smaller model",
    "language": "What answers at {address} does not speak Ollama's language. Type "
    "the right address: LLMGen(..., host=...), or set OLLAMA_HOST",
    "pull": "The server has no model {model!r} and could not pull it ({said}). Check "
    'the name (ollama list) and the network, or use what ships: LLMGen("abacus")',
    "busy": "The server is busy, after several tries ({said}). Wait, or start it with "
    "a longer queue: OLLAMA_MAX_QUEUE=2048 ollama serve",
    "context": "The prompt does not fit into num_ctx={num_ctx} tokens ({said}). "
    "Shorten it or, if the model has room, type a larger one: LLMGen(..., num_ctx=...)",
    "thinking": "The model {model!r} only thought and said nothing, so it cannot be "
    'led step by step. Type the name of one that does not think: LLMGen("llama3.2")',
    "image": "The model {model!r} has no eyes. Leave the image out, or type the name "
    'of a model that sees: LLMGen("llava")',
    "other": "{model!r} gives no answer ({said}). Change what that names, or the model",
}


class LLMError(RuntimeError):
    """A model did not answer as it should; the message says what to type."""


@dataclass(frozen=True)
class Step:
    """One sentence of a model.

    text: without the newline and white space around it; models do say nothing at times.
    tokens: tokens the model produced, the one that ended the step included.
    logprob: mean natural log-probability of the step's tokens at temperature 1, without
        the one that ended it; None where the server gives none (Ollama before 0.12.11).
    reason: "stop" (the model ended the step) or "length" (it was cut off before).
    """

    text: str
    tokens: int
    logprob: float | None
    reason: str


def derive_seed(seed: int, *parts: str | int) -> int:
    """A seed in [0, 2**31) for whatever `parts` name: siblings must not share one."""
    # JSON keeps ("ab", "c") and ("a", "bc") apart; `int` admits NumPy's integers.
    text = json.dumps([seed, *parts], default=int)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def choose_seed(*seeds: int | None) -> int:
    """The first seed that is given, else a fresh one; a negative one is refused."""
    seed = next((s for s in seeds if s is not None), secrets.randbits(31))
    check(seed=seed)  # below zero, Ollama would draw a seed of its own
    return seed


def mean_logprob(response: GenerateResponse) -> float | None:
    """Mean log-probability of a response's tokens, None where none is given."""
    values = [token.logprob for token in response.logprobs or ()]
    return math.fsum(values) / len(values) if values else None


def to_step(response: GenerateResponse) -> Step:
    """What a response says, as a step."""
    # Ollama leaves a zero count out (None), and a server that gave up names no reason.
    text = (response.response or "").strip()
    reason = "stop" if response.done_reason == "stop" else "length"
    return Step(text, response.eval_count or 0, mean_logprob(response), reason)


def check(**arguments: Any) -> None:
    """Raise a ValueError for the first argument outside its `LIMITS`."""
    for name, value in arguments.items():
        kind, low, high, advice = LIMITS[name]
        size = len(value) if isinstance(value, str) else value
        if not isinstance(value, kind) or not low <= size <= high:
            raise ValueError(f"{name}={value!r}: type {advice}")


def failure(kind: str, **facts: Any) -> LLMError:
    """The error for one kind of failure: its `ADVICE`, filled in with the facts."""
    return LLMError(ADVICE[kind].format(**facts))


@contextmanager
def explained(**facts: Any) -> Iterator[None]:
    """Turn whatever a client raises into an `LLMError` that says what to type."""
    import httpx
    from ollama import ResponseError
    from pydantic import ValidationError

    try:
        yield
    except (ConnectionError, httpx.ConnectError) as error:
        raise failure("server", **facts) from error
    except httpx.TimeoutException as error:
        raise failure("timeout", **facts) from error
    except httpx.TransportError as error:
        raise failure("broken", said=error, **facts) from error
    except (json.JSONDecodeError, ValidationError) as error:
        raise failure("language", **facts) from error
    except ResponseError as error:
        kinds = {503: "busy", -1: "pull"}  # -1: amid a stream, and only pulls stream
        too_long = error.status_code == 400 and "context" in str(error.error)
        kind = "context" if too_long else kinds.get(error.status_code, "other")
        raise failure(kind, said=error.error, **facts) from error


def server_address(host: str | None) -> str:
    """Where Ollama is: `host`, else OLLAMA_HOST, but Windows cannot reach 0.0.0.0."""
    address = host or os.environ.get("OLLAMA_HOST") or "127.0.0.1:11434"
    return re.sub(r"\b0\.0\.0\.0\b", "127.0.0.1", address)


def find_model(client: ollama.Client, model: str) -> ollama.ShowResponse:
    """What the server knows of a model, which is pulled first if it is missing."""
    from ollama import ResponseError
    from tqdm import tqdm

    try:
        return client.show(model)  # the server knows that llama3.2 is llama3.2:latest
    except ResponseError as error:
        if error.status_code != 404:
            raise
    done, size = {}, {}  # bytes, by layer
    with tqdm(desc=f"pull {model}", unit="B", unit_scale=True, leave=False) as bar:
        for part in client.pull(model, stream=True):
            done[part.digest], size[part.digest] = part.completed or 0, part.total or 0
            bar.total = sum(size.values())
            bar.update(sum(done.values()) - bar.n)
    return client.show(model)


def patiently(request: Callable[[], GenerateResponse]) -> GenerateResponse:
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


class Connection:
    """One model behind its client: a prompt and seeds in, whole responses out."""

    def __init__(
        self, model: str, options: dict[str, Any], timeout: float, host: str | None
    ) -> None:
        self.model, address = model, server_address(host)
        if model == EMBEDDED:
            from helpers.abacus.client import AbacusClient

            self.client = AbacusClient()
        else:
            from ollama import Client

            self.client = Client(host=address, timeout=timeout)
        facts = {"model": model, "timeout": timeout, "address": address}
        with explained(**facts, **options):
            self.info = find_model(self.client, model)
        # A model may be made for a shorter context, and Ollama quietly keeps to it.
        known = (self.info.modelinfo or {}).items()
        sizes = [size for name, size in known if name.endswith(".context_length")]
        self.options = options | {"num_ctx": min([options["num_ctx"], *sizes])}
        self.facts = facts | self.options  # what the advice may mention

    def generate(
        self, prompt: str, seeds: list[int], image: str | None = None
    ) -> list[GenerateResponse]:
        """One raw continuation a seed, each of them checked."""
        check(prompt=prompt)
        if image and "vision" not in (self.info.capabilities or ["vision"]):
            raise failure("image", **self.facts)
        with explained(**self.facts):
            if self.model == EMBEDDED:
                batch = {"seeds": seeds, "options": self.options, "logprobs": True}
                responses = self.client.generate_many(self.model, prompt, **batch)
            else:
                responses = [self.request(prompt, seed, image) for seed in seeds]
        for response in responses:
            if was_cut(prompt, response, self.options["num_ctx"]):
                raise failure("context", said="a part was cut off", **self.facts)
            if response.thinking and not response.response:
                raise failure("thinking", **self.facts)
        return responses

    def request(self, prompt: str, seed: int, image: str | None) -> GenerateResponse:
        """One request to Ollama. Some models think unless they are told not to."""
        images = [base64.b64decode(image, validate=True)] if image else None
        settings = {"raw": True, "think": False, "logprobs": True, "images": images}
        settings["options"] = {**self.options, "seed": seed}
        return patiently(lambda: self.client.generate(self.model, prompt, **settings))


class LLMGen:
    """A language model that continues a text by one sentence.

    model: "abacus", or the name of an Ollama model, pulled first if it is missing.
    temperature, top_p, top_k, min_p: how bold the draw is. Temperature 0 takes the
        likeliest token; top_p 1.0, top_k 0 and min_p 0.0 are off.
    n, num_ctx: tokens to predict at most; tokens of prompt and step together.
    seed: makes the calls repeatable (real models: nearly); None draws freshly.
    timeout, host: seconds to wait for one answer; OLLAMA_HOST if omitted.
    Raises ValueError for an argument out of range, LLMError if the model fails.
    """

    def __init__(
        self, model: str, temperature: float = 1.0, top_p: float = 1.0, n: int = 128,
        *, top_k: int = 0, min_p: float = 0.0, seed: int | None = None,
        stop: str = "\n", num_ctx: int = 2048, repeat_penalty: float = 1.0,
        timeout: float = 120.0, host: str | None = None,
    ) -> None:  # fmt: skip
        options = dict(temperature=temperature, top_p=top_p, top_k=top_k, min_p=min_p,
                       num_ctx=num_ctx, repeat_penalty=repeat_penalty)  # fmt: skip
        check(model=model, n=n, stop=stop, timeout=timeout, seed=seed or 0, **options)
        options |= {"num_predict": n, "stop": [stop]}
        self.model, self.seed, self.is_embedded = model, seed, model == EMBEDDED
        self.connection = Connection(model, options, timeout, host)

    def __call__(self, content: str, image: str | None = None) -> GenerateResponse:
        """One raw continuation of `content`; `image` is a picture in base64."""
        return self.connection.generate(content, [choose_seed(self.seed)], image)[0]

    def sample(self, prompt: str, k: int, seed: int | None = None) -> list[Step]:
        """k steps that could follow the prompt, each drawn with a seed of its own."""
        check(k=k)
        seed = choose_seed(seed, self.seed)
        seeds = [derive_seed(seed, prompt, i) for i in range(k)]
        return [to_step(r) for r in self.connection.generate(prompt, seeds)]

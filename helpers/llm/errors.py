"""What may go wrong with a language model, and what to type then.

Vocabulary: a *failure* is an `LLMError` of one *kind*; what it says is the kind's
*advice*, filled in with the facts of the case. All of it stands in the table `ADVICE`.
What others said is *quoted*: cut short, and without characters that a terminal obeys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from helpers.wire import Refused

LONGEST = 300  # characters of what a server said
ADVICE = {  # what went wrong: what happened and what to type
    "server": "No Ollama server answers at {address}{source}. Start it (ollama serve), "
    'or use the model that needs none: LLMGen("abacus"), or unset REASONING_MODEL',
    "timeout": "No answer from {model!r} within timeout={timeout:g} seconds; a large "
    "model takes long to load. Allow more: LLMGen(..., timeout=...)",
    "broken": "The server at {address} broke off ({said}); it may be out of memory. "
    "Start it again (ollama serve), or type the name of a smaller model",
    "language": "What answers at {address}{source} does not speak Ollama's language "
    "({said}). Type the right address: LLMGen(..., host=...), or set OLLAMA_HOST",
    "openai": "The address {address}{source} is one of OpenAI's interface. Type it "
    "alone, or those of Ollama servers, without /v1: LLMGen(..., host=...)",
    "unreached": "No server answers at {address}{source} ({said}). Start it, for "
    "instance by vllm serve, or type the right address: LLMGen(..., host=...)",
    "no_openai": "What answers at {address}{source} does not speak OpenAI's language "
    "({said}). Type the right address, which ends in /v1: LLMGen(..., host=...)",
    "key": "The server at {address} does not accept the key ({said}). Set "
    "OPENAI_API_KEY to the one with which it was started",
    "unknown": "The server at {address} has no model {model!r} ({said}). Type the name "
    "of one that it has, or start it with that model",
    "redirect": "What answers at {address}{source} sends on to {said}, and nobody is "
    "followed. If you trust that address, type it: LLMGen(..., host=...)",
    "gateway": "Not Ollama but {way} answers at {address}{source} ({said}). Type the "
    "right address, or start what should answer behind it. A proxy is passed by if "
    "NO_PROXY names the server's computer",
    "locked": "{address}{source} does not let you in ({said}). Type the password into "
    "the address: http://user:password@host:port, best in OLLAMA_HOST",
    "secret": "The password for {address} is not on this computer. Set OLLAMA_HOST "
    "to http://user:password@... there as well, before its workers are started",
    "proxy": "The proxy {proxy!r} on the way to {address} cannot be used ({said}). "
    "Mend or unset HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or name the server's "
    "computer in NO_PROXY",
    "certificates": "No certificates for {address} that can be used ({said}). Mend or "
    "unset SSL_CERT_FILE, SSL_CERT_DIR and SSLKEYLOGFILE",
    "absent": "The server at {address} has no model {model!r} ({said}). Type on its "
    "computer: ollama pull {model}",
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
    "silent": "{model!r} said nothing at all, not one word. Look at the prompt and the "
    "stop string: a model may end where it should begin",
    "uncounted": "{model!r} said something and counted no tokens, so no budget can be "
    "kept; its answer may have been cut off. Update the server, or type another model",
    "hosts": "The servers do not hold the same model {model!r} ({said}). Let them run "
    "one version of Ollama, and on each of them: OLLAMA_HOST=... ollama pull {model}",
    "changed": "The model {model!r} is another than when this began ({said}), so "
    "nothing more is added to it. Begin anew: type another out, or another recording",
    "worker": "This worker asked {address} and found another model {model!r} ({said}). "
    "Type an address that leads to the same server from every computer: host=...",
    "recording": "The recording {file!r} cannot be used ({said}). Name a file of "
    "recorded answers: record=..., --record, or the variable REASONING_RECORD",
    "missing": "{file} holds no such answer, and replay_only asks no server ({said}). "
    "Record it where {model!r} runs, with the same prompt, options and seed: "
    "LLMGen({model!r}, record=...)",
    "weights": "{file} is not on this computer. Copy it there, to the same path",
    "package": "{package} is missing, through which this model is reached. Type: "
    'pip install -e ".[{extra}]"',
    "gguf": "The model file {file!r} cannot be used ({said}). Type the path of a GGUF "
    'file: LLMGen("models/name.gguf"), or REASONING_MODEL',
    "memory": "The model file {file!r} is too large for this computer ({said}). Type a "
    "num_ctx below {num_ctx}, or the path of a smaller model",
    "template": "The markup in which {model!r} was taught to chat cannot be used "
    '({said}). Type another form: LLMGen(..., form="examples"), or the name of its '
    'markup: LLMGen(..., chat="chatml")',
    "states": "The server gives no states of {model!r} ({said}): since version 0.30 "
    "Ollama has them of embedding models only. Learn from what else there is: "
    'use=("arithmetic", "plain")',
    "request": "{model!r} refuses the request ({said}). Change what that names",
    "other": "{model!r} gives no answer ({said}). Change what that names, or the model",
}


class LLMError(RuntimeError):
    """A model did not answer as it should; the message says what to type.

    kind: the failure's key in `ADVICE`; "" for another.
    """

    kind = ""


def quoted(said: Any) -> str:
    """What others said, as it may be printed: short, on one line, without control
    characters."""
    text = " ".join(str(said).split())
    text = text if len(text) <= LONGEST else text[:LONGEST] + "..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def failure(kind: str, **facts: Any) -> LLMError:
    """The error for one kind of failure: its `ADVICE`, filled in with the facts."""
    source = getattr(facts.get("address"), "source", "")
    named = {"source": f" ({source})" if source.isupper() else "", "said": ""}
    if "said" in facts:
        facts = facts | {"said": quoted(facts["said"])}
    error = LLMError(ADVICE[kind].format(**named | facts))
    error.kind = kind  # an attribute, not an argument: it goes to other processes
    return error


def error_text(content: bytes) -> str | None:
    """What a server of Ollama says is wrong; None if this is no answer of Ollama's."""
    try:
        said = json.loads(content)["error"]
        return said if isinstance(said, str) else json.dumps(said)
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def refusal(status: int, said: str, **facts: Any) -> LLMError:
    """The failure that Ollama, or abacus, tells by a status and a text."""
    kinds = {400: "request", 401: "locked", 403: "locked", 404: "absent", 503: "busy"}
    kind = kinds.get(status, "other")
    if status == 400 and ("context" in said or "exceed" in said):
        kind, said = "context", told_tokens(said)
    if status == 501 and "embed" in said:
        kind = "states"
    return failure(kind, said=said, **facts)


def told_tokens(said: str) -> str:
    """Of a prompt that is too long: how long it is, where the server counts it."""
    try:
        error = json.loads(said)
        error = error.get("error", error)
        return f"it has {error['n_prompt_tokens']} tokens"
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return said


@contextmanager
def nonsense_is(kind: str, **facts: Any) -> Iterator[None]:
    """Turn what cannot be read in an answer into the failure of this kind."""
    try:
        yield
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise failure(kind, said=error, **facts) from error


@contextmanager
def explained(**facts: Any) -> Iterator[None]:
    """Turn what abacus refuses into an `LLMError` that says what to type."""
    try:
        yield
    except Refused as error:
        raise refusal(error.status, error.said, **facts) from error

"""What may go wrong with a language model, and what to type then.

Vocabulary: a *failure* is an `LLMError` of one *kind*; what it says is the kind's
*advice*, filled in with the facts of the case. All of it stands in the table `ADVICE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from typing import Any

from .servers import EMBEDDED

ADVICE = {  # what went wrong: what happened and what to type
    "server": "No Ollama server answers at {address}. Start it (ollama serve), or use "
    'the model that needs none: LLMGen("abacus"), or unset REASONING_MODEL',
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
    "silent": "{model!r} said nothing at all, not one word. Look at the prompt and the "
    "stop string: a model may end where it should begin",
    "uncounted": "{model!r} said something and counted no tokens, so no budget can be "
    "kept; its answer may have been cut off. Update the server, or type another model",
    "hosts": "The servers do not hold the same model {model!r} ({said}). Pull it again "
    "on each of them: OLLAMA_HOST=... ollama pull {model}",
    "recording": "The recording {file!r} cannot be used ({said}). Name a file of "
    "recorded answers: record=..., --record, or the variable REASONING_RECORD",
    "missing": "{file} holds no such answer, and replay_only asks no server ({said}). "
    "Record it where {model!r} runs, with the same prompt, options and seed: "
    "LLMGen({model!r}, record=...)",
    "states": "The server gives no states of {model!r} ({said}): since version 0.30 "
    "Ollama has them of embedding models only. Learn from what else there is: "
    'use=("arithmetic", "plain")',
    "other": "{model!r} gives no answer ({said}). Change what that names, or the model",
}


class LLMError(RuntimeError):
    """A model did not answer as it should; the message says what to type.

    kind: the failure's key in `ADVICE`; "" for another.
    """

    kind = ""


def failure(kind: str, **facts: Any) -> LLMError:
    """The error for one kind of failure: its `ADVICE`, filled in with the facts."""
    error = LLMError(ADVICE[kind].format(**facts))
    error.kind = kind  # an attribute, not an argument: it goes to other processes
    return error


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
    except (
        TypeError,
        UnicodeError,
        RecursionError,
        JSONDecodeError,
        ValidationError,
    ) as error:
        if facts["model"] == EMBEDDED:  # no server is at fault
            raise
        raise failure("language", **facts) from error
    except ResponseError as error:
        # -1: an error amid a stream, which only a pull has
        kinds = {503: "busy", 409: "hosts", -1: "pull"}
        kind = kinds.get(error.status_code, "other")
        if error.status_code == 400 and "context" in str(error.error):
            kind = "context"
        if error.status_code == 501 and "embed" in str(error.error):
            kind = "states"
        raise failure(kind, said=error.error, **facts) from error

"""What comes back from a model: a response, its parts named as Ollama names them.

Vocabulary
    response   what a model wrote after one prompt, with its counts.
    token      a piece of it; its *logprob* is its natural log-probability at T = 1.
    refusal    an answer that is none: an HTTP status, and what was said.

Whatever wrote it, a response is read by `read_response`, which believes nothing: not
the types, not the counts, not the probabilities. Covers: /api/generate. Does not cover:
how it is asked for (`abacus/client.py`, `llm/ollama_client.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

ROUNDING = 1e-3  # how far above 0 the last bits of a log-probability may lead
MOST = 10**9  # tokens: no count is larger


class Refused(Exception):
    """A request that was not granted.

    status: as HTTP has them: 400 a bad request, 404 no such model, 500 a broken file.
    """

    def __init__(self, said: str, status: int = 400) -> None:
        super().__init__(said)
        self.said, self.status = said, status

    def __reduce__(self) -> tuple:
        return Refused, (self.said, self.status)


@dataclass(frozen=True)
class Token:
    """A token that was written, or could have been (`top_logprobs`, likeliest first).

    token: its text; "" for the one that ends a text.
    """

    token: str
    logprob: float
    top_logprobs: tuple[Token, ...] = ()


@dataclass(frozen=True)
class Response:
    """What a model wrote after one prompt.

    response: the text, without the stop string.
    done, done_reason: whether the model came to an end, and which: "stop" (the stop
        string, or the token that ends a text), "length", "load" (no prompt).
    prompt_eval_count, eval_count: tokens of the prompt, tokens written, the one that
        ended it included; 0 where the server tells none.
    logprobs: of the tokens of the text; None where they were not asked for, or are not
        told. The token that ended the text has none.
    thinking: what a model thought before it wrote.
    """

    response: str = ""
    done: bool = True
    done_reason: str | None = None
    prompt_eval_count: int = 0
    eval_count: int = 0
    logprobs: tuple[Token, ...] | None = None
    thinking: str = ""

    def __getitem__(self, name: str) -> Any:
        """`response["eval_count"]`, as one reads JSON."""
        return getattr(self, name)


def to_json(response: Response) -> dict[str, Any]:
    """The response as it goes over the wire: what is zero or empty is left out."""
    said = asdict(response)
    told = {name: value for name, value in said.items() if value or name == "response"}
    if response.logprobs:
        told["logprobs"] = [_token_to_json(token) for token in response.logprobs]
    return told | {"done": response.done}


def _token_to_json(token: Token) -> dict[str, Any]:
    told = {"token": token.token, "logprob": token.logprob}
    listed = [_token_to_json(top) for top in token.top_logprobs]
    return told | ({"top_logprobs": listed} if listed else {})


def read_response(said: Any) -> Response:
    """The response that this JSON tells. Raises ValueError, with what is odd about it,
    for anything else."""
    parts = _mapping(said, "an answer")
    tokens = parts.get("logprobs")
    return Response(
        response=_text(parts, "response"),
        done=_typed(parts, "done", bool),
        done_reason=_text(parts, "done_reason") or None,
        prompt_eval_count=_count(parts, "prompt_eval_count"),
        eval_count=_count(parts, "eval_count"),
        logprobs=None if tokens is None else tuple(map(_read_token, _list(tokens))),
        thinking=_text(parts, "thinking"),
    )


def _read_token(said: Any) -> Token:
    parts = _mapping(said, "a token")
    logprob = _typed(parts, "logprob", (int, float))
    if not isfinite(logprob) or logprob > ROUNDING:
        raise ValueError(f"logprob={logprob} is impossible")
    tops = tuple(map(_read_token, _list(parts.get("top_logprobs") or [])))
    return Token(_text(parts, "token"), min(float(logprob), 0.0), tops)


def _mapping(said: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(said, Mapping):
        raise ValueError(f"{what} is no JSON object but {type(said).__name__}")
    return said


def _list(said: Any) -> list[Any]:
    if not isinstance(said, list):
        raise ValueError(f"logprobs is no list but {type(said).__name__}")
    return said


def _typed(parts: Mapping[str, Any], name: str, kind: Any, default: Any = None) -> Any:
    """A part of the right type. Where there is none, the default must be."""
    value = parts.get(name)
    value = default if value is None else value
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise ValueError(f"{name} is {type(value).__name__}")
    return value


def _count(parts: Mapping[str, Any], name: str) -> int:
    value = _typed(parts, name, int, 0)
    if not 0 <= value <= MOST:
        raise ValueError(f"{name}={str(value)[:20]} is impossible")
    return value


def _text(parts: Mapping[str, Any], name: str) -> str:
    """A text. Half a character, which no file could hold, becomes "\\ufffd"."""
    return whole(_typed(parts, name, str, ""))


def whole(text: str) -> str:
    """The text with a sign in place of each half of a pair of surrogates."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def canonical(value: Any) -> str:
    """A value as JSON in which equal values are equal texts: 1.0 is 1."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return [*map(_plain, value)] if isinstance(value, (list, tuple)) else value

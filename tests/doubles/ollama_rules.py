"""What an Ollama server checks before it asks a model: paths, JSON, names, options.

The texts of the errors are those of Ollama 0.24.0 and 0.33.0, many of them made by Go.
"""

import json
import re

from modelfile import DEFAULTS

METHODS = {
    **dict.fromkeys(["/", "/api/version", "/api/tags", "/api/ps", "/v1/models"], "GET"),
    **dict.fromkeys(["/api/generate", "/api/chat", "/api/embed", "/api/show"], "POST"),
    **dict.fromkeys(["/api/pull", "/v1/completions", "/v1/chat/completions"], "POST"),
    "/api/delete": "DELETE",
}
STRUCTS = {  # Go's names of the requests, for errors
    "/api/generate": "GenerateRequest",
    "/api/chat": "ChatRequest",
    "/api/show": "ShowRequest",
    "/api/embed": "EmbedRequest",
    "/api/pull": "PullRequest",
    "/api/delete": "DeleteRequest",
    "/v1/completions": "CompletionRequest",
    "/v1/chat/completions": "ChatCompletionRequest",
}
KINDS = {
    **{str: "string", bool: "bool", list: "array", dict: "object"},
    **{int: "number", float: "number"},
}
OPTION_KINDS = {int: "integer", float: "float32", list: "array"}
PART = r"\w[\w.-]{0,79}"
NAME = re.compile(rf"(?:{PART}(?::\d+)?/)?(?:{PART}/)?{PART}(?::{PART})?", re.ASCII)
EXPECTED = {  # Python's words for what is missing: Go's for what was met
    "Expecting property name": "looking for beginning of object key string",
    "Expecting value": "looking for beginning of value",
    "Expecting ':'": "after object key",
    "Expecting ','": "after object key:value pair",
}


class Refused(Exception):
    """An answer with an error: status, message, and a content type if it is a rare
    one."""


def page_refusal(method: str, path: str) -> tuple[int, bytes] | None:
    """The plain text for a path that is none, or has another method."""
    wanted = METHODS.get(path)
    if not wanted:
        return 404, b"404 page not found"
    if method == wanted or (method, wanted) == ("HEAD", "GET"):
        return None
    return 405, b"405 method not allowed"


def body_refusal(path: str, sent: bytes) -> str:
    """What is wrong with the JSON of a request; "" if nothing is."""
    if METHODS[path] == "GET":
        return ""
    if not sent:
        return "missing request body"
    text = sent.decode(errors="replace")
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        return in_words_of_go(error)
    struct = STRUCTS[path]
    if not isinstance(body, dict):
        return f"json: cannot unmarshal {kind_of(body)} into Go value of type {struct}"
    for field in ("model", "prompt"):
        value = body.get(field)
        if value is not None and not isinstance(value, str):
            place = f"Go struct field {struct}.{field} of type string"
            return f"json: cannot unmarshal {kind_of(value)} into {place}"
    return ""


def kind_of(value: object) -> str:
    """What Go calls a JSON value."""
    return KINDS.get(type(value), "null")


def in_words_of_go(error: json.JSONDecodeError) -> str:
    """The same error as Go words it."""
    met = error.doc[error.pos : error.pos + 1]
    if not met or error.msg.startswith("Unterminated"):
        return "unexpected EOF"
    known = (go for python, go in EXPECTED.items() if error.msg.startswith(python))
    return f"invalid character '{met}' {next(known, 'after top-level value')}"


def full_name(model: str) -> str:
    """A model's name as a server files it: "library/Abacus" is "abacus:latest"."""
    name = model.lower().removeprefix("library/")
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def is_name(model: str) -> bool:
    """Whether a model could be called so."""
    return bool(NAME.fullmatch(model))


def check_options(options: dict) -> dict:
    """The options that are known; a server says nothing of others, nor of numbers
    beyond all bounds."""
    known = {k: v for k, v in options.items() if k in DEFAULTS and v is not None}
    for name, value in known.items():
        kind = type(DEFAULTS[name])
        fits = (list,) if kind is list else (int, float)
        if not isinstance(value, fits) or isinstance(value, bool):
            raise Refused(500, f'option "{name}" must be of type {OPTION_KINDS[kind]}')
        if kind is list and not all(isinstance(item, str) for item in value):
            raise Refused(500, f'option "{name}" must be of an array of strings')
        known[name] = kind(value)
    return known


def numbers_of(version: str) -> tuple[int, ...]:
    """0.33.0-rc2 as (0, 33, 0)."""
    return tuple(int(n) for n in re.findall(r"\d+", version)[:3])

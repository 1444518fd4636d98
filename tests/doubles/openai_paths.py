"""OpenAI's paths of the stand-in for an Ollama server: what is below /v1.

Requests are turned into Ollama's own and the answers back, as Ollama's `middleware`
does. Completions take `n`, `echo` and `logprobs` and ignore them; they go through the
model's template. There are no streams here.
"""

import itertools
import time
from typing import TYPE_CHECKING

from ollama_rules import Refused

if TYPE_CHECKING:
    from ollama_server import OllamaServer

KINDS = {400: "invalid_request_error", 404: "not_found_error"}
OPTIONS = {  # theirs: Ollama's
    "max_tokens": "num_predict",
    "seed": "seed",
    "temperature": "temperature",
    "top_p": "top_p",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}
NUMBERS = itertools.count(1)


class OpenAI:
    """OpenAI's face of one server."""

    def __init__(self, server: "OllamaServer") -> None:
        self.server = server

    @staticmethod
    def refusal(path: str, status: int, message: str) -> tuple | None:
        """An error in OpenAI's form, if the path is OpenAI's."""
        if not path.startswith("/v1/"):
            return None
        kind = KINDS.get(status, "api_error")
        told = {"message": message, "type": kind, "param": None, "code": None}
        return status, {"error": told}

    def answer(self, path: str, body: dict) -> tuple:
        """The answer to a request whose JSON is right."""
        try:
            told = getattr(self, path.removeprefix("/v1/").replace("/", "_"))(body)
        except Refused as error:
            return *self.refusal(path, *error.args[:2]), "application/json"
        return 200, told, "application/json"

    def models(self, _: dict) -> dict:
        """All models."""
        told = {"object": "model", "created": int(time.time()), "owned_by": "library"}
        return {
            "object": "list",
            "data": [{"id": name} | told for name in self.server.created],
        }

    def completions(self, body: dict) -> dict:
        """The continuation of a prompt."""
        asked = {k: body.get(k) for k in ("model", "prompt")}
        _, said = self.server.generate(asked | to_options(body))
        choice = {"text": said["response"], "index": 0}
        return self.completed("text_completion", "cmpl", said, choice)

    def chat_completions(self, body: dict) -> dict:
        """The answer to messages."""
        asked = {"model": body["model"], "messages": body["messages"]}
        asked |= {k: body[k] for k in ("logprobs", "top_logprobs") if k in body}
        _, said = self.server.chat(asked | to_options(body))
        choice = {"index": 0, "message": said["message"]}
        if "logprobs" in said:
            choice["logprobs"] = {"content": said["logprobs"]}
        return self.completed("chat.completion", "chatcmpl", said, choice)

    def completed(self, kind: str, letters: str, said: dict, choice: dict) -> dict:
        """One choice, with what it cost."""
        read, written = (said.get(f"{k}eval_count", 0) for k in ("prompt_", ""))
        return {
            "id": f"{letters}-{next(NUMBERS)}",
            "object": kind,
            "created": int(time.time()),
            "model": said["model"],
            "system_fingerprint": "fp_ollama",
            "choices": [choice | {"finish_reason": said.get("done_reason")}],
            "usage": {
                "prompt_tokens": read,
                "completion_tokens": written,
                "total_tokens": read + written,
            },
        }


def to_options(body: dict) -> dict:
    """OpenAI's settings as Ollama's options; what is not said is 1."""
    options = {"temperature": 1.0, "top_p": 1.0}
    options |= {to: body[k] for k, to in OPTIONS.items() if body.get(k) is not None}
    if stop := body.get("stop"):
        options["stop"] = [stop] if isinstance(stop, str) else stop
    return {"options": options, "stream": False}

"""abacus behind HTTP, in Ollama's language: `python -m helpers.abacus.serve`.

For trying what needs a server where there is none: `LLMGen("abacus:latest", host=...)`
reaches it as it would reach Ollama. (The name "abacus" alone never asks a server.)

Covers: /api/generate without streaming, /api/embed, /api/show, /api/pull, /api/tags,
/api/version; each request in a thread. Does not cover: chat, streams, other models.
"""

import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from helpers.wire import Refused, to_json

from .client import AbacusClient

VERSION = "0.0.0-abacus"
CLIENT = AbacusClient()


def generate(body: dict[str, Any]) -> Any:
    """One continuation, whole; what abacus cannot do, its client refuses."""
    wanted = ("model", "prompt", "options", "logprobs", "top_logprobs", "think")
    given = {name: body[name] for name in wanted if body.get(name) is not None}
    return to_json(CLIENT.generate(**given, images=body.get("images") or ()))


def embed(body: dict[str, Any]) -> dict[str, Any]:
    """The vector of each text."""
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    return {"model": body["model"], "embeddings": CLIENT.embed(body["model"], texts)}


ANSWERS = {  # path: what answers it, given the JSON of the request
    "/api/generate": generate,
    "/api/embed": embed,
    "/api/show": lambda body: CLIENT.show(body["model"]),
    "/api/pull": lambda body: [*CLIENT.pull(body["model"])][-1],
    "/api/tags": lambda body: {"models": CLIENT.list()},
    "/api/version": lambda body: {"version": VERSION},
}


class Handler(BaseHTTPRequestHandler):
    """Answers one request with JSON, errors too."""

    protocol_version = "HTTP/1.1"  # a client keeps its connection
    disable_nagle_algorithm = True  # or each answer would wait for the next

    def do_POST(self) -> None:
        """Answer a request that has a body."""
        size = int(self.headers.get("Content-Length") or 0)
        try:
            self.answer(dict(json.loads(self.rfile.read(size) or b"{}")))
        except (TypeError, ValueError):
            self.send(400, json.dumps({"error": "the request is no JSON object"}))

    def do_GET(self) -> None:
        """Answer a request without a body."""
        self.answer({})

    def answer(self, body: dict[str, Any]) -> None:
        """Find what answers this path, and send what it says."""
        try:
            self.send(200, json.dumps(ANSWERS[self.path](body)))
        except Refused as error:
            self.send(error.status, json.dumps({"error": error.said}))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self.send(404, json.dumps({"error": f"not understood: {error!r}"}))

    def send(self, status: int, text: str) -> None:
        """Send JSON."""
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m helpers.abacus.serve")
    parser.add_argument("--host", default="127.0.0.1", help="(%(default)s)")
    parser.add_argument("--port", type=int, default=11500, help="(%(default)s)")
    args = parser.parse_args()
    try:
        opened = ThreadingHTTPServer((args.host, args.port), Handler)
    except (OSError, OverflowError) as error:
        parser.error(f"port {args.port} cannot be used ({error}); type another --port")
    with opened as server:
        host, port = server.server_address[:2]
        print(f"abacus answers at {host}:{port}; Ctrl-C stops it.", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("Stopped.")


if __name__ == "__main__":
    main()

"""A scripted HTTP server on this computer that answers, and fails, as Ollama does.

It stands in for the wire only: the genuine `ollama.Client` talks to it over a real
socket, and every request is kept as it came. There is no language model in it; its
sentences say which seed was asked for. `OllamaServer` has a real engine behind it.
"""

import json
import threading
from collections import defaultdict, deque
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

HANG = object()  # no answer until the server closes
BREAK = object()  # the connection ends without an answer
EMPTY: dict[str, str] = {}


def answer(prompt: str, seed: int, **changes: object) -> dict:
    """A response of /api/generate; a field changed to None is left out."""
    fields = {
        "model": "scripted",
        "created_at": "2026-11-22T12:00:00Z",
        "response": f" Sentence number {seed}.",
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 1 + len(prompt) // 4,
        "eval_count": 5,
        "logprobs": [{"token": t, "logprob": p} for t, p in [("a", -0.5), ("b", -1.5)]],
    }
    return {k: v for k, v in (fields | changes).items() if v is not None}


class LongQueue(ThreadingHTTPServer):
    """Many may connect at the same time."""

    request_queue_size = 128


class ScriptedServer:
    """Keeps every request, and can be told what to answer. Use as a context manager.

    requests: (path, JSON body) of each that came whole, in order.
    script[path]: answers to give before the usual ones, each a (status, JSON value or
    bytes) pair, with a content type after them if it is not the usual one, and with
    more headers; or HANG, or BREAK.
    headers: of each request, in order.
    """

    protocol = "HTTP/1.0"  # one connection a request

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict]] = []
        self.headers: list[dict[str, str]] = []
        self.script: dict[str, deque] = defaultdict(deque)
        self.released, self.asked = threading.Event(), threading.Event()

    def __enter__(self) -> Self:
        self.server = LongQueue(("127.0.0.1", 0), handler_for(self))
        self.host = f"http://127.0.0.1:{self.server.server_port}"
        serve = {"target": self.server.serve_forever, "args": [0.01]}
        threading.Thread(**serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def bodies(self, path: str) -> list[dict]:
        """The bodies of all requests to one path."""
        return [body for where, body in self.requests if where == path]

    def said(self, method: str, path: str, sent: bytes) -> object:
        """What is answered to a request: the script's next answer, or the usual one."""
        body = json.loads(sent or b"{}")
        self.requests.append((path, body))
        if path == "/api/generate":
            self.asked.set()
        script = self.script[path]
        return script.popleft() if script else self.usual(path, body)

    def usual(self, path: str, body: dict) -> tuple:
        """What a healthy server says: a status and a JSON value, or bytes. A list is a
        stream of JSON lines."""
        raise NotImplementedError


class FakeOllama(ScriptedServer):
    """Answers without a language model.

    models: names that /api/show knows.
    changes: fields of every usual response of /api/generate to change.
    show: the answer of /api/show. digest: that of every model. version: of the server.
    registry: names that can be pulled, with the digests and bytes of their layers.
    """

    def __init__(self, *models: str) -> None:
        super().__init__()
        self.models = set(models)
        self.changes: dict[str, object] = {}
        self.digest, self.version = "d1", "0.33.0"
        self.show: dict[str, object] = {
            "capabilities": ["completion"],
            "model_info": {"llama.context_length": 131072, "general.type": "model"},
        }
        self.registry = {"fresh": [("a" * 8, 3_000), ("b" * 8, 1_000)]}

    def usual(self, path: str, body: dict) -> tuple[int, object]:
        """What a healthy server says."""
        name = body.get("model", "").lower()
        model = name.removeprefix("library/").removesuffix(":latest")
        if path == "/api/pull":
            return 200, self.pull(model)
        if path == "/api/version":
            return 200, {"version": self.version}
        if path == "/api/tags":
            digests = [{"model": n, "digest": self.digest} for n in self.models]
            return 200, {"models": digests}
        if path not in ("/api/show", "/api/generate"):
            return 404, b"404 page not found"
        if model not in {name.removesuffix(":latest") for name in self.models}:
            return 404, {"error": f"model '{model}' not found"}
        if path == "/api/show":
            return 200, self.show
        most = body["options"].get("num_predict", -1)
        changes = {"eval_count": min(5, most) if most > 0 else 5} | self.changes
        return 200, answer(body["prompt"], body["options"]["seed"], **changes)

    def pull(self, model: str) -> list[dict]:
        """The progress of a download, in two parts a layer."""
        if model not in self.registry:
            error = {"error": "pull model manifest: file does not exist"}
            return [{"status": "pulling manifest"}, error]
        lines: list[dict] = [{"status": "pulling manifest"}]
        for digest, total in self.registry[model]:
            layer = {"status": f"pulling {digest}", "digest": digest, "total": total}
            lines += [layer, layer | {"completed": total // 2}]
            lines += [layer | {"completed": total}]
        self.models.add(model)
        return [*lines, {"status": "success"}]


def encode(content: object) -> tuple[bytes, str]:
    """What goes over the wire, and its content type, as Ollama's servers name it."""
    if isinstance(content, bytes):
        return content, "text/plain"
    if isinstance(content, list):
        lines = b"".join(json.dumps(x).encode() + b"\n" for x in content)
        return lines, "application/x-ndjson"
    return json.dumps(content).encode(), "application/json; charset=utf-8"


def handler_for(fake: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    """A request handler for one server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = fake.protocol
        disable_nagle_algorithm = True  # or the body would wait after the headers

        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            sent = self.rfile.read(size)
            if len(sent) < size:  # whoever asked was killed amid the request
                self.close_connection = True
                return
            fake.headers.append(dict(self.headers))
            said = fake.said(self.command, self.path, sent)
            if said is HANG:
                fake.released.wait()
            if said is HANG or said is BREAK:
                self.close_connection = True
                return
            self.answer(*said)

        do_GET = do_HEAD = do_DELETE = do_POST

        def answer(
            self, status: int, content: object, kind: str = "", more: dict = EMPTY
        ) -> None:
            told, usual_kind = encode(content)
            self.send_response(status)
            headers = {"Content-Length": len(told)} | more
            headers |= {"Content-Type": kind or usual_kind} if told else {}
            for name, value in headers.items():
                self.send_header(name, str(value))
            self.end_headers()
            with suppress(ConnectionError):  # the client may be gone
                self.wfile.write(told if self.command != "HEAD" else b"")

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    return Handler

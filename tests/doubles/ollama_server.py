"""llama.cpp behind Ollama's HTTP interface: it stands in for an Ollama server.

It answers as Ollama 0.33.0 and, if told so, as 0.24.0 did to the same requests
(`tests/llm/test_ollama_exchanges.py` compares them all). The genuine `ollama.Client`
talks to it over a real socket.

    with OllamaServer(slots=4) as server:
        server.create("abacus", Path("build/Modelfile"))
        LLMGen("abacus:latest", host=server.host)

Covers: /api/generate with and without `raw`, /api/chat, log-probabilities, streams, the
queue before the slots, prompts that are cut or refused, a model that repeats itself;
/api/embed, /api/show, /api/tags, /api/ps, /api/version; /api/pull of what was put into
`registry`, /api/delete; what OpenAI's clients ask below /v1, without streams. It can be
told to misbehave: `script` gives answers before the usual ones, and attributes make it
another server. Does not cover: most templates, images, thinking, formats, adapters,
unloading after `keep_alive`, several models in memory, the old runner's sampler. A
stream comes as a whole, when it is complete; an old server does not embed.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from fake_ollama import ScriptedServer
from modelfile import Model
from ollama_library import Library
from ollama_rules import Refused, body_refusal, check_options, page_refusal
from ollama_runner import CUT, REPEATED, TOO_LONG, Runner
from openai_paths import OpenAI

__all__ = ["CUT", "REPEATED", "TOO_LONG", "OllamaServer"]
Reply = tuple  # status, content, and a content type if it is not the usual one


class OllamaServer(Library, Runner, ScriptedServer):
    """Use as a context manager.

    slots: requests answered at once (OLLAMA_NUM_PARALLEL); more of them wait.
    version: of Ollama. Before 0.30 it is a server with a runner of its own.
    exact: single precision everywhere, for comparisons with the NumPy engine.
    embeddings: the models are embedding models: they embed, and write nothing.

    timings: llama.cpp's own counts and milliseconds of each answer, in order of ending.
    most_at_once: requests in the slots at the same time, at most.
    loads: how often a model was loaded, because of another model or runner options.
    repeat_limit, gives_up_quietly: a model that repeats itself is stopped after so many
        equal pieces, with an error, or (before 0.33) with an answer that is not done.
    cuts: what happens to a long prompt: "half" (since 0.30), "tail" (before), "refuse".
    knows_truncate: false for a server that knows neither `truncate` nor `shift`.
    knows_logprobs: false before 0.12.11.
    ignores_stop: true for a server that ignores stop strings, as Ollama's MLX runner.
    is_offline: whether nothing can be pulled.
    defaults: of the options.
    """

    protocol = "HTTP/1.1"  # a client keeps its connection

    def __init__(
        self, slots: int = 1, *, version: str = "0.33.0", exact: bool = False,
        embeddings: bool = False,
    ) -> None:  # fmt: skip
        ScriptedServer.__init__(self)
        Runner.__init__(self, slots, version, exact, embeddings)
        Library.__init__(self)

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.unload()

    def said(self, method: str, path: str, sent: bytes) -> object:
        """What is answered to a request, be it one at all or not."""
        if refusal := page_refusal(method, path):
            return refusal
        if wrong := body_refusal(path, sent):
            return OpenAI.refusal(path, 400, wrong) or (400, {"error": wrong})
        return super().said(method, path, sent)

    def usual(self, path: str, body: dict) -> Reply:
        """What a healthy server says."""
        if path == "/":
            return 200, b"Ollama is running", "text/plain; charset=utf-8"
        if path.startswith("/v1/"):
            return OpenAI(self).answer(path, body)
        pages = {
            **{"version": self.told_version, "tags": self.tags, "ps": self.ps},
            **{"show": self.show, "pull": self.pull, "delete": self.delete},
            **{"generate": self.generate, "chat": self.chat, "embed": self.embed},
        }
        try:
            return pages[path.removeprefix("/api/")](body)
        except Refused as error:
            status, message, *kind = error.args
            return status, {"error": message}, *kind

    def generate(self, body: dict) -> Reply:
        """The continuation of a prompt."""
        if not 0 <= (body.get("top_logprobs") or 0) <= 20:
            raise Refused(400, "top_logprobs must be between 0 and 20")
        model = self.find(body)
        told = {"model": body["model"], "created_at": now()}

        def tell(line: dict) -> dict:
            rest = dict(line)
            return told | {"response": rest.pop("content")} | rest

        prompt = body.get("prompt") or ""
        if prompt and not body.get("raw"):
            messages = [{"role": "user", "content": prompt}]
            prompt = model.prompt_of(messages, body.get("template", ""))
        elif prompt and any(body.get(k) for k in ("template", "system", "context")):
            text = "raw mode does not support template, system, or context"
            raise Refused(400, text)
        return self.write(model, prompt, body, tell, "generate")

    def chat(self, body: dict) -> Reply:
        """The answer to messages."""
        model, messages = self.find(body), body.get("messages") or []
        told = {"model": body["model"], "created_at": now()}

        def tell(line: dict) -> dict:
            rest = {k: v for k, v in line.items() if k != "context"}
            message = {"role": "assistant", "content": rest.pop("content")}
            return told | {"message": message} | rest

        prompt = model.prompt_of(messages) if messages else ""
        return self.write(model, prompt, body, tell, "chat")

    def write(
        self, model: Model, prompt: str, body: dict,
        tell: Callable[[dict], dict], what: str,
    ) -> Reply:  # fmt: skip
        """An answer to a prompt. An empty one loads the model, or unloads it."""
        done = {"content": "", "done": True}
        if not prompt and body.get("keep_alive") in (0, "0", "0s"):
            self.expire(model)
            return 200, tell(done | {"done_reason": "unload"})
        if body.get("think"):
            raise Refused(400, f'"{body["model"]}" does not support thinking')
        if self.embeddings:
            raise Refused(400, f'"{body["model"]}" does not support {what}')
        asked = check_options(body.get("options") or {})
        options = self.defaults | model.parameters | asked
        with self.queue:
            if not prompt:
                with self.slot(model, options, self.may("shift", body)):
                    return 200, tell(done | {"done_reason": "load"})
            lines = self.complete(model, options, prompt, body)
            if body.get("stream") is not False:
                return stream(map(tell, lines))
            return 200, tell(merged([*lines]))

    def embed(self, body: dict) -> Reply:
        """The vectors of some texts; since 0.30 of embedding models only."""
        model = self.find(body)
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        found = []
        with self.queue, self.slot(model, self.defaults | model.parameters, True) as to:
            for text in texts:
                answer = to.post("/v1/embeddings", json={"input": text})
                if answer.is_error:
                    raise Refused(answer.status_code, answer.json()["error"]["message"])
                found.append(answer.json()["data"][0]["embedding"])
        return 200, {"model": body["model"], "embeddings": found}


def stream(lines: Iterator[dict]) -> Reply:
    """All lines; an error after the first is one of them."""
    told: list[dict] = []
    try:
        for line in lines:
            told.append(line)
    except Refused as error:
        status, message = error.args
        if not told:
            raise Refused(status, message, "application/json") from None
        told.append({"error": message})
    return 200, told


def merged(lines: list[dict]) -> dict:
    """One line instead of all: the last, with what the others said."""
    last = lines[-1] if lines else {"done": False}
    told = [token for line in lines for token in line.get("logprobs", ())]
    text = "".join(line["content"] for line in lines)
    return last | {"content": text} | ({"logprobs": told} if told else {})


def now() -> str:
    return datetime.now(UTC).isoformat()

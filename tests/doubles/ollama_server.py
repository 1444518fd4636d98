"""llama.cpp behind Ollama's HTTP interface: it stands in for an Ollama server.

Since version 0.30 an Ollama server is a layer of Go around llama.cpp's own server. Here
the same server, from the package `xllamacpp`, is inside a layer of Python, which maps
requests and answers as Ollama's `llm/llama_server.go` and `server/routes.go` do (read
in August to November 2026). The genuine `ollama.Client` talks to it over a real socket.

    with OllamaServer(slots=4) as server:
        server.create("abacus", Path("build/Modelfile"))
        LLMGen("abacus:latest", host=server.host)

Covers: raw /api/generate with options, log-probabilities, the queue before the slots,
a prompt that is cut, a model that repeats itself; /api/embed, /api/show, /api/tags,
/api/version; /api/pull of what was put into `registry`. It can be told to misbehave:
`script` gives answers before the usual ones, and attributes make it an older
server. Does not cover: templates, chat, images, thinking, formats, adapters, unloading
after `keep_alive`, several models in memory, streams of more than one line.
"""

import json
import threading
import time
from pathlib import Path

import httpx
import xllamacpp
from fake_ollama import ScriptedServer
from modelfile import DEFAULTS, Model

from helpers.llm import full_name

SENT_ON = [  # options that llama.cpp knows by the same name
    *("temperature", "top_k", "top_p", "min_p", "typical_p", "seed", "stop"),
    *("repeat_last_n", "repeat_penalty", "frequency_penalty", "presence_penalty"),
]
CUT = "the prompt is longer than the context length currently available to the model"
REPEATED = "prediction aborted, token repeat limit reached"


class Refused(Exception):
    """An answer with an error: status and message."""


class OllamaServer(ScriptedServer):
    """Use as a context manager.

    slots: requests answered at once (OLLAMA_NUM_PARALLEL); more of them wait.
    exact: single precision everywhere, for comparisons with the NumPy engine.
    embeddings: the models are embedding models: they embed, and write nothing.

    timings: llama.cpp's own counts and milliseconds of each answer, in order of ending.
    most_at_once: requests in the slots at the same time, at most.
    loads: how often a model was loaded, because of another model or runner options.
    repeat_limit, gives_up_quietly: a model that repeats itself is stopped after so many
        equal pieces, with an error, or (0.30 to 0.33) with an answer that is not done.
    cuts: what happens to a long prompt: "half" (since 0.30), "tail" (before), "refuse".
    knows_logprobs: false before 0.12.11.
    defaults: of the options.
    """

    protocol = "HTTP/1.1"  # a client keeps its connection

    def __init__(
        self, slots: int = 1, *, exact: bool = False, embeddings: bool = False
    ) -> None:
        super().__init__()
        self.slots, self.exact, self.embeddings = slots, exact, embeddings
        self.created: dict[str, Model] = {}
        self.registry: dict[str, Path] = {}
        self.queue, self.lock = threading.Semaphore(slots), threading.Lock()
        self.at_once = self.most_at_once = self.loads = 0
        self.timings: list[dict] = []
        self.repeat_limit, self.gives_up_quietly = 100, False
        self.cuts, self.knows_logprobs = "half", True
        self.defaults = dict(DEFAULTS)
        self.loaded: tuple = ()  # model file, context, threads
        self.engine: xllamacpp.Server | None = None
        self.runner: httpx.Client | None = None  # the line to the engine

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.unload()

    def create(self, name: str, modelfile: Path) -> None:
        """As `ollama create NAME -f MODELFILE`."""
        self.created[full_name(name)] = Model.read(modelfile)

    def usual(self, path: str, body: dict) -> tuple[int, object]:
        """What a healthy server says."""
        if path == "/api/version":
            return 200, {"version": "0.0.0-stand-in"}
        if path == "/api/tags":
            return 200, {"models": [self.tag(name) for name in self.created]}
        if path == "/api/pull":
            return 200, self.pull(body["model"])
        answers = {"generate": self.generate, "embed": self.embed, "show": self.show}
        answer = answers.get(path.removeprefix("/api/"))
        if answer is None:
            return 404, b"404 page not found"
        try:
            return 200, answer(self.find(body["model"]), body)
        except Refused as error:
            status, message = error.args
            return status, {"error": message}

    def find(self, name: str) -> Model:
        model = self.created.get(full_name(name))
        if model is None:
            raise Refused(404, f"model '{name}' not found")
        return model

    def tag(self, name: str) -> dict:
        model = self.created[name]
        size = model.file.stat().st_size
        return {"name": name, "model": name, "digest": model.digest, "size": size}

    def show(self, model: Model, _: dict) -> dict:
        """What is known of a model."""
        can = "embedding" if self.embeddings else "completion"
        return {
            "template": "{{ .Prompt }}",
            "details": {"format": "gguf", "quantization_level": model.quantisation},
            "model_info": model.info,
            "capabilities": [can],
        }

    def pull(self, name: str) -> list[dict]:
        """The progress of a download; the model is there at its end."""
        lines: list[dict] = [{"status": "pulling manifest"}]
        if name not in self.registry:
            return [*lines, {"error": "pull model manifest: file does not exist"}]
        self.create(name, self.registry[name])
        layer = {"digest": self.find(name).digest, "total": 1}
        return [*lines, layer | {"status": "pulling"}, {"status": "success"}]

    def embed(self, model: Model, body: dict) -> dict:
        """The vectors of some texts; since 0.30 of embedding models only."""
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        runner = self.runner_for(model, self.defaults | model.parameters)
        found = []
        for text in texts:
            answer = runner.post("/v1/embeddings", json={"input": text})
            if answer.is_error:
                raise Refused(answer.status_code, answer.json()["error"]["message"])
            found.append(answer.json()["data"][0]["embedding"])
        return {"model": body["model"], "embeddings": found}

    def runner_for(self, model: Model, options: dict) -> httpx.Client:
        """The line to llama.cpp, which is started again for other runner options."""
        context = min(options["num_ctx"], model.info["llama.context_length"])
        with self.lock:
            wanted = model.file, context, options["num_thread"]
            if self.loaded != wanted:
                self.unload()
                self.loaded, self.loads = wanted, self.loads + 1
                self.engine = self.start(*wanted)
                address = self.engine.listening_address
                self.runner = httpx.Client(base_url=address, timeout=None)
            return self.runner

    def unload(self) -> None:
        """Stop llama.cpp."""
        if self.runner:
            self.runner.close()
        self.engine = self.runner = None

    def start(self, file: Path, context: int, threads: int) -> xllamacpp.Server:
        """A llama.cpp server, with the settings that Ollama starts it with."""
        p = xllamacpp.CommonParams()
        p.model.path, p.verbosity, p.warmup = str(file), -1, False
        p.n_ctx, p.n_parallel = context * self.slots, self.slots
        p.n_batch = p.n_ubatch = 512
        p.ctx_shift, p.n_keep = self.cuts != "refuse", DEFAULTS["num_keep"]
        if threads:
            p.cpuparams.n_threads = p.cpuparams_batch.n_threads = threads
        if self.embeddings:
            p.embedding = True
            p.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_LAST
        off = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        p.flash_attn_type = off  # Ollama's choice without a graphics card
        if self.exact:
            p.cache_type_k = p.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
            p.no_extra_bufts = True
        return xllamacpp.Server(p)

    def generate(self, model: Model, body: dict) -> object:
        """One raw continuation. A stream has one line."""
        if not 0 <= body.get("top_logprobs", 0) <= 20:
            raise Refused(400, "top_logprobs must be between 0 and 20")
        if body.get("think"):
            raise Refused(400, f'"{body["model"]}" does not support thinking')
        if self.embeddings:
            raise Refused(400, f'"{body["model"]}" does not support generate')
        answer = {"model": body["model"], "created_at": "2026-11-26T12:00:00Z"}
        if not body.get("prompt"):
            answer |= {"response": "", "done": True, "done_reason": "load"}
        else:
            options = self.defaults | model.parameters | body.get("options", {})
            with self.queue:
                answer |= self.complete(model, options, body)
        return [answer] if body.get("stream", True) else answer

    def complete(self, model: Model, options: dict, body: dict) -> dict:
        """One completion of llama.cpp, told as Ollama tells it."""
        runner = self.runner_for(model, options)
        context = self.loaded[1]
        request = {name: options[name] for name in SENT_ON} | {
            "prompt": self.cut(runner, body["prompt"], context, options["num_keep"]),
            "stream": True,
            "cache_prompt": True,
            "n_keep": options["num_keep"],
        }
        most, asked = 10 * context, options["num_predict"]  # ten: Ollama's choice
        request["n_predict"] = most if asked < 0 else min(asked, most)
        wants, top = body.get("logprobs"), body.get("top_logprobs", 0)
        if wants and self.knows_logprobs:
            request["n_probs"] = max(top, 1)
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return self.read_stream(runner, request, top)
        finally:
            with self.lock:
                self.at_once -= 1

    def cut(self, runner: httpx.Client, prompt: str, context: int, keep: int) -> object:
        """A prompt that is too long loses its middle, and nobody is told."""
        whole = {"content": prompt, "add_special": True, "parse_special": True}
        tokens = runner.post("/tokenize", json=whole).json()["tokens"]
        if len(tokens) < context:
            return prompt
        if self.cuts == "refuse":
            raise Refused(400, CUT)
        keep += 1  # the token that begins every text
        # Before 0.30 all of the context was filled; llama.cpp takes one token less.
        room = context - (1 if self.cuts == "tail" else (context - keep) // 2)
        return tokens[:keep] + tokens[keep + len(tokens) - room :]

    def read_stream(self, runner: httpx.Client, request: dict, top: int) -> dict:
        """Read llama.cpp's stream to its end, or until the model repeats itself."""
        begun = time.perf_counter_ns()
        text, chances = "", []
        last, repeats = "", 0
        with runner.stream("POST", "/completion", json=request) as lines:
            if lines.is_error:
                raise Refused(lines.status_code, lines.read().decode())
            for line in lines.iter_lines():
                if not line.startswith("data: "):
                    continue
                said = json.loads(line[6:])
                piece = said["content"].strip()
                repeats, last = repeats + 1 if piece == last else 0, piece
                if repeats > self.repeat_limit and not self.gives_up_quietly:
                    raise Refused(500, REPEATED)
                if repeats > self.repeat_limit:
                    return {"response": text, "done": False}
                text += said["content"]
                if said["stop"]:
                    break
                if said["content"]:  # so the token that ends a step has none
                    chances += said.get("completion_probabilities", ())
        self.timings.append(said["timings"])
        return self.to_answer(said, text, chances, top, time.perf_counter_ns() - begun)

    def to_answer(
        self, end: dict, text: str, chances: list, top: int, spent: int
    ) -> dict:
        """The answer: zeros are left out, as Go's `omitempty` does."""
        times = end["timings"]
        optional = {
            "logprobs": [to_logprob(token, top) for token in chances],
            "total_duration": spent,
            "prompt_eval_count": times["cache_n"] + times["prompt_n"],
            "prompt_eval_duration": int(times["prompt_ms"] * 1e6),
            "eval_count": times["predicted_n"],
            "eval_duration": int(times["predicted_ms"] * 1e6),
        }
        answer = {
            "response": text,
            "done": True,
            "done_reason": "length" if end["stop_type"] == "limit" else "stop",
        }
        return answer | {name: value for name, value in optional.items() if value}


def to_logprob(token: dict, top: int) -> dict:
    """A token with its log-probability and, if asked for, the likeliest ones."""
    told = {"token": token["token"], "logprob": token["logprob"]}
    told["bytes"] = [*token["token"].encode()]
    if top:
        told["top_logprobs"] = [to_logprob(t, 0) for t in token["top_logprobs"]]
    return told

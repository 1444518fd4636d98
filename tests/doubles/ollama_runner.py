"""llama.cpp behind the stand-in for an Ollama server, as Ollama's own runners drive it.

Since version 0.30 an Ollama server is a layer of Go around llama.cpp's own server
(`llm/llama_server.go`); before, it had a runner of its own around the library
(`runner/llamarunner`). Both are read here into Python, around the server that is in the
package `xllamacpp`: what becomes of a long prompt, which token ends a text, and what is
told of each token. `ollama_server.py` makes answers of it.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import xllamacpp
from modelfile import DEFAULTS, Model
from ollama_lines import new_lines, old_lines
from ollama_rules import Refused, numbers_of

SENT_ON = [  # options that llama.cpp knows by the same name
    *("temperature", "top_k", "top_p", "min_p", "typical_p", "seed", "stop"),
    *("repeat_last_n", "repeat_penalty", "frequency_penalty", "presence_penalty"),
]
CUT = (
    "the prompt is longer than the context length currently available to the model; "
    "shorten the prompt, adjust the context length in settings, or use a model with a "
    "longer context length"
)
TOO_LONG = "the input length exceeds the context length"
REPEATED = "prediction aborted, token repeat limit reached"


class Runner:
    """One model in memory, and slots in which it answers.

    The attributes are explained at `OllamaServer`.
    """

    def __init__(self, slots: int, version: str, exact: bool, embeddings: bool) -> None:
        numbers = numbers_of(version)
        self.slots, self.version = slots, version
        self.exact, self.embeddings = exact, embeddings
        self.is_old = numbers < (0, 30)
        self.defaults = DEFAULTS | {
            "repeat_penalty": 1.1 if numbers < (0, 32, 10) else 1.0
        }
        self.cuts = "tail" if self.is_old else "half"
        self.knows_logprobs = numbers >= (0, 12, 11)
        self.knows_truncate, self.ignores_stop = True, False
        self.repeat_limit = 30 if self.is_old else 100
        self.gives_up_quietly = self.is_old
        self.queue, self.change = threading.Semaphore(slots), threading.Condition()
        self.at_once = self.most_at_once = self.loads = 0
        self.timings: list[dict] = []
        self.loaded: tuple = ()  # model file, context, threads
        self.shifts = True  # whether llama.cpp was started to shift a full context
        self.model: Model | None = None
        self.engine: xllamacpp.Server | None = None
        self.wire: httpx.Client | None = None  # to the engine
        self.names: dict[int, str] = {}  # of tokens that llama.cpp writes as nothing

    # The model in memory

    @contextmanager
    def slot(self, model: Model, options: dict, shifts: bool) -> Iterator[httpx.Client]:
        """A place at llama.cpp, which is started again for other runner options, when
        no request is under way."""
        context = min(max(options["num_ctx"], 4), model.about("context_length"))
        wanted = (model.file, context, options["num_thread"]), shifts
        with self.change:
            self.change.wait_for(lambda: not self.at_once or self.is_loaded(*wanted))
            if not self.is_loaded(*wanted):
                self.load(model, *wanted)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield self.wire
        finally:
            with self.change:
                self.at_once -= 1
                self.change.notify_all()

    def is_loaded(self, wanted: tuple, shifts: bool) -> bool:
        """To shift or not is a setting of the runner, except in old servers."""
        same = self.shifts == shifts or self.cuts == "tail"
        return self.engine is not None and self.loaded == wanted and same

    def load(self, model: Model, wanted: tuple, shifts: bool) -> None:
        self.unload()
        self.model, self.loaded, self.shifts = model, wanted, shifts
        self.loads += 1
        self.engine = self.start(*wanted)
        address = self.engine.listening_address
        self.wire = httpx.Client(base_url=address, timeout=None)

    def unload(self) -> None:
        """Stop llama.cpp."""
        if self.wire:
            self.wire.close()
        self.engine = self.wire = self.model = None
        self.names.clear()

    def expire(self, model: Model) -> None:
        """Unload a model, when no request is under way."""
        with self.change:
            self.change.wait_for(lambda: not self.at_once)
            if self.has(model):
                self.unload()

    def has(self, model: Model) -> bool:
        """Whether a model is in memory, by whatever name."""
        return self.model is not None and self.model.file == model.file

    def start(self, file: Path, context: int, threads: int) -> xllamacpp.Server:
        """A llama.cpp server, with the settings that Ollama starts it with."""
        p = xllamacpp.CommonParams()
        p.model.path, p.verbosity, p.warmup = str(file), -1, False
        # Old servers fill a context with a prompt; llama.cpp wants a token's room.
        p.n_ctx = (context + (self.cuts == "tail")) * self.slots
        p.n_parallel = self.slots
        p.n_batch = p.n_ubatch = 512
        p.n_keep = DEFAULTS["num_keep"]
        p.ctx_shift = self.cuts == "tail" or (self.cuts == "half" and self.shifts)
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

    # One completion

    def complete(
        self, model: Model, options: dict, prompt: str, body: dict
    ) -> Iterator[dict]:
        """The lines of one answer. Without `raw`, the last has the tokens of all."""
        shifts, cuts = self.may("shift", body), self.may("truncate", body)
        begun, text = time.perf_counter_ns(), prompt
        with self.slot(model, options, shifts) as wire:
            loaded = time.perf_counter_ns()
            tokens = self.fit(prompt, options, shifts, cuts)
            request = self.request_for(tokens, options, body, shifts)
            for line in self.lines(self.read(wire, request), options, body):
                text += line["content"]
                if line["done"]:
                    self.timings.append(line.pop("timings"))
                    line["total_duration"] = time.perf_counter_ns() - begun
                    line["load_duration"] = loaded - begun
                    line["prompt_eval_count"] = len(tokens)
                if line["done"] and not body.get("raw"):
                    line["context"] = self.tokens_of(text, special=False)
                yield {k: v for k, v in line.items() if v or k in ("content", "done")}

    def may(self, word: str, body: dict) -> bool:
        """Whether a request lets the server shift a full context, or cut a prompt."""
        return body.get(word) is not False or not self.knows_truncate

    def lines(self, events: Iterator[dict], options: dict, body: dict) -> Iterator:
        """llama.cpp's events as the old runner told them, or as the new one does."""
        top = body.get("top_logprobs") or 0
        if not self.is_old:
            return new_lines(events, top)
        stops = [] if self.ignores_stop else options["stop"]
        return old_lines(events, stops, top, self.name_of)

    def name_of(self, token: int) -> str:
        """The text of a token that llama.cpp writes as nothing."""
        if token not in self.names:
            said = self.wire.post("/detokenize", json={"tokens": [token]})
            self.names[token] = said.json()["content"]
        return self.names[token]

    def tokens_of(self, text: str, special: bool) -> list[int]:
        """The tokens of a text; `special`: with the one that begins every text."""
        asked = {"content": text, "add_special": special, "parse_special": True}
        return self.wire.post("/tokenize", json=asked).json()["tokens"]

    def fit(self, prompt: str, options: dict, shifts: bool, cuts: bool) -> list[int]:
        """The tokens of a prompt. One that is too long loses its middle, and nobody is
        told, unless the request forbids it."""
        tokens, context = self.tokens_of(prompt, special=True), self.loaded[1]
        fills = self.cuts == "tail"
        if len(tokens) <= (context if fills else context - 1):
            return tokens
        if fills and not cuts:
            raise Refused(400, TOO_LONG)
        if self.cuts == "half" and not cuts:
            return tokens  # llama.cpp refuses them
        if self.cuts == "refuse" or not (fills or shifts):
            raise Refused(400, CUT)
        keep = self.kept(options, len(tokens))
        room = context if fills else context - max((context - keep) // 2, 1)
        return tokens[:keep] + tokens[len(tokens) - (room - keep) :]

    def kept(self, options: dict, count: int) -> int:
        """How many tokens of the beginning stay."""
        keep = count if options["num_keep"] < 0 else options["num_keep"]
        keep += self.model.info.get("tokenizer.ggml.add_bos_token", False)
        return min(keep, self.loaded[1] - 1)

    def request_for(
        self, tokens: list[int], options: dict, body: dict, shifts: bool
    ) -> dict:
        """The request to llama.cpp."""
        context = self.loaded[1]
        most, asked = 10 * context, options["num_predict"]  # ten: Ollama's choice
        request = {name: options[name] for name in SENT_ON} | {
            "prompt": tokens,
            "stream": True,
            "cache_prompt": True,
            "n_keep": options["num_keep"],
            "n_predict": min(asked, most) if asked > 0 else most,
        }
        if self.is_old:
            request |= {"return_tokens": True, "timings_per_token": True}
        if self.is_old or self.ignores_stop:
            request["stop"] = []  # the old runner looks for them itself
        if body.get("logprobs") and self.knows_logprobs:
            request["n_probs"] = max(body.get("top_logprobs") or 0, 1)
        if self.cuts == "tail":
            if not shifts:
                room = context - len(tokens) + 1
                request["n_predict"] = min(request["n_predict"], room)
            if len(tokens) == self.model.about("context_length"):
                # llama.cpp has no token more; so long a prompt hardly misses one.
                request["prompt"] = tokens[:-2] + tokens[-1:]
        return request

    def read(self, wire: httpx.Client, request: dict) -> Iterator[dict]:
        """llama.cpp's events, one a token, until the model repeats itself."""
        last, repeats = "", 0
        with wire.stream("POST", "/completion", json=request) as events:
            if events.is_error:
                raise Refused(events.status_code, events.read().decode().strip())
            for event in events.iter_lines():
                if not event.startswith("data: "):
                    continue
                said = json.loads(event[6:])
                piece = said["content"].strip()
                repeats, last = repeats + 1 if piece == last else 0, piece
                if repeats > self.repeat_limit and not self.gives_up_quietly:
                    raise Refused(500, REPEATED)
                if repeats > self.repeat_limit:
                    return
                yield said
                if said["stop"]:
                    # Whoever reads on until llama.cpp closes the connection loses, once
                    # in a thousand times, another request's.
                    return

"""A client for abacus that answers as the client of an Ollama server does.

Vocabulary: an *option* is what Ollama calls so; those that are not given have Ollama's
defaults. Where Ollama would ignore an unknown one, this client names it, because a
misspelt option is the hardest mistake to see. What it refuses is a `Refused`
(`wire.py`).

On top of the calls of `llm/ollama_client.py` there is `generate_many`: many prompts and
seeds, one batch. It gives what `generate` gives for each pair of them, only faster.

Not covered: streaming, chat templates (a prompt is always raw), images, thinking.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from helpers.wire import Refused, Response, Token

from .arrays import intact
from .engine import HERE, WEIGHTS, Continuation, Engine
from .sampling import Sampling
from .transformer import layout, shapes

DEFAULTS = {  # Ollama's own
    "num_predict": -1,
    "temperature": 0.8,
    "top_k": 40,
    "top_p": 0.9,
    "min_p": 0.0,
    "seed": -1,
    "stop": [],
    "num_ctx": 1024,
    "repeat_penalty": 1.0,
}


def check_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """All options with defaults filled in; unknown or impossible ones are refused."""
    given = {name: value for name, value in dict(given).items() if value is not None}
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        known = ", ".join(DEFAULTS)
        raise Refused(f"abacus does not know the option {unknown[0]!r}; known: {known}")
    options = DEFAULTS | given
    limits = {
        "temperature": 0 <= options["temperature"] < math.inf,
        "top_k": options["top_k"] >= 0,
        "top_p": 0 < options["top_p"] <= 1,
        "min_p": 0 <= options["min_p"] <= 1,
        "num_predict": options["num_predict"] == -1 or options["num_predict"] > 0,
        "repeat_penalty": options["repeat_penalty"] == 1,
        "stop": "" not in options["stop"],
    }
    for name, holds in limits.items():
        if not holds:
            raise Refused(f"abacus cannot run with {name}={options[name]!r}")
    return options


@lru_cache(maxsize=4)
def load_engine(weights: Path, written: int = 0) -> Engine:
    """An engine is loaded once a process, however many clients there are.

    written: when the file was, in nanoseconds; after that it is another one.
    """
    is_ours = weights.parent == HERE
    advice = f"Type: git checkout -- {weights}" if is_ours else "Name another file"
    try:
        with intact(weights, "model of abacus", advice):
            engine = Engine(weights)
            wanted = {name: shape for name, (shape, _) in layout(engine.config).items()}
            if wanted != shapes(engine.params):
                raise ValueError("parameters of another shape")
    except ValueError as error:
        raise Refused(str(error), 500) from error
    except OSError as error:
        raise Refused(f"{weights} cannot be read ({error}). {advice}", 500) from error
    return engine


@lru_cache(maxsize=8)
def file_facts(weights: Path, written: int) -> tuple[int, str]:
    """The size of a file and its digest; `written` as in `load_engine`."""
    content = weights.read_bytes()
    return len(content), hashlib.sha256(content).hexdigest()


class AbacusClient:
    """Answers as the client of a server does, computed in this process.

    Args:
        weights: the file of a model; the one that ships with the project if omitted.
    """

    def __init__(self, weights: Path | str = WEIGHTS) -> None:
        self.weights = Path(weights).resolve()  # wherever this process goes

    @property
    def engine(self) -> Engine:
        """The model itself, loaded when it is first asked for."""
        return load_engine(self.weights, self.written)

    @property
    def written(self) -> int:
        """When the file was written, in nanoseconds: after that it is another one."""
        return self.weights.stat().st_mtime_ns if self.weights.exists() else 0

    def generate(
        self, model: str, prompt: str, *, raw: bool = True, think: bool = False,
        options: Mapping[str, Any] | None = None, logprobs: bool = False,
        top_logprobs: int = 0, images: Sequence[str] = (),
    ) -> Response:  # fmt: skip
        """One continuation of the prompt; `raw` changes nothing here.

        Raises Refused: unknown model (404), unknown option, an image, a prompt longer
        than the context (400).
        """
        if images or think:
            asked = "see images" if images else "think"
            raise Refused(
                f"abacus cannot {asked}: leave it out, or use an Ollama model"
            )
        seed = (options or {}).get("seed", DEFAULTS["seed"])
        seeds = [seed if seed is not None and seed >= 0 else secrets.randbits(31)]
        return self.generate_many(
            model, [prompt], seeds=seeds, options=options, logprobs=logprobs,
            top_logprobs=top_logprobs,
        )[0]  # fmt: skip

    def generate_many(
        self, model: str, prompts: Sequence[str], *, seeds: Sequence[int],
        options: Mapping[str, Any] | None = None, logprobs: bool = False,
        top_logprobs: int = 0,
    ) -> list[Response]:  # fmt: skip
        """One continuation of each prompt by its seed; errors as in `generate`.

        Equal prompts should stand together.
        """
        self._check_model(model)
        settings = check_options(options or {})
        if not 0 <= top_logprobs <= 20:
            raise Refused("top_logprobs must be between 0 and 20")
        if not seeds or min(seeds) < 0 or len(prompts) != len(seeds):
            raise Refused("seeds must be whole numbers from 0, one for each prompt")
        lengths = {prompt: len(self.engine.encode(prompt)) for prompt in set(prompts)}
        rooms = {prompt: self._room(n, settings) for prompt, n in lengths.items()}
        names = ("temperature", "top_k", "top_p", "min_p")
        how = Sampling(**{name: settings[name] for name in names})
        # As Ollama: after an empty prompt nothing is written, the model is only loaded.
        rows = [Continuation(reason="load") for _ in seeds]
        told = [i for i, prompt in enumerate(prompts) if prompt]
        if told:
            written = self.engine.generate(
                [prompts[i] for i in told],
                [seeds[i] for i in told],
                [rooms[prompts[i]] for i in told],
                how,
                settings["stop"],
                top_logprobs,
            )
            for i, row in zip(told, written, strict=True):
                rows[i] = row
        return [
            self._response(row, lengths[prompt], logprobs)
            for prompt, row in zip(prompts, rows, strict=True)
        ]

    def _room(self, length: int, settings: Mapping[str, Any]) -> int:
        """How many tokens may be written after a prompt of this length."""
        context = min(settings["num_ctx"], self.engine.config.context)
        if length >= context:
            raise Refused(
                f"the prompt is longer than the context: {length} of {context} tokens"
            )
        if settings["num_predict"] == -1:
            return context - length
        return min(settings["num_predict"], context - length)

    def embed(self, model: str, input: Sequence[str]) -> list[list[float]]:
        """The last layer's state after the last token of each text, d numbers each."""
        self._check_model(model)
        ids = [self.engine.encode(text) for text in input]
        if max(map(len, ids), default=0) > (context := self.engine.config.context):
            raise Refused(f"a text is longer than the context of {context} tokens")
        return [self.engine.read(i)[0].tolist() for i in ids]

    def pull(self, model: str) -> Iterator[dict[str, Any]]:
        """Nothing to fetch: the model is part of the project."""
        self._check_model(model)
        yield {"status": "success"}

    def list(self) -> list[dict[str, Any]]:
        """The one model there is."""
        size, digest = file_facts(self.weights, self.written)
        name = "abacus:latest"
        return [{"name": name, "model": name, "digest": digest, "size": size}]

    def version(self) -> str:
        """No server is asked, and the texts are the same with every NumPy."""
        return "embedded"

    def show(self, model: str) -> dict[str, Any]:
        """The model's shape, under the names that Ollama reads from a GGUF file."""
        self._check_model(model)
        config = self.engine.config
        info = {
            "general.architecture": "llama",
            "general.parameter_count": self.engine.size,
            "llama.context_length": config.context,
            "llama.embedding_length": config.width,
            "llama.block_count": config.layers,
            "llama.attention.head_count": config.heads,
            "llama.feed_forward_length": config.hidden,
            "llama.vocab_size": config.vocab,
        }
        return {
            "template": "{{ .Prompt }}",
            "model_info": info,
            "capabilities": ["completion", "embedding"],
        }

    def _check_model(self, model: str) -> None:
        if model.strip().lower().removesuffix(":latest") != "abacus":
            raise Refused(f"model '{model}' not found", 404)

    def _response(
        self, row: Continuation, prompt_tokens: int, logprobs: bool
    ) -> Response:
        return Response(
            response=row.text,
            done=True,
            done_reason=row.reason,
            prompt_eval_count=prompt_tokens,
            eval_count=row.sampled,
            logprobs=self._logprobs(row) if logprobs else None,
        )

    def _logprobs(self, row: Continuation) -> tuple[Token, ...]:
        decode = self.engine.tokenizer.decode
        chosen = zip(row.ids, row.log_probs, row.top, strict=True)
        return tuple(
            Token(decode([i]), p, tuple(Token(decode([j]), q) for j, q in top.items()))
            for i, p, top in chosen
        )

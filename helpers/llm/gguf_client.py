"""A GGUF file, computed in this process by llama.cpp: no server is needed.

The calls are those of `OllamaClient`, and siblings are one request (`siblings.py`). The
package `xllamacpp` is llama.cpp (the extra `gguf`); `gguf_engine.py` loads it.

Covers: raw generation, log-probabilities. Does not cover: states and the probability of
a given text, which the engine does not tell; images; graphics cards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers.wire import Response, read_response

from .checks import check_counts
from .errors import failure, refusal
from .gguf_engine import ENGINES, SLOTS, digest_of, load_package, read_model
from .siblings import SiblingClient

SENT_ON = (
    *("temperature", "top_k", "top_p", "min_p", "typical_p", "stop"),
    *("repeat_last_n", "repeat_penalty", "presence_penalty", "frequency_penalty"),
)


class GGUFClient(SiblingClient):
    """Answers as the client of a server does, computed in this process.

    file: the model. Raises LLMError for one that is missing or damaged.
    """

    most = at_once = SLOTS

    def __init__(self, file: Path) -> None:
        load_package()
        self.file = file
        if not file.is_file():
            raise failure("gguf", file=file.name, said="there is no such file")
        self.model = read_model(file, self.written)

    @property
    def written(self) -> int:
        """When the file was written, in nanoseconds."""
        return self.file.stat().st_mtime_ns

    def ask(
        self, model: str, prompt: str, seed: int, n: int, options: Mapping[str, Any],
        top: int,
    ) -> list[Response]:  # fmt: skip
        """n samples of one prompt, by the seeds from `seed` on."""
        context = min(options.get("num_ctx", 2048), self.model.context)
        engine = ENGINES.get(self.model, self.written, context)
        if not prompt:  # nothing is written after nothing, as by a server
            return [Response(done_reason="load")] * n
        request = {name: options[name] for name in SENT_ON if name in options}
        most = options.get("num_predict", -1)
        request |= {"prompt": prompt, "n": n, "seed": int(seed),
                    "logprobs": max(top, 1),
                    "max_tokens": context if most < 0 else most, "stream": False,
                    "cache_prompt": True}  # fmt: skip
        said = engine.handle_completions(request)
        facts = {"model": self.file.name, "address": "this process", "num_ctx": context}
        if error := said.get("error"):
            raise refusal(error["code"], json.dumps(error), **facts)
        length, first = (said["usage"][f"{x}_tokens"] for x in ("prompt", "completion"))
        if length >= context:
            raise failure("context", said=f"it has {length} tokens", **facts)
        found = [self.to_response(choice, length, top) for choice in said["choices"]]
        # The engine counts the tokens of the first sample. For the others the list is
        # counted, where a character, or a stop string, of several tokens is one entry.
        found[0] = replace(found[0], eval_count=first)
        for response in found:
            check_counts(response, options)
        return found

    def to_response(self, choice: Mapping[str, Any], length: int, top: int) -> Response:
        """One of the engine's choices. Of its tokens, the one that matched a stop
        string is not told; the one that ended the text is."""
        tokens = list((choice["logprobs"] or {}).get("content") or ())
        is_over = bool(tokens) and tokens[-1]["id"] in self.model.ends
        was_stopped = choice["finish_reason"] == "stop" and not is_over
        told = tokens[:-1] if is_over else tokens
        kept = [{**t, "top_logprobs": t["top_logprobs"] if top else []} for t in told]
        return read_response({
            "response": choice["text"], "done": True,
            "done_reason": "end" if is_over else choice["finish_reason"],
            "prompt_eval_count": length, "eval_count": len(tokens) + was_stopped,
            "logprobs": kept,
        })  # fmt: skip

    def embed(self, model: str, input: Sequence[str]) -> list[list[float]]:
        """Refused: this engine gives no states of a model that writes."""
        said = "llama.cpp gives vectors of embedding models only"
        raise failure("states", model=self.file.name, said=said)

    def pull(self, model: str) -> Iterator[dict[str, Any]]:
        """Nothing to fetch: the file is here."""
        yield {"status": "success"}

    def list(self) -> list[dict[str, Any]]:
        """The one model there is."""
        digest = digest_of(self.file, self.written)
        return [
            {"model": self.file.name, "digest": digest, "size": self.model.head.size}
        ]

    def version(self) -> str:
        """Of the engine."""
        from importlib.metadata import version

        return f"xllamacpp {version('xllamacpp')}"

    def show(self, model: str) -> dict[str, Any]:
        """What the file tells of the model, under the names that Ollama uses."""
        metadata = self.model.head.metadata
        return {
            "model_info": {k: v for k, v in metadata.items() if v is not None},
            "details": {"format": "gguf", "quantization_level": self.quantisation()},
            "capabilities": ["completion"],
            "siblings": "together",
        }

    def quantisation(self) -> str | None:
        """Such as "Q4_K_M"."""
        from gguf.constants import LlamaFileType

        try:
            kind = LlamaFileType(self.model.head.metadata.get("general.file_type"))
        except ValueError:
            return None
        return kind.name.removeprefix("MOSTLY_").removeprefix("ALL_")

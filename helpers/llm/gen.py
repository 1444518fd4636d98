"""A language model that says one sentence at a time.

Vocabulary: the *prompt* is the whole text so far; it goes to the model *raw*, without a
chat template. A *step* is what the model adds until it writes the *stop* string, a
newline: one sentence. A *seed* fixes what is drawn; each of several steps needs one of
its own.

`LLMGen` draws steps from "abacus", which ships with this project, from a model of
Ollama, or from a GGUF file; `draw_each` draws whole texts, and `SharedSamples` each
sample once. How a model is reached is in `clients.py` and `connection.py`, what may go
wrong in `errors.py`.
"""

from __future__ import annotations

import copy
import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .connection import Connection
from .forms import choose_form, form_of
from .limits import check_limits, stops_of
from .seeds import sibling_seeds

if TYPE_CHECKING:
    from helpers.wire import Response


Text = TypeVar("Text")  # whatever a model gives for what it wrote


@dataclass(frozen=True)
class Step:
    """One sentence of a model.

    text: without the newline and white space around it; models do say nothing at times.
    tokens: tokens the model produced, the one that ended the step included.
    logprob: mean natural log-probability of the step's tokens at temperature 1, without
        the one that ended it; None where the server gives none (Ollama before 0.12.11).
        Of a stop string of several tokens, Ollama since 0.30 counts some to the text.
    reason: "stop" (the model ended the step), "end" (it ended its whole text, where the
        client tells that), or "length" (it was cut off before).
    written: the text with the white space around it.
    """

    text: str
    tokens: int
    logprob: float | None
    reason: str
    written: str = field(default="", compare=False)


def choose_seed(*seeds: int | None) -> int:
    """The first seed that is given, else a fresh one; a negative one is refused."""
    seed = next((s for s in seeds if s is not None), secrets.randbits(31))
    check_limits(seed=seed)  # below zero, Ollama would draw a seed of its own
    return seed


def mean_logprob(response: Response) -> float | None:
    """Mean log-probability of a response's tokens, None where none is given."""
    values = [token.logprob for token in response.logprobs or ()]
    return math.fsum(values) / len(values) if values else None


def draw_each(
    generate: Callable[[list[str], list[int]], list[Text]],
    prompts: Sequence[str], k: int, seed: int,
) -> list[list[Text]]:  # fmt: skip
    """k continuations of each prompt, all in one batch.

    generate: writes one text for each prompt and seed, such as `Connection.generate`.
    Sample i of a prompt depends on the seed, the prompt and i alone, as in `sample`.
    """
    check_limits(k=k)
    line = getattr(generate, "__self__", None)  # a connection knows its siblings
    together = getattr(line, "draws_together", False)
    asked = [prompt for prompt in prompts for _ in range(k)]
    seeds = [s for p in prompts for s in sibling_seeds(seed, p, k, together)]
    found = generate(asked, seeds) if asked else []
    return [found[i : i + k] for i in range(0, len(found), k)]


def to_step(response: Response) -> Step:
    """What a response says, as a step."""
    # A server that gave up names no reason.
    told = response.done_reason
    reason = told if told in ("stop", "end") else "length"
    mean, said = mean_logprob(response), response.response
    return Step(said.strip(), response.eval_count, mean, reason, said)


class LLMGen:
    """A language model that continues a text by one sentence.

    model: "abacus", the name of an Ollama model, pulled first if it is missing, or the
        path of a GGUF file.
    temperature, top_p, top_k, min_p: how bold the draw is. Temperature 0 takes the
        likeliest token; top_p 1.0, top_k 0 and min_p 0.0 are off.
    n, num_ctx: tokens to predict at most; tokens of prompt and step together.
    stop: the text that ends a step, or several.
    seed: makes the calls repeatable (real models: nearly); None draws freshly.
    timeout, host: seconds for one whole answer; where Ollama is, else OLLAMA_HOST says.
        Several hosts with commas between them share the work (`hosts.py`).
    record, replay_only: a file that keeps every answer and gives it again; whether
        nobody else is asked (`recording.py`).
    weights: a file of "abacus" with other parameters (`Learner.save`); what they say is
        never recorded.
    form, chat: how a problem is put to it (`forms.py`), and its markup for a chat, if
        neither its file nor its server tells that (`chat.py`).
    Raises ValueError for an argument out of range, LLMError if the model fails.
    """

    def __init__(
        self, model: str, temperature: float = 1.0, top_p: float = 1.0, n: int = 128,
        *, top_k: int = 0, min_p: float = 0.0, stop: str | Sequence[str] = "\n",
        seed: int | None = None, num_ctx: int = 2048, timeout: float = 120.0,
        repeat_penalty: float = 1.0, host: str | None = None,
        record: str | None = None, replay_only: bool = False,
        weights: Path | str | None = None,
        form: str | None = None, chat: str | None = None,
    ) -> None:  # fmt: skip
        check_limits(model=model, n=n, timeout=timeout, seed=seed or 0)
        options = dict(temperature=temperature, top_p=top_p, top_k=top_k,
                       min_p=min_p, num_ctx=num_ctx, num_predict=n,
                       repeat_penalty=repeat_penalty, stop=stops_of(stop))  # fmt: skip
        place = timeout, host, record, replay_only, weights
        self.connection = line = Connection(model, options, *place)
        self.model, self.is_embedded = line.model, line.is_embedded
        self.seed, self.form = seed, choose_form(form, chat, line)

    def __call__(self, content: str, image: str | None = None) -> Response:
        """One raw continuation of `content`; `image` is a picture in base64."""
        check_limits(prompt=content)
        return self.connection.generate([content], [choose_seed(self.seed)], image)[0]

    def sample(
        self, prompt: str, k: int, seed: int | None = None, image: str | None = None,
        stop: str | None = None,
    ) -> list[Step]:  # fmt: skip
        """k steps that could follow the prompt, each drawn with a seed of its own.

        stop: what ends these, if it is another text than usual.
        """
        check_limits(prompt=prompt, k=k)
        seed, line = choose_seed(seed, self.seed), self.connection
        line = line.with_options(stop=stops_of(stop)) if stop else line
        seeds = sibling_seeds(seed, prompt, k, line.draws_together)
        responses = line.generate([prompt] * k, seeds, image)
        return [to_step(response) for response in responses]

    def at_temperature(self, temperature: float) -> LLMGen:
        """The same model at another temperature."""
        check_limits(temperature=temperature)
        new = copy.copy(self)
        new.connection = self.connection.with_options(temperature=temperature)
        return new


class SharedSamples:
    """A model that draws each sample once, whichever search asks for it first.

    Sample i depends on the seed, the prompt and i alone, so nobody can tell. A search
    still pays for all it asks; what is saved is time, when several searches meet the
    same states.
    """

    def __init__(self, llm: LLMGen) -> None:
        self.llm = llm
        self.form = form_of(llm)
        self.drawn: dict[tuple, list[Step]] = {}
        self.cooler: dict[float, SharedSamples] = {}  # by temperature

    def sample(
        self, prompt: str, k: int, seed: int | None = None, image: str | None = None,
        *stop: str,
    ) -> list[Step]:  # fmt: skip
        """The first k samples of this prompt and seed; a seed is needed."""
        check_limits(k=k, seed=seed)
        key = prompt, seed, image, stop
        known = self.drawn.get(key, [])
        if len(known) < k:  # real servers only nearly repeat: what is known stays
            new = self.llm.sample(prompt, k, seed, image, *stop)
            known = self.drawn[key] = known + new[len(known) :]
        return known[:k]

    def at_temperature(self, temperature: float) -> SharedSamples:
        """The same model at another temperature; its samples are shared as well."""
        if temperature not in self.cooler:
            other = self.llm.at_temperature(temperature)
            self.cooler[temperature] = SharedSamples(other)
        return self.cooler[temperature]

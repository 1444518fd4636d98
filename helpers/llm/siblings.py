"""Clients that draw the samples of one prompt together, in one request.

Vocabulary: *siblings* are samples of one prompt whose seeds follow each other. A
request for n of them sends the first seed only, and its prompt is read once.

Covers: the calls `generate` and `generate_many`, which are the same for a GGUF file
and for OpenAI's completions. Does not cover: how n samples are asked for (`ask`).
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from helpers.wire import Response

from .errors import failure
from .limits import check_limits, check_options
from .threads import map_in_threads


def siblings(
    prompts: Sequence[str], seeds: Sequence[int], most: int
) -> Iterator[tuple[str, int, int]]:
    """Equal prompts whose seeds follow each other: (prompt, first seed, how many), of
    which there are `most` in one request."""
    pairs = [*zip(prompts, seeds, strict=True)]
    first = 0
    for i, (a, b) in enumerate(pairwise([*pairs, (None, 0)]), start=1):
        if b != (a[0], a[1] + 1) or i - first == most:
            yield (*pairs[first], i - first)
            first = i


class SiblingClient(ABC):
    """A client whose requests carry up to `most` samples, `at_once` at a time."""

    most: int
    at_once: int

    @abstractmethod
    def ask(
        self, model: str, prompt: str, seed: int, n: int, options: Mapping[str, Any],
        top: int,
    ) -> list[Response]:  # fmt: skip
        """n samples of one prompt, by the seeds from `seed` on."""

    def generate(
        self, model: str, prompt: str, *, raw: bool = True, think: bool = False,
        options: Mapping[str, Any] | None = None, logprobs: bool = False,
        top_logprobs: int = 0, images: Sequence[str] = (),
    ) -> Response:  # fmt: skip
        """One continuation of the prompt; `raw` and `think` change nothing here. A seed
        is drawn if the options hold none."""
        if images:
            raise failure("image", model=model)
        options = dict(options or {})
        seeds = [options.pop("seed", secrets.randbits(31))]
        return self.generate_many(
            model, [prompt], seeds=seeds, options=options, logprobs=logprobs,
            top_logprobs=top_logprobs,
        )[0]  # fmt: skip

    def generate_many(
        self, model: str, prompts: Sequence[str], *, seeds: Sequence[int],
        options: Mapping[str, Any] | None = None, logprobs: bool = False,
        top_logprobs: int = 0,
    ) -> list[Response]:  # fmt: skip
        """One continuation of each prompt by its seed; siblings in one request."""
        options = dict(options or {})
        check_options(options)
        check_limits(top_logprobs=top_logprobs)

        def ask(prompt: str, seed: int, n: int) -> list[Response]:
            return self.ask(model, prompt, seed, n, options, top_logprobs)

        groups = [*zip(*siblings(prompts, seeds, self.most), strict=True)]
        found = map_in_threads(self.at_once, ask, *groups) if groups else []
        responses = [response for several in found for response in several]
        if logprobs:
            return responses
        return [replace(response, logprobs=None) for response in responses]

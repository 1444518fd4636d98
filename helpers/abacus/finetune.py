"""Fine-tuning of abacus: its parameters follow a loss on the solutions it is shown.

Vocabulary used here: a *solution* is the token ids that stand after a prompt, the end
of the text included; a *lesson* is one prompt with `n` solutions of at most `T` tokens;
a *loss* is a number made of the log-probabilities (n, T) of their tokens.

The forward pass is the engine's own (`hidden_states`); autograd follows it backwards.
A prompt is read once for all its solutions, which stand behind it side by side; it is
not learned itself. All is computed in double precision and summed in a fixed order, so
that the same lessons give the same model, however many processes share the work.

Not covered: what to learn (`helpers/learning/`); training from nothing, which needs
PyTorch (`pretrain.py`).

Source: Loshchilov & Hutter 2019 (AdamW, here without its decay of the weights).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import intact, load_arrays, save_arrays
from .client import AbacusClient
from .engine import WEIGHTS
from .optimizer import adamw
from .tokenizer import END_OF_TEXT
from .transformer import (
    Array,
    Config,
    Params,
    causal_attention,
    hidden_states,
    logits,
    rotary,
    shapes,
)

PARTS = 4  # of a batch; more processes than these would have nothing to do


@dataclass(frozen=True)
class Lesson:
    """A prompt, its solutions, and what a loss must know of each of their tokens.

    prompt: token ids.
    solutions: token ids (n, T), filled up at the right.
    mask: (n, T), 1 for a token and 0 for filling.
    weights: (n, T), what each token's log-probability counts in the loss.
    old, start: (n, T), log-probabilities by the model that wrote the solutions and by
        the one that learning began with, if the loss compares with them.
    """

    prompt: list[int]
    solutions: np.ndarray
    mask: np.ndarray
    weights: np.ndarray
    old: np.ndarray | None = None
    start: np.ndarray | None = None


Loss = Callable[[Array, Lesson], Array]  # log-probabilities (n, T) to a sum over tokens


def to_lesson(
    prompt: list[int], solutions: Sequence[list[int]], weights: Sequence[Any]
) -> Lesson:
    """A lesson with one weight for each solution, or for each of its tokens."""
    ids = np.full((len(solutions), max(map(len, solutions))), END_OF_TEXT)
    mask, full = np.zeros(ids.shape), np.zeros(ids.shape)
    for row, (solution, weight) in enumerate(zip(solutions, weights, strict=True)):
        size = len(solution)
        ids[row, :size], mask[row, :size], full[row, :size] = solution, 1, weight
    return Lesson(prompt, ids, mask, full)


def states_before(params: Params, lesson: Lesson, xp: Any = np) -> Array:
    """The states (n, T, d) from which each token of the solutions is predicted."""
    config, causal, read = Config(), causal_attention(xp), []
    prompt, ids = np.array([lesson.prompt]), lesson.solutions

    def attend_prompt(layer: int, q: Array, k: Array, v: Array) -> Array:
        read.append((k, v))
        return causal(layer, q, k, v)

    def attend(layer: int, q: Array, k: Array, v: Array) -> Array:
        both = [xp.concatenate([xp.concatenate([far] * len(q)), own], axis=-2)
                for far, own in zip(read[layer], (k, v), strict=True)]  # fmt: skip
        return causal(layer, q, *both)

    # The last token of the prompt begins each row: from it the first is predicted.
    length = prompt.size - 1
    places = rotary(config, 0, length)
    hidden_states(params, prompt[:, :-1], config, places, attend_prompt, xp)
    before = np.hstack([np.repeat(prompt[:, -1:], len(ids), axis=0), ids[:, :-1]])
    places = rotary(config, length, length + before.shape[1])
    return hidden_states(params, before, config, places, attend, xp)


def log_probs(params: Params, lesson: Lesson, xp: Any = np) -> Array:
    """The log-probability (n, T) of each token of the solutions."""
    scores = logits(params, states_before(params, lesson, xp))
    scores = scores - xp.max(scores, axis=-1, keepdims=True)
    ids = lesson.solutions
    rows, columns = np.indices(ids.shape)
    return scores[rows, columns, ids] - xp.log(xp.sum(xp.exp(scores), axis=-1))


def map_log_probs(params: Params, lessons: Sequence[Lesson]) -> list[np.ndarray]:
    """The same for several lessons."""
    return [log_probs(params, lesson) for lesson in lessons]


def imitation_loss(log_probs: Array, lesson: Lesson) -> Array:
    """The negative log-probability of the solutions, each token by its weight."""
    return -(log_probs * lesson.weights).sum()


def gradients(params: Params, loss: Loss, lessons: Sequence[Lesson]) -> Params:
    """The gradient of the lessons' summed loss by every parameter."""
    from autograd import grad, numpy

    def loss_of(params: Params, lesson: Lesson) -> Array:
        return loss(log_probs(params, lesson, numpy), lesson)

    total = {name: np.zeros_like(value) for name, value in params.items()}
    for lesson in lessons:
        for name, slope in grad(loss_of)(params, lesson).items():
            total[name] += slope
    return total


class Learner:
    """A model that learns: its parameters and what the optimizer remembers.

    weights: the file of the model to begin with; the one that ships if omitted.
    rate: the size of a step, as a share of pre-training's (`optimizer.py`).
    executor: who computes; this process if omitted. With processes
        (`helpers.evaluation.processes(2)`) it is faster, and the result is the same;
        but a loss that a notebook defines cannot be sent to them.
    Raises Refused for a file that holds no model of this shape.
    """

    def __init__(
        self, weights: Path | str = WEIGHTS, rate: float = 0.05,
        executor: Executor | None = None,
    ) -> None:  # fmt: skip
        engine = AbacusClient(weights).engine
        self.params, self.tokenizer = engine.params, engine.tokenizer
        self.start = self.params
        self.rate, self.executor = rate, executor
        self.memory: Params = {}
        self.steps = 0
        self.history: list[Sequence[float]] = []  # numbers of each round so far

    def spread(self, function: Callable, parts: Sequence[Any]) -> list[Any]:
        """The function's value for each part, by the executor if there is one."""
        return [*(self.executor.map if self.executor else map)(function, parts)]

    def log_probs(
        self, lessons: Sequence[Lesson], params: Params | None = None
    ) -> list[np.ndarray]:
        """The log-probabilities (n, T) of each lesson, by other parameters if given."""
        parts = [lessons[i::PARTS] for i in range(PARTS)]
        task = partial(map_log_probs, params or self.params)
        found = self.spread(task, parts)
        return [found[i % PARTS][i // PARTS] for i in range(len(lessons))]

    def update(self, lessons: Sequence[Lesson], loss: Loss) -> None:
        """One step of AdamW against the gradient of the summed loss per token.

        Raises ValueError without lessons.
        """
        if not lessons:
            raise ValueError("There is no lesson to learn from.")
        tokens = sum(lesson.mask.sum() for lesson in lessons)
        parts = [lessons[i::PARTS] for i in range(PARTS)]
        found = self.spread(partial(gradients, self.params, loss), parts)
        params, memory, step = {}, {}, self.steps + 1
        for name, value in self.params.items():
            slope = sum(part[name] for part in found) / tokens
            past = {k: self.memory.get(f"{name}.{k}", 0.0 * value) for k in ("m", "v")}
            params[name], past = adamw(value, slope, past, step, self.rate)
            memory |= {f"{name}.{k}": array for k, array in past.items()}
        self.params, self.memory, self.steps = params, memory, step

    def save(self, path: Path | str, kind: Any = np.float32) -> None:
        """Write the model; `LLMGen("abacus", weights=path)` reads it."""
        save_arrays(path, {k: value.astype(kind) for k, value in self.params.items()})

    def checkpoint(self, path: Path | str) -> None:
        """Write all that `restore` needs to go on from here."""
        kinds = {"params": self.params, "start": self.start, "memory": self.memory}
        arrays = {f"{k} {n}": a for k, part in kinds.items() for n, a in part.items()}
        counts = {"steps": np.array(self.steps), "history": np.array(self.history)}
        save_arrays(path, arrays | counts)

    def restore(self, path: Path | str) -> None:
        """Go on from a checkpoint, with the rate and the executor of this learner.

        Raises ValueError for a file that is none, OSError for one that is not there.
        """
        found: dict[str, Params] = {"params": {}, "start": {}, "memory": {}}
        advice = "Name another, or delete it and begin anew."
        with intact(path, "checkpoint", advice):
            arrays = load_arrays(path)
            steps, history = int(arrays.pop("steps")), arrays.pop("history").tolist()
            for key, array in arrays.items():
                kind, name = key.split(" ")
                found[kind][name] = array
            for kind in ("params", "start"):
                if shapes(found[kind]) != shapes(self.params):
                    raise ValueError("parameters of another shape")
        self.params, self.start, self.memory = found.values()
        self.steps, self.history = steps, history

"""What attention looks at while abacus adds, and what it misses: built in notebook A1.

Vocabulary used here: a *sum* is a text that stops where a digit of a sum's result is
due; a *summand* is one of the two numbers that are added; a *head* is a pair, layer and
head, both from 0; its *drop* is by how much the log-probability of the right digit
falls, in nats, if the head is taken away.

Covers: shares of attention at the last token, and heads that see nothing. Does not
cover: other ways to take a head away, such as putting its mean in its place.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from helpers.problems import PROBLEM_FORMAT, format_solution

from .engine import Engine
from .sampling import log_softmax
from .transformer import (
    Array,
    Attention,
    causal_attention,
    hidden_states,
    logits,
    rotary,
)

ADDITION = re.compile(r"(?<![\d*+-])(\d\d+)\+(\d\d+) = (\d+)")
Head = tuple[int, int]  # layer and head


@dataclass(frozen=True)
class Sum:
    """A text that stops where a digit of the result is due."""

    ids: list[int]
    summands: list[int]  # the places of their digits in the text
    digit: int  # the token that is right


def find_sums(
    problems: Iterable[dict[str, str]], engine: Engine, last: bool = False
) -> list[Sum]:
    """The first sum of each problem that has one, before its first or last digit."""
    sums = []
    for problem in problems:
        solution = format_solution(problem["answer"])
        question = PROBLEM_FORMAT.format(question=problem["question"])
        text = question + solution
        if found := ADDITION.search(text):
            before = len(found[3]) - 1 if last else 0
            ids = engine.encode(text[: found.start(3) + before])
            start = len(engine.encode(text[: found.start(1)]))
            stop = start + len(found[1]) + 1 + len(found[2])
            places = [*range(start, stop)]
            del places[len(found[1])]  # the plus
            (digit,) = engine.tokenizer.encode(found[3][before])
            sums.append(Sum(ids, places, digit))
    return sums


def read_states(engine: Engine, ids: list[int], attend: Attention) -> Array:
    """The states (T, d) of a text."""
    positions = rotary(engine.config, 0, len(ids))
    tokens = np.array([ids])
    states = hidden_states(engine.params, tokens, engine.config, positions, attend)
    return states[0]


def recorded(weights: list[Array]) -> Attention:
    """Attention that notes its weights (H, T, T), a layer after the other."""
    causal = causal_attention()

    def attend(layer: int, q: Array, k: Array, v: Array) -> Array:
        found = causal(layer, q, k, np.eye(k.shape[-2]))
        weights.append(found[0])
        return found @ v

    return attend


def without(heads: Collection[Head], where: slice) -> Attention:
    """Attention in which some heads see nothing at these positions."""
    causal = causal_attention()

    def attend(layer: int, q: Array, k: Array, v: Array) -> Array:
        seen = causal(layer, q, k, v)
        for own, head in heads:
            if own == layer:
                seen[:, head, where] = 0
        return seen

    return attend


def mean_shares(engine: Engine, sums: list[Sum]) -> Array:
    """The share of attention (layers, H) that the summands get at the last token."""
    shares = []
    for s in sums:
        weights: list[Array] = []
        read_states(engine, s.ids, recorded(weights))
        looks = np.array(weights)[:, :, -1, s.summands]
        shares.append(looks.sum(axis=-1))
    return np.mean(shares, axis=0)


def digit_log_prob(engine: Engine, s: Sum, attend: Attention) -> float:
    """The log-probability of the right digit."""
    state = read_states(engine, s.ids, attend)[-1]
    scores = logits(engine.params, state)
    return float(log_softmax(scores)[s.digit])


def find_drops(engine: Engine, sums: list[Sum], where: slice) -> Array:
    """The drop of each head in each sum: (sums, layers, H)."""
    shape = engine.config.layers, engine.config.heads
    drops = np.zeros((len(sums), *shape))
    for i, s in enumerate(sums):
        whole = digit_log_prob(engine, s, causal_attention())
        for head in np.ndindex(shape):
            without_it = digit_log_prob(engine, s, without([head], where))
            drops[i][head] = whole - without_it
    return drops

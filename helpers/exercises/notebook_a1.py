"""The checks of notebook A1."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from helpers.abacus import (
    Array,
    Config,
    Engine,
    Head,
    causal_attention,
    digit_log_prob,
    find_drops,
    find_sums,
    init_params,
    mean_shares,
    without,
)
from helpers.problems import generate

from .checking import call, exercise, expect, is_number, short


def count(config: Config) -> int:
    """The number of parameters."""
    return sum(array.size for array in init_params(config, 0).values())


@exercise
def exercise_a1_1(by_heads: Any, by_width: Any) -> None:
    """How many parameters more for twice the heads, and for twice the width."""
    for answer in (by_heads, by_width):
        expect(is_number(answer), f"A number is asked for, not {short(answer)}.")
    start = count(Config())
    heads = count(replace(Config(), heads=8)) - start
    expect(
        by_heads == heads,
        "by_heads: which parameter's shape has a number of heads in it? More heads of "
        "one stream are narrower heads.",
    )
    whole = count(replace(Config(), width=256))
    expect(by_width != whole, "by_width: that is all of them. How many *more*?")
    expect(
        by_width != start,
        "by_width: not all parts double. A matrix from the stream to the stream has "
        "two sides that do.",
    )
    expect(
        by_width == whole - start,
        f"by_width: {by_width} is not it. Add up embedding, layers and the last norm; "
        "`hidden` stays what it is.",
    )


@exercise
def exercise_a1_2(layer_norm: Any) -> None:
    """Minus the mean, divided by the standard deviation, times the gain."""
    x, gain = np.array([[1.0, 2.0, 6.0], [4.0, 0.0, -4.0]]), np.array([1.0, 2.0, -1.0])

    def norm(x: Array, gain: Array, epsilon: float) -> Array:
        found = np.asarray(call(layer_norm, x.copy(), gain, epsilon))
        told = f"x has the shape {x.shape}, what you give {found.shape}."
        expect(found.shape == x.shape, told)
        return found

    def by_hand(x: Array, n: int, epsilon: float) -> Array:
        above = x - x.mean(axis=-1, keepdims=True)
        square = (above * above).sum(axis=-1, keepdims=True) / n
        return above / np.sqrt(square + epsilon) * gain

    found, root = norm(x, gain, 0.5), np.sqrt(np.mean(x * x, -1, keepdims=True) + 0.5)
    expect(not np.allclose(found, x / root * gain), "That is rms_norm: minus the mean!")
    above = x - x.mean(axis=-1, keepdims=True)
    told = "The mean is gone. Now measure the size of what is left, not of x itself."
    expect(not np.allclose(found, above / root * gain), told)
    told = "Divide the squares by their number n, not by n - 1."
    expect(not np.allclose(found, by_hand(x, 2, 0.5)), told)
    told = "Where is epsilon? It is added to the mean square, before the root."
    expect(not np.allclose(found, by_hand(x, 3, 0)), told)
    told = "The gain is forgotten: multiply by it at the end."
    expect(not np.allclose(found * gain, by_hand(x, 3, 0.5)), told)
    told = "Each vector has a mean and a size of its own: axis=-1, keepdims=True."
    expect(np.allclose(found, by_hand(x, 3, 0.5)), f"{short(found.tolist())}. {told}")


def reference(q: Array, k: Array, v: Array, window: int) -> Array:
    """The same with loops, for one text and one head: (T, D)."""
    rows, late = [], len(k) - len(q)
    for i in range(len(q)):
        near = slice(max(0, i + late - window + 1), i + late + 1)
        weights = np.exp(k[near] @ q[i] * len(q[i]) ** -0.5)
        rows.append(weights / weights.sum() @ v[near])
    return np.array(rows)


@exercise
def exercise_a1_3(windowed_attention: Any) -> None:
    """Each position sees itself and the window - 1 positions before it."""
    q, k, v = np.random.default_rng(0).normal(size=(3, 1, 1, 6, 4))
    attend = call(windowed_attention, 3)
    told = f"Give back a function, as causal_attention does, not {short(attend)}."
    expect(callable(attend), told)

    def seen(attend: Any, q: Array) -> Array:
        found = np.asarray(call(attend, 0, q, k, v))
        told = f"{q.shape} queries see something of that shape, not {found.shape}."
        expect(found.shape == q.shape, told)
        return found[0, 0]

    found = seen(attend, q)
    one_head = q[0, 0], k[0, 0], v[0, 0]
    for window, told in (
        (6, "A position still sees everything before it."),
        (4, "Off by one: the position itself counts as one of the window."),
        (2, "Off by one: window 3 is the position itself and two before it."),
    ):
        expect(not np.allclose(found, reference(*one_head, window)), told)
    told = "Divide the products by the root of their length D."
    unscaled = reference(q[0, 0] * 2, *one_head[1:], 3)  # the root of 4
    expect(not np.allclose(found, unscaled), told)
    told = "Someone sees the future, or the weights no longer add up to one."
    expect(np.allclose(found, reference(*one_head, 3)), told)
    late = q[:, :, -2:]
    told = "With two queries for six keys, the queries are the *last* two positions."
    right = reference(late[0, 0], *one_head[1:], 3)
    expect(np.allclose(seen(attend, late), right), told)
    alone = seen(call(windowed_attention, 1), q)
    expect(np.allclose(alone, v[0, 0]), "Window 1: a position sees itself alone.")


@cache
def last_digit() -> tuple[set[Head], float, float]:
    """At the last digit of the sums of section 8: the heads that look and are not
    missed, the drop without all of them at once, and the sum of their own drops."""
    engine, last = Engine(), slice(-1, None)
    problems = generate("test", 80, seed=1, steps=(2, 3))
    sums = find_sums(problems, engine, last=True)
    looks = mean_shares(engine, sums) > 0.5
    drops = find_drops(engine, sums, last).mean(axis=0)
    idle = {(int(i), int(h)) for i, h in np.argwhere(looks & (drops < 0.05))}
    both = causal_attention(), without(idle, last)
    whole, left = (np.mean([digit_log_prob(engine, s, a) for s in sums]) for a in both)
    return idle, whole - left, sum(drops[head] for head in idle)


@exercise
def exercise_a1_4(idle: Any, together: Any) -> None:
    """Heads that look and are not missed one by one, but all at once."""
    told = "A list of heads (layer, head), both from 0, such as [(3, 0)]"
    pairs = [*idle] if isinstance(idle, list | tuple | set) else [None]
    is_list = all(isinstance(x, list | tuple) and len(x) == 2 for x in pairs)
    expect(is_list, f"{told}, is asked for, not {short(idle)}.")
    heads, (right, drop, alone) = {tuple(x) for x in pairs}, last_digit()
    if more := heads - right:
        head = min(more)
        told = "does not look at the summands for more than half, or is missed."
        expect(False, f"{head} {told}")
    told = f"You name {len(heads)} heads, all of them idle; there are more."
    expect(heads == right, told)
    expect(is_number(together), f"together is a number, not {short(together)}.")
    told = "that is the sum of what each costs alone. Take them away in one run."
    expect(abs(together - alone) > 0.01, f"together: {told}")
    told = "together: a drop is positive if the right digit becomes less probable."
    expect(together > 0, told)
    told = (
        f"together: {together} is not it. Give `without` the list `idle`, at the last "
        "position only, and take the mean over the sums before their last digit."
    )
    expect(abs(together - drop) < 0.05, told)

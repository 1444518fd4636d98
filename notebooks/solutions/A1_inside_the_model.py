"""Solutions of notebook A1, a cell each; between the marks stands what is solved.

`make class` puts them into the teacher's edition; the tests run them.
"""

# %% setup
import numpy as np

from helpers.abacus import (
    Array,
    Attention,
    Config,
    Engine,
    causal_attention,
    digit_log_prob,
    find_drops,
    find_sums,
    init_params,
    mean_shares,
    without,
)
from helpers.problems import generate

engine = Engine()
problems = generate("test", 80, seed=1, steps=(2, 3))

# %% exercise_a1_1
by_heads = ...  # 8 heads instead of 4
by_width = ...  # width 256 instead of 128
### BEGIN SOLUTION
sizes = {"now": Config(), "heads": Config(heads=8), "width": Config(width=256)}
totals = {
    name: sum(array.size for array in init_params(size, 0).values())
    for name, size in sizes.items()
}
by_heads = totals["heads"] - totals["now"]  # none: each head is half as wide
by_width = totals["width"] - totals["now"]
### END SOLUTION


# %% exercise_a1_2
def layer_norm(x: Array, gain: Array, epsilon: float) -> Array:
    """Each vector minus its mean, scaled to a standard deviation of one."""
    ### BEGIN SOLUTION
    above = x - x.mean(axis=-1, keepdims=True)
    square = np.mean(above * above, axis=-1, keepdims=True)
    return above * (square + epsilon) ** -0.5 * gain
    ### END SOLUTION


# %% exercise_a1_3
def windowed_attention(window: int) -> Attention:
    """Each position sees itself and the window - 1 positions before it."""

    ### BEGIN SOLUTION
    def attend(layer: int, q: Array, k: Array, v: Array) -> Array:
        queries, keys = q.shape[-2], k.shape[-2]
        far = np.arange(keys - queries, keys)[:, None] - np.arange(keys)
        mask = np.where((far < 0) | (far >= window), -np.inf, 0.0)
        scores = q @ np.swapaxes(k, -1, -2) * q.shape[-1] ** -0.5 + mask
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return weights / weights.sum(axis=-1, keepdims=True) @ v

    return attend
    ### END SOLUTION


# %% exercise_a1_4
idle = ...  # heads, such as [(3, 0), ...]
together = ...  # the drop without all of them, in nats
### BEGIN SOLUTION
lasts, here = find_sums(problems, engine, last=True), slice(-1, None)
looks = mean_shares(engine, lasts) > 0.5
drops = find_drops(engine, lasts, here).mean(axis=0)
idle = [tuple(head) for head in np.argwhere(looks & (drops < 0.05)).tolist()]
whole, left = (
    np.mean([digit_log_prob(engine, s, attend) for s in lasts])
    for attend in (causal_attention(), without(idle, here))
)
together = whole - left
### END SOLUTION

"""The transformer: causality, gradients, rotary positions, and the update rules."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from tiny_llama import PARAMS, RNG, TINY, TOKENS, states

from helpers.abacus import (
    adamw,
    init_params,
    logits,
    rms_norm,
    rotary,
    update,
)
from helpers.abacus.optimizer import muon, orthogonal
from helpers.abacus.transformer import rotate


def plain_llama(params: dict, tokens: list[int]) -> np.ndarray:
    """The same network for one text in loops and complex numbers, as the oracle."""
    c, d = TINY, TINY.width // TINY.heads
    x = [params["embedding"][t] for t in tokens]

    def norm(v: np.ndarray, gain: np.ndarray) -> np.ndarray:
        return v / np.sqrt(np.mean(v**2) + c.epsilon) * gain

    def turn(v: np.ndarray, position: int) -> np.ndarray:
        angle = position * c.rotary_base ** (-2 * np.arange(d // 2) / d)
        turned = (v[0::2] + 1j * v[1::2]) * np.exp(1j * angle)
        return np.stack([turned.real, turned.imag], axis=1).ravel()

    for i in range(c.layers):
        w = {k.split(".")[1]: v for k, v in params.items() if k.startswith(f"{i}.")}
        h = [norm(v, w["attention_norm"]) for v in x]
        for t in reversed(range(len(x))):  # later positions first: x changes in place
            seen = []
            for a in range(c.heads):
                part = slice(a * d, (a + 1) * d)
                q = turn((h[t] @ w["query"])[part], t)
                ks = [turn((h[s] @ w["key"])[part], s) for s in range(t + 1)]
                weights = np.exp([q @ k / np.sqrt(d) for k in ks])
                vs = np.array([(h[s] @ w["value"])[part] for s in range(t + 1)])
                seen.append(weights / weights.sum() @ vs)
            x[t] = x[t] + np.concatenate(seen) @ w["attention_out"]
        for t, v in enumerate(x):
            n = norm(v, w["feed_norm"])
            gate = n @ w["gate"]
            x[t] = v + (gate / (1 + np.exp(-gate)) * (n @ w["up"])) @ w["down"]
    return np.array([norm(v, params["final_norm"]) for v in x])


def test_forward_pass_equals_the_plain_one() -> None:
    found = states(PARAMS, TOKENS)
    for row, text in zip(found, TOKENS, strict=True):
        np.testing.assert_allclose(row, plain_llama(PARAMS, list(text)), atol=1e-12)


def test_a_position_does_not_see_later_ones() -> None:
    changed = TOKENS.copy()
    changed[:, 4:] = (changed[:, 4:] + 1) % 11
    before, after = states(PARAMS, TOKENS), states(PARAMS, changed)
    np.testing.assert_allclose(before[:, :4], after[:, :4], atol=1e-14)
    assert np.abs(before[:, 4:] - after[:, 4:]).max() > 1e-3


def test_rotation_depends_on_distance_only() -> None:
    q, k = RNG.normal(size=(2, 1, 1, 1, 4))

    def product(i: int, j: int) -> float:
        a = rotate(q, *rotary(TINY, i, i + 1))
        b = rotate(k, *rotary(TINY, j, j + 1))
        return float((a * b).sum())

    assert product(5, 2) == pytest.approx(product(13, 10))
    assert product(5, 2) != pytest.approx(product(5, 3))


def test_norm_scales_to_a_mean_square_of_one() -> None:
    x = RNG.normal(3, 5, (4, 64))
    normed = rms_norm(x, np.ones(64), 0.0)
    np.testing.assert_allclose((normed**2).mean(-1), 1.0)


def test_gradients_equal_finite_differences() -> None:
    def loss(params: dict, xp=anp) -> float:
        scores = logits(params, states(params, TOKENS, xp))
        return xp.sum(xp.log(xp.sum(xp.exp(scores), axis=-1))) - xp.sum(scores[..., 3])

    gradients = grad(loss)(PARAMS)
    for name, value in PARAMS.items():
        direction = RNG.normal(size=value.shape)
        up, down = ({**PARAMS, name: value + e * direction} for e in (1e-5, -1e-5))
        slope = (loss(up, np) - loss(down, np)) / 2e-5
        assert slope == pytest.approx(np.sum(gradients[name] * direction), rel=1e-5)


def test_adamw_by_hand() -> None:
    # First step: m = 0.1 g and v = 0.05 g^2 are corrected to g and g^2, so the
    # parameter moves by the learning rate 0.004 against the sign of the gradient.
    w, g = np.array([1.0, -2.0]), np.array([0.5, -3.0])
    zeros = {"m": np.zeros(2), "v": np.zeros(2)}
    moved, memory = adamw(w, g, zeros, step=1, rate=1.0)
    np.testing.assert_allclose(moved, [0.996, -1.996])
    np.testing.assert_allclose(memory["m"], [0.05, -0.3])
    np.testing.assert_allclose(memory["v"], [0.0125, 0.45])


@pytest.mark.parametrize("shape", [(16, 16), (16, 48), (48, 16)])
def test_orthogonal_keeps_directions_and_levels_sizes(shape: tuple[int, int]) -> None:
    matrix = RNG.normal(size=shape)
    u, _, vt = np.linalg.svd(matrix, full_matrices=False)
    found = u.T @ orthogonal(matrix) @ vt.T  # diagonal in the matrix's own directions
    np.testing.assert_allclose(found, np.diag(np.diag(found)), atol=1e-6)
    assert np.diag(found).min() > 0.6 and np.diag(found).max() < 1.3


def test_muon_moves_all_directions_alike() -> None:
    w, zeros = np.zeros((32, 32)), {"m": np.zeros((32, 32))}
    moved, _ = muon(w, RNG.normal(size=(32, 32)), zeros, step=1, rate=1.0)
    sizes = np.linalg.svd(moved, compute_uv=False)
    assert sizes.min() > 0.6 * 0.02 and sizes.max() < 1.3 * 0.02


def test_training_lowers_the_loss() -> None:
    def loss(params: dict) -> float:
        scores = logits(params, states(params, TOKENS[:, :-1], anp))
        scores = scores - anp.log(anp.sum(anp.exp(scores), axis=-1, keepdims=True))
        chosen = scores.reshape(-1, 11)[np.arange(15), TOKENS[:, 1:].ravel()]
        return -anp.mean(chosen)

    params, state = init_params(TINY, 0), {}
    first = loss(params)
    for step in range(1, 201):
        params, state = update(params, grad(loss)(params), state, step, rate=1.0)
    assert first == pytest.approx(np.log(11), abs=0.1)  # knows nothing
    assert loss(params) < 0.3 * first

"""How parameters follow their gradients: AdamW, and Muon for matrices.

Vocabulary used here: a *gradient* is an array of its parameter's shape; a
*momentum* is a running mean of gradients; a *state* is the dictionary of arrays
that an optimizer remembers between steps, so that a checkpoint can hold it.

Written with plain operators, so the arrays may be NumPy's or PyTorch's.

Not covered: parameter groups, gradient clipping (both rules bound their own step).

Source: Loshchilov & Hutter 2019 (AdamW); Jordan et al. 2024 (Muon: the momentum of
a matrix is replaced by its nearest orthogonal matrix, found by a Newton-Schulz
iteration, so that all its directions move equally far).
"""

from .transformer import Array, Params


def orthogonal(matrix: Array, iterations: int = 5) -> Array:
    """Push all singular values of a matrix towards one (0.7 to 1.2 is enough)."""
    a, b, c = 3.4445, -4.7750, 2.0315  # the quintic of Jordan et al.
    x = matrix / ((matrix * matrix).sum() ** 0.5 + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(iterations):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if tall else x


def is_inner_matrix(name: str, value: Array) -> bool:
    """Muon is for the matrices between layers, not for tables of embeddings."""
    return value.ndim == 2 and name != "embedding"


def update(
    params: Params, grads: Params, state: Params, step: int, rate: float
) -> tuple[Params, Params]:
    """New parameters and new state after one step of size `rate` (1 = full speed)."""
    new_params, new_state = {}, {}
    for name, value in params.items():
        rule = muon if is_inner_matrix(name, value) else adamw
        memory = {k: state.get(f"{name}.{k}", 0.0 * value) for k in ("m", "v")}
        new_params[name], memory = rule(value, grads[name], memory, step, rate)
        new_state |= {f"{name}.{k}": array for k, array in memory.items()}
    return new_params, new_state


def muon(w: Array, g: Array, memory: Params, step: int, rate: float) -> tuple:
    """One Muon step with Nesterov momentum for a matrix."""
    m = 0.95 * memory["m"] + g
    direction = orthogonal(g + 0.95 * m) * max(1, w.shape[0] / w.shape[1]) ** 0.5
    return w - 0.02 * rate * (direction + 0.1 * w), {"m": m}


def adamw(w: Array, g: Array, memory: Params, step: int, rate: float) -> tuple:
    """One AdamW step; `step` counts from 1 and corrects the young means."""
    m = 0.9 * memory["m"] + 0.1 * g
    v = 0.95 * memory["v"] + 0.05 * g * g
    direction = (m / (1 - 0.9**step)) / ((v / (1 - 0.95**step)) ** 0.5 + 1e-8)
    return w - 0.004 * rate * direction, {"m": m, "v": v}


def rate_at(progress: float) -> float:
    """The share of the full learning rate: a short rise, a plateau, a line to zero."""
    return min(1.0, progress / 0.01, (1 - progress) / 0.5)

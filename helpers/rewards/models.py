"""Models that judge reasoning, trained from scratch on what a language model computes.

Vocabulary
    ORM       outcome reward model: the probability that the answer of a path is right.
    PRM       process reward model: after each step, the probability that the path is
              right so far. Trained on soft labels, it is a *value model*: it tells the
              chance that the language model still gets there.
    state     the vector that the language model has after the last token of a step.
    features  x, a row of numbers a step: the state, joined with plain ones.
    target    y in [0, 1]: what the model should say. It may be soft.

The network has one hidden layer: p = sigmoid(relu(x W + b) v + c). Its loss is the
cross-entropy -y log p - (1 - y) log(1 - p), which is least where p is the mean of y.
Verifiers of this kind: Cobbe et al. 2021, arXiv:2110.14168 (outcome); Lightman et al.
2023, arXiv:2305.20050, and Wang et al. 2023, arXiv:2312.08935 (process); Feng et al.
2023, arXiv:2309.17179 (value).

Covers: features, training, saving, scoring. Does not cover: where targets come from
(`learning/labels.py`), and changing the language model itself: its states are taken as
they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path as File

import numpy as np

from helpers.abacus import adamw, intact, load_arrays, save_arrays
from helpers.llm import LLMGen, check_limits, embed, folded
from helpers.problems import STOP_STRING, states_answer

from .arithmetic import ArithmeticChecker
from .scorers import Path, aggregate, step_confidence

# What ships: models of abacus with all features, without arithmetic, with states alone
HERE = File(__file__).parent
PRM = HERE / "prm.npz"
PRM_UNCHECKED = HERE / "prm_unchecked.npz"
PRM_STATES = HERE / "prm_states.npz"

Params = dict[str, np.ndarray]
GROUPS = ("states", "arithmetic", "plain")  # of features
BATCH = 64  # steps; so small a network learns well from many small updates
REMEMBERED = 10_000  # states


def texts_of(path: Path) -> list[str]:
    """What the language model has read after each step."""
    texts, text = [], path.prompt
    for step in path.steps:
        text += step + path.delimiter
        texts.append(text)
    return texts


def arithmetic_features(path: Path) -> np.ndarray:
    """Of each step, the share of true equations, and the lowest so far: (T, 2)."""
    shares = ArithmeticChecker().step_scores(path)
    return np.stack([shares, np.minimum.accumulate(shares)], axis=1)


def plain_features(path: Path) -> np.ndarray:
    """Of each step, how sure the model was (two numbers), its length and place: (T, 5).

    Its confidence, and the lowest so far; tokens; place; is it the one that answers?
    """
    sure = step_confidence(path)
    tokens = [action.tokens / action.count for action in path.actions]
    ends = (STOP_STRING.casefold() in step.casefold() for step in path.steps)
    answers = [a or states_answer(s) for a, s in zip(ends, path.steps, strict=True)]
    columns = sure, np.minimum.accumulate(sure), tokens, range(len(sure)), answers
    return np.stack(columns, axis=1).astype(float)


def init_network(inputs: int, width: int, seed: int) -> Params:
    """Random parameters for a hidden layer of this width."""
    rng = np.random.default_rng(seed)
    return {
        "W": rng.normal(0, inputs**-0.5, (inputs, width)),
        "b": np.zeros(width),
        "v": rng.normal(0, width**-0.5, width),
        "c": np.zeros(()),
    }


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)), written so that no z is too large."""
    return (1 + np.tanh(z / 2)) / 2


def predict(params: Params, x: np.ndarray) -> np.ndarray:
    """p (n,) for the features x (n, f)."""
    hidden = np.maximum(x @ params["W"] + params["b"], 0)
    return sigmoid(hidden @ params["v"] + params["c"])


def loss_and_gradients(
    params: Params, x: np.ndarray, y: np.ndarray
) -> tuple[float, Params]:
    """The mean cross-entropy in nats, and its derivative by every parameter."""
    hidden = np.maximum(x @ params["W"] + params["b"], 0)
    z = hidden @ params["v"] + params["c"]
    loss = np.mean(np.logaddexp(0, z) - y * z)  # the cross-entropy, safe for large z
    dz = (sigmoid(z) - y) / len(y)
    dhidden = np.outer(dz, params["v"]) * (hidden > 0)
    gradients = {
        "W": x.T @ dhidden,
        "b": dhidden.sum(axis=0),
        "v": hidden.T @ dz,
        "c": dz.sum(),
    }
    return float(loss), gradients


class RewardModel:
    """Judges paths by their features; the base of the two kinds below.

    llm: the language model whose states are read.
    use: the groups of features, of `GROUPS`.
    width: of the hidden layer.
    Raises ValueError for an unknown group.
    """

    def __init__(
        self, llm: LLMGen, use: Sequence[str] = GROUPS, width: int = 64, seed: int = 0
    ) -> None:
        unknown = sorted(set(use) - set(GROUPS))
        if unknown or not use:
            raise ValueError(f"use={use!r}: type some of {GROUPS}.")
        self.llm, self.use, self.width, self.seed = llm, tuple(use), width, seed
        self.params: Params = {}  # until it is trained
        self.known: dict[str, np.ndarray] = {}  # states, by the text that was read

    def states(self, texts: Sequence[str]) -> np.ndarray:
        """The language model's states (T, d); each text is read once."""
        known = self.known
        found = {text: known[text] for text in texts if text in known}
        new = [text for text in texts if text not in found]
        if len(known) + len(new) > REMEMBERED:
            self.known = {}  # other threads go on with the one they have
        if new:
            read = dict(zip(new, embed(self.llm, new), strict=True))
            self.known |= read
            found |= read
        return np.array([found[text] for text in texts])

    def features(self, path: Path, states: np.ndarray | None = None) -> np.ndarray:
        """x (T, f) of a path, in the order of `GROUPS`; states may be given."""
        groups = {
            "states": lambda: self.states(texts_of(path)) if states is None else states,
            "arithmetic": lambda: arithmetic_features(path),
            "plain": lambda: plain_features(path),
        }
        return np.hstack([groups[name]() for name in GROUPS if name in self.use])

    def step_scores(self, path: Path) -> list[float]:
        """p after each step."""
        if not self.params:
            raise ValueError("This model has not learned yet. Type model.fit(...).")
        if not path.steps:
            return []
        x = (self.features(path) - self.params["mean"]) / self.params["spread"]
        return predict(self.params, x).tolist()

    def fit(
        self,
        paths: Sequence[Path],
        targets: Iterable[Sequence[float]],
        epochs: int = 20,
    ) -> list[float]:
        """Train on paths with a target for each step; the mean loss of every epoch.

        Raises ValueError where steps and targets do not match.
        """
        check_limits(epochs=epochs)
        pairs = [(p, t) for p, t in zip(paths, targets, strict=True) if p.steps]
        if not pairs:
            raise ValueError("There is no step to learn from. Draw paths first.")
        for path, target in pairs:
            y = np.asarray(target, dtype=float)
            if len(y) != len(path.steps) or not ((y >= 0) & (y <= 1)).all():
                raise ValueError(
                    f"Type a target from 0 to 1 for each of {len(path.steps)} steps; "
                    f"got {target!r}."
                )
        x = [self.features(path) for path, _ in pairs]
        return self.fit_features(*self.select(x, [t for _, t in pairs]), epochs)

    def select(
        self, x: Sequence[np.ndarray], targets: Iterable[Sequence[float]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The steps to learn from: all."""
        return np.concatenate(x), np.concatenate([*targets]).astype(float)

    def fit_features(self, x: np.ndarray, y: np.ndarray, epochs: int) -> list[float]:
        """The same for features x (n, f) and targets y (n,) of n steps."""
        mean, spread = x.mean(axis=0), x.std(axis=0)
        spread[spread < 1e-6] = 1.0  # a feature that never changes tells nothing
        x = (x - mean) / spread
        params = init_network(x.shape[1], self.width, self.seed)
        memory = {k: {"m": 0.0 * p, "v": 0.0 * p} for k, p in params.items()}
        rng, losses, step = np.random.default_rng(self.seed), [], 0
        updates = epochs * -(-len(x) // BATCH)
        for _ in range(epochs):
            order, total = rng.permutation(len(x)), 0.0
            for start in range(0, len(x), BATCH):
                rows = order[start : start + BATCH]
                loss, gradients = loss_and_gradients(params, x[rows], y[rows])
                total += loss * len(rows)
                step, rate = step + 1, 1 - step / updates
                for name, g in gradients.items():
                    params[name], memory[name] = adamw(
                        params[name], g, memory[name], step, rate
                    )
            losses.append(total / len(x))
        self.params = params | {"mean": mean, "spread": spread}
        return losses

    def save(self, file: File | str) -> None:
        """Write the parameters, as 32-bit floats, and what they belong to."""
        if not self.params:
            raise ValueError("This model has not learned yet. Type model.fit(...).")
        facts = {"kind": type(self).__name__, "use": self.use, "model": self.llm.model}
        about = {name: np.array(fact) for name, fact in facts.items()}
        params = {k: p.astype(np.float32) for k, p in self.params.items()}
        save_arrays(file, about | params)

    @classmethod
    def load(cls, file: File | str, llm: LLMGen) -> RewardModel:
        """Read what `save` wrote.

        Raises ValueError for a damaged file, a model of the other kind, or one that
        judges another language model.
        """
        file = File(file)
        advice = f"Save it again, or if it is the project's: git checkout -- {file}"
        with intact(file, "reward model", advice):
            params = load_arrays(file)
            kind, model = str(params.pop("kind")), str(params.pop("model"))
            use = params.pop("use").tolist()
        if kind != cls.__name__:
            raise ValueError(f"{file} is another kind. Type {kind}.load(...).")
        if folded(model) != folded(llm.model):
            raise ValueError(
                f"{file} judges {model!r}, not {llm.model!r}. Type "
                f"LLMGen({model!r}), or train one for {llm.model!r}: fit(...)."
            )
        found = cls(llm, use, width=len(params["b"]))
        found.params = {name: p.astype(np.float64) for name, p in params.items()}
        return found


class ProcessRewardModel(RewardModel):
    """A scorer that judges every step; the weakest step is the score of a path.

    `how` may be set to another aggregation: "last", "product" or "mean".
    """

    how = "min"

    def __call__(self, paths: Sequence[Path]) -> list[float]:
        """The score of each path; one without steps has 1."""
        return aggregate(self.step_scores, self.how)(paths)


class OutcomeRewardModel(RewardModel):
    """A scorer that judges finished paths, by their last step.

    It never saw an unfinished one in training, so there its word is worth less.
    """

    def select(
        self, x: Sequence[np.ndarray], targets: Iterable[Sequence[float]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The steps to learn from: the last of each path."""
        lasts = [target[-1] for target in targets]
        return np.array([rows[-1] for rows in x]), np.array(lasts, dtype=float)

    def __call__(self, paths: Sequence[Path]) -> list[float]:
        """The score of each path; one without steps has 1."""
        return [s[-1] if (s := self.step_scores(path)) else 1.0 for path in paths]

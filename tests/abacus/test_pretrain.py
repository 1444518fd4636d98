"""Pre-training in the small; what needs PyTorch is skipped where it is missing."""

import random
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from helpers.abacus import (
    Config,
    Tokenizer,
    causal_attention,
    hidden_states,
    init_params,
    logits,
    pretrain,
    rate_at,
    rotary,
)
from helpers.abacus import lessons as made
from helpers.abacus.engine import HERE
from helpers.abacus.pretrain import Trainer, mean_loss
from helpers.abacus.tokenizer import load_merges

TOK = Tokenizer(load_merges(HERE / "merges.txt"))
TINY = Config(width=32, layers=1, heads=2, hidden=32)


def test_the_vocabulary_comes_from_its_seed() -> None:
    assert pretrain.learn_vocabulary(0, 1024) == TOK.merges


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "CHUNK", 24)
    monkeypatch.setattr(made, "BATCH_TOKENS", 1024)


def test_learning_rate_rises_stays_and_falls() -> None:
    rates = [rate_at(p) for p in (0.0, 0.005, 0.01, 0.5, 0.75, 1.0)]
    assert rates == pytest.approx([0.0, 0.5, 1.0, 1.0, 0.5, 0.0])


@pytest.mark.skipif(bool(find_spec("torch")), reason="PyTorch is here")
def test_without_pytorch_it_says_what_to_type() -> None:
    command = [sys.executable, "-m", "helpers.abacus.pretrain"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert done.returncode == 2 and 'pip install -e ".[train]"' in done.stderr


def test_loss_equals_the_one_computed_in_numpy() -> None:
    torch = pytest.importorskip("torch", reason="pre-training needs .[train]")
    rng, params = random.Random(0), init_params(TINY, 0)
    ids = np.array([[rng.randrange(1024) for _ in range(9)] for _ in range(4)])
    weights = np.array([[rng.random() for _ in range(9)] for _ in range(4)])
    tensors = {k: torch.tensor(v) for k, v in params.items()}
    found = mean_loss(tensors, (torch.tensor(ids), torch.tensor(weights)), TINY)
    states = hidden_states(
        params, ids[:, :-1], TINY, rotary(TINY, 0, 8), causal_attention()
    )
    scores = logits(params, states)
    scores -= np.log(np.exp(scores).sum(-1, keepdims=True))
    chosen = np.take_along_axis(scores, ids[:, 1:, None], -1)[..., 0]
    expected = -(chosen * weights[:, 1:]).sum() / weights[:, 1:].sum()
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_an_interrupted_training_goes_on_to_the_same_weights(
    small_chunks: None, tmp_path
) -> None:
    pytest.importorskip("torch", reason="pre-training needs .[train]")

    class Bar:
        """A progress bar that pulls the plug after so many batches."""

        def __init__(self, batches: float) -> None:
            self.n, self.left = 0, batches

        def set_postfix(self, **_: object) -> None:
            self.left -= 1

        def update(self, n: int) -> None:
            self.n += n
            if self.left <= 0:
                raise KeyboardInterrupt

    def train(trainer: Trainer, batches: float = np.inf) -> Trainer:
        pretrain.pretrain(trainer, 20_000, TOK, tmp_path / "c.npz", Bar(batches))
        return trainer

    straight = train(Trainer(TINY, 0))
    (tmp_path / "c.npz").unlink()
    with pytest.raises(KeyboardInterrupt):
        train(Trainer(TINY, 0), batches=10)
    resumed = Trainer(TINY, 0)
    resumed.load(tmp_path / "c.npz")
    assert 0 < resumed.step < 10
    train(resumed)
    for name, value in straight.params.items():
        np.testing.assert_allclose(value, resumed.params[name], atol=1e-5)
    with pytest.raises(ValueError, match="choose another --out"):
        Trainer(TINY, 1).load(tmp_path / "c.npz")

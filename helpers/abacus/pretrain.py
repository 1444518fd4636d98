"""Pre-training of abacus: from random numbers to a model of grade-school sums.

Vocabulary used here: a *batch* is token ids and the weight of each (`lessons.py`); a
*chunk* is the batches made at a time; a *checkpoint* holds all it takes to resume.

    python -m helpers.abacus.pretrain --tokens 36e6 --out build/abacus.npz

It needs PyTorch (`pip install -e .[train]`), runs on the GPU if there is one, and is
resumed from its last checkpoint if it was interrupted. The same seed gives the same
lessons in the same order; on other machines or with other numbers of threads, rounding
grows over thousands of steps, so the weights come out alike, not equal.

Not covered: several GPUs, mixed precision, fine-tuning (`finetune.py`).

Source: Loshchilov & Hutter 2019 (AdamW); Jordan et al. 2024 (Muon); Hu et al. 2024
(MiniCPM) for a constant learning rate that falls at the end.
"""

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from helpers.problems import PROBLEM_FORMAT, TASK_DESCRIPTION, format_solution, generate

from .arrays import intact, load_arrays, save_arrays
from .engine import MERGES
from .lessons import batches
from .optimizer import rate_at, update
from .tokenizer import Merge, Tokenizer, learn_merges, load_merges, save_merges
from .transformer import Config, hidden_states, init_params, logits, rotary


def mean_loss(params: dict[str, Any], batch: tuple[Any, Any], config: Config) -> Any:
    """Weighted cross-entropy of the next token, in nats (a PyTorch scalar)."""
    import torch
    from torch.nn import functional

    def attend(layer: int, q: Any, k: Any, v: Any) -> Any:
        return functional.scaled_dot_product_attention(q, k, v, is_causal=True)

    ids, weights = batch
    angles = rotary(config, 0, ids.shape[1] - 1)
    positions = [torch.asarray(x).to(params["embedding"]) for x in angles]
    states = hidden_states(params, ids[:, :-1], config, positions, attend, torch)
    scores = logits(params, states).flatten(0, 1)
    loss = functional.cross_entropy(scores, ids[:, 1:].flatten(), reduction="none")
    return (loss * weights[:, 1:].flatten()).sum() / weights[:, 1:].sum()


class Trainer:
    """Parameters, optimizer state and how far the training has come."""

    def __init__(self, config: Config, seed: int) -> None:
        import torch

        self.config, self.seed = config, seed
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.params = self._tensors(init_params(config, seed))
        self.state: dict[str, Any] = {}
        self.step = self.tokens = self.chunk = 0

    def _tensors(self, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
        import torch

        to = {"dtype": torch.float32, "device": self.device}
        return {name: torch.tensor(array, **to) for name, array in arrays.items()}

    def learn(self, ids: np.ndarray, weights: np.ndarray, rate: float) -> float:
        """One step on one batch; the loss before it, in nats a token."""
        import torch

        leaves = {k: p.detach().requires_grad_() for k, p in self.params.items()}
        batch = [torch.tensor(x, device=self.device) for x in (ids, weights)]
        loss = mean_loss(leaves, batch, self.config)
        slopes = torch.autograd.grad(loss, [*leaves.values()])
        grads = dict(zip(leaves, slopes, strict=True))
        self.step += 1
        self.tokens += ids.size
        with torch.no_grad():
            self.params, self.state = update(
                self.params, grads, self.state, self.step, rate
            )
        return loss.item()

    def save(self, path: Path) -> None:
        """Write a checkpoint at once or not at all."""
        counts = {n: np.array(getattr(self, n)) for n in COUNTS}
        arrays = {f"param {k}": p.cpu().numpy() for k, p in self.params.items()}
        arrays |= {f"state {k}": s.cpu().numpy() for k, s in self.state.items()}
        save_arrays(path, counts | arrays)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint; another seed in it is an error."""
        with intact(path, "checkpoint", "Delete it, or choose another --out."):
            arrays = load_arrays(path)
            counts = {name: int(arrays[name]) for name in COUNTS}
        if (seed := counts["seed"]) != self.seed:
            raise ValueError(
                f"{path} was trained from seed {seed}, not "
                f"{self.seed}: choose another --out"
            )
        for name, count in counts.items():
            setattr(self, name, count)
        for kind, target in ("param ", "params"), ("state ", "state"):
            found = {k.removeprefix(kind): a for k, a in arrays.items() if kind in k}
            setattr(self, target, self._tensors(found))


COUNTS = ("seed", "step", "tokens", "chunk")


def pretrain(
    trainer: Trainer, total: float, tok: Tokenizer, checkpoint: Path, bar: tqdm
) -> None:
    """Train until `total` tokens are seen, with a checkpoint after every chunk."""
    loss = None
    while trainer.tokens < total:
        for ids, weights in batches(trainer.chunk, trainer.seed, tok):
            rate = max(0.0, rate_at(trainer.tokens / total))
            now = trainer.learn(ids, weights, rate)
            loss = now if loss is None else 0.98 * loss + 0.02 * now
            bar.set_postfix(loss=f"{loss:.4f}", step=trainer.step)
            bar.update(trainer.tokens - bar.n)
        trainer.chunk += 1
        trainer.save(checkpoint)


def learn_vocabulary(seed: int, size: int) -> list[Merge]:
    """The merges of the first training problems; they are kept in `merges.txt`."""
    problems = generate("train", 20_000, seed=seed)
    asked = [PROBLEM_FORMAT.format(question=p["question"]) for p in problems]
    solved = [format_solution(p["answer"]) for p in problems]
    return learn_merges([TASK_DESCRIPTION, *asked, *solved], size)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.abacus.pretrain",
        description="Pre-train abacus. Example: --tokens 36e6 --out build/abacus.npz",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--tokens", type=float, default=36e6, help="to train on")
    parser.add_argument("--seed", type=int, default=0, help="of lessons and weights")
    parser.add_argument(
        "--out", type=Path, default=Path("build/abacus.npz"), help="the file"
    )
    args = parser.parse_args()
    if find_spec("torch") is None:
        parser.error('pre-training needs PyTorch; type: pip install -e ".[train]"')
    args.out.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = args.out.with_suffix(".checkpoint.npz")
    trainer = Trainer(Config(), args.seed)
    if not MERGES.exists():
        save_merges(learn_vocabulary(args.seed, trainer.config.vocab), MERGES)
    if checkpoint.exists():
        trainer.load(checkpoint)
    look = {"unit": "tok", "unit_scale": True, "smoothing": 0.05, "mininterval": 5}
    with tqdm(total=args.tokens, initial=trainer.tokens, **look) as bar:
        tok = Tokenizer(load_merges(MERGES))
        pretrain(trainer, args.tokens, tok, checkpoint, bar)
    weights = {k: p.cpu().numpy().astype(np.float16) for k, p in trainer.params.items()}
    save_arrays(args.out, weights)


if __name__ == "__main__":
    main()

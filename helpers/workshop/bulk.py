"""Many solutions at once, in PyTorch: what a reward model needs tens of thousands of.

Vocabulary used here: a *prompt* is a list of token ids; each gets the same number of
*samples*, and all of them are the `B` rows of one batch. A *solution* is a sample with
the log-probability of each token and the *state* after each line, the vector that
`client.embed` gives for the same text.

It does what `engine.py` does, for many prompts together, in single precision, and on a
GPU if there is one: several times the tokens a second, but other computers may draw
other texts. Not covered: temperature, filters, stop strings; a solution ends with the
end of the text or a blank line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention

from helpers.abacus import END_OF_TEXT, Engine, hidden_states, logits, rotary

LONGEST = 320  # tokens of a solution
ROOM = 64  # tokens by which a cache grows
TIDY = 16  # tokens between two looks for prompts whose samples have all ended


@dataclass
class Solution:
    """Token ids, their log-probabilities, and of each line its end and its state."""

    ids: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # ids up to here, newline included
    states: list[np.ndarray] = field(default_factory=list)  # (d,) in 16 bits
    ended: bool = False


class Cache:
    """Keys and values: of each prompt once, of each row its own tokens.

    `far` is (layer: keys and values (P, H, T, D)), `own` is (layers, 2, B, H, n, D).
    """

    def __init__(self, lengths: torch.Tensor, samples: int) -> None:
        self.far: list[tuple[torch.Tensor, torch.Tensor]] = []
        self.samples, self.length = samples, 0
        padding = torch.arange(int(lengths.max()), device=lengths.device)
        is_read = padding < lengths[:, None]
        self.mask = torch.where(is_read, 0.0, -torch.inf)[:, None, None]
        self.own: torch.Tensor | None = None

    def read(self, layer: int, q: Any, k: Any, v: Any) -> Any:
        """Attention within the prompts, whose keys and values are kept."""
        self.far.append((k, v))
        return scaled_dot_product_attention(q, k, v, is_causal=True)

    def grow(self) -> None:
        """Make room for one more token in every row."""
        if self.own is None or self.length == self.own.shape[-2]:
            p, h, _, d = self.far[0][0].shape
            more = len(self.far), 2, p * self.samples, h, ROOM, d
            new = self.far[0][0].new_empty(more)
            self.own = new if self.own is None else torch.cat([self.own, new], dim=-2)
        self.length += 1

    def keep(self, prompts: torch.Tensor) -> None:
        """Forget the other prompts and their rows."""
        self.far = [(k[prompts], v[prompts]) for k, v in self.far]
        self.mask = self.mask[prompts]
        self.own = self.own[:, :, prompts.repeat_interleave(self.samples)]

    def attend(self, layer: int, q: Any, k: Any, v: Any) -> Any:
        """Attention of one new token a row (B, H, 1, D) to its prompt and its own."""
        own_k, own_v = own = self.own[layer, ..., : self.length, :]
        own[:, ..., -1:, :] = torch.stack([k, v])
        far_k, far_v = self.far[layer]
        b, h, _, d = q.shape
        q = q * d**-0.5

        def by_prompt(x: Any) -> Any:  # (B, H, 1, n) -> (P, H, samples, n)
            return x.view(-1, self.samples, h, x.shape[-1]).transpose(1, 2)

        def by_row(x: Any) -> Any:  # and back
            return x.transpose(1, 2).reshape(b, h, 1, x.shape[-1])

        far = by_row(by_prompt(q) @ far_k.transpose(-1, -2) + self.mask)
        near = q @ own_k.transpose(-1, -2)
        weights = torch.softmax(torch.cat([far, near], dim=-1), dim=-1)
        far, near = weights.split([far.shape[-1], near.shape[-1]], dim=-1)
        return by_row(by_prompt(far.contiguous()) @ far_v) + near @ own_v


class Writer:
    """abacus in PyTorch, on the GPU if there is one."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.config = self.engine.config
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.params = {k: self.tensor(p) for k, p in self.engine.params.items()}
        self.newline = self.engine.tokenizer.encode("\n")[0]

    def tensor(self, array: np.ndarray) -> torch.Tensor:
        """An array in single precision, where the model is."""
        return torch.tensor(array, dtype=torch.float32, device=self.device)

    @torch.no_grad()
    def write(
        self, prompts: Sequence[str], samples: int, seed: int
    ) -> list[list[Solution]]:
        """Draw `samples` solutions of each prompt at temperature 1."""
        random = torch.Generator(self.device).manual_seed(seed)
        ids = [self.engine.encode(prompt) for prompt in prompts]
        lengths = torch.tensor([len(i) for i in ids], device=self.device)
        cache = Cache(lengths, samples)
        states = self.read_prompts(ids, lengths, cache).repeat_interleave(samples, 0)
        done = [[Solution() for _ in range(samples)] for _ in prompts]
        rows = [solution for group in done for solution in group]
        places = lengths.repeat_interleave(samples)
        angles = [self.tensor(x) for x in rotary(self.config, 0, self.config.context)]
        for t in range(LONGEST):
            log_probs = torch.log_softmax(logits(self.params, states), dim=-1)
            tokens = torch.multinomial(log_probs.exp(), 1, generator=random)
            self.note(rows, tokens, log_probs.gather(1, tokens))
            if all(row.ended for row in rows):
                break
            if t % TIDY == 0 and cache.own is not None:
                ended = torch.tensor([row.ended for row in rows], device=self.device)
                going = ~ended.view(-1, samples).all(dim=1)
                mask = going.repeat_interleave(samples)
                cache.keep(going)
                rows = [rows[i] for i in mask.nonzero()[:, 0].tolist()]
                tokens, places = tokens[mask], places[mask]
            cache.grow()
            turn = [x[places + t][:, None, None] for x in angles]
            states = hidden_states(
                self.params, tokens, self.config, turn, cache.attend, torch
            )[:, 0]
            self.note_lines(rows, tokens, states)
        return done

    def read_prompts(
        self, ids: list[list[int]], lengths: torch.Tensor, cache: Cache
    ) -> torch.Tensor:
        """The states (P, d) after the last token of each prompt."""
        padded = torch.full((len(ids), int(lengths.max())), END_OF_TEXT)
        for row, prompt in zip(padded, ids, strict=True):
            row[: len(prompt)] = torch.tensor(prompt)
        padded = padded.to(self.device)
        angles = [self.tensor(x) for x in rotary(self.config, 0, padded.shape[1])]
        states = hidden_states(
            self.params, padded, self.config, angles, cache.read, torch
        )
        return states[torch.arange(len(ids), device=self.device), lengths - 1]

    def note(self, rows: list[Solution], tokens: Any, log_probs: Any) -> None:
        """Append a token to each solution that has not ended, or end it."""
        drawn = zip(rows, tokens[:, 0].tolist(), log_probs[:, 0].tolist(), strict=True)
        for row, token, log_prob in drawn:
            is_blank = token == self.newline == (row.ids or [self.newline])[-1]
            row.ended = row.ended or token == END_OF_TEXT or is_blank
            if not row.ended:
                row.ids.append(token)
                row.log_probs.append(log_prob)

    def note_lines(self, rows: list[Solution], tokens: Any, states: Any) -> None:
        """Keep the states of the rows that have just ended a line."""
        ended = (tokens[:, 0] == self.newline).nonzero()[:, 0].tolist()
        found = states[ended].half().cpu().numpy()
        for row, state in zip([rows[i] for i in ended], found, strict=True):
            if not row.ended:
                row.ends.append(len(row.ids))
                row.states.append(state)

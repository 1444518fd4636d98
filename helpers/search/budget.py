"""What a search may spend, and the account of what it has spent.

Vocabulary
    budget   the tokens, or calls, that a search may ask of its model. Every sampled
             token counts, those of dropped duplicates too. A call is one batch (three
             where the model is silent: it is asked again). What is under way when the
             budget ends is paid for: one step, if no step exceeds 32 tokens.
    reserve  what one long path may need. Batches are cut so that they leave it. Once it
             is touched, the budget is *short*: one step is sampled instead of k, so
             that a search ends with an answer.

Does not cover: how a search keeps to it (`base.py`).
"""

from dataclasses import dataclass
from math import inf
from numbers import Real

from helpers.env import CoTEnv
from helpers.llm import FORMS, SHORT, LLMGen, Step, failure


@dataclass(frozen=True)
class Budget:
    """What a search may spend, in tokens, in calls or in both: the first to end."""

    tokens: float = inf
    calls: float = inf

    def __post_init__(self) -> None:
        parts = self.tokens, self.calls
        if not all(isinstance(x, Real) and x >= 1 for x in parts) or min(parts) == inf:
            raise ValueError(
                f"Type a budget from 1, such as budget=1024 for tokens or "
                f"budget=Budget(calls=50); got {self}."
            )

    def pays_for(self, path: "Budget") -> int:
        """How many such paths; at least one."""
        return max(1, int(min(self.tokens / path.tokens, self.calls / path.calls)))


PATH = Budget(SHORT.path, SHORT.calls)  # what a usual solution of abacus needs
LONG_PATH = Budget(SHORT.long_path, SHORT.long_calls)  # and a long one: the reserve


def path_of(env: CoTEnv) -> tuple[Budget, Budget, int]:
    """What a usual solution and a long one need, and the tokens of a long step: `PATH`,
    `LONG_PATH` and 32, or more where a model answers in its own way."""
    limits = getattr(env, "form", FORMS["examples"]).limits
    usual = Budget(limits.path, limits.calls)
    return usual, Budget(limits.long_path, limits.long_calls), limits.step


class Meter:
    """A model whose account is kept."""

    def __init__(self, llm: LLMGen) -> None:
        self.llm, self.tokens, self.calls = llm, 0, 0

    def sample(
        self, prompt: str, k: int, seed: int | None = None, image: str | None = None,
        *stop: str,
    ) -> list[Step]:  # fmt: skip
        """Sample from the model, and count.

        Raises LLMError for words without a count: no budget could be kept.
        """
        steps = self.llm.sample(prompt, k, seed, image, *stop)
        if any(step.text and not step.tokens for step in steps):
            raise failure("uncounted", model=getattr(self.llm, "model", "the model"))
        self.calls += 1
        self.tokens += sum(step.tokens for step in steps)
        return steps

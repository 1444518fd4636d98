"""Attempts: whole solutions of one problem, with the answers that the grader reads."""

from dataclasses import dataclass

from helpers.llm import LLMGen, Step
from helpers.problems import Answer, extract_answer, is_correct
from helpers.stats import majority_vote


@dataclass(frozen=True)
class Attempts:
    """Whole solutions of one problem, the answers read in them, and which are right."""

    steps: tuple[Step, ...]
    answers: tuple[Answer, ...]
    right: tuple[bool, ...]

    @property
    def tokens(self) -> int:
        """What these attempts cost, in sampled tokens."""
        return sum(step.tokens for step in self.steps)

    def vote(self, k: int) -> bool:
        """Is the majority of the first k answers right?"""
        return self.right[self.answers.index(majority_vote(self.answers[:k]))]


def attempt(llm: LLMGen, prompt: str, gold: str, k: int, seed: int = 0) -> Attempts:
    """Let a model write k whole solutions in one batch, and judge each by `gold`.

    The model must not stop at the end of a sentence: `LLMGen(..., stop="\\n\\n")`.
    """
    steps = tuple(llm.sample(prompt, k, seed))
    answers = tuple(extract_answer(step.text) for step in steps)
    right = tuple(is_correct(step.text, gold) for step in steps)
    return Attempts(steps, answers, right)

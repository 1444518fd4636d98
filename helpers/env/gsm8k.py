"""Grade-school mathematics as an environment, for any model in its own form.

Vocabulary: a *form* is how a problem is put to a model (`llm/forms.py`). It is *open*
where the model answers in its own way, with headings and blank lines between sentences.

Covers: forms, the reward of the right number. Does not cover: the episode itself
(`cot.py`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium

from helpers.llm import (
    LLMGen,
    Proposal,
    chosen_model,
    form_of,
    merge_steps,
    write_steps,
)
from helpers.problems import (
    EXAMPLES,
    PROBLEM_FORMAT,
    STOP_STRING,
    TASK_DESCRIPTION,
    Answer,
    extract_answer,
    is_correct,
)

from .cot import CoTEnv, Problem

FIRST_PROBLEM = Problem(
    "Maya picks 5 apples on Monday and twice as many on Tuesday. "
    "How many apples does she pick in all?", answer="15",
)  # fmt: skip


class FormedEnv(CoTEnv):
    """An environment that asks a model in the form that suits it.

    form: how a problem is put to the model, by name (`llm/forms.py`); else the model's
    own. Where a form is open, the texts of the prompt are the form's, a step may hold
    headings and blank lines that lead to it (or be a paragraph), and the chain ends
    where it states an answer or the model ends its turn. `options`: the others of
    `CoTEnv`.
    """

    def __init__(
        self, problem: Problem, llm_gen: LLMGen, *texts: Any,
        form: str | None = None, **options: Any,
    ) -> None:  # fmt: skip
        self.form = form_of(llm_gen, form)
        self.delimiter = self.form.delimiter
        usual = {"is_few_shot": self.form.has_examples,
                 "max_steps": self.form.limits.max_steps}  # fmt: skip
        super().__init__(problem, llm_gen, *texts, **(usual | options))

    def is_last(self, action: str) -> bool:
        """Does this sentence end the episode?"""
        is_open = self.form.is_open
        return self.form.is_last(action) if is_open else super().is_last(action)

    @property
    def answer(self) -> Answer:
        """The answer of a terminated chain; in an open form any line may state it."""
        if not self.form.is_open:
            return super().answer
        last = extract_answer(self.steps[-1] if self.terminated else "")
        if last.value is not None or not self.terminated:
            return last
        return extract_answer("\n".join(self.steps))

    def _sample(self, k: int) -> Proposal:
        if not self.form.is_open:
            return super()._sample(k)
        asked = self.state, k, self._seed, self.problem.image, self.delimiter
        steps = write_steps(self.llm_gen, *asked)
        tokens = sum(step.tokens for step in steps)
        self.tokens_sampled += tokens
        return Proposal(merge_steps(steps), tokens)

    def _build_prompt(self) -> str:
        asked = self.problem.question
        return self.form.prompt(asked) if self.form.is_open else super()._build_prompt()


class GSM8KEnv(FormedEnv):
    """Grade-school mathematics: reward 1 for the right number, else 0.

    Without a model: REASONING_MODEL, else "abacus". `options`: the others of
    `FormedEnv` and `CoTEnv`.
    """

    def __init__(
        self, problem: Problem = FIRST_PROBLEM, llm_gen: LLMGen | None = None,
        task_description: str = TASK_DESCRIPTION,
        cot_examples: Sequence[Mapping[str, str]] = EXAMPLES,
        problem_format: str = PROBLEM_FORMAT, stop_string: str = STOP_STRING,
        **options: Any,
    ) -> None:  # fmt: skip
        model = llm_gen or LLMGen(chosen_model())
        texts = (task_description, cot_examples, problem_format, stop_string)
        super().__init__(problem, model, *texts, **options)

    def get_reward(self) -> float:
        """1.0 if the chain states the gold answer, exactly; else 0.0."""
        gold = self.problem.answer
        right = self.is_valid() and is_correct(str(self.answer.value), gold)
        return 1.0 if right else 0.0

    def is_valid(self) -> bool:
        """Has the chain ended in an answer that can be read as a number?"""
        return self.answer.value is not None


if "GSM8K-CoT-v0" not in gymnasium.registry:
    gymnasium.register("GSM8K-CoT-v0", entry_point="helpers.env:GSM8KEnv")

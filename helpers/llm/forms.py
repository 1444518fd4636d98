r"""Prompt forms: the ways in which a problem is put to a model.

Vocabulary
    form        how the question is asked, and what an answer to it looks like. Each has
                a name; `FORMS` lists them.
    closed      the model is told to write one step a line and to end with "The answer
                is": the form that abacus was trained on. The environment builds it.
    open        the model answers in its own way: headings, lists, formulas. A line ends
                a step, headings and blank lines belong to the step that follows, and
                the end is where the grader can read an answer that is stated.
    limits      what a solution needs, in tokens and steps.

Which form is best is not believed but measured: `python -m helpers.evaluation prompts`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from helpers.problems import EXAMPLES, extract_answer, format_solution

from .chat import ChatFormat
from .errors import failure

END_OF_TURN = "[end of turn]"  # stands in a step after which the model said no more
STATED = ("answer is", "####", "boxed")  # rules of the grader that do not guess


@dataclass(frozen=True)
class Limits:
    """step: tokens of a long step. path, long_path: tokens of a usual and of a long
    solution. calls, long_calls: their steps. max_steps: after which one is cut."""

    step: int
    path: int
    long_path: int
    calls: int
    long_calls: int
    max_steps: int


SHORT = Limits(step=32, path=128, long_path=160, calls=8, long_calls=10, max_steps=10)
LONG = Limits(step=64, path=320, long_path=512, calls=30, long_calls=60, max_steps=40)


@dataclass(frozen=True)
class PromptForm:
    """A way to ask.

    name: as in `FORMS`. request: what is asked, with a place for {question}; "" for a
    closed form. has_examples: whether solved examples come first. chat: the model's
    markup; None for a raw prompt. limits: of a solution.
    """

    name: str
    request: str = ""
    has_examples: bool = False
    is_chat: bool = False
    limits: Limits = LONG
    chat: ChatFormat | None = None

    @property
    def is_open(self) -> bool:
        """Whether the model answers in its own way."""
        return bool(self.request)

    @property
    def end(self) -> str:
        """What ends a whole solution: a blank line; in an open form only the end of the
        turn does, or a question that the model makes up."""
        return "\nQuestion:" if self.is_open else "\n\n"

    def prompt(self, question: str) -> str:
        """The prompt of an open form."""
        asked = self.request.format(question=question.strip())
        if not self.chat:
            return asked
        turns = []
        for example in EXAMPLES if self.has_examples else ():
            shown = self.request.format(question=example["question"])
            solved = format_solution(example["answer"])
            turns += [("user", shown), ("assistant", solved)]
        turns.append(("user", asked))
        return self.chat.open_turn([{"role": r, "content": c} for r, c in turns])

    def is_last(self, step: str) -> bool:
        """Whether a step is the last of an open form."""
        return END_OF_TURN in step or states_answer(step)


def states_answer(step: str) -> bool:
    """Whether a step states the answer, so that nobody has to guess it."""
    return extract_answer(step).rule in STATED


FORMS = {
    form.name: form
    for form in (
        PromptForm("question", limits=SHORT),
        PromptForm("examples", has_examples=True, limits=SHORT),
        PromptForm(
            "think",
            "Question: {question}\nAnswer: Let's think step by step.\n",
        ),
        PromptForm(
            "turns",
            "{question}\nSolve this step by step, one calculation per line.",
            has_examples=True,
            is_chat=True,
        ),
        PromptForm(
            "sentences",
            "{question}\nSolve this step by step. Write one short sentence per line, "
            'and end with "The answer is" and the number.',
            is_chat=True,
        ),
        PromptForm(
            "boxed",
            # The words on which Qwen's and other models were trained.
            "{question}\nPlease reason step by step, and put your final answer within "
            "\\boxed{{}}.",
            is_chat=True,
        ),
    )
}
OF_ABACUS, OF_CHAT, OF_OTHERS = "question", "boxed", "examples"  # where none is named


def choose_form(
    name: str | None,
    chat: ChatFormat | None,
    model: str = "",
    *,
    is_abacus: bool = False,
) -> PromptForm:
    """The form of this name, or the usual one of a model.

    chat: the markup of a model, None if it has none. Raises ValueError for an unknown
    name, LLMError for a form that needs markup.
    """
    if name is None:
        name = OF_ABACUS if is_abacus else OF_CHAT if chat else OF_OTHERS
    if name not in FORMS:
        raise ValueError(f"form={name!r}: type one of {', '.join(FORMS)}")
    form = FORMS[name]
    if form.is_chat and chat is None:
        said = "neither its file nor its server tells of any"
        raise failure("template", model=model, said=said)
    return replace(form, chat=chat if form.is_chat else None)


def form_of(llm: Any, name: str | None = None) -> PromptForm:
    """The form in which this model is asked, or another of this name."""
    if name is None:
        return getattr(llm, "form", None) or FORMS[OF_OTHERS]
    return choose_form(name, getattr(llm, "chat", None), getattr(llm, "model", ""))

r"""Prompt forms: the ways in which a problem is put to a model.

Vocabulary
    form        how the question is asked, and what an answer to it looks like. Each has
                a name; `FORMS` lists them.
    closed      the model is told to write one step per line and to end with "The
                answer is": the form that abacus was trained on. The environment builds
                it.
    open        the model answers in its own way: headings, lists, formulas. These
                belong to the step that follows, and the end is where the grader can
                read an answer that is stated.
    delimiter   what ends a step: a newline or, for models that write paragraphs, a
                blank line. It must be the one that the model writes: to such a model, a
                single newline where it wanted two is another text, and it does worse.
    limits      what a solution needs, in tokens and steps.

Which form is best is not believed but measured: `python -m helpers.evaluation prompts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from helpers.problems import EXAMPLES, WORKED, format_solution, states_answer
from helpers.settings import setting

from .chat import ChatFormat, chat_format
from .errors import failure

if TYPE_CHECKING:
    from .connection import Connection

END_OF_TURN = "[end of turn]"  # stands in a step after which the model said no more


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
LONG = Limits(step=96, path=320, long_path=512, calls=20, long_calls=40, max_steps=40)


@dataclass(frozen=True)
class PromptForm:
    """A way to ask.

    name: as in `FORMS`. request: what is asked, with a place for {question}; "" for a
    closed form. examples: solved ones, which come first. is_chat, chat: whether the
    prompt is in markup, and that of the model. limits: of a solution.
    """

    name: str
    request: str = ""
    examples: tuple[Mapping[str, str], ...] = ()
    is_chat: bool = False
    delimiter: str = "\n"
    limits: Limits = LONG
    chat: ChatFormat | None = None

    @property
    def has_examples(self) -> bool:
        """Whether solved examples come first."""
        return bool(self.examples)

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
        turns = []
        for example in self.examples:
            shown = self.request.format(question=example["question"])
            turns += [
                ("user", shown),
                ("assistant", format_solution(example["answer"])),
            ]
        turns.append(("user", self.request.format(question=question.strip())))
        if self.is_chat:
            return self.chat.open_turn([{"role": r, "content": c} for r, c in turns])
        ends = {"user": "", "assistant": "\n"}  # a blank line after an example
        return "".join(said + ends[role] for role, said in turns)

    def steps_of(self, text: str, is_whole: bool) -> list[str]:
        """The steps of a solution that was written at once; of a closed form, with
        single blanks between words. is_whole: whether the model came to its end."""
        parts = [part for part in text.split(self.delimiter) if part.strip()]
        if not self.is_open:
            return [" ".join(part.split()) for part in parts]
        if is_whole and parts and not states_answer(parts[-1]):
            parts[-1] += END_OF_TURN
        return parts

    def is_last(self, step: str) -> bool:
        """Whether a step is the last of an open form."""
        return END_OF_TURN in step or states_answer(step)


FORMS = {
    form.name: form
    for form in (
        PromptForm("question", limits=SHORT),
        PromptForm("examples", examples=EXAMPLES, limits=SHORT),
        PromptForm(
            "think",
            "Question: {question}\nAnswer: Let's think step by step.\n",
            delimiter="\n\n",
        ),
        PromptForm("worked", "Question: {question}\nAnswer:\n", examples=WORKED),
        PromptForm(
            "worked-turns",
            "{question}\nSolve this step by step, one calculation per line.",
            examples=WORKED,
            is_chat=True,
        ),
        PromptForm(
            "turns",
            "{question}\nSolve this step by step, one calculation per line.",
            examples=EXAMPLES,
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
            delimiter="\n\n",
        ),
    )
}
OF_ABACUS, OF_CHAT, OF_OTHERS = "question", "boxed", "examples"  # where none is named


def choose_form(name: str | None, chat: str | None, line: Connection) -> PromptForm:
    """The form of this name for a model, else the usual one.

    chat: the name of its markup, else REASONING_CHAT, else what its file or server
    tells. line: to the model. Raises ValueError for an unknown name, LLMError for a
    form that needs markup which nobody knows.
    """
    chat = chat if chat is not None else setting("REASONING_CHAT") or None
    markup = chat_format(line.info, chat, line.model)
    usual = OF_ABACUS if line.is_embedded else OF_CHAT if markup else OF_OTHERS
    return bind(name or usual, markup, line.model)


def bind(name: str, markup: ChatFormat | None, model: str = "") -> PromptForm:
    """The form of this name, with the markup of a model."""
    if name not in FORMS:
        raise ValueError(f"form={name!r}: type one of {', '.join(FORMS)}")
    if FORMS[name].is_chat and markup is None:
        said = "neither its file nor its server tells of any"
        raise failure("template", model=model, said=said)
    return replace(FORMS[name], chat=markup)


def form_of(llm: Any, name: str | None = None) -> PromptForm:
    """The form in which this model is asked, or another of this name."""
    own = getattr(llm, "form", None) or FORMS[OF_OTHERS]
    return own if name is None else bind(name, own.chat, getattr(llm, "model", ""))

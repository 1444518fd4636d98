"""How a problem is put to a language model: the one format of the whole series.

Vocabulary used here: a *prompt* is the task description, one or two solved
examples (*few-shot*) or none (*zero-shot*), and the question; a *solution* is one
step a line and a closing line "The answer is N.".

abacus is trained on exactly this, and every other model is asked in it too.
"""

import re
from collections.abc import Mapping, Sequence

TASK_DESCRIPTION = "Answer each question step by step, one step a line.\n\n"
PROBLEM_FORMAT = "Question: {question}\nAnswer:\n"
STOP_STRING = "The answer is"

Example = Mapping[str, str]  # GSM8K's schema: "question" and "answer"


def solution(answer: str) -> str:
    """A GSM8K answer as a model should write it, one step a line.

    The calculator annotations `<<48/2=24>>` go, `#### 24` becomes "The answer is
    24.".
    """
    steps = re.sub(r"<<[^<>]*>>", "", answer)
    return re.sub(r"#### *(.*?)\s*$", rf"{STOP_STRING} \1.\n", steps)


def build_prompt(
    question: str,
    examples: Sequence[Example] = (),
    task_description: str = TASK_DESCRIPTION,
    problem_format: str = PROBLEM_FORMAT,
) -> str:
    """The text before the first step: it ends in a newline, as each step does."""
    shots = [
        problem_format.format(question=example["question"])
        + solution(example["answer"])
        + "\n"
        for example in examples
    ]
    return task_description + "".join(shots) + problem_format.format(question=question)

"""How a problem is put to a language model: the one format of the whole series.

Vocabulary used here: a *prompt* is the task description, a few solved *examples*
(few-shot) or none (zero-shot), and the question; a *solution* is one step per line and
a closing line, "The answer is N.". abacus is trained on exactly this, and every other
model is asked in it too.
"""

import re
from collections.abc import Mapping

TASK_DESCRIPTION = "Answer each question step by step, one step a line.\n\n"
PROBLEM_FORMAT = "Question: {question}\nAnswer:\n"
STOP_STRING = "The answer is"
# Two solved problems, written for this project.
EXAMPLES = (
    {
        "question": "A baker fills 3 trays with 12 rolls each. She sells 20 rolls. "
        "How many rolls are left?",
        "answer": "The baker fills 3*12 = <<3*12=36>>36 rolls.\n"
        "After the sale 36-20 = <<36-20=16>>16 rolls are left.\n#### 16",
    },
    {
        "question": "Nils has 14 stamps. Vera has half as many, and Omar has 5 more "
        "than Vera. How many stamps does Omar have?",
        "answer": "Vera has 14/2 = <<14/2=7>>7 stamps.\n"
        "Omar has 7+5 = <<7+5=12>>12 stamps.\n#### 12",
    },
)
ANNOTATION = re.compile(r"<<[^<>]*>>")


def prompt_of(row: Mapping[str, str]) -> str:
    """A problem (GSM8K schema) without examples: zero-shot."""
    return TASK_DESCRIPTION + PROBLEM_FORMAT.format(question=row["question"])


def strip_annotations(text: str) -> str:
    """Remove GSM8K's calculator annotations, such as `<<48/2=24>>`."""
    return ANNOTATION.sub("", text)


def format_solution(answer: str, stop_string: str = STOP_STRING) -> str:
    """A GSM8K answer as a model should write it: "#### 5" is "The answer is 5."."""
    steps, mark, gold = strip_annotations(answer).rpartition("####")
    if not mark:
        raise ValueError(f"End the answer with a line '#### <number>': {answer!r}.")
    return f"{steps.strip()}\n{stop_string} {gold.strip()}.\n"


def format_example(
    example: Mapping[str, str],
    problem_format: str = PROBLEM_FORMAT,
    stop_string: str = STOP_STRING,
) -> str:
    """A solved problem (GSM8K schema) as a prompt shows it, and a blank line."""
    question = problem_format.format(question=example["question"])
    return question + format_solution(example["answer"], stop_string) + "\n"

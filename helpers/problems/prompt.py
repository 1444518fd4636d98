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
# Four that need more steps, as real questions do.
WORKED = (
    {
        "question": "A shop sells pens at $2 each and notebooks at $5 each. Lena buys "
        "4 pens and 3 notebooks and pays with two $20 bills. How much change does she "
        "get?",
        "answer": "The 4 pens cost 4 * 2 = $8.\nThe 3 notebooks cost 3 * 5 = $15.\n"
        "Together that is 8 + 15 = $23.\nTwo $20 bills are 2 * 20 = $40.\n"
        "So Lena gets 40 - 23 = $17 back.\n#### 17",
    },
    {
        "question": "A tank holds 240 litres. A pump fills 30% of it in the morning "
        "and half of the rest in the afternoon. How many litres are still missing?",
        "answer": "In the morning the pump fills 240 * 30 / 100 = 72 litres.\n"
        "Then 240 - 72 = 168 litres are missing.\n"
        "In the afternoon it fills 168 / 2 = 84 litres.\n"
        "So 168 - 84 = 84 litres are still missing.\n#### 84",
    },
    {
        "question": "Omar runs 3 km on each weekday and twice as far on each day of "
        "the weekend. How far does he run in 4 weeks?",
        "answer": "On the 5 weekdays he runs 5 * 3 = 15 km.\n"
        "On one day of the weekend he runs 2 * 3 = 6 km.\n"
        "On both days of the weekend that is 2 * 6 = 12 km.\n"
        "In one week he runs 15 + 12 = 27 km.\n"
        "In 4 weeks he runs 4 * 27 = 108 km.\n#### 108",
    },
    {
        "question": "Tara is 6 years older than Ben. In 4 years, Ben will be 15. How "
        "old is Tara now?",
        "answer": "Ben is 15 - 4 = 11 years old now.\n"
        "Tara is 11 + 6 = 17 years old now.\n#### 17",
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

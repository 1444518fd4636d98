"""Questions, how they are put to a model, and whether an answer is right.

Vocabulary
    problem     a question and its answer, two texts in GSM8K's schema: a worked
                solution that closes with "#### 18".
    practice    the problems that this project makes itself, from a seed.
    prompt      how a problem is put to a model: the task, solved examples, a question.
    lead        a line that says nothing itself, such as a heading.
    answer      what the grader reads in a text: an exact value, and the rule that found
                it.
    gold        the right answer. As an object, a problem is `helpers.env.Problem`.

Imports nothing of ours: all other rooms stand on this one.
"""

from .data import SPLITS, find_file, load_problems
from .grading import Answer, extract_answer, is_correct, read_gold
from .lines import is_lead, sentence_of, states_answer
from .practice import ASKED_WEIGHTS, generate
from .prompt import (
    EXAMPLES,
    PROBLEM_FORMAT,
    STOP_STRING,
    TASK_DESCRIPTION,
    WORKED,
    format_example,
    format_solution,
    prompt_of,
    strip_annotations,
)

__all__ = [
    "SPLITS",
    "find_file",
    "load_problems",
    "ASKED_WEIGHTS",
    "generate",
    "TASK_DESCRIPTION",
    "PROBLEM_FORMAT",
    "STOP_STRING",
    "prompt_of",
    "format_solution",
    "format_example",
    "strip_annotations",
    "EXAMPLES",
    "WORKED",
    "is_lead",
    "sentence_of",
    "states_answer",
    "Answer",
    "extract_answer",
    "read_gold",
    "is_correct",
]

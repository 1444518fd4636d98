"""A word problem as an episode: a chain of sentences is a Markov decision process.

Vocabulary
    problem   a question and its gold answer.
    state     the text so far: the prompt, then every step with a newline after it.
    action    one step: one sentence, with the headings that lead to it, if any.
    reward    0 until the end; then 1 for the right answer, else 0.
    form      how a problem is put to a model; each model has one of its own.
"""

from .cot import ATTEMPTS, AnyText, CoTEnv, Problem, choose_problem
from .gsm8k import FIRST_PROBLEM, FormedEnv, GSM8KEnv

__all__ = [
    "Problem",
    "FIRST_PROBLEM",
    "CoTEnv",
    "FormedEnv",
    "GSM8KEnv",
    "AnyText",
    "choose_problem",
    "ATTEMPTS",
]

"""Solutions of notebook 01, a cell each; between the marks stands what is solved.

`make class` puts them into the teacher's edition; the tests run them.
"""

# %% setup
import math

from helpers.llm import LLMGen, Step, derive_seed
from helpers.problems import PROBLEM_FORMAT, TASK_DESCRIPTION, generate, is_correct

# %% exercise_1_1
ratio = ...
### BEGIN SOLUTION
ratio = (1 / 0.1) ** (1 / 10)
### END SOLUTION


# %% exercise_1_2
def entropy(probs: dict[str, float]) -> float:
    """The entropy of a distribution, in nats."""
    ### BEGIN SOLUTION
    return -sum(p * math.log(p) for p in probs.values() if p > 0)
    ### END SOLUTION


# %% exercise_1_3
def sample_until_different(
    llm: LLMGen, prompt: str, wanted: int, seed: int, limit: int = 64
) -> tuple[list[str], int]:
    """Different texts, and the tokens that all draws cost."""
    ### BEGIN SOLUTION
    texts, tokens = [], 0
    for i in range(limit):
        (step,) = llm.sample(prompt, 1, derive_seed(seed, prompt, i))
        tokens += step.tokens
        if step.text not in texts:
            texts.append(step.text)
        if len(texts) == wanted:
            break
    return texts, tokens
    ### END SOLUTION


# %% exercise_1_4
column = ...  # the name of the one that gives the mistake away


def one_seed(llm: LLMGen, prompt: str, k: int, seed: int) -> list[Step]:
    """k steps, all drawn with the same seed: a mistake."""
    ### BEGIN SOLUTION
    return [llm.sample(prompt, 1, seed)[0] for _ in range(k)]


column = "different"
### END SOLUTION

# %% exercise_1_5
found = ...  # another problem of generate("test", 120, seed=5, steps=(2, 3))
### BEGIN SOLUTION
whole = {"n": 200, "stop": "Question:"}
greedy, bold = LLMGen("abacus", 0, **whole), LLMGen("abacus", 1, **whole)


def right(llm: LLMGen, problem: dict[str, str], k: int) -> int:
    """How many of k whole solutions are right."""
    question = PROBLEM_FORMAT.format(question=problem["question"])
    steps = llm.sample(TASK_DESCRIPTION + question, k, seed=0)
    return sum(is_correct(step.text, problem["answer"]) for step in steps)


for problem in generate("test", 120, seed=5, steps=(2, 3))[4:]:
    if not right(greedy, problem, 1) and right(bold, problem, 16) >= 5:
        found = problem
        break
### END SOLUTION

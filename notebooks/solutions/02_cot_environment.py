"""Solutions of notebook 02, a cell each; between the marks stands what is solved.

`make class` puts them into the teacher's edition; the tests run them.
"""

# %% setup
import re
from typing import Any

import gymnasium

from helpers.env import CoTEnv, GSM8KEnv, Problem
from helpers.llm import LLMGen
from helpers.problems import strip_annotations

# %% exercise_2_1
outcomes = ...  # five triples: [(reward, terminated, truncated), ...]
### BEGIN SOLUTION
outcomes = [
    (1, True, False),
    (1, True, False),
    (0, True, False),
    (0, False, True),
    (1, True, False),
]
### END SOLUTION


# %% exercise_2_2
class YesNoEnv(CoTEnv):
    """Questions whose gold answer is "yes" or "no"."""

    def get_reward(self) -> float:
        """1.0 if the chain gives the gold answer, else 0.0."""
        ### BEGIN SOLUTION
        right = self.is_valid() and self.word() == self.problem.answer
        return 1.0 if right else 0.0
        ### END SOLUTION

    def is_valid(self) -> bool:
        """Has the chain terminated with a readable yes or no?"""
        ### BEGIN SOLUTION
        return self.terminated and self.word() in ("yes", "no")

    def word(self) -> str:
        """The first word after the stop string in the last line."""
        said = self.steps[-1].casefold().partition(self.stop_string.casefold())[2]
        return re.findall(r"[a-z]+|$", said)[0]
        ### END SOLUTION


# %% exercise_2_3
def misjudged(grader: Any) -> list[tuple[str, str]]:
    """My pairs (text, gold) on which the grader gives a wrong verdict."""
    ### BEGIN SOLUTION
    controls = [
        ("The answer is 18.", "18", True),
        ("The answer is $18.00.", "18", True),
        ("The answer is 9*2 = 18, for 7 days.", "18", True),
        ("The answer is -1000000.", "18", False),
        ("The answer is 1000000.", "18", False),
        ("The answer is 25.", "5", False),
        ("The answer is -5.", "5", False),
        ("The answer is 114201.", "114200", False),
        ("I do not know.", "0", False),
    ]
    return [(text, gold) for text, gold, truth in controls
            if grader(text, gold) != truth]  # fmt: skip
    ### END SOLUTION


# %% exercise_2_4
trick = ...  # the sentences of a wrong chain, as a list


class PotentialShaping(gymnasium.Wrapper):
    """Add to each reward by how much the potential of the state grows."""

    def __init__(
        self, env: gymnasium.Env, potential: Any, zero_at_end: bool = True
    ) -> None:
        """`potential(env)` is the potential of the state of `env`."""
        super().__init__(env)
        self.potential, self.zero_at_end = potential, zero_at_end

    def step(self, action: str) -> tuple[str, float, bool, bool, dict]:
        """As `env.step`, with another reward."""
        ### BEGIN SOLUTION
        before = self.potential(self.unwrapped)
        state, reward, terminated, truncated, info = self.env.step(action)
        over = self.zero_at_end and (terminated or truncated)
        after = 0.0 if over else self.potential(self.unwrapped)
        return state, reward + after - before, terminated, truncated, info


trick = ["The answer is" + " =" * 13 + " 7."]
### END SOLUTION

# %% exercise_2_5
lucky = ...  # a problem without a division
wrong_step = ...  # the first line of its gold solution, with a wrong result
### BEGIN SOLUTION
greedy = LLMGen("abacus", temperature=0)


def finish(problem: dict[str, str], first: str) -> float:
    """The reward of the greedy chain after a first sentence."""
    asked = Problem(problem["question"], problem["answer"])
    env = GSM8KEnv(asked, greedy, max_actions=1, is_few_shot=False)
    env.reset(seed=1)
    _, reward, *_ = env.step(first)
    while env.legal_actions:
        _, reward, *_ = env.step(env.legal_actions[0].text)
    return reward


def find() -> tuple[dict[str, str], str]:
    """A sum that is too large for the difference in which the story ends."""
    from helpers.problems import generate

    for problem in generate("test", 120, seed=5, steps=(2, 3)):
        lines = strip_annotations(problem["answer"]).splitlines()
        head, result, tail = re.fullmatch(r"(.*= )(\d+)(.*)", lines[0]).groups()
        larger = f"{head}{int(result) + 100}{tail}"
        subtracts = "/" not in problem["answer"] and "-" in lines[-2]
        if subtracts and finish(problem, larger):
            return problem, larger
    raise LookupError("The model believes every sum.")


lucky, wrong_step = find()
### END SOLUTION

"""Typical mistakes in the exercises of notebook 02: (check, answers, what is said)."""

import re

import gymnasium

from helpers.env import FIRST_PROBLEM, CoTEnv
from helpers.exercises import notebook_02 as check
from helpers.problems import generate, strip_annotations

A = B = E = (1, True, False)
C, D = (0, True, False), (0, False, True)


def yes_no(read, valid=lambda env, word: env.terminated and word != ""):
    """A `YesNoEnv` that reads its last line in another way."""

    class YesNoEnv(CoTEnv):
        def get_reward(self):
            return float(self.is_valid() and read(self) == self.problem.answer)

        def is_valid(self):
            return bool(valid(self, read(self)))

    return YesNoEnv


class PaysEveryYes(yes_no(lambda env: "yes")):
    def get_reward(self):
        return 1.0


def last_line(env):
    """Looks for the letters, so that "know" is a "no"."""
    line = env.steps[-1].lower()
    return "yes" if "yes" in line else "no" if "no" in line else ""


def first_word(env):
    """The first yes or no of the line, also before the stop string."""
    return (re.findall(r"\b(?:yes|no)\b", env.steps[-1].lower()) or [""])[0]


def in_small_letters(env):
    found = re.search(r"The answer is\W*(yes|no)\b", env.steps[-1])
    return found[1] if found else ""


def own_stop_string(env):
    found = re.search(r"the answer is\W*(yes|no)\b", env.steps[-1].lower())
    return found[1] if found else ""


def without_end(env):
    return (re.findall(r"\b(?:yes|no)\b", env.steps[-1].lower()) or [""])[-1]


def controls(*rows):
    """`misjudged` with these texts, gold answers and truths."""
    return lambda grader: [(t, g) for t, g, right in rows if grader(t, g) != right]


RIGHT = ("The answer is 18.", "18", True)
FORM = ("The answer is 18.00.", "18", True)
LOW = ("The answer is -1000000.", "18", False)
HIGH = ("The answer is 1000000.", "18", False)


def shaping(reward, end=True):
    """The wrapper, with the reward as a function of before, after and ended."""

    class PotentialShaping(gymnasium.Wrapper):
        def __init__(self, env, potential, zero_at_end=True):
            super().__init__(env)
            self.potential, self.zero_at_end = potential, zero_at_end

        def step(self, action):
            before = self.potential(self.unwrapped)
            state, earned, *ends, info = self.env.step(action)
            after = self.potential(self.unwrapped)
            over = self.zero_at_end and ends[0] + (end and ends[1])
            return state, reward(earned, before, 0 if over else after), *ends, info

    return PotentialShaping


class OnlyReward(gymnasium.Wrapper):
    def __init__(self, env, potential, zero_at_end=True):
        super().__init__(env)

    def step(self, action):
        return self.env.step(action)[1]


class AlwaysZero(shaping(lambda r, b, a: r + a - b)):
    def __init__(self, env, potential, zero_at_end=True):
        super().__init__(env, potential)


SAFE = shaping(lambda r, before, after: r + after - before)
POOL = generate("test", 120, seed=5, steps=(2, 3))
UNDIVIDED = next(problem for problem in POOL if "/" not in problem["answer"])
DIVIDED = next(problem for problem in POOL if "/" in problem["answer"])
LINE = strip_annotations(UNDIVIDED["answer"]).splitlines()[0]
RESULT = int(re.findall(r"\d+", LINE)[-1])
HEAD, _, TAIL = LINE.rpartition(f"{RESULT}")

MISTAKES = [
    (check.exercise_2_1, [(1, True, False)], "A list of five triples"),
    (check.exercise_2_1, [[1, 1, 0, 0, 1]], "a. Give 3 values"),
    (check.exercise_2_1, [[(0, True, False), B, C, D, E]], "a. is not.*worked-out"),
    (check.exercise_2_1, [[A, (0, False, True), C, D, E]], "b. is not.*capitals"),
    (check.exercise_2_1, [[A, B, (0, False, True), D, E]], "c. is not.*no number"),
    (check.exercise_2_1, [[A, B, C, (0, False, False), E]], "d. Give 3.*exactly one"),
    (check.exercise_2_1, [[A, B, C, (1, True, False), E]], "d. is not.*look for"),
    (check.exercise_2_1, [[A, B, C, D, (1, True, True)]], "e. Give 3.*True, True"),
    (check.exercise_2_1, [[A, B, C, D, (0, False, True)]], "e. is not.*line 2"),
    (check.exercise_2_2, ["yes"], "YesNoEnv: a subclass of CoTEnv"),
    (check.exercise_2_2, [yes_no(last_line)], "No remainder|not known"),
    (check.exercise_2_2, [yes_no(first_word)], "No remainder"),
    (check.exercise_2_2, [yes_no(without_end)], "no doubt"),
    (check.exercise_2_2, [yes_no(in_small_letters)], "THE ANSWER IS NO"),
    (check.exercise_2_2, [yes_no(own_stop_string)], "So I say yes"),
    (
        check.exercise_2_2,
        [yes_no(own_stop_string, lambda e, w: 1)],
        r"is not known.*is_valid\(\) gives True, not False",
    ),
    (check.exercise_2_2, [PaysEveryYes], r"NO!|is no.*get_reward\(\) gives 1.0, not 0"),
    (check.exercise_2_2, [yes_no(lambda env: env.answer.value)], "The answer is yes"),
    (check.exercise_2_3, [lambda grader: True], "A list of pairs"),
    (check.exercise_2_3, [lambda grader: [LOW]], "Give pairs of strings"),
    (check.exercise_2_3, [lambda grader: [LOW[:2]]], "is exact .`is_correct`. judges"),
    (check.exercise_2_3, [controls(RIGHT)], "says True to all"),
    (check.exercise_2_3, [controls(LOW)], "says False to all"),
    (check.exercise_2_3, [controls(RIGHT, LOW)], "compares strings"),
    (check.exercise_2_3, [controls(RIGHT, FORM, LOW)], "compares endings"),
    (check.exercise_2_3, [controls(FORM, HIGH, ("25", "5", False))], "answer - gold"),
    (
        check.exercise_2_3,
        [controls(FORM, ("5", "25", False), ("-15", "5", False))],
        "gold - answer",
    ),
    (
        check.exercise_2_4,
        [lambda env: env, ["The answer is 7."]],
        "PotentialShaping: a wrapper",
    ),
    (check.exercise_2_4, [OnlyReward, ["="]], "step: five values"),
    (check.exercise_2_4, [shaping(lambda r, b, a: r), ["="]], "not 0.*after - before"),
    (check.exercise_2_4, [shaping(lambda r, b, a: r + b - a), ["="]], "not -0.1"),
    (check.exercise_2_4, [shaping(lambda r, b, a: r + a), ["="]], "differences count"),
    (
        check.exercise_2_4,
        [shaping(lambda r, b, a: r + a - b, False), ["="]],
        "truncated",
    ),
    (check.exercise_2_4, [AlwaysZero, ["="]], "zero_at_end=False"),
    (check.exercise_2_4, [SAFE, "The answer is 7."], "trick: a list of sentences"),
    (check.exercise_2_4, [SAFE, ["5 = 5"]], "must end"),
    (check.exercise_2_4, [SAFE, ["=" * 20 + " The answer is 15."]], "not be right"),
    (check.exercise_2_4, [SAFE, ["=" * 9 + " The answer is 7."]], "returns 0.9"),
    (check.exercise_2_5, [FIRST_PROBLEM, "5*2 = 12"], "Take a problem"),
    (check.exercise_2_5, [DIVIDED, "3*4 = 13"], "a division"),
    (check.exercise_2_5, [UNDIVIDED, 5], "Change only the result"),
    (check.exercise_2_5, [UNDIVIDED, LINE], "is the right result"),
    (check.exercise_2_5, [UNDIVIDED, f"{HEAD}{RESULT + 1}{TAIL}"], "That earns 0"),
]

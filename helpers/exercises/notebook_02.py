"""The checks of notebook 02."""

from __future__ import annotations

import re
from typing import Any

import gymnasium

from helpers.env import CoTEnv, GSM8KEnv, Problem
from helpers.llm import LLMGen
from helpers.problems import (
    PROBLEM_FORMAT,
    TASK_DESCRIPTION,
    extract_answer,
    generate,
    is_correct,
    read_gold,
    strip_annotations,
)

from .checking import call, exercise, expect, given, is_number

SILENT: Any = object()  # stands in for a model that nobody asks


def started(**options: Any) -> GSM8KEnv:
    """The apples of the notebook, at the start of an episode."""
    env = GSM8KEnv(llm_gen=SILENT, is_few_shot=False, **options)
    env.reset(seed=1)
    return env


@exercise
def exercise_2_1(outcomes: Any) -> None:
    """How five chains end when two sentences are the most."""
    chains = [
        ("a", ["The answer is 3*5 = 15."], "of an equation the worked-out side counts"),
        ("b", ["THE ANSWER IS 15!"], "the stop string counts in capitals, too"),
        ("c", ["So the answer is unclear."], "it holds the stop string, but no number"),
        ("d", ["It is 15.", "Yes, 15."], "look for the stop string"),
        ("e", ["So 5+10 = 15.", "The answer is 15."], "line 2 holds the stop string"),
    ]
    expect(
        isinstance(outcomes, list | tuple) and len(outcomes) == len(chains),
        f"A list of five triples is asked for, not {outcomes!r}.",
    )
    for (name, lines, why), outcome in zip(chains, outcomes, strict=True):
        expect(
            isinstance(outcome, list | tuple)
            and [*map(bool, outcome[1:])] in ([True, False], [False, True]),
            f"({name}) Give 3 values; the chain has ended, so exactly one of the last "
            f"2 is True, not {outcome!r}: look for the stop string.",
        )
        env = started(max_steps=2)
        last = [env.step(line)[1:4] for line in lines][-1]
        expect(tuple(outcome) == last, f"({name}) is not {outcome}: {why}.")


@exercise
def exercise_2_2(yes_no: Any) -> None:
    """An environment for yes and no: its rewards, and what it can read."""
    expect(
        isinstance(yes_no, type) and issubclass(yes_no, gymnasium.Env),
        f"YesNoEnv: a subclass of CoTEnv is asked for, not {yes_no!r}.",
    )

    def at_end(lines: list[str], gold: str, stop: str) -> list[Any]:
        problem, texts = Problem("Is it?", gold), (TASK_DESCRIPTION, (), PROBLEM_FORMAT)
        env = yes_no(problem, SILENT, *texts, stop)
        env.reset(seed=1)
        env.steps = tuple(lines)
        env.terminated = stop.casefold() in lines[-1].casefold()
        env.truncated = not env.terminated
        return [env.is_valid(), env.get_reward()]

    for lines, gold, wanted in (
        (["The answer is yes."], "yes", [True, 1]),
        (["The answer is no."], "yes", [True, 0]),
        (["THE ANSWER IS NO!"], "no", [True, 1]),
        (["No number is left over.", "The answer is yes."], "yes", [True, 1]),
        (["No remainder, so the answer is yes."], "yes", [True, 1]),
        (["The answer is: yes, and no doubt about it."], "yes", [True, 1]),
        (["The answer is not known."], "no", [False, 0]),
        (["The answer is."], "no", [False, 0]),
        (["Is it? Yes.", "Yes."], "yes", [False, 0]),
        (["So I say yes."], "yes", [True, 1]),
    ):
        stop = "I say" if "I say" in lines[0] else "The answer is"
        found = call(at_end, lines, gold, stop)
        given(None if found == [None, None] else found)
        told = f"Stop string {stop!r}, gold answer {gold!r}, chain {lines}:"
        names = "is_valid", "get_reward"
        for name, mine, right in zip(names, found, wanted, strict=True):
            expect(mine == right, f"{told} {name}() gives {mine}, not {right}.")


def by_value(right: Any) -> Any:
    """A grader that reads as `is_correct` does, but compares in a way of its own."""

    def grader(text: str, gold: str) -> bool:
        values = [extract_answer(text).value, read_gold(gold)]
        return None not in values and right(*map(float, values))

    return grader


SUSPECTS: dict[str, Any] = {
    "says True to all": lambda text, gold: True,
    "says False to all": lambda text, gold: False,
    "compares strings": lambda text, gold: text == f"The answer is {gold}.",
    "compares endings": by_value(lambda a, g: f"{a:.15g}".endswith(f"{g:.15g}")),
    "takes answer - gold < 1e-6": by_value(lambda a, g: a - g < 1e-6),
    "takes gold - answer < 1e-6": by_value(lambda a, g: g - a < 1e-6),
    "ignores the minus sign": by_value(lambda a, g: abs(a) == abs(g)),
    "accepts a difference of 1 %": by_value(lambda a, g: abs(a - g) <= abs(g) / 100),
    "compares five digits": by_value(lambda a, g: f"{a:.5g}" == f"{g:.5g}"),
    "reads 0 in a text without a number": lambda text, gold: (
        (extract_answer(text).value or 0) == read_gold(gold)
    ),
}


@exercise
def exercise_2_3(misjudged: Any) -> None:
    """A test of graders: it exposes each bad one, and leaves the good one alone."""
    for name, grader in {"is exact (`is_correct`)": is_correct, **SUSPECTS}.items():
        pairs = call(misjudged, grader)
        expect(isinstance(pairs, list), f"A list of pairs is asked for, not {pairs!r}.")
        for pair in pairs:
            strings = isinstance(pair, tuple) and [*map(type, pair)] == [str, str]
            expect(strings, f"Give pairs of strings, (text, gold), not {pair!r}.")
            expect(
                grader(*pair) != is_correct(*pair),
                f"A grader that {name} judges {pair} rightly, but you list the pair.",
            )
        expect(pairs or grader is is_correct, f"A grader that {name} passes unseen.")


def shaped(shaping: Any, potential: Any, lines: list[str], **how: Any) -> list[float]:
    """The rewards of some lines, as the reader's wrapper gives them."""
    env, rewards = call(shaping, started(max_steps=3), potential, **how), []
    call(env.reset, seed=1)
    for line in lines:
        result = call(env.step, line)
        five = isinstance(result, tuple) and len(result) == 5
        told = f"step: five values are asked for, the 2nd a number, not {result!r}."
        expect(five and is_number(result[1]), told)
        rewards.append(round(result[1], 9))
    return rewards


@exercise
def exercise_2_4(shaping: Any, trick: Any) -> None:
    """Differences of potentials add up to nothing, if the last potential is 0."""

    def equations(env: CoTEnv) -> float:
        return "".join(env.steps).count("=") / 10

    expect(
        isinstance(shaping, type) and issubclass(shaping, gymnasium.Wrapper),
        f"PotentialShaping: a wrapper, a class, is asked for, not {shaping!r}.",
    )
    good = ["On Tuesday 5*2 = 10.", "In all 5+10 = 15.", "The answer is 15."]
    cut = ["On Tuesday 5*2 = 10.", "It is 15.", "In all 5+10 = 15."]
    first = shaped(shaping, equations, good)[0]
    told = f"step: a line with one `=` earns 0.1, not {first}: after - before."
    expect(first == 0.1, told)
    for lines, zero, wanted, why in (
        (good, True, [0.1, 0.1, 0.8], "differences count, and the last potential is 0"),
        (cut, True, [0.1, 0.0, -0.1], "a truncated episode has ended, too"),
        (good, False, [0.1, 0.1, 1], "zero_at_end=False, so the last potential is 0.2"),
    ):
        found = shaped(shaping, equations, lines, zero_at_end=zero)
        expect(found == wanted, f"step: {lines} earn {wanted}, not {found}: {why}.")
    found = sum(shaped(shaping, lambda env: 5 - len(env.steps) ** 2, good))
    told = f"step: if the start has potential 5, 1 - 5 is left, not {found}."
    expect(found == -4, told)
    expect(
        isinstance(trick, list) and trick and all(isinstance(s, str) for s in trick),
        f"trick: a list of sentences is asked for, not {trick!r}.",
    )
    env = started(max_steps=3)
    *_, last = [call(env.step, line)[1] for line in trick]
    expect(env.ended and last == 0, "trick: the chain must end, and not be right.")
    found = sum(shaped(shaping, equations, trick, zero_at_end=False))
    expect(found > 1.2, f"trick: it returns {found:.1f}; the right chain returns 1.2.")


@exercise
def exercise_2_5(lucky: Any, wrong_step: Any) -> None:
    """A wrong first result, no division to hide it, and yet the right answer."""
    pool = generate("test", 120, seed=5, steps=(2, 3))
    expect(
        isinstance(lucky, dict) and lucky in pool,
        "Take a problem of generate('test', 120, seed=5, steps=(2, 3)).",
    )
    expect("/" not in lucky["answer"], "There is a division in the gold solution.")
    line = strip_annotations(lucky["answer"]).splitlines()[0]
    head, result, tail = re.fullmatch(r"(.*= )(\d+)(.*)", line).groups()
    head, tail = re.escape(head), re.escape(tail)
    same = re.fullmatch(rf"{head}(\d{{1,9}}){tail}", f"{wrong_step}")
    expect(bool(same), f"Change only the result, {result}, in {line!r}.")
    expect(int(same[1]) != int(result), f"{result} is the right result.")
    asked = Problem(lucky["question"], lucky["answer"])
    env = GSM8KEnv(asked, LLMGen("abacus", 0), max_actions=1, is_few_shot=False)
    env.reset(seed=1)
    reward = env.step(wrong_step)[1]
    while env.legal_actions:
        reward = env.step(env.legal_actions[0].text)[1]
    expect(reward == 1, f"It goes on: {' '.join(env.steps[1:])} That earns 0.")

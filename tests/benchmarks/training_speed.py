"""Training: tokens of solutions a second, in one process and on all cores.

A step of `Learner.update` is measured: the gradients of a batch of written solutions
and the step of the optimizer, as in notebook 07. Prompts are read, but do not count.
"""

import os
from functools import partial

from frame import Row, alternate, rate

from helpers.abacus import END_OF_TEXT, Learner, Lesson, imitation_loss, to_lesson
from helpers.evaluation import processes
from helpers.problems import PROBLEM_FORMAT, format_solution, generate

SAMPLES = 2  # solutions of one problem; expert iteration keeps so many


def lessons(learner: Learner, n: int) -> list[Lesson]:
    """n problems with their written solutions."""
    encode, found = learner.tokenizer.encode, []
    for row in generate("train", n):
        solution = [*encode(format_solution(row["answer"])), END_OF_TEXT]
        prompt = [END_OF_TEXT, *encode(PROBLEM_FORMAT.format(**row))]
        found.append(to_lesson(prompt, [solution] * SAMPLES, [1.0] * SAMPLES))
    return found


def step(learner: Learner, batch: list[Lesson], number: int) -> float:
    """Tokens a second of one step."""
    count = sum(lesson.mask.sum() for lesson in batch)

    def update() -> float:
        learner.update(batch, imitation_loss)
        return count

    return rate(update)


def rows(rounds: int, quick: bool = False) -> list[Row]:
    """One process, and as many as there are cores."""
    alone, cores = Learner(), os.cpu_count() or 1
    batch = lessons(alone, 4 if quick else 16)
    with processes(cores) as executor:
        runs = {
            "one process": partial(step, alone, batch),
            f"{cores} processes": partial(step, Learner(executor=executor), batch),
        }
        found = alternate(runs, rounds, warm=not quick)
    return [
        Row("training", who, "tokens/s", values, who == "one process")
        for who, values in found.items()
    ]

"""The record of notebook 07: a part of it is computed again, and the bars it shows."""

import json
import random

import pytest

from helpers.abacus import Learner
from helpers.learning import (
    Round,
    sample_solutions,
)
from helpers.problems import generate
from helpers.stats import paired_difference
from helpers.workshop import record_learning

HEAD, *LINES = map(
    json.loads, record_learning.FILE.read_text(encoding="utf-8").splitlines()
)
DRAWN = {(x["model"], tuple(x["steps"])): x for x in LINES if "greedy" in x}
PAST = {x["model"]: x["history"] for x in LINES if "history" in x}
RNG = random.Random(7)


def test_the_record_was_made_with_these_files_and_is_whole():
    assert json.loads(json.dumps(record_learning.header())) == HEAD
    for line, (name, task) in zip(LINES, record_learning.tasks(), strict=True):
        assert line["model"] == name
        for fact, value in getattr(task, "keywords", {}).items():
            assert line[fact] == (list(value) if fact == "steps" else value)
    for line in LINES:
        for part, size in {"greedy": 500, "right": 500, "search": 250}.items():
            assert part not in line or len(line[part]) == size


@pytest.mark.parametrize("steps", [record_learning.SHORT, record_learning.LONG])
@pytest.mark.parametrize("name", ["start", "abacus"])
def test_models_that_ship_are_measured_again(name, steps):
    line, learner = DRAWN[name, steps], Learner(record_learning.recipes()[name][0])
    rows = generate("test", 500, 0, steps)
    for i in RNG.sample(range(500), 3):
        ((greedy,),) = sample_solutions(learner, rows[i : i + 1], 0, k=1, temperature=0)
        (drawn,) = sample_solutions(learner, rows[i : i + 1], 0, k=line["k"])
        assert greedy.reward == line["greedy"][i]
        assert sum(x.reward for x in drawn) == line["right"][i]


@pytest.mark.parametrize("name", ["grpo", "samples"])
def test_the_first_rounds_come_out_again(name):
    start, steps, rounds = record_learning.recipes()[name]
    learner = Learner(start, record_learning.RATE)
    found = rounds(learner, generate("train", 2000, record_learning.SEED, steps))
    for past in PAST[name][:2]:  # the second tells what was learned in the first
        assert next(found) == pytest.approx(Round(*past), abs=1e-5)


@pytest.mark.parametrize("name", ["grpo", "samples"])
def test_the_bars_of_the_lesson(name):
    """At least 15 points on the trained difficulty, and a rise on longer problems."""
    for steps, bar in ((record_learning.SHORT, 0.15), (record_learning.LONG, 0.0)):
        pair = [DRAWN[x, steps]["greedy"] for x in (name, "start")]
        assert paired_difference(*pair)[1] > bar

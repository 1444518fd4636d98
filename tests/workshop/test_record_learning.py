"""The record of notebook 07: a part of it is computed again, and the bars it shows."""

import json
import random
import sys
from pathlib import Path

import pytest

RUNS = Path(__file__).resolve().parents[2] / "notebooks" / "runs"
sys.path.insert(0, str(RUNS))

import learn  # noqa: E402

from helpers.abacus import Learner  # noqa: E402
from helpers.learning import (
    Round,  # noqa: E402
    sample_solutions,  # noqa: E402
)
from helpers.problems import generate  # noqa: E402
from helpers.stats import paired_difference  # noqa: E402

HEAD, *LINES = map(json.loads, learn.FILE.read_text(encoding="utf-8").splitlines())
DRAWN = {(x["model"], tuple(x["steps"])): x for x in LINES if "greedy" in x}
PAST = {x["model"]: x["history"] for x in LINES if "history" in x}
RNG = random.Random(7)


def test_the_record_was_made_with_these_files_and_is_whole():
    assert json.loads(json.dumps(learn.header())) == HEAD
    for line, (name, task) in zip(LINES, learn.tasks(), strict=True):
        assert line["model"] == name
        for fact, value in getattr(task, "keywords", {}).items():
            assert line[fact] == (list(value) if fact == "steps" else value)
    for line in LINES:
        for part, size in {"greedy": 500, "right": 500, "search": 250}.items():
            assert part not in line or len(line[part]) == size


@pytest.mark.parametrize("steps", [learn.SHORT, learn.LONG])
@pytest.mark.parametrize("name", ["start", "abacus"])
def test_models_that_ship_are_measured_again(name, steps):
    line, learner = DRAWN[name, steps], Learner(learn.recipes()[name][0])
    rows = generate("test", 500, 0, steps)
    for i in RNG.sample(range(500), 3):
        ((greedy,),) = sample_solutions(learner, rows[i : i + 1], 0, k=1, temperature=0)
        (drawn,) = sample_solutions(learner, rows[i : i + 1], 0, k=line["k"])
        assert greedy.reward == line["greedy"][i]
        assert sum(x.reward for x in drawn) == line["right"][i]


@pytest.mark.parametrize("name", ["grpo", "samples"])
def test_the_first_rounds_come_out_again(name):
    start, steps, rounds = learn.recipes()[name]
    learner = Learner(start, learn.RATE)
    found = rounds(learner, generate("train", 2000, learn.SEED, steps))
    for past in PAST[name][:2]:  # the second tells what was learned in the first
        assert next(found) == pytest.approx(Round(*past), abs=1e-5)


@pytest.mark.parametrize("name", ["grpo", "samples"])
def test_the_bars_of_the_lesson(name):
    """At least 15 points on the trained difficulty, and a rise on longer problems."""
    for steps, bar in ((learn.SHORT, 0.15), (learn.LONG, 0.0)):
        pair = [DRAWN[x, steps]["greedy"] for x in (name, "start")]
        assert paired_difference(*pair)[1] > bar

"""Record what learning is worth, for notebook 07.

    python -m helpers.workshop.record_learning

Models are taught as in the notebook and otherwise, and each is measured on 500 problems
of two to four steps and on 500 of five to eight. The results stand in
`notebooks/runs/learned.jsonl`; each line after the header is one measurement of one
model:

    history  of each round of learning: the numbers of `helpers.learning.Round`
    greedy   of each problem, is the greedy solution right (0 or 1)? `right` counts the
             right ones of k samples, `tokens` are those of the greedy solutions
    search   of the first 250, is the answer of this strategy right? `tokens`, of all

It takes about an hour on two cores. A record that is not complete is resumed; the
models are kept in `build/learned/`, so that each is taught once.
"""

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from helpers.abacus import HASTY, WEIGHTS, Learner
from helpers.learning import (
    Round,
    expert_iteration,
    grpo,
    sample_solutions,
    search_solutions,
    train,
)
from helpers.llm import LLMGen
from helpers.problems import generate
from helpers.rewards import PRM, ArithmeticChecker, ProcessRewardModel
from helpers.search import STRATEGIES

from .places import BUILD, RECORDED
from .records import digest, resume, zero_shot_env

FILE, MODELS = RECORDED / "learned.jsonl", BUILD / "learned"
SHORT, LONG = (2, 4), (5, 8)  # steps of a problem
RATE, BUDGET = 0.04, 1024
SEED = 700_000  # of problems that neither abacus nor hasty.npz has learned from


def true_line(line: str) -> float:
    """The share of the equations in a line that hold."""
    return ArithmeticChecker().share([line])


def searched(problems: int) -> partial:
    """Expert iteration from beam search under the PRM that ships."""
    scorer = ProcessRewardModel.load(PRM, LLMGen("abacus"))
    how = {"strategy": STRATEGIES["beam_search"], "budget": BUDGET, "scorer": scorer}
    draw = partial(search_solutions, **how)
    return partial(expert_iteration, rounds=3, problems=problems, draw=draw)


Recipe = tuple[Path, tuple[int, int], Callable | None]  # start, steps, rounds


def recipes() -> dict[str, Recipe]:
    """How each model is taught: from which start, on how long problems, by what."""
    imitate, reinforce = partial(expert_iteration, rounds=3), partial(grpo, problems=24)
    return {
        "start": (HASTY, SHORT, None),
        "grpo": (HASTY, SHORT, partial(reinforce, rounds=6)),
        "samples": (HASTY, SHORT, partial(imitate, problems=48)),
        "search": (HASTY, SHORT, searched(62)),
        "samples, long": (HASTY, LONG, partial(imitate, problems=48)),
        "search, long": (HASTY, LONG, searched(62)),
        "grpo and steps": (
            HASTY, SHORT, partial(reinforce, rounds=6, step_reward=true_line)),
        "grpo, 20 rounds": (HASTY, SHORT, partial(reinforce, rounds=20)),
        "abacus": (WEIGHTS, LONG, None),
        "abacus, 20 rounds": (WEIGHTS, LONG, partial(reinforce, rounds=20)),
    }  # fmt: skip


SAMPLES = {"start": 64, "grpo": 64, "abacus": 4, "abacus, 20 rounds": 4}  # others: 1
SEARCHED = ("start", "grpo")  # models that search is tried with


def tasks() -> Iterator[tuple[str, Callable[..., dict[str, Any]]]]:
    """All measurements in their order: the model, and what is measured."""
    for name in recipes():
        yield name, history
        for steps in SHORT, LONG:
            yield name, partial(draw, steps=steps, k=SAMPLES.get(name, 1))
    for name in SEARCHED:
        for strategy in "self_consistency", "beam_search":
            yield name, partial(search, steps=LONG, strategy=strategy)


def describe(what: Any) -> Any:
    """A recipe or a measurement as plain values: functions by their names."""
    if isinstance(what, partial):
        return [describe(what.func), {k: describe(v) for k, v in what.keywords.items()}]
    if isinstance(what, tuple):
        return [describe(part) for part in what]
    if isinstance(what, Path):
        return what.name
    if what is None or isinstance(what, (int, float, str)):
        return what
    return getattr(what, "__name__", type(what).__name__)


def file_of(name: str) -> Path:
    """Where a taught model is kept; another recipe has another file."""
    recipe = recipes()[name]
    facts = json.dumps([describe(recipe), digest(recipe[0]), RATE, SEED])
    return MODELS / f"{hashlib.sha256(facts.encode()).hexdigest()[:16]}.npz"


def teach(name: str, executor: Any) -> Learner:
    """The model of this name: from its file, or taught first."""
    start, steps, rounds = recipes()[name]
    if rounds is None:
        return Learner(start, RATE, executor)
    if not file_of(name).exists():
        learner = Learner(start, RATE, executor)
        train(learner, rounds(learner, generate("train", 2000, SEED, steps)))
        past = [[round(x, 6) for x in found] for found in learner.history]
        MODELS.mkdir(parents=True, exist_ok=True)
        text = json.dumps(past)
        file_of(name).with_suffix(".json").write_text(text, encoding="utf-8")
        learner.save(file_of(name))  # last: where it is, the history is
    return Learner(file_of(name), RATE, executor)


def history(name: str, learner: Learner) -> dict[str, Any]:
    """What happened while it was taught."""
    if recipes()[name][2] is None:
        return {"history": []}
    text = file_of(name).with_suffix(".json").read_text(encoding="utf-8")
    return {"history": json.loads(text)}


def draw(
    name: str, learner: Learner, steps: tuple[int, int], k: int, problems: int = 500
) -> dict[str, Any]:
    """Greedy and sampled solutions of test problems of so many steps."""
    rows = generate("test", problems, 0, steps)
    greedy = sample_solutions(learner, rows, 0, k=1, temperature=0)
    drawn = sample_solutions(learner, rows, 0, k=k)
    return {
        "steps": steps,
        "greedy": [int(x.reward) for (x,) in greedy],
        "tokens": round(fmean(x.tokens for (x,) in greedy), 2),
        "k": k,
        "right": [int(sum(x.reward for x in group)) for group in drawn],
    }


def search(
    name: str, learner: Learner, steps: tuple[int, int], strategy: str,
    problems: int = 250,
) -> dict[str, Any]:  # fmt: skip
    """Answers of a strategy on test problems of so many steps."""
    weights = file_of(name) if recipes()[name][2] else recipes()[name][0]
    task = partial(solve, weights, strategy)
    found = learner.spread(task, generate("test", problems, 0, steps))
    right, tokens = zip(*found, strict=True)
    spent = round(fmean(tokens), 2)
    return {"steps": steps, "strategy": strategy, "search": right, "tokens": spent}


def solve(weights: Path, strategy: str, row: dict[str, str]) -> tuple[int, int]:
    """Is the answer of a strategy right, and what has it cost?"""
    llm = LLMGen("abacus", weights=weights)
    scorer = ProcessRewardModel.load(PRM, LLMGen("abacus"))
    found = STRATEGIES[strategy](
        zero_shot_env(row, llm), llm, scorer, budget=BUDGET, seed=0
    )
    gold = int(row["answer"].rpartition("#### ")[2])
    return int(found.answer.value == gold), found.tokens


def measured(
    executor: Executor, tasks: Sequence[tuple[str, Callable]]
) -> Iterator[str]:
    """A line for each measurement; its model is taught first."""
    for name, measurement in tasks:
        found = measurement(name, teach(name, executor))
        yield json.dumps({"model": name, **found}, separators=(",", ":"))


def header() -> dict[str, Any]:
    """How the record is made."""
    files = WEIGHTS, HASTY, PRM
    return {
        "digests": {file.name: digest(file) for file in files},
        "fields": Round._fields,
        "rate": RATE,
        "seed": SEED,
        "budget": BUDGET,
        "recipes": {name: describe(recipe) for name, recipe in recipes().items()},
        "tasks": [[name, describe(measurement)] for name, measurement in tasks()],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.workshop.record_learning",
        description="Record what learning is worth.",
    )
    parser.add_argument("--out", type=Path, default=FILE, help="the record")
    args = parser.parse_args()
    resume(args.out, header(), [*tasks()], measured, unit="measurement")


if __name__ == "__main__":
    main()

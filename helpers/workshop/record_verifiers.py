"""Record what verifiers are worth, for notebook 06.

    python -m helpers.workshop.record_verifiers

Of each of 500 problems, 64 paths are drawn and scored by every verifier; then searches
are run under some of them. The results stand in `notebooks/runs/verifiers.jsonl`; each
line after the header is one problem:

    samples  of each distinct path: how many of the 64 it is, its answer, is it right
             (0 or 1), and a score in per mille by each of `VERIFIERS`
    steps    of the first paths: of every step, is the path right so far (0 or 1), then
             its scores in per mille by each of `JUDGES`
    runs     in the order of `RUNS`: answer, tokens, calls

It takes about an hour on two cores. A record that is not complete is resumed.
"""

import argparse
import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from helpers.abacus import WEIGHTS
from helpers.env import GSM8KEnv
from helpers.learning import read_rows, to_path
from helpers.llm import LLMGen, SharedSamples
from helpers.problems import extract_answer, generate, is_correct
from helpers.rewards import (
    GROUPS,
    PRM,
    PRM_STATES,
    PRM_UNCHECKED,
    OutcomeRewardModel,
    ProcessRewardModel,
    RewardModel,
    Scorer,
    arithmetic_scorer,
    step_truths,
)
from helpers.search import STRATEGIES, sample_paths

from .places import RECORDED
from .records import digest, outcome, record_problems, zero_shot_env

FILE, LABELS = RECORDED / "verifiers.jsonl", RECORDED / "labels.jsonl"
SAMPLES, JUDGED, BUDGET = 64, 3, 1024
SIZES = (20, 60, 200)  # problems that a small model learns from
SHIPPED = {"shipped": PRM, "unchecked": PRM_UNCHECKED, "states": PRM_STATES}


class Run(NamedTuple):
    """A strategy and its verifier; the budget is always the same."""

    strategy: str
    verifier: str


VERIFIERS = (
    "arithmetic",
    "outcome 200",
    *(f"states {n}" for n in SIZES),
    *(f"process {n}" for n in SIZES),
    *SHIPPED,
)
JUDGES = ("states 200", "process 200", "unchecked", "shipped")
RUNS = [
    *(Run(s, v) for s in ("best_of_n", "weighted_vote") for v in JUDGES),
    *(Run("beam_search", v) for v in ("process 200", "shipped")),
    Run("mcts", "shipped"),
]


def small_model(name: str, llm: LLMGen) -> RewardModel:
    """A model as the reader trains it: its kind, and the number of problems."""
    kind, size = name.split()
    rows = read_rows(LABELS)
    prompts = [*dict.fromkeys(row["prompt"] for row in rows)][: int(size)]
    rows = [row for row in rows if row["prompt"] in prompts]
    make = OutcomeRewardModel if kind == "outcome" else ProcessRewardModel
    model = make(llm, use=("states",) if kind == "states" else GROUPS)
    model.known = states_of(llm)
    model.fit([to_path(row) for row in rows], [row["values"] for row in rows])
    return model


@cache
def states_of(llm: LLMGen) -> dict:
    """The states that all models have read: they are the same for each."""
    return {}


@cache
def models() -> dict[str, Scorer]:
    """All verifiers; once a process."""
    llm = LLMGen("abacus")
    found: dict[str, Any] = {"arithmetic": arithmetic_scorer}
    for name in VERIFIERS[1:]:
        if name in SHIPPED:
            found[name] = ProcessRewardModel.load(SHIPPED[name], llm)
            found[name].known = states_of(llm)
        else:
            found[name] = small_model(name, llm)
    return found


def per_mille(scores: list[float]) -> list[int]:
    """Scores as whole numbers from 0 to 1000."""
    return [round(1000 * score) for score in scores]


def solve(run: Run, env: GSM8KEnv, llm: LLMGen | SharedSamples) -> list[Any]:
    """One run on one problem."""
    strategy, scorer = STRATEGIES[run.strategy], models()[run.verifier]
    return outcome(strategy(env, llm, scorer, budget=BUDGET, seed=0))


def score_samples(env: GSM8KEnv, llm: LLMGen | SharedSamples) -> dict[str, Any]:
    """Draw the samples of a problem and score them."""
    gold, paths = env.problem.answer, sample_paths(env, llm, SAMPLES)
    columns = [per_mille(score(paths)) for score in models().values()]
    samples, steps = [], []
    for path, *scores in zip(paths, *columns, strict=True):
        value = extract_answer(path.steps[-1]).value
        answer = None if value is None else str(value)
        right = int(is_correct(path.steps[-1], gold))
        samples.append([path.actions[-1].count, answer, right, *scores])
    for path in paths[:JUDGED]:
        truths = [int(truth) for truth in step_truths(path.steps, gold)]
        judged = [per_mille(models()[name].step_scores(path)) for name in JUDGES]
        steps.append([truths, *judged])
    return {"samples": samples, "steps": steps}


def record(index: int, problem: dict[str, str]) -> str:
    """The line of one problem."""
    env, llm = zero_shot_env(problem), SharedSamples(LLMGen("abacus"))
    found = score_samples(env, llm)
    found["runs"] = [solve(run, env, llm) for run in RUNS]
    return json.dumps({"problem": index, **found}, separators=(",", ":"))


def header() -> dict[str, Any]:
    """How the record is made."""
    files = WEIGHTS, LABELS, *SHIPPED.values()
    digests = {file.name: digest(file) for file in files}
    return {"digests": digests, "verifiers": VERIFIERS, "judges": JUDGES, "runs": RUNS}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.workshop.record_verifiers",
        description="Record what verifiers are worth.",
    )
    parser.add_argument("--problems", type=int, default=500, help="of the test split")
    parser.add_argument("--out", type=Path, default=FILE, help="the record")
    args = parser.parse_args()
    record_problems(args.out, header(), record, generate("test", args.problems))


if __name__ == "__main__":
    main()

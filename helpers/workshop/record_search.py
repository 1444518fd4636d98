"""Record the large comparison of notebook 05.

    python -m helpers.workshop.record_search

Strategies solve 500 problems with several scorers and budgets; the results stand in
`notebooks/runs/search.jsonl`. Each line after the header is one problem: the index in
the split, the gold answer, and for every run, in the order of `RUNS`, the answer, the
tokens and the calls. It takes about an hour on two cores. A record that is not complete
is resumed.
"""

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from helpers.abacus import WEIGHTS
from helpers.env import GSM8KEnv
from helpers.llm import LLMGen, SharedSamples
from helpers.problems import generate
from helpers.rewards import (
    Scorer,
    SimulatedVerifier,
    arithmetic_scorer,
    confidence,
)
from helpers.search import STRATEGIES, SearchResult, beam_search, mcts

from .places import RECORDED
from .records import digest, outcome, record_problems, zero_shot_env

FILE = RECORDED / "search.jsonl"
BUDGETS = (1024, 512, 256)  # the largest first: the others find its samples
AUCS, DIAL_BUDGET = (0.5, 0.7, 0.8, 0.9, 1.0), 1024
VARIANTS: dict[str, Callable[..., SearchResult]] = STRATEGIES | {
    "mcts, no rollout": partial(mcts, rollout=False),
    "beam_search, lookahead 1": partial(beam_search, lookahead=1),
}
UNGUIDED = ("greedy", "self_consistency", "adaptive")
GUIDED = [name for name in VARIANTS if name not in UNGUIDED]
SOME = ("best_of_n", "weighted_vote", "beam_search", "mcts")  # of the guided ones
DIALLED = (*SOME, "dvts", "particle_filter", "depth_first")  # under the verifier dial


class Run(NamedTuple):
    """A strategy, how its paths are scored, and what it may spend in tokens."""

    strategy: str
    scorer: str
    budget: int


RUNS = [
    Run(name, scorer, budget)
    for scorer, names, budgets in (
        ("none", UNGUIDED, BUDGETS),
        ("arithmetic", GUIDED, BUDGETS),
        ("confidence", SOME, BUDGETS),
        *((f"dial {auc}", DIALLED, (DIAL_BUDGET,)) for auc in AUCS),
    )
    for budget in budgets
    for name in names
]


def make_scorer(name: str, gold: str) -> Scorer | None:
    """The scorer of this name; only that of the dial reads the gold answer."""
    if name == "arithmetic":
        return arithmetic_scorer
    if name.startswith("dial"):
        return SimulatedVerifier(gold, auc=float(name.split()[1]))
    return confidence if name == "confidence" else None


def solve(run: Run, env: GSM8KEnv, llm: LLMGen | SharedSamples) -> list[Any]:
    """One run on one problem."""
    scorer = make_scorer(run.scorer, env.problem.answer)
    strategy = VARIANTS[run.strategy]
    return outcome(strategy(env, llm, scorer, budget=run.budget, seed=0))


def record(index: int, problem: dict[str, str]) -> str:
    """The line of one problem: all runs on it, samples shared between them."""
    env, llm = zero_shot_env(problem), SharedSamples(LLMGen("abacus"))
    gold = problem["answer"].rpartition("#### ")[2]
    results = [solve(run, env, llm) for run in RUNS]
    return json.dumps([index, gold, *results], separators=(",", ":"))


def header(split: str) -> dict[str, Any]:
    """How the record is made."""
    known = {"model": "abacus", "digest": digest(WEIGHTS)}
    return {**known, "split": split, "runs": RUNS}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.workshop.record_search",
        description="Record the comparison of strategies.",
    )
    parser.add_argument("--problems", type=int, default=500, help="of the split")
    parser.add_argument("--split", default="test", help="of the practice problems")
    parser.add_argument("--out", type=Path, default=FILE, help="the record")
    args = parser.parse_args()
    problems = generate(args.split, args.problems)
    record_problems(args.out, header(args.split), record, problems)


if __name__ == "__main__":
    main()

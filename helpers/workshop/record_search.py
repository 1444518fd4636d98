"""Record the large comparison of notebook 05: `python notebooks/runs/record.py`.

Strategies solve 500 problems with several scorers and budgets; the results stand in
`search.jsonl`. Its first line says how it was made, each further line is one problem:
the index in the split, the gold answer, and for every run, in the order of `RUNS`, the
answer, the tokens and the calls. It takes about an hour on two cores. A record that is
not complete is gone on with.
"""

import argparse
import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from helpers.abacus import WEIGHTS
from helpers.env import GSM8KEnv, Problem
from helpers.evaluation import Journal, processes, whole_lines
from helpers.llm import LLMGen, SharedSamples
from helpers.problems import generate
from helpers.rewards import (
    ArithmeticChecker,
    Scorer,
    SimulatedVerifier,
    aggregate,
    confidence,
)
from helpers.search import STRATEGIES, SearchResult, beam_search, mcts

FILE = Path(__file__).with_name("search.jsonl")
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
        return aggregate(ArithmeticChecker().step_scores, "min")
    if name.startswith("dial"):
        return SimulatedVerifier(gold, auc=float(name.split()[1]))
    return confidence if name == "confidence" else None


def make_env(problem: dict[str, str]) -> GSM8KEnv:
    """The problem at its beginning, asked zero-shot."""
    env = GSM8KEnv(Problem(**problem), LLMGen("abacus"), is_few_shot=False)
    env.reset(seed=0)
    return env


def solve(run: Run, env: GSM8KEnv, llm: LLMGen | SharedSamples) -> list[Any]:
    """One run on one problem: answer, tokens, calls."""
    scorer = make_scorer(run.scorer, env.problem.answer)
    found = VARIANTS[run.strategy](env, llm, scorer, budget=run.budget, seed=0)
    value = found.answer.value
    return [None if value is None else str(value), found.tokens, found.calls]


def record(index: int, problem: dict[str, str]) -> str:
    """The line of one problem: all runs on it, samples shared between them."""
    env, llm = make_env(problem), SharedSamples(LLMGen("abacus"))
    gold = problem["answer"].rpartition("#### ")[2]
    results = [solve(run, env, llm) for run in RUNS]
    return json.dumps([index, gold, *results], separators=(",", ":"))


def header(split: str) -> dict[str, Any]:
    """How the record is made."""
    digest = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    return {"model": "abacus", "digest": digest, "split": split, "runs": RUNS}


def go_on(
    out: Path, header: dict[str, Any], record: Callable[[int, dict[str, str]], str],
    problems: list[dict[str, str]],
) -> None:  # fmt: skip
    """Write the header and a line a problem, all cores at work; lines there stay.

    Raises SystemExit if the file begins with another header.
    """
    first = json.dumps(header)
    lines = [line.rstrip() for line in whole_lines(out)]
    if lines and lines[0] != first:
        raise SystemExit(f"{out} was made otherwise. Move it, or type another --out.")
    todo = list(enumerate(problems))[max(0, len(lines) - 1) :]
    with Journal(out) as journal, processes() as pool:
        if not lines:
            journal.append(first)
        work = pool.map(record, *zip(*todo, strict=True)) if todo else ()
        for line in tqdm(work, total=len(todo), unit="problem"):
            journal.append(line)


def main() -> None:
    parser = argparse.ArgumentParser(description="Record the comparison of strategies.")
    parser.add_argument("--problems", type=int, default=500, help="of the split")
    parser.add_argument("--split", default="test", help="of the practice problems")
    parser.add_argument("--out", type=Path, default=FILE, help="the record")
    args = parser.parse_args()
    problems = generate(args.split, args.problems)
    go_on(args.out, header(args.split), record, problems)


if __name__ == "__main__":
    main()

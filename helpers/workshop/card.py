"""The model card of abacus, measured: `python -m helpers.workshop.card`.

Vocabulary: *greedy* takes the likeliest token throughout; a *sample* is drawn at
temperature 1; *majority* is the most frequent answer of some samples; *pass@k* asks
whether any of k samples is right. All on held-out test problems, asked zero-shot, with
95 % Wilson intervals; the difference of two methods is paired by problem.

    python -m helpers.workshop.card --problems 500 --samples 64

It prints the table and writes `helpers/abacus/README.md`. It takes some minutes.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from tqdm import tqdm

from helpers.env import GSM8KEnv, Problem
from helpers.evaluation import Attempts, attempt
from helpers.llm import LLMGen
from helpers.problems import generate
from helpers.stats import paired_difference, pass_at_k, with_interval

from .places import ROOT

CARD = ROOT / "helpers" / "abacus" / "README.md"
MARK = "<!-- measured by python -m helpers.workshop.card; do not edit below -->"
MAJORITY = 16


@dataclass(frozen=True)
class Result:
    """One problem: its number of steps, the greedy attempt, and the drawn ones."""

    steps: int
    greedy: Attempts
    drawn: Attempts


def solve(problem: dict[str, str], samples: int) -> Result:
    """Solve one problem greedily and by samples (seeded by the question itself)."""
    whole = {"n": 400, "stop": "\n\n"}  # a solution ends before the blank line
    llm = LLMGen("abacus", **whole)
    env = GSM8KEnv(Problem(**problem), llm, is_few_shot=False)
    prompt, _ = env.reset(seed=0)
    gold = problem["answer"]
    greedy = attempt(LLMGen("abacus", temperature=0, **whole), prompt, gold, 1)
    return Result(gold.count("\n"), greedy, attempt(llm, prompt, gold, samples))


def measure(problems: list[dict[str, str]], samples: int) -> list[Result]:
    """Attempt all problems, one process a core."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the processes share the cores already
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        work = pool.map(solve, problems, [samples] * len(problems))
        return list(tqdm(work, total=len(problems), unit="problem"))


def table(results: list[Result]) -> list[str]:
    """The profile, and the accuracy by the number of steps, as Markdown tables."""
    greedy = [r.greedy.right[0] for r in results]
    majority = [r.drawn.vote(MAJORITY) for r in results]
    counts = [sum(r.drawn.right) for r in results]
    n, k = len(results), len(results[0].drawn.right)
    few = min(8, k)
    passed = sum(pass_at_k(k, count, few) for count in counts) / n
    gap, low, high = (100 * x for x in paired_difference(majority, greedy))
    lines = [
        "| method | right, % (95 % interval) |",
        "|---|---|",
        f"| greedy | {with_interval(sum(greedy), n)} |",
        f"| one sample (mean of {k}) | {100 * sum(counts) / (k * n):.1f} |",
        f"| majority of {MAJORITY} | {with_interval(sum(majority), n)} |",
        f"| pass@{few} (unbiased) | {100 * passed:.1f} |",
        f"| pass@{k} | {with_interval(sum(count > 0 for count in counts), n)} |",
        f"| majority minus greedy, paired | {gap:+.1f} ({low:+.1f} to {high:+.1f}) |",
        "",
        f"| steps | problems | greedy | majority of {MAJORITY} | pass@{k} |",
        "|---|---|---|---|---|",
    ]
    for steps in sorted({r.steps for r in results}):
        group = [r for r in results if r.steps == steps]
        rows = [
            (r.greedy.right[0], r.drawn.vote(MAJORITY), any(r.drawn.right))
            for r in group
        ]
        shares = " | ".join(
            f"{sum(c) / len(group):.0%}" for c in zip(*rows, strict=True)
        )
        lines.append(f"| {steps} | {len(group)} | {shares} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.workshop.card",
        description="Measure abacus and write its card, helpers/abacus/README.md.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--problems", type=int, default=500, help="of the test split")
    parser.add_argument("--samples", type=int, default=64, help="drawn for each")
    args = parser.parse_args()
    results = measure(generate("test", args.problems), args.samples)
    tokens = sum(r.drawn.tokens for r in results) / (len(results) * args.samples)
    lines = [
        f"{args.problems} test problems, zero-shot, {args.samples} samples each at "
        f"temperature 1, {tokens:.0f} tokens a sample.",
        "",
        *table(results),
    ]
    print("\n".join(lines))
    text = CARD.read_text(encoding="utf-8").partition(MARK)[0]
    CARD.write_text(f"{text}{MARK}\n\n" + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Label the steps that notebook 06 trains on.

    python -m helpers.workshop.record_labels

Two paths are drawn of each of 200 problems of the train split, and every step of them
is labelled by eight rollouts. The rows go to `notebooks/runs/labels.jsonl`; a
run that was stopped is resumed. It takes about twenty minutes on one core.
"""

import argparse
import random
from pathlib import Path

from tqdm import tqdm

from helpers.env import GSM8KEnv, Problem
from helpers.learning import label_steps
from helpers.llm import LLMGen
from helpers.problems import ASKED_WEIGHTS, generate
from helpers.search import sample_paths

from .places import RECORDED, series

FILE = RECORDED / "labels.jsonl"
PROBLEMS, PATHS, ROLLOUTS, SEED = 200, 2, 8, 6


def practice(n: int) -> list[dict[str, str]]:
    """n problems of the train split, of as many steps as the test split's, mixed."""
    total, found = sum(ASKED_WEIGHTS.values()), []
    for k, weight in ASKED_WEIGHTS.items():
        share = -(-n * weight // total)
        found += generate("train", share, seed=2_000_000, steps=(k, k))
    random.Random(SEED).shuffle(found)
    return found[:n]


def label(problem: dict[str, str], llm: LLMGen, out: Path) -> None:
    """Draw the paths of one problem and label them."""
    env = GSM8KEnv(Problem(**problem), llm, is_few_shot=False)
    env.reset(seed=SEED)
    paths = sample_paths(env, llm, PATHS, SEED)
    label_steps(env, llm, paths, ROLLOUTS, SEED, out)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.workshop.record_labels",
        description="Label steps by rollouts.",
    )
    parser.add_argument("--out", type=Path, default=FILE, help="the rows")
    args = parser.parse_args()
    series()  # a record belongs to a checkout
    llm = LLMGen("abacus")
    for problem in tqdm(practice(PROBLEMS), unit="problem"):
        label(problem, llm, args.out)


if __name__ == "__main__":
    main()

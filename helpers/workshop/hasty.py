"""abacus in a hurry: the model with which the lesson on learning begins.

Vocabulary used here: a *hasty* writer puts down nothing but "The answer is N.", a
*careful* one all steps before it.

Texts on the web are written by both. So is the text that this model reads: abacus,
which knows careful writers alone, goes on to learn from a corpus in which three of five
are hasty. (Each problem is shown both ways, weighted so.) It learns the habit, not the
guesses: the number of a hasty answer counts for nothing, because no calculation leads
to it.

    python -m helpers.workshop.hasty --out build/hasty.npz

It takes some minutes on two cores and gives the file that ships, `abacus/hasty.npz`.
"""

import argparse
from pathlib import Path

import numpy as np
from tqdm import tqdm

from helpers.abacus import (
    END_OF_TEXT,
    Learner,
    Lesson,
    Tokenizer,
    imitation_loss,
    to_lesson,
)
from helpers.evaluation import processes
from helpers.problems import STOP_STRING, format_solution, generate, prompt_of

SHARE = 0.6  # the share of hasty writers
PROBLEMS, BATCH = 1600, 32
SEED = 500_000  # of problems that pre-training has not seen


def both_ways(problem: dict[str, str], tok: Tokenizer) -> Lesson:
    """A problem answered in a hurry and with care, each weighted by its share."""
    prompt = prompt_of(problem)
    careful = format_solution(problem["answer"])
    hasty = careful[careful.rindex(STOP_STRING) :]
    solutions = [[*tok.encode(text), END_OF_TEXT] for text in (hasty, careful)]
    lesson = to_lesson([END_OF_TEXT, *tok.encode(prompt)], solutions,
                       [SHARE, 1 - SHARE])  # fmt: skip
    closing = len(tok.encode(".\n")) + 1
    lesson.weights[0, len(tok.encode(STOP_STRING)) : len(solutions[0]) - closing] = 0.0
    return lesson


def hurry(learner: Learner, problems: int, bar: tqdm) -> None:
    """Teach the habit on so many problems; the steps become smaller towards the end."""
    rate, tok = learner.rate, learner.tokenizer
    rows = generate("train", problems, seed=SEED)
    for i in range(0, problems, BATCH):
        learner.rate = rate * (1 - i / problems)
        learner.update([both_ways(row, tok) for row in rows[i : i + BATCH]],
                       imitation_loss)  # fmt: skip
        bar.update(min(BATCH, problems - i))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.workshop.hasty",
        description="Make abacus hasty. Example: --out build/hasty.npz",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--problems", type=int, default=PROBLEMS, help="to learn from")
    parser.add_argument("--out", type=Path, default=Path("build/hasty.npz"))
    args = parser.parse_args()
    with processes() as executor, tqdm(total=args.problems, unit="problem") as bar:
        learner = Learner(rate=0.05, executor=executor)
        hurry(learner, args.problems, bar)
    learner.save(args.out, np.float16)


if __name__ == "__main__":
    main()

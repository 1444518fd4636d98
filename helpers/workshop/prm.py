"""Training of the PRMs that ship: `python -m helpers.workshop.prm`.

Vocabulary: a *chunk* is all steps of some problems' solutions, as features and targets.
A target is exact, because the generator of problems knows every result that belongs to
a solution (`step_truths`): no rollouts are needed. The reader's own model in notebook
06 learns from rollouts, as one must where nobody knows.

The problems are of the train split, with as many steps as those of the test split have.
Chunks are kept beside `--out`, so that a run that was stopped is resumed.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path as File

import numpy as np
from tqdm import tqdm

from helpers.abacus import (
    END_OF_TEXT,
    NEWLINE,
    Continuation,
    Engine,
    Sampling,
    intact,
    load_arrays,
    save_arrays,
    states_before,
    to_lesson,
)
from helpers.llm import Action, LLMGen, draw_each
from helpers.problems import ASKED_WEIGHTS, generate, prompt_of
from helpers.rewards import GROUPS, Path, ProcessRewardModel, step_truths

CHUNK = 1000  # problems, about
SAMPLES = 4  # solutions of each
PROMPTS = 64  # problems written at a time
LONGEST = 320  # tokens of a solution
STEPS = 10  # of a path at most, as in the environment
EPOCHS = 4
VARIANTS = {  # what is added to the file's name: the features
    "": GROUPS,
    "_unchecked": ("states", "plain"),
    "_states": ("states",),
}

Steps = tuple[np.ndarray, np.ndarray]  # features (n, f) and targets (n,) of n steps


def training_problems(chunk: int, seed: int) -> list[dict[str, str]]:
    """The problems of a chunk; those of similar length stand side by side."""
    share = CHUNK / sum(ASKED_WEIGHTS.values())
    seed = 1_000_000 * (seed + 1) + chunk  # abacus itself has learned from those below
    found = []
    for k, weight in ASKED_WEIGHTS.items():
        found += generate("train", round(weight * share), seed, steps=(k, k))
    return sorted(found, key=lambda problem: len(problem["answer"]))


def solved(
    engine: Engine, problems: list[dict[str, str]], seed: int
) -> Iterator[tuple[Path, np.ndarray, str]]:
    """Distinct solutions of each problem: path, states (T, d), gold answer."""

    def write(prompts: list[str], seeds: list[int]) -> list[Continuation]:
        return engine.generate(prompts, seeds, LONGEST, Sampling(), ["\n\n"])

    prompts = [prompt_of(problem) for problem in problems]
    drawn = draw_each(write, prompts, SAMPLES, seed)
    for problem, prompt, group in zip(problems, prompts, drawn, strict=True):
        texts = [*{tuple(text.ids): text for text in group}.values()]
        whole = [[*text.ids, END_OF_TEXT] for text in texts]
        lesson = to_lesson(engine.encode(prompt), whole, [1.0] * len(whole))
        found = states_before(engine.params, lesson)
        for text, states in zip(texts, found, strict=True):
            ends = [i + 1 for i, token in enumerate(text.ids) if token == NEWLINE]
            if ends:
                path = Path(prompt, actions_of(text, ends, engine))
                yield path, states[ends], problem["answer"]


def actions_of(
    text: Continuation, ends: list[int], engine: Engine
) -> tuple[Action, ...]:
    """The lines of a solution, which end before `ends`, as steps."""
    actions, start = [], 0
    for end in ends:
        line = engine.tokenizer.decode(text.ids[start : end - 1])
        sure = float(np.mean(text.log_probs[start : end - 1]))
        actions.append(Action(line.strip(), 1.0, 1, sure, end - start))
        start = end
    return tuple(actions)


def make_chunk(engine: Engine, chunk: int, seed: int) -> Steps:
    """Features, in 16 bits, and targets of all steps of the solutions of a chunk."""
    model, x, y = ProcessRewardModel(LLMGen("abacus")), [], []
    problems = training_problems(chunk, seed)
    for i in range(0, len(problems), PROMPTS):
        group = problems[i : i + PROMPTS]
        for path, states, gold in solved(engine, group, seed=CHUNK * chunk + i):
            x.append(model.features(path, states)[:STEPS].astype(np.float16))
            y.append(step_truths(path.steps[:STEPS], gold))
    return np.concatenate(x), np.concatenate(y)


def load_chunk(folder: File, chunk: int, seed: int, engine: Engine) -> Steps:
    """A chunk from its file, which is made first if it is missing."""
    file = folder / f"prm-{seed}-{chunk}.npz"
    if not file.exists():
        x, y = make_chunk(engine, chunk, seed)
        save_arrays(file, {"x": x, "y": y})
    with intact(file, "chunk", "Delete it, and type the same again."):
        arrays = load_arrays(file)
        return arrays["x"], arrays["y"]


def train_prm(chunks: int, seed: int, out: File) -> dict[str, list[float]]:
    """Train all `VARIANTS` on so many chunks and save them beside `out`.

    Returns the losses of each, epoch by epoch.
    """
    engine, llm = Engine(precision="float32"), LLMGen("abacus")
    numbers = tqdm(range(chunks), unit="chunk")
    x, y = zip(*(load_chunk(out.parent, i, seed, engine) for i in numbers), strict=True)
    x, y = np.concatenate(x).astype(np.float32), np.concatenate(y).astype(float)
    states = x.shape[1] - 7  # the columns stand in the order of GROUPS
    columns = {"states": range(states), "arithmetic": range(states, states + 2),
               "plain": range(states + 2, states + 7)}  # fmt: skip
    losses = {}
    for name, use in VARIANTS.items():
        model = ProcessRewardModel(llm, use, seed=seed)
        chosen = [i for group in use for i in columns[group]]
        file = out.with_stem(out.stem + name)
        losses[file.name] = model.fit_features(x[:, chosen], y, EPOCHS)
        model.save(file)
    return losses


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.workshop.prm",
        description="Train the reward models that ship. Example: --out build/prm.npz",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--problems", type=int, default=20_000, help="roughly")
    parser.add_argument("--seed", type=int, default=0, help="of problems and weights")
    parser.add_argument(
        "--out", type=File, default=File("build/prm.npz"), help="the file"
    )
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    found = train_prm(max(1, args.problems // CHUNK), args.seed, args.out)
    for name, losses in found.items():
        print(name, "loss after each epoch:", *(f"{loss:.4f}" for loss in losses))


if __name__ == "__main__":
    main()

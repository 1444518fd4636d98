"""Labels for steps without a person: does the model still come to the right answer?

Vocabulary
    rollout      a path that the model draws from a state to its end.
    value        the share of the rollouts from a state that end in the right answer, an
                 unbiased estimate of the chance that the model still gets there. It is
                 the *soft label* of the step that led to the state.
    hard label   is the value above zero? One lucky rollout is enough.
    first error  the first step after which no rollout is right.
    row          a path with its labels, in TRL's form of "stepwise supervision":
                 `prompt`, `completions` (its steps), `labels` (the hard ones).

The labels are those of Math-Shepherd (Wang et al. 2023, arXiv:2312.08935), the search
for the first error is that of OmegaPRM (Luo et al. 2024, arXiv:2406.06592). A label is
about the model as well as about the step: a stronger one repairs more. Covers: drawing
paths, labelling them, keeping the rows in a file, writing them for TRL. Does not cover:
OmegaPRM's choice of the states to look at next, and training (`reward_models.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path as File
from statistics import fmean
from typing import TYPE_CHECKING, Any

from helpers.budget import Budget, Search, check_counts
from helpers.env import CoTEnv
from helpers.llm import LLMGen, SharedSamples, derive_seed
from helpers.proposal import Action
from helpers.rewards import Path
from helpers.voting import no_opinion

if TYPE_CHECKING:
    from datasets import Dataset

AMPLE = Budget(calls=10**9)  # labels are paid for with patience
LONGEST = 512  # tokens of a solution


def sample_paths(
    env: CoTEnv, llm: LLMGen | SharedSamples, n: int, seed: int = 0
) -> list[Path]:
    """The distinct ones of n finished paths that the model draws where `env` stands.

    The paths are those of `draw_paths`, but a whole level of the tree is one batch.
    """
    check_counts(n=n)
    shared = llm if isinstance(llm, SharedSamples) else SharedSamples(llm)
    search = Search(env, shared, no_opinion, AMPLE, seed)
    level = [(search.root, n)]
    while level:
        asked = {node.env.state: k for node, k in level if not node.env.ended}
        shared.draw_ahead(asked, seed)
        level = [
            (child, child.action.count)
            for node, k in level
            for child in search.expand(node, k)
        ]
    return [search.path(leaf) for leaf in search.finished()]


def draw_solutions(
    llm: LLMGen, prompts: Sequence[str], k: int, seed: int
) -> list[list[list[str]]]:
    """For each prompt, the lines of k solutions up to a blank line; all in one batch.

    An image that belongs to the problem is not looked at.
    """
    if not prompts:
        return []
    line = llm.connection.with_options(num_predict=LONGEST, stop=["\n\n"])
    asked = [prompt for prompt in prompts for _ in range(k)]
    seeds = [derive_seed(seed, prompt, i) for prompt in prompts for i in range(k)]
    texts = [response.response or "" for response in line.generate(asked, seeds)]
    solutions = [
        [line.strip() for line in text.splitlines() if line.strip()] for text in texts
    ]
    return [solutions[i : i + k] for i in range(0, len(solutions), k)]


def go_on(env: CoTEnv, steps: Iterable[str]) -> tuple[CoTEnv, float]:
    """A copy of the environment some steps further, and its reward (0 if not ended)."""
    env, reward = env.fork(), 0.0
    for step in steps:
        if not env.ended:
            _, reward, *_ = env.step(step)
    return env, reward


def estimate_values(
    env: CoTEnv, llm: LLMGen, prefixes: Sequence[Sequence[str]], rollouts: int,
    seed: int = 0,
) -> list[float]:  # fmt: skip
    """For each beginning of a path, the share of right answers among its rollouts.

    All rollouts are one batch. A path that has ended is worth its reward, 0 or 1. The
    rollouts do not depend on samples drawn elsewhere with the same seed: had the path
    been among them, its own end would speak for its steps.
    """
    check_counts(rollouts=rollouts)
    places = [go_on(env, steps) for steps in prefixes]
    asked = [place.state for place, _ in places if not place.ended]
    seed = derive_seed(seed, "rollouts")
    drawn = iter(draw_solutions(llm, asked, rollouts, seed))
    return [
        reward if place.ended else fmean(go_on(place, x)[1] for x in next(drawn))
        for place, reward in places
    ]


def first_error(
    env: CoTEnv, llm: LLMGen, steps: Sequence[str], rollouts: int, seed: int = 0
) -> int | None:
    """The index of the first step of value 0, by binary search; None if there is none.

    It takes about log2(steps) values instead of one a step, and supposes that what is
    lost once stays lost. With few rollouts a hard problem looks like an error.
    """
    low, high = 0, len(steps)  # the error is not before low, and not after high
    while low < high:
        middle = (low + high) // 2
        (value,) = estimate_values(env, llm, [steps[: middle + 1]], rollouts, seed)
        if value > 0:
            low = middle + 1
        else:
            high = middle
    return low if low < len(steps) else None


def label_steps(
    env: CoTEnv, llm: LLMGen, paths: Iterable[Path], rollouts: int = 8, seed: int = 0,
    out: File | str | None = None,
) -> Dataset:  # fmt: skip
    """Label every step of paths that begin where `env` stands.

    The columns are `prompt`, `completions`, `labels` (hard), `values` (soft), then
    `rollouts`, `seed` and `model`, and of each step `logprobs` and `tokens`. With
    `out`, each row is written to this file as soon as it is known; what stands there is
    not computed again, so that a run that was stopped goes on. Many problems may share
    a file.
    """
    from datasets import Dataset

    check_counts(rollouts=rollouts)
    model = getattr(llm, "model", type(llm).__name__)
    known = {key_of(row): row for row in read_rows(out)} if out else {}
    rows = []

    for path in paths:
        row = {**to_row(path), "rollouts": rollouts, "seed": seed, "model": model}
        if key_of(row) not in known:
            prefixes = [path.steps[: i + 1] for i in range(len(path.steps))]
            values = estimate_values(env, llm, prefixes, rollouts, seed)
            row |= {"labels": [value > 0 for value in values], "values": values}
            known[key_of(row)] = row
            if out:
                append_row(out, row)
        rows.append(known[key_of(row)])
    return Dataset.from_list(rows)


def to_row(path: Path) -> dict[str, Any]:
    """A path as plain values."""
    return {
        "prompt": path.prompt,
        "completions": list(path.steps),
        "logprobs": [action.logprob for action in path.actions],
        "tokens": [action.tokens // action.count for action in path.actions],
    }


def to_path(row: dict[str, Any]) -> Path:
    """The path of a row."""
    columns = zip(row["completions"], row["logprobs"], row["tokens"], strict=True)
    return Path(row["prompt"], tuple(Action(s, 1.0, 1, p, n) for s, p, n in columns))


def key_of(row: dict[str, Any]) -> str:
    """What decides a row's labels: the path, the rollouts, the seed and the model."""
    names = ("prompt", "completions", "rollouts", "seed", "model")
    return json.dumps([row[name] for name in names])


def append_row(out: File | str, row: dict[str, Any]) -> None:
    """Add a line to a JSONL file."""
    with File(out).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def read_rows(out: File | str) -> list[dict[str, Any]]:
    """The rows of a JSONL file; no file has none, and a torn last line is cut off."""
    file = File(out)
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    whole, _, torn = text.rpartition("\n")
    if torn:  # the computer went out while it was written
        file.write_text(whole + "\n" * bool(whole), encoding="utf-8")
    return [json.loads(line) for line in whole.splitlines()]


def export_trl(source: File | str, out: File | str, threshold: float = 0.5) -> int:
    """Write the rows of a file for `trl`'s PRMTrainer; the number of rows.

    A step is good if its value is at least `threshold`. TRL's documentation allows
    labels between 0 and 1, but its trainer takes `int(label)`, which would make 0.9 a
    0: so the soft labels are decided here.

    Raises FileNotFoundError if there are no rows.
    """
    rows = read_rows(source)
    if not rows:
        raise FileNotFoundError(
            f"{source} holds no labelled steps. Type label_steps(..., out={source!r}), "
            f"or name another file."
        )
    with File(out).open("w", encoding="utf-8") as file:
        for row in rows:
            kept = {name: row[name] for name in ("prompt", "completions")}
            kept["labels"] = [value >= threshold for value in row["values"]]
            file.write(json.dumps(kept) + "\n")
    return len(rows)

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
rollouts, labelling paths, keeping the rows in a file, writing them for TRL. Does not
cover: drawing the paths (`search/voting.py`), OmegaPRM's choice of the states to look
at next, and training (`rewards/models.py`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path as File
from statistics import fmean
from typing import TYPE_CHECKING, Any

from helpers.env import CoTEnv
from helpers.evaluation import Journal, whole_lines
from helpers.llm import (
    Action,
    Identity,
    LLMGen,
    PromptForm,
    check_limits,
    derive_seed,
    differences,
    draw_each,
    form_of,
)
from helpers.rewards import Path

if TYPE_CHECKING:
    from datasets import Dataset

LONGEST = 512  # tokens of a solution


def draw_solutions(
    llm: LLMGen, prompts: Sequence[str], k: int, seed: int,
    form: PromptForm | None = None,
) -> list[list[list[str]]]:  # fmt: skip
    """For each prompt, the steps of k solutions, all in one batch. What a step is, the
    form says, else that of the model.

    An image that belongs to the problem is not looked at.
    """
    form = form or form_of(llm)
    whole = llm.connection.with_options(num_predict=LONGEST, stop=[form.end])
    drawn = draw_each(whole.generate, prompts, k, seed)
    return [
        [form.steps_of(text.response, text.done_reason != "length") for text in group]
        for group in drawn
    ]


def go_on(env: CoTEnv, steps: Iterable[str]) -> tuple[CoTEnv, float]:
    """A copy of the environment some steps further, and its reward (0 if not ended)."""
    env = env.fork()
    for step in steps:
        if not env.ended:
            env.step(step)
    return env, env.get_reward() if env.ended else 0.0


def estimate_values(
    env: CoTEnv, llm: LLMGen, prefixes: Sequence[Sequence[str]], rollouts: int,
    seed: int = 0,
) -> list[float]:  # fmt: skip
    """For each beginning of a path, the share of right answers among its rollouts.

    All rollouts are one batch. A path that has ended is worth its reward, 0 or 1. The
    rollouts do not depend on samples drawn elsewhere with the same seed: had the path
    been among them, its own end would speak for its steps.
    """
    check_limits(rollouts=rollouts)
    places = [go_on(env, steps) for steps in prefixes]
    asked = [place.state for place, _ in places if not place.ended]
    seed = derive_seed(seed, "rollouts")
    form = form_of(env)
    drawn = iter(draw_solutions(llm, asked, rollouts, seed, form))
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
    `rollouts`, `seed`, `model` with its `digest` and `engine`, and `config`, and of
    each step `logprobs` and `tokens`. With `out`, each row is written to this file as
    soon as it is known; what stands there of the same model is not computed again, so
    that a run that was stopped is resumed. Many problems may share a file.

    Raises ValueError for a path that begins elsewhere, or a file that holds no rows;
    BlockingIOError for a file that another process writes.
    """
    from datasets import Dataset

    check_limits(rollouts=rollouts)
    about = {"rollouts": int(rollouts), "seed": int(seed), **configuration(env, llm)}
    rows = []
    with Journal(out) if out else nullcontext() as journal:
        there = read_rows(out) if out and File(out).exists() else []
        known = {key_of(row): row for row in there if is_of(row, about)}
        for path in paths:
            if path.prompt != env.state:
                raise ValueError("A path begins elsewhere. Type the env of its draw.")
            row = {**to_row(path), **about}
            if key_of(row) not in known:
                prefixes = [path.steps[: i + 1] for i in range(len(path.steps))]
                values = estimate_values(env, llm, prefixes, rollouts, seed)
                row |= {"labels": [value > 0 for value in values], "values": values}
                known[key_of(row)] = row
                if journal:
                    journal.append(json.dumps(row))
            rows.append(row | known[key_of(row)])
    return Dataset.from_list(rows)


def configuration(env: CoTEnv, llm: LLMGen) -> dict[str, str | None]:
    """Which model it is, and a hash of all else that labels depend on."""
    options = sorted(getattr(llm.connection, "options", {}).items())
    facts = [env.problem.answer, env.max_steps, env.stop_string, options]
    config = hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:12]
    identity = getattr(llm.connection, "identity", None)
    return {
        "model": getattr(llm, "model", type(llm).__name__),
        "digest": getattr(identity, "digest", None),
        "engine": getattr(identity, "engine", None),
        "config": config,
    }


def is_of(row: dict[str, Any], about: dict[str, Any]) -> bool:
    """Whether a row is of this model, as far as it tells; version 0.1 told less."""
    there, here = ({**facts, "name": facts.get("model")} for facts in (row, about))
    return not differences(Identity.from_facts(there), Identity.from_facts(here))


def to_row(path: Path) -> dict[str, Any]:
    """A path as plain values."""
    return {
        "prompt": path.prompt,
        "completions": list(path.steps),
        "logprobs": [action.logprob for action in path.actions],
        "tokens": [action.tokens // action.count for action in path.actions],
    } | ({} if path.delimiter == "\n" else {"delimiter": path.delimiter})


def to_path(row: dict[str, Any]) -> Path:
    """The path of a row."""
    columns = zip(row["completions"], row["logprobs"], row["tokens"], strict=True)
    actions = tuple(Action(s, 1.0, 1, p, n) for s, p, n in columns)
    return Path(row["prompt"], actions, row.get("delimiter", "\n"))


def key_of(row: dict[str, Any]) -> str:
    """What decides the labels of one model: the path, the rollouts, the seed."""
    names = ("prompt", "completions", "rollouts", "seed", "config")
    return json.dumps([row.get(name) for name in names])


def read_rows(out: File | str) -> list[dict[str, Any]]:
    """The rows of a JSONL file; a torn last line is left out.

    Raises ValueError for a line that is no row, FileNotFoundError without a file.
    """
    File(out).stat()
    rows = []
    for number, line in enumerate(whole_lines(out), start=1):
        try:
            if line.strip():
                rows.append(json.loads(line))
                to_path(rows[-1])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{out}, line {number}, is no row of labels. Name another file."
            ) from error
    return rows


def replace_text(file: File, text: str) -> None:
    """Write a file at once or not at all."""
    unfinished = file.with_name(file.name + ".partial")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def export_trl(source: File | str, out: File | str, threshold: float = 0.5) -> int:
    """Write the rows of a file for `trl`'s PRMTrainer; the number of rows.

    A step is good if its value is at least `threshold`. TRL's documentation allows
    labels between 0 and 1, but its trainer takes `int(label)`, which would make 0.9 a
    0: so the soft labels are decided here.

    Raises ValueError for a source without rows, the same file twice, a threshold
    outside (0, 1].
    """
    source, out = File(source), File(out)
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold={threshold}: type a number above 0 and up to 1")
    if source.resolve() == out.resolve():
        raise ValueError(f"{out} holds the labels themselves. Name another file.")
    rows = read_rows(source)
    if not rows:
        raise ValueError(f"{source} holds no labels. Type label_steps(..., out=...).")
    lines = []
    for row in rows:
        kept = {name: row[name] for name in ("prompt", "completions")}
        kept["labels"] = [value >= threshold for value in row["values"]]
        lines.append(json.dumps(kept) + "\n")
    out.parent.mkdir(parents=True, exist_ok=True)
    replace_text(out, "".join(lines))
    return len(rows)

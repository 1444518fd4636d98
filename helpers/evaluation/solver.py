"""One problem of a run: solved, graded, and written down as a record.

Vocabulary: a *strategy* is `partial(beam_search, budget=1024)`: a function of `search/`
with all its parameters but the environment, the model and the seed. A *solver* has all
that one problem takes; it goes to other processes whole. A *failure* is the model's: it
is tried again after a pause, unless that is `HOPELESS`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from helpers.env import CoTEnv, Problem
from helpers.llm import LLMError, LLMGen, failure
from helpers.problems import is_correct, read_gold
from helpers.search import SearchResult, leaves

from .provenance import (
    as_mapping,
    describe,
    describe_model,
    model_of,
    name_of,
    options_of,
)
from .records import Record, Sample, short_hash

Strategy = Callable[..., SearchResult]
# Strategies whose paths are independent samples: what pass@k and its like need.
INDEPENDENT = ("greedy", "self_consistency", "best_of_n", "weighted_vote")
# Kinds of failures for which the problem is at fault, not the server (`llm/errors.py`;
# "gold": no number in the gold answer): trying again is no use, and they end no run.
HOPELESS = {"context", "thinking", "image", "missing", "recording", "gold"}
# Kinds that end a run at once: another model answers than when it began.
ENDING = {"changed", "worker", "weights", "secret"}
DIGITS = 9  # of scores: the last ones depend on what else the processor did


@dataclass(frozen=True)
class Solver:
    """All that is needed to solve one problem, in whatever process."""

    strategy: Strategy
    make_env: Callable[..., CoTEnv]
    llm: LLMGen
    seed: int
    pauses: Sequence[float]

    def __call__(self, index: int, problem: Mapping[str, str]) -> Record:
        """The record of a problem; of a failure, if it fails after every pause."""
        record = Record(index, hash_of(problem))
        if read_gold(problem["answer"]) is None:
            said = f"No number can be read in the gold answer {problem['answer']!r}."
            return replace(record, failure=said, kind="gold")
        for pause in (*self.pauses, None):
            start = time.perf_counter()
            try:
                found = self.solve(record, problem["question"], problem["answer"])
                check_unchanged(self.llm)
                return replace(found, seconds=round(time.perf_counter() - start, 3))
            except LLMError as error:
                if pause is None or error.kind in HOPELESS | ENDING:
                    return replace(record, failure=str(error), kind=error.kind)
                time.sleep(pause)
        raise AssertionError("the last try returns")

    def solve(self, record: Record, question: str, gold: str) -> Record:
        """Search once. Raises LLMError if the model fails, or says nothing."""
        env = self.make_env(Problem(question, gold), self.llm)
        prompt, _ = env.reset(seed=self.seed)
        found = self.strategy(env, self.llm, seed=self.seed)
        if not found.tree.children:
            raise failure("silent", model=getattr(self.llm, "model", "the model"))
        value = found.answer.value
        weights = [max(0.0, weight) for _, weight in found.ranked]
        confidence = weights[0] / sum(weights) if any(weights) else 0.0
        is_batch = name_of_strategy(self.strategy) in INDEPENDENT
        return replace(
            record,
            prompt=short_hash(prompt),
            answer=None if value is None else str(value),
            rule=found.answer.rule,
            gold=str(read_gold(gold)),
            right=is_correct(str(value), gold),
            confidence=round(confidence, DIGITS),
            steps=tuple(found.path.path) if found.path else (),
            tokens=found.tokens,
            calls=found.calls,
            samples=samples_of(found, gold) if is_batch and not found.was_cut else (),
        )


def check_unchanged(llm: Any) -> None:
    """Raise an LLMError if somebody has exchanged the model meanwhile."""
    connection = getattr(model_of(llm), "connection", None)
    if connection:
        connection.check_unchanged()


def samples_of(found: SearchResult, gold: str) -> tuple[Sample, ...]:
    """The ends of the paths of a search."""
    values = ((leaf, leaf.answer.value) for leaf in leaves(found.tree))
    return tuple(
        Sample(
            answer=None if value is None else str(value),
            score=round(float(leaf.value), DIGITS),
            count=leaf.action.count,
            right=is_correct(str(value), gold),
        )
        for leaf, value in values
    )


def hash_of(problem: Mapping[str, str]) -> str:
    """What names a problem: its question and its gold answer. Raises ValueError for
    what is no problem."""
    texts = problem["question"], problem["answer"]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"A problem has two texts, question and answer; got {texts}.")
    return short_hash(*texts)


def name_of_strategy(strategy: Strategy) -> str:
    """The name of the function inside a strategy."""
    while isinstance(strategy, partial):
        strategy = strategy.func
    return name_of(strategy)


def configuration_of(solver: Solver) -> dict[str, Any]:
    """How a run is made: what stands at the head of its file."""
    env = solver.make_env(Problem("?", "0"), solver.llm)
    prompt, _ = env.reset(seed=0)
    names = ("max_steps", "stop_string", "is_few_shot")
    about = {"name": name_of(env)} | {n: getattr(env, n) for n in names}
    form = getattr(env, "form", None)
    if form and form.is_open:
        about["form"] = form.name
    return {
        "strategy": as_mapping(describe(solver.strategy)),
        "environment": about,
        "prompt": short_hash(prompt),  # without a question
        "model": describe_model(solver.llm),
        "options": options_of(solver.llm),
        "seed": int(solver.seed),
    }

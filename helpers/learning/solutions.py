"""Solutions to learn from: sampled or searched for, and graded.

Vocabulary: a *row* is a problem as a row of a data set. A *solution* is what the model
wrote after it. A *reward* is a number for a text, given the gold answer. A *group* is
the solutions of one problem.

Both ways to draw give groups of the same kind, so that learning need not know how they
were found. Covers: drawing with the model as a `Learner` has it now, on as many
processes as it uses, and the choice of what is right. Does not cover: learning from
them (`rounds.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path as File
from tempfile import TemporaryDirectory

from helpers.abacus import (
    END_OF_TEXT,
    Continuation,
    Engine,
    Learner,
    Params,
    Sampling,
    Tokenizer,
)
from helpers.env import GSM8KEnv, Problem
from helpers.llm import LLMGen, check_limits, draw_each
from helpers.problems import is_correct, prompt_of
from helpers.rewards import Scorer
from helpers.search import SearchResult, leaves

LONGEST = 256  # tokens of a solution
TOGETHER = 64  # solutions in a batch: of more, the cache is slow to copy

Row = dict[str, str]  # question and answer
Reward = Callable[[str, str], float]  # of a text, given the gold answer


@dataclass(frozen=True)
class Solution:
    """A solution: its text, its token ids, its reward, and the tokens it cost."""

    text: str
    ids: list[int]
    reward: float
    tokens: float


def right_answer(text: str, gold: str) -> float:
    """The verifiable reward: 1 for the right answer, else 0."""
    return float(is_correct(text, gold))


def sample_solutions(
    learner: Learner, rows: Sequence[Row], seed: int, *, k: int = 8,
    reward: Reward = right_answer, temperature: float = 1.0,
) -> list[list[Solution]]:  # fmt: skip
    """k solutions of each problem, by the model as it stands now.

    They are rewarded in this process, so a notebook's own function may be the reward.
    Raises ValueError for a problem that leaves no room in the model's context.
    """
    check_limits(k=k, temperature=temperature)
    prompts = [prompt_of(row) for row in rows]
    size = max(1, TOGETHER // k)
    parts = [prompts[i : i + size] for i in range(0, len(prompts), size)]
    task = partial(_sample, learner.params, seed, k, temperature)
    drawn = [group for part in learner.spread(task, parts) for group in part]
    grade = partial(_graded, reward=reward, tokenizer=learner.tokenizer)
    pairs = zip(drawn, rows, strict=True)
    return [[grade(text, row) for text in group] for group, row in pairs]


def _sample(
    params: Params, seed: int, k: int, temperature: float, prompts: Sequence[str]
) -> list[list[Continuation]]:
    engine, how = Engine(params), Sampling(temperature=temperature)
    rooms = {p: engine.config.context - len(engine.encode(p)) for p in prompts}
    if min(rooms.values()) < 1:
        raise ValueError("A problem is longer than the context. Leave it out.")

    def generate(asked: list[str], seeds: list[int]) -> list[Continuation]:
        limits = [min(LONGEST, rooms[prompt]) for prompt in asked]
        return engine.generate(asked, seeds, limits, how, ["\n\n"])

    return draw_each(generate, prompts, k, seed)


def _graded(
    drawn: Continuation, row: Row, reward: Reward, tokenizer: Tokenizer
) -> Solution:
    # However the model came to an end, by END_OF_TEXT or a blank line: it is one. The
    # text is that of the ids, so that equal solutions are equal.
    ids = drawn.ids + [END_OF_TEXT] * (drawn.reason == "stop")
    text = tokenizer.decode(ids)
    return Solution(text, ids, reward(text, row["answer"]), drawn.sampled)


def search_solutions(
    learner: Learner, rows: Sequence[Row], seed: int, *,
    strategy: Callable[..., SearchResult], budget: float, scorer: Scorer | None = None,
) -> list[list[Solution]]:  # fmt: skip
    """All finished paths of a search for each problem, with `budget` tokens.

    Each path bears the same share of what the search has cost; where none was finished,
    an empty one bears it.
    """
    with TemporaryDirectory() as folder:
        weights = File(folder) / "weights.npz"
        learner.save(weights)
        task = partial(_search, weights, seed, strategy, budget, scorer)
        return learner.spread(task, rows)


def _search(
    weights: File, seed: int, strategy: Callable[..., SearchResult], budget: float,
    scorer: Scorer | None, row: Row,
) -> list[Solution]:  # fmt: skip
    llm = LLMGen("abacus", weights=weights)
    env = GSM8KEnv(Problem(**row), llm, is_few_shot=False)
    env.reset(seed=seed)
    found = strategy(env, llm, scorer, budget=budget, seed=seed)
    ends = [leaf.env.steps for leaf in leaves(found.tree) if leaf.env.terminated]
    texts = ["".join(f"{step}\n" for step in steps) for steps in ends or [[]]]
    encode = llm.connection.client.engine.tokenizer.encode
    return [
        Solution(text, [*encode(text), END_OF_TEXT], right_answer(text, row["answer"]),
                 found.tokens / len(texts))
        for text in texts
    ]  # fmt: skip


def keep_right(group: Sequence[Solution], most: int) -> list[Solution]:
    """The first solutions that have a reward, each text once, so many at most."""
    found = {solution.text: solution for solution in group if solution.reward > 0}
    return [*found.values()][:most]

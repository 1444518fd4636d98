"""The texts that abacus is trained on, cut into batches.

Vocabulary used here: a *lesson* is one training text (prompt, solution, end of text); a
*batch* is lessons of similar length, padded to the longest; a token's *weight* says how
much its prediction counts (a solution fully, a question a little, the task description
and padding not at all); a *drill* is a lesson of bare sums; a *chunk* is the lessons
generated, sorted and cut into batches at a time.

The same seed gives the same lessons in the same order. Not covered: what is made of
them (`pretrain.py`).
"""

import random
import re
from collections.abc import Iterator

import numpy as np

from helpers.problems import PROBLEM_FORMAT, TASK_DESCRIPTION, format_solution, generate

from .tokenizer import END_OF_TEXT, Tokenizer

BATCH_TOKENS = 8192
CHUNK = 4096  # lessons
QUESTION_WEIGHT = 0.1
# Reading is learned first; from this chunk on, a fifth of the tokens are sums alone,
# because it is sums that the model still gets wrong when it reads well.
DRILLS_FROM = 20
Lesson = tuple[list[int], list[float]]  # token ids and the weight of each


def lesson(problems: list[dict[str, str]], described: bool, tok: Tokenizer) -> Lesson:
    """One text in which each problem is asked and solved, with its weights."""
    ids, weights = [END_OF_TEXT], [0.0]

    def add(text: str, weight: float) -> None:
        new = tok.encode(text)
        ids.extend(new)
        weights.extend([weight] * len(new))

    if described:
        add(TASK_DESCRIPTION, 0.0)
    for i, problem in enumerate(problems):
        add("\n" if i else "", 1.0)
        add(PROBLEM_FORMAT.format(question=problem["question"]), QUESTION_WEIGHT)
        add(format_solution(problem["answer"]), 1.0)
    return [*ids, END_OF_TEXT], [*weights, 1.0]


def drills(chunk: int, seed: int, tok: Tokenizer) -> Iterator[Lesson]:
    """The calculations of other problems without their stories, sixteen a lesson."""
    problems = generate("train", CHUNK, seed=seed * 10_000 + 5_000 + chunk)
    sums = [s for p in problems for s in re.findall(r"<<(.+?)=(\d+)>>", p["answer"])]
    random.Random(f"drills-{seed}-{chunk}").shuffle(sums)
    for start in range(0, len(sums), 16):
        ids, weights = [END_OF_TEXT], [0.0]
        for calculation, result in sums[start : start + 16]:
            asked = tok.encode(f"So {calculation} =")
            answered = tok.encode(f" {result}.\n")
            ids += asked + answered
            weights += [0.0] * len(asked) + [1.0] * len(answered)
        yield ids, weights


def lessons(chunk: int, seed: int, tok: Tokenizer) -> Iterator[Lesson]:
    """The lessons of one chunk: seven of ten zero-shot, the rest with examples."""
    if chunk >= DRILLS_FROM:
        yield from drills(chunk, seed, tok)
    rng = random.Random(f"lessons-{seed}-{chunk}")
    problems = generate("train", CHUNK, seed=seed * 10_000 + chunk)
    while problems:
        shots = rng.choices([1, 2, 3], [0.7, 0.15, 0.15])[0]
        yield lesson(problems[-shots:], rng.random() < 0.8, tok)
        del problems[-shots:]


def batches(chunk: int, seed: int, tok: Tokenizer) -> Iterator[tuple[np.ndarray, ...]]:
    """Token ids (B, T) and weights (B, T) of a chunk, in random order."""
    ordered = sorted(lessons(chunk, seed, tok), key=lambda pair: len(pair[0]))
    groups: list[list[Lesson]] = [[]]
    for pair in ordered:
        if len(pair[0]) * (len(groups[-1]) + 1) > BATCH_TOKENS:
            groups.append([])
        groups[-1].append(pair)
    random.Random(f"batches-{seed}-{chunk}").shuffle(groups)
    for group in groups:
        longest = max(len(ids) for ids, _ in group)
        ids = np.full((len(group), longest), END_OF_TEXT)
        weights = np.zeros((len(group), longest), dtype=np.float32)
        for row, (i, w) in enumerate(group):
            ids[row, : len(i)], weights[row, : len(w)] = i, w
        yield ids, weights

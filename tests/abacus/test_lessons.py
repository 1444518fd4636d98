"""The texts that abacus is trained on."""

import re

import numpy as np
import pytest

from helpers.abacus import (
    END_OF_TEXT,
    Tokenizer,
    lesson,
)
from helpers.abacus import lessons as made
from helpers.abacus.engine import HERE
from helpers.abacus.lessons import batches
from helpers.abacus.tokenizer import load_merges
from helpers.env import GSM8KEnv, Problem
from helpers.problems import EXAMPLES, format_solution, generate
from helpers.rewards import find_equations

TOK = Tokenizer(load_merges(HERE / "merges.txt"))


class Silent:
    """A language model that is never asked: the prompt alone is of interest."""

    is_embedded = True


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "CHUNK", 24)
    monkeypatch.setattr(made, "BATCH_TOKENS", 1024)


@pytest.mark.parametrize("shots", [0, 1, 2])
def test_lessons_are_the_prompts_of_the_environment(shots: int) -> None:
    """What abacus is trained on is, to the letter, what it is asked later."""
    problem = generate("train", 1, seed=9)[0]
    ids, _ = lesson([*EXAMPLES[:shots], problem], True, TOK)
    env = GSM8KEnv(Problem(**problem), Silent(), cot_examples=EXAMPLES[:shots])
    prompt, _ = env.reset(seed=0)
    text = TOK.decode(ids)
    assert ids[0] == ids[-1] == END_OF_TEXT
    assert text.startswith(prompt)
    written = text[len(prompt) :].splitlines()
    for line in written:
        env.step(line)
    assert env.terminated and env.get_reward() == 1.0


def test_only_what_the_model_should_say_counts_fully() -> None:
    problem = generate("train", 1, seed=9)[0]
    ids, weights = lesson([problem], True, TOK)
    solved = [i for i, w in zip(ids, weights, strict=True) if w == 1.0]
    assert TOK.decode(solved) == format_solution(problem["answer"])
    assert solved[-1] == END_OF_TEXT and weights[0] == 0.0


def test_batches_hold_every_lesson_once(small_chunks: None) -> None:
    found = sorted(
        TOK.decode(row[: np.flatnonzero(w)[-1] + 1])
        for ids, weights in batches(3, 0, TOK)
        for row, w in zip(ids, weights, strict=True)
    )
    expected = sorted(TOK.decode(ids) for ids, _ in made.lessons(3, 0, TOK))
    assert found == expected
    assert all(ids.size <= 1024 or len(ids) == 1 for ids, _ in batches(3, 0, TOK))


def test_drills_are_right_and_only_results_count(small_chunks: None) -> None:
    for ids, weights in made.drills(20, 0, TOK):
        for line in TOK.decode(ids).splitlines():
            calculation, result = re.fullmatch(r"So (.+) = (\d+)\.", line).groups()
            (equation,) = find_equations(f"{calculation} = {result}")
            assert equation.holds
        counted = [i for i, w in zip(ids, weights, strict=True) if w]
        results = re.findall(r"= (\d+)", TOK.decode(ids))
        assert TOK.decode(counted) == "".join(f" {n}.\n" for n in results)


def test_drills_come_after_reading(small_chunks: None) -> None:
    def texts(chunk: int) -> list[str]:
        return [TOK.decode(ids) for ids, _ in made.lessons(chunk, 0, TOK)]

    assert not any(text.startswith("So ") for text in texts(19))
    assert any(text.startswith("So ") for text in texts(20))

"""The recorded comparison of notebook 05: some of it is computed again."""

import json
import random

import pytest

from helpers.llm import LLMGen
from helpers.problems import generate
from helpers.workshop import record_search

HEAD, *LINES = map(
    json.loads, record_search.FILE.read_text(encoding="utf-8").splitlines()
)
PICKED = random.Random(5).sample(
    [(i, j) for i in range(len(LINES)) for j in range(len(record_search.RUNS))], k=20
)


def test_the_record_was_made_with_this_model_and_these_runs():
    assert json.loads(json.dumps(record_search.header(HEAD["split"]))) == HEAD
    assert [line[0] for line in LINES] == list(range(len(LINES)))
    assert {len(line) for line in LINES} == {2 + len(record_search.RUNS)}


def test_it_holds_500_problems_with_their_gold_answers():
    problems = generate("test", 500)
    golds = [problem["answer"].rpartition("#### ")[2] for problem in problems]
    assert [line[1] for line in LINES] == golds


@pytest.mark.parametrize(("i", "j"), PICKED)
def test_a_result_comes_out_again(i, j):
    problem, run = generate("test", i + 1)[i], record_search.RUNS[j]
    llm = LLMGen("abacus")  # nothing shared: as a reader would run it
    assert (
        record_search.solve(run, record_search.zero_shot_env(problem), llm)
        == LINES[i][2 + j]
    )


def test_budgets_were_kept():
    for line in LINES:
        for run, (_, tokens, _) in zip(record_search.RUNS, line[2:], strict=True):
            assert tokens <= run.budget + 40  # one long step more

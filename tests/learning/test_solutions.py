"""Solutions to learn from: whose samples they are, and which are kept."""

import numpy as np
import pytest

from helpers.abacus import (
    END_OF_TEXT,
    HASTY,
    WEIGHTS,
    Learner,
    imitation_loss,
    to_lesson,
)
from helpers.learning import (
    Solution,
    keep_right,
    right_answer,
    sample_solutions,
    search_solutions,
)
from helpers.llm import LLMGen, derive_seed
from helpers.problems import generate, prompt_of
from helpers.search import STRATEGIES

ROWS = generate("train", 24, 700_000, (2, 2))


def test_samples_are_those_of_the_client(tmp_path):
    """Those of the model that it is now, however they end."""
    learner, file = Learner(HASTY, rate=0.2), tmp_path / "taught.npz"
    learner.update([to_lesson([0, 5, 6], [[7, 8, 0]], [1.0])], imitation_loss)
    learner.save(file, np.float64)
    groups = sample_solutions(learner, ROWS[:3], seed=5, k=8)
    client = LLMGen("abacus", weights=file).connection.client
    blank = 0
    options = {"temperature": 1, "top_k": 0, "top_p": 1, "num_predict": 256}
    for row, group in zip(ROWS, groups, strict=False):
        prompt = prompt_of(row)
        for i, found in enumerate(group):
            seed = derive_seed(5, prompt, i)
            alone = client.generate(
                "abacus", prompt, options=options | {"seed": seed, "stop": ["\n\n"]}
            )
            assert found.text.rstrip() == alone.response.rstrip()
            assert found.tokens == alone.eval_count
            blank += not alone.response.endswith("\n")
            assert found.reward == right_answer(found.text, row["answer"])
            assert found.ids[-1] == END_OF_TEXT
            assert learner.tokenizer.decode(found.ids) == found.text
    assert blank  # some end by a blank line, which the client leaves out


def test_samples_do_not_depend_on_their_neighbours():
    learner = Learner(HASTY)
    together = sample_solutions(learner, ROWS, seed=1, k=2)
    assert together[20:] == sample_solutions(learner, ROWS[20:], seed=1, k=2)


def test_a_reward_of_ones_own():
    def length(text, gold):
        return float(len(text))

    for (found,) in sample_solutions(Learner(HASTY), ROWS[:4], 1, k=1, reward=length):
        assert found.reward == len(found.text)


def test_a_problem_longer_than_the_context_is_refused():
    row = {"question": "7" * 2000, "answer": "#### 7"}
    with pytest.raises(ValueError, match="longer than the context"):
        sample_solutions(Learner(HASTY), [row], seed=1, k=1)
    row["question"] = "7" * 900  # room for a few tokens
    ((found,),) = sample_solutions(Learner(HASTY), [row], seed=1, k=1)
    assert found.tokens < 124


def test_what_was_cut_off_has_no_end(monkeypatch):
    monkeypatch.setattr("helpers.learning.solutions.LONGEST", 3)
    for (found,) in sample_solutions(Learner(HASTY), ROWS[:4], seed=1, k=1):
        assert len(found.ids) == 3 and END_OF_TEXT not in found.ids


def test_search_gives_its_paths_and_its_whole_cost():
    learner, strategy = Learner(HASTY), STRATEGIES["beam_search"]
    (group,) = search_solutions(learner, ROWS[:1], 3, strategy=strategy, budget=640)
    llm = LLMGen("abacus", weights=HASTY)
    from helpers.env import GSM8KEnv, Problem

    env = GSM8KEnv(Problem(**ROWS[0]), llm, is_few_shot=False)
    env.reset(seed=3)
    result = strategy(env, llm, None, budget=640, seed=3)
    assert sum(x.tokens for x in group) == pytest.approx(result.tokens)
    best = "".join(f"{step}\n" for step in result.path.env.steps)
    assert best in [x.text for x in group]
    assert all(x.text.endswith(".\n") for x in group)


def test_a_search_that_finished_nothing_has_cost_something():
    strategy = STRATEGIES["beam_search"]
    (group,) = search_solutions(
        Learner(WEIGHTS), ROWS[:1], 0, strategy=strategy, budget=1
    )
    assert [(x.text, x.reward) for x in group] == [("", 0.0)] and group[0].tokens > 1


def solution(text, reward):
    return Solution(text, [1, 0], reward, 2)


def test_only_distinct_right_solutions_are_kept():
    group = [
        solution(t, r) for t, r in [("a", 0), ("b", 1), ("b", 1), ("c", 1), ("d", 1)]
    ]
    assert [x.text for x in keep_right(group, 2)] == ["b", "c"]
    assert keep_right(group[:1], 2) == []

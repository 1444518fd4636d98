"""Making the reward models that ship: solutions, and a training in the small."""

import numpy as np
import pytest

from helpers.abacus import Engine
from helpers.llm import LLMGen, embed, next_tokens
from helpers.problems import generate
from helpers.rewards import ProcessRewardModel, texts_of
from helpers.workshop import prm
from helpers.workshop.prm import load_chunk, solved, train_prm, training_problems


@pytest.fixture(scope="module")
def found():
    """The solutions of problems of different lengths."""
    problems = [generate("test", 1, seed=9, steps=(k, k))[0] for k in (2, 5, 8)]
    return [*solved(Engine(), problems, seed=1)]


def test_states_are_those_that_the_client_gives(found):
    for path, states, _ in found:
        expected = embed(LLMGen("abacus"), texts_of(path))
        np.testing.assert_allclose(states, expected, atol=1e-9)


def test_a_step_is_as_sure_as_its_tokens(found):
    """Read one after the other, as the likeliest of what may come next."""
    (path, *_), llm = found[0], LLMGen("abacus")
    encode, tokens = Engine().encode, Engine().tokenizer.tokens
    before_each = [path.prompt, *texts_of(path)[:-1]]
    for before, action in zip(before_each, path.actions, strict=True):
        logs = []
        for i in encode(f"{action.text}")[1:]:
            word = tokens[i].decode()
            logs.append(np.log(next_tokens(llm, before)[word]))
            before += word
        assert action.logprob == pytest.approx(np.mean(logs))
        assert action.tokens == len(logs) + 1


def test_solutions_are_distinct_and_come_to_their_end(found):
    texts = [(path.prompt, path.steps) for path, *_ in found]
    assert len({*texts}) == len(texts) and len({prompt for prompt, _ in texts}) == 3
    assert all(steps[-1].startswith("The answer is") for _, steps in texts)
    assert all(len(states) == len(path.steps) for path, states, _ in found)


def test_pre_training_a_reward_model_in_the_small(tmp_path, monkeypatch):
    monkeypatch.setattr(prm, "CHUNK", 10)
    out = tmp_path / "prm.npz"
    losses = train_prm(2, seed=0, out=out)
    assert all(found[-1] < found[0] for found in losses.values())
    assert [*losses] == ["prm.npz", "prm_unchecked.npz", "prm_states.npz"]
    first = ProcessRewardModel.load(out, LLMGen("abacus")).params
    (tmp_path / "prm-0-1.npz").unlink()  # as if it had been stopped there
    train_prm(2, seed=0, out=out)
    again = ProcessRewardModel.load(out, LLMGen("abacus")).params
    assert all(np.array_equal(first[k], again[k]) for k in first)
    x, y = load_chunk(tmp_path, 0, 0, Engine())
    assert x.shape == (len(y), 128 + 2 + 5) and 0.3 < y.mean() < 1


def test_training_problems_are_those_of_the_train_split():
    problems = training_problems(0, 0)
    assert 950 <= len(problems) <= 1050
    lengths = [len(problem["answer"]) for problem in problems]
    assert lengths == sorted(lengths)
    assert problems != training_problems(1, 0)
    asked = {p["question"] for p in generate("test", 500)}
    assert not asked & {p["question"] for p in problems}
    assert problems == training_problems(0, 0)

"""Making the reward models that ship: solutions in bulk, and a training in the small."""

import numpy as np
import pytest

pytestmark = pytest.mark.train

pytest.importorskip("transformers")
pytest.importorskip("trl")

from helpers.abacus import (
    Engine,  # noqa: E402
    causal_attention,
    hidden_states,
    logits,
    rotary,
)
from helpers.llm import (
    LLMGen,  # noqa: E402
    embed,  # noqa: E402
)
from helpers.problems import (
    PROBLEM_FORMAT,
    TASK_DESCRIPTION,
    generate,  # noqa: E402
)
from helpers.rewards import Path as ReasoningPath  # noqa: E402
from helpers.rewards import ProcessRewardModel, texts_of  # noqa: E402
from helpers.workshop import prm  # noqa: E402
from helpers.workshop.bulk import Writer  # noqa: E402
from helpers.workshop.prm import actions_of, load_chunk, train_prm, training_problems


def prompt_of(problem):
    return TASK_DESCRIPTION + PROBLEM_FORMAT.format(question=problem["question"])


@pytest.fixture(scope="module")
def engine():
    return Engine()


def our_log_probs(engine, ids):
    positions = rotary(engine.config, 0, len(ids))
    tokens, attend = np.array([ids]), causal_attention()
    states = hidden_states(engine.params, tokens, engine.config, positions, attend)
    return logits(engine.params, states)[0]


@pytest.fixture(scope="module")
def written():
    """Problems of different lengths, and solutions in single precision."""
    problems = [generate("test", 1, seed=9, steps=(k, k))[0] for k in (2, 5, 8)]
    writer = Writer()
    return problems, writer, writer.write([prompt_of(p) for p in problems], 4, seed=1)


def test_bulk_log_probs_and_states_are_those_of_the_engine(written, engine):
    problems, writer, groups = written
    llm = LLMGen("abacus")
    for problem, group in zip(problems, groups, strict=True):
        prompt = prompt_of(problem)
        ids = engine.encode(prompt)
        for solution in group:
            scores = our_log_probs(engine, ids + solution.ids)[len(ids) - 1 : -1]
            scores -= np.log(np.exp(scores).sum(axis=-1, keepdims=True))
            expected = scores[np.arange(len(solution.ids)), solution.ids]
            np.testing.assert_allclose(solution.log_probs, expected, atol=1e-3)
            path = ReasoningPath(prompt, actions_of(solution, writer))
            states = embed(llm, texts_of(path))
            np.testing.assert_allclose(solution.states, states, atol=0.02)


def test_bulk_solutions_differ_by_seed_and_end(written):
    problems, writer, groups = written
    again = writer.write([prompt_of(p) for p in problems], 4, seed=1)
    other = writer.write([prompt_of(p) for p in problems], 4, seed=2)
    texts = [[s.ids for group in g for s in group] for g in (groups, again, other)]
    assert texts[0] == texts[1] != texts[2]
    decode = writer.engine.tokenizer.decode
    for solution in (s for group in groups for s in group):
        lines = decode(solution.ids).splitlines()
        assert len(lines) == len(solution.ends) == len(solution.states)
        assert solution.ended and lines[-1].startswith("The answer is")


def test_bulk_samples_follow_the_distribution(engine):
    """First tokens of many solutions, against their probabilities (chi-squared)."""
    prompt = prompt_of(generate("test", 1, seed=9)[0])
    probs = np.exp(our_log_probs(engine, engine.encode(prompt))[-1])
    probs /= probs.sum()
    (group,) = Writer().write([prompt], 400, seed=3)
    counts = np.bincount([s.ids[0] for s in group], minlength=len(probs))
    usual = probs * 400 >= 5
    expected = np.append(probs[usual], probs[~usual].sum() + 1e-9) * 400
    found = np.append(counts[usual], counts[~usual].sum())
    assert ((found - expected) ** 2 / expected).sum() < 3 * len(expected) + 10


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
    x, y = load_chunk(tmp_path, 0, 0, Writer())
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

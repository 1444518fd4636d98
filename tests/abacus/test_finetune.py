"""Fine-tuning: its log-probabilities and gradients against independent ones."""

from functools import partial

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from helpers.abacus import (
    END_OF_TEXT,
    HASTY,
    WEIGHTS,
    Config,
    Engine,
    Learner,
    Sampling,
    causal_attention,
    gradients,
    hidden_states,
    imitation_loss,
    init_params,
    log_probs,
    logits,
    rotary,
    to_lesson,
)
from helpers.evaluation import processes
from helpers.learning import grpo_loss
from helpers.llm import LLMError, LLMGen
from helpers.problems import generate
from helpers.workshop import hasty

RNG = np.random.default_rng(0)
PROMPT = [0, *RNG.integers(1, 1024, 6)]
SOLUTIONS = [[5, 9, 11, 0], [7, 0], [300, 8, 8, 8, 11, 0]]
LESSON = to_lesson(PROMPT, SOLUTIONS, [1.0, -0.5, 0.25])


@pytest.fixture(scope="module")
def params():
    """Random parameters of the right shape, so that nothing is nearly zero."""
    found = init_params(Config(), 1)
    return {k: v + RNG.normal(0, 0.05, v.shape) for k, v in found.items()}


def plain_log_probs(params, prompt, solution, xp=np):
    """Of one solution: prompt and solution as one text, with nothing shared."""
    ids = np.array([[*prompt, *solution]])
    places = rotary(Config(), 0, ids.shape[1])
    attend = causal_attention(xp)
    states = hidden_states(params, ids, Config(), places, attend, xp)
    scores = logits(params, states)[0, len(prompt) - 1 : -1]
    scores = scores - xp.log(xp.sum(xp.exp(scores), axis=-1, keepdims=True))
    return scores[np.arange(len(solution)), np.array(solution)]


def plain_loss(params, weights, xp=anp):
    """What `imitation_loss` should be, from the texts one at a time."""
    parts = [
        w * xp.sum(plain_log_probs(params, PROMPT, solution, xp))
        for w, solution in zip(weights, SOLUTIONS, strict=True)
    ]
    return -sum(parts)


def test_log_probs_are_those_of_each_text_alone(params):
    found = log_probs(params, LESSON)
    assert found.shape == (3, 6)
    for row, solution in zip(found, SOLUTIONS, strict=True):
        alone = plain_log_probs(params, PROMPT, solution)
        np.testing.assert_allclose(row[: len(solution)], alone, atol=1e-12)


def test_log_probs_are_those_the_engine_sampled_with():
    engine = Engine(HASTY)
    prompt = "Question: Maya has 12 apples.\nAnswer:\n"
    rows = engine.generate([prompt] * 4, range(4), 20, Sampling())
    lesson = to_lesson(engine.encode(prompt), [row.ids for row in rows], [1] * 4)
    found = log_probs(engine.params, lesson)
    for row, values in zip(rows, found, strict=True):
        np.testing.assert_allclose(values[: len(row.ids)], row.log_probs, atol=1e-10)


def test_gradients_are_those_of_each_text_alone(params):
    expected = grad(plain_loss)(params, [1.0, -0.5, 0.25])
    found = gradients(params, imitation_loss, [LESSON])
    for name, slope in expected.items():
        np.testing.assert_allclose(found[name], slope, atol=1e-10)


def with_references(params):
    """The lesson as GRPO sees it, with other log-probabilities to compare with."""
    now = log_probs(params, LESSON)
    moved = [now + RNG.normal(0, 0.3, now.shape) for _ in range(2)]
    facts = LESSON.prompt, LESSON.solutions, LESSON.mask, LESSON.weights
    return type(LESSON)(*facts, *moved)


@pytest.mark.parametrize("loss", [imitation_loss, partial(grpo_loss, beta=0.5)])
def test_gradients_equal_finite_differences(params, loss):
    lesson = with_references(params)
    slopes = gradients(params, loss, [lesson])
    for name in ("embedding", "0.query", "2.attention_norm", "4.down", "final_norm"):
        direction = RNG.normal(size=params[name].shape)
        up, down = (
            float(loss(log_probs({**params, name: params[name] + e}, lesson), lesson))
            for e in (1e-6 * direction, -1e-6 * direction)
        )
        along = np.sum(slopes[name] * direction)
        assert (up - down) / 2e-6 == pytest.approx(along, rel=2e-4, abs=1e-6)


def test_filling_teaches_nothing(params):
    other = LESSON.solutions.copy()
    other[LESSON.mask == 0] = 77
    changed = type(LESSON)(PROMPT, other, LESSON.mask, LESSON.weights)
    a, b = (gradients(params, imitation_loss, [x]) for x in (LESSON, changed))
    for name in a:
        np.testing.assert_allclose(a[name], b[name], atol=1e-12)


def test_the_prompt_is_not_learned(params):
    """No weight, no gradient: all that is learned stands in the solutions."""
    silent = to_lesson(PROMPT, SOLUTIONS, [0.0] * 3)
    assert not any(
        g.any() for g in gradients(params, imitation_loss, [silent]).values()
    )


def test_to_lesson_takes_a_weight_for_each_token():
    lesson = to_lesson(PROMPT, [[5, 6, 0], [7, 0]], [[1, 2, 3], 4])
    np.testing.assert_array_equal(lesson.solutions, [[5, 6, 0], [7, 0, END_OF_TEXT]])
    np.testing.assert_array_equal(lesson.mask, [[1, 1, 1], [1, 1, 0]])
    np.testing.assert_array_equal(lesson.weights, [[1, 2, 3], [4, 4, 0]])


def test_one_update_by_hand():
    """AdamW's first step moves each parameter by the rate, against its gradient."""
    learner = Learner(HASTY, rate=0.5)
    before = learner.params
    expected = grad(plain_loss)(before, [1.0, -0.5, 0.25])
    learner.update([LESSON], imitation_loss)
    for name, slope in expected.items():
        g = slope / 12  # 4 + 2 + 6 tokens: the mean
        moved = before[name] - 0.5 * 0.004 * g / (abs(g) + 1e-8)
        np.testing.assert_allclose(learner.params[name], moved, atol=1e-9)
    assert learner.start is before and learner.steps == 1


def test_the_second_update_by_hand():
    """The optimizer remembers; each step is divided by its own tokens."""
    learner, short = Learner(HASTY, rate=0.5), to_lesson(PROMPT, [[7, 0]], [1.0])
    learner.update([LESSON], imitation_loss)
    between = learner.params
    learner.update([short, short], imitation_loss)
    first = gradients(learner.start, imitation_loss, [LESSON])
    second = gradients(between, imitation_loss, [short])
    for name, value in between.items():
        g, h = first[name] / 12, 2 * second[name] / 4
        m = (0.9 * 0.1 * g + 0.1 * h) / (1 - 0.9**2)
        v = (0.95 * 0.05 * g**2 + 0.05 * h**2) / (1 - 0.95**2)
        moved = value - 0.5 * 0.004 * m / (np.sqrt(v) + 1e-8)
        np.testing.assert_allclose(learner.params[name], moved, atol=1e-12)


def test_log_probs_by_other_parameters():
    learner = Learner(HASTY, rate=0.5)
    learner.update([LESSON], imitation_loss)
    for params in (learner.params, learner.start):
        (found,) = learner.log_probs([LESSON], params)
        np.testing.assert_array_equal(found, log_probs(params, LESSON))
    (now,) = learner.log_probs([LESSON])
    np.testing.assert_array_equal(now, log_probs(learner.params, LESSON))


def test_nothing_is_learned_from_nothing():
    learner = Learner(HASTY)
    with pytest.raises(ValueError, match="no lesson"):
        learner.update([], imitation_loss)
    assert learner.params is learner.start


def lessons_of(n):
    learner = Learner(HASTY)
    return [
        hasty.both_ways(row, learner.tokenizer)
        for row in generate("train", n, 9, (2, 2))
    ]


def test_processes_change_nothing():
    lessons, alone = lessons_of(5), Learner(HASTY)
    with processes(2) as executor:
        shared = Learner(HASTY, executor=executor)
        for learner in (alone, shared):
            learner.update(lessons, imitation_loss)
            learner.update(lessons[::-1], imitation_loss)
        judged = shared.log_probs(lessons)
    for name, value in alone.params.items():
        np.testing.assert_array_equal(value, shared.params[name])
    for lesson, found in zip(lessons, judged, strict=True):
        np.testing.assert_array_equal(found, log_probs(alone.params, lesson))


def test_a_few_problems_can_be_learned_by_heart():
    rows = generate("train", 5, 9, (2, 2))
    learner = Learner(HASTY, rate=0.1)
    lessons = lessons_of(5)
    for lesson in lessons:
        lesson.weights[0] = 0.0  # the hasty solution
        lesson.weights[1] = lesson.mask[1]
    for _ in range(25):
        learner.update(lessons, imitation_loss)
    engine = Engine(learner.params)
    prompts = [learner.tokenizer.decode(lesson.prompt[1:]) for lesson in lessons]
    greedy = engine.generate(prompts, [0] * 5, 99, Sampling(temperature=0))
    for row, found, lesson in zip(rows, greedy, lessons, strict=True):
        assert found.text == learner.tokenizer.decode(lesson.solutions[1]), row


def test_a_saved_model_is_loaded_by_its_file(tmp_path):
    learner, file = Learner(HASTY), tmp_path / "taught.npz"
    learner.save(file)
    prompt = "Question: Maya has 12 apples.\nAnswer:\n"
    ours, shipped = LLMGen("abacus", weights=file), LLMGen("abacus")
    first = ours.sample(prompt, 8, seed=1)
    assert [s.text for s in first] != [
        s.text for s in shipped.sample(prompt, 8, seed=1)
    ]
    assert (
        ours.connection.provenance()["digest"]
        != (shipped.connection.provenance()["digest"])
    )
    Learner(WEIGHTS).save(file, np.float16)  # the same name, another model
    again = ours.sample(prompt, 8, seed=1)
    assert [s.text for s in again] == [
        s.text for s in shipped.sample(prompt, 8, seed=1)
    ]


def test_weights_belong_to_abacus(tmp_path):
    with pytest.raises(ValueError, match="weights are those of abacus"):
        LLMGen("llama3.2", weights=HASTY)
    with pytest.raises(LLMError, match=r"none\.npz"):
        LLMGen("abacus", weights=tmp_path / "none.npz").sample("1", 1)


def test_a_checkpoint_goes_on_where_it_was(tmp_path):
    lessons, file = lessons_of(3), tmp_path / "checkpoint.npz"
    whole = Learner(HASTY)
    whole.update(lessons, imitation_loss)
    whole.history.append((1.0, 2.0))
    whole.checkpoint(file)
    resumed = Learner(WEIGHTS)
    resumed.restore(file)
    for learner in (whole, resumed):
        learner.update(lessons, imitation_loss)
    for kind in ("params", "start", "memory"):
        ours, theirs = getattr(whole, kind), getattr(resumed, kind)
        assert ours.keys() == theirs.keys()
        assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert resumed.history == [[1.0, 2.0]] and resumed.steps == 2


def bent(content):
    """Some bytes in the middle are others."""
    middle = len(content) // 2
    return content[:middle] + bytes(64) + content[middle + 64 :]


@pytest.mark.parametrize("damage", ["cut", "bent", "model", "text", "shape", "other"])
def test_a_damaged_checkpoint_is_refused(damage, tmp_path):
    file, learner = tmp_path / "checkpoint.npz", Learner(HASTY)
    learner.checkpoint(file)
    content = file.read_bytes()
    wrong = {"steps": np.array(1), "history": np.array([])}
    if damage == "shape":
        np.savez(file, **wrong, **{"params embedding": np.zeros(3)})
    elif damage == "other":
        np.savez(file, **wrong, foo=np.zeros(3))
    else:
        found = {"cut": content[:9999], "bent": bent(content), "text": b"x"}
        file.write_bytes(found.get(damage, HASTY.read_bytes()))
    before = learner.params
    with pytest.raises(ValueError, match="no checkpoint"):
        learner.restore(file)
    assert learner.params is before


def test_an_array_is_no_model(tmp_path):
    file = tmp_path / "array.npy"
    np.save(file, np.zeros(3))
    with pytest.raises(LLMError, match="Name another file"):
        LLMGen("abacus", weights=file).sample("1", 1)
    with pytest.raises(ValueError, match="no checkpoint"):
        Learner(HASTY).restore(file)


def test_a_model_stays_where_it_was_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Learner(HASTY).save("new/taught.npz")
    llm = LLMGen("abacus", weights="new/taught.npz")
    monkeypatch.chdir(tmp_path.parent)
    assert llm.sample("Question: 1\nAnswer:\n", 1, seed=0)


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "taken.npz").mkdir()
    with pytest.raises(OSError):
        Learner(HASTY).save(tmp_path / "taken.npz")
    assert [f.name for f in tmp_path.iterdir()] == ["taken.npz"]

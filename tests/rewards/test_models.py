"""Reward models against derivatives, hand calculations and known answers."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from helpers.env import GSM8KEnv, Problem
from helpers.llm import Action, LLMGen
from helpers.problems import generate
from helpers.rewards import (
    GROUPS,
    PRM,
    PRM_STATES,
    PRM_UNCHECKED,
    OutcomeRewardModel,
    Path,
    ProcessRewardModel,
    RewardModel,
    arithmetic_features,
    init_network,
    models,
    plain_features,
    step_truths,
    texts_of,
)
from helpers.rewards.models import loss_and_gradients, predict
from helpers.search import sample_paths
from helpers.stats import calibration_error, roc_auc

RNG = np.random.default_rng(0)


class Reader:
    """A language model whose state after a text is its length and its letters."""

    model = "reader"

    def __init__(self):
        self.read = []

    @property
    def connection(self):
        return self

    def embed(self, texts):
        self.read += texts
        return [[len(t), t.count("1"), t.count("2")] for t in texts]


def path_of(*steps, prompt="Q\n", logprob=-0.5):
    return Path(prompt, tuple(Action(s, 1.0, 2, logprob, 2 * len(s)) for s in steps))


GOOD = path_of("So 1+1 = 2.", "That is 2*2 = 4.", "The answer is 4.")
BAD = path_of("So 1+1 = 3.", "That is 2*2 = 4.", "The answer is 4.")


def test_texts_are_what_the_model_has_read():
    assert texts_of(path_of("a", "b")) == ["Q\na\n", "Q\na\nb\n"]


def test_features_by_hand():
    np.testing.assert_allclose(arithmetic_features(BAD), [[0, 0], [1, 0], [1, 0]])
    actions = [Action("a", 1.0, 2, np.log(0.5), 8), Action("The answer is 1.", 1.0, 1,
               np.log(0.8), 5)]  # fmt: skip
    expected = [[0.5, 0.5, 4, 0, 0], [0.8, 0.5, 5, 1, 1]]
    np.testing.assert_allclose(plain_features(Path("Q", tuple(actions))), expected)
    x = ProcessRewardModel(Reader()).features(path_of("1", "2"))
    np.testing.assert_allclose(x[:, :3], [[4, 1, 0], [6, 1, 1]])
    assert x.shape == (2, 3 + 2 + 5)
    chosen = ProcessRewardModel(Reader(), ("plain", "states")).features(path_of("1"))
    np.testing.assert_allclose(chosen[0, :3], [4, 1, 0])  # always in the same order


def test_gradients_are_those_of_autograd_and_of_small_steps():
    x, y = RNG.normal(size=(7, 4)), RNG.random(7)
    params = {k: np.asarray(p + 0.1) for k, p in init_network(4, 5, seed=1).items()}

    def plain_loss(params):
        hidden = anp.maximum(anp.dot(x, params["W"]) + params["b"], 0)
        p = 1 / (1 + anp.exp(-(anp.dot(hidden, params["v"]) + params["c"])))
        return anp.mean(-y * anp.log(p) - (1 - y) * anp.log(1 - p))

    loss, gradients = loss_and_gradients(params, x, y)
    assert loss == pytest.approx(plain_loss(params))
    for name, expected in grad(plain_loss)(params).items():
        np.testing.assert_allclose(gradients[name], expected, atol=1e-12)
    for name, index in (("W", (1, 2)), ("b", 3), ("v", 0), ("c", ())):
        moved = {k: p.copy() for k, p in params.items()}
        moved[name][index] += 1e-6
        slope = (loss_and_gradients(moved, x, y)[0] - loss) / 1e-6
        assert gradients[name][index] == pytest.approx(slope, abs=1e-5)


def test_the_loss_is_safe_for_large_numbers():
    params = {"W": np.eye(1), "b": np.zeros(1), "v": np.array([1e6]), "c": np.zeros(())}
    loss, _ = loss_and_gradients(params, np.array([[1.0]]), np.array([0.0]))
    assert loss == pytest.approx(1e6)


def test_of_soft_targets_it_learns_the_mean():
    model = ProcessRewardModel(Reader(), width=8)
    x = np.repeat([[0.0], [1.0]], 1000, axis=0)
    y = np.concatenate([np.tile([0.2, 0.4], 500), np.tile([1.0, 0.5], 500)])
    losses = model.fit_features(x, y, epochs=10)
    found = (np.array([[0.0], [1.0]]) - model.params["mean"]) / model.params["spread"]
    np.testing.assert_allclose(predict(model.params, found), [0.3, 0.75], atol=0.03)
    assert losses[-1] < losses[0]


def test_it_learns_what_no_straight_line_can_tell():
    x = RNG.choice([-1.0, 1.0], (600, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(float)  # exclusive or
    model = ProcessRewardModel(Reader(), width=16)
    model.fit_features(x[:400], y[:400], epochs=30)
    x = (x - model.params["mean"]) / model.params["spread"]
    assert roc_auc(predict(model.params, x[400:]), y[400:] > 0) == 1.0


def test_process_and_outcome_learn_from_their_own_steps():
    """Only the first step differs; its features go on in the later ones."""
    paths, targets = [GOOD, BAD] * 20, [[1, 1, 1], [0, 0, 0]] * 20
    process = ProcessRewardModel(Reader())
    process.fit(paths, targets, epochs=100)
    assert min(process.step_scores(GOOD)) > 0.9 > 0.1 > max(process.step_scores(BAD))
    weakest = [min(process.step_scores(path)) for path in (GOOD, BAD)]
    assert process([GOOD, BAD, path_of()]) == [*weakest, 1.0]
    seen = []
    outcome = OutcomeRewardModel(Reader())
    outcome.fit_features = lambda x, y, epochs: seen.append((x, y))
    outcome.fit([GOOD, BAD], [[0.5, 0.5, 1], [0.5, 0, 0]])
    np.testing.assert_allclose(seen[0][1], [1, 0])
    np.testing.assert_allclose(seen[0][0][0], outcome.features(GOOD)[-1])
    outcome = OutcomeRewardModel(Reader())
    outcome.fit(paths, targets)
    assert outcome([GOOD, path_of()]) == [outcome.step_scores(GOOD)[-1], 1.0]


def test_the_same_seed_the_same_model():
    def trained(seed):
        model = ProcessRewardModel(Reader(), seed=seed)
        model.fit([GOOD, BAD], [[1, 1, 1], [0, 0, 0]], epochs=3)
        return model.params

    first, again, other = trained(0), trained(0), trained(1)
    assert all(np.array_equal(first[k], again[k]) for k in first)
    assert not np.array_equal(first["W"], other["W"])


def test_a_model_survives_its_file(tmp_path):
    model = ProcessRewardModel(Reader(), use=("plain", "arithmetic"), width=7)
    model.fit([GOOD, BAD], [[1, 1, 1], [0, 0, 0]])
    model.save(tmp_path / "prm.npz")
    again = ProcessRewardModel.load(tmp_path / "prm.npz", Reader())
    assert (again.use, again.width) == (("plain", "arithmetic"), 7)
    np.testing.assert_allclose(again([GOOD, BAD]), model([GOOD, BAD]), atol=1e-6)
    stranger = Reader()
    stranger.model = "llama3.2"
    with pytest.raises(ValueError, match="judges 'reader', not 'llama3.2'. Type"):
        ProcessRewardModel.load(tmp_path / "prm.npz", stranger)
    with pytest.raises(ValueError, match=r"Type ProcessRewardModel.load"):
        OutcomeRewardModel.load(tmp_path / "prm.npz", Reader())
    whole = (tmp_path / "prm.npz").read_bytes()
    with pytest.raises(ValueError, match="not learned yet"):
        ProcessRewardModel(Reader()).save(tmp_path / "prm.npz")
    assert (tmp_path / "prm.npz").read_bytes() == whole
    for damaged in (whole[:100], b"", b"text", whole[:-30]):
        (tmp_path / "prm.npz").write_bytes(damaged)
        with pytest.raises(ValueError, match="is no reward model, or is damaged"):
            ProcessRewardModel.load(tmp_path / "prm.npz", Reader())


def test_a_state_is_read_once_and_memory_is_bounded(monkeypatch):
    reader = Reader()
    model = ProcessRewardModel(reader, use=("states",))
    model.fit([GOOD, BAD], [[1, 1, 1], [0, 0, 0]])
    model([GOOD, BAD])
    assert len(reader.read) == 6
    expected = model([GOOD, BAD])
    monkeypatch.setattr(models, "REMEMBERED", 4)
    assert model([GOOD, BAD]) == expected
    assert len(model.known) <= 4


def test_errors_say_what_to_type():
    with pytest.raises(ValueError, match="type some of"):
        RewardModel(Reader(), use=("magic",))
    with pytest.raises(ValueError, match=r"Type model.fit"):
        ProcessRewardModel(Reader())([GOOD])
    with pytest.raises(ValueError, match="no step to learn from"):
        ProcessRewardModel(Reader()).fit([path_of()], [[]])
    with pytest.raises(ValueError, match="gives no log-probabilities"):
        ProcessRewardModel(Reader()).fit([path_of("a", logprob=None)], [[1]])
    for targets in ([1], [1, 1, 0, 0], [1, 1, 7], [1, 1, float("nan")]):
        for model in (ProcessRewardModel(Reader()), OutcomeRewardModel(Reader())):
            with pytest.raises(ValueError, match="for each of 3 steps"):
                model.fit([GOOD], [targets])
    with pytest.raises(ValueError, match="epochs=0"):
        ProcessRewardModel(Reader()).fit([GOOD], [[1, 1, 1]], epochs=0)


#### What ships ####


@pytest.fixture(scope="module")
def judged():
    """Paths of unseen problems, each step's truth, and the problem of each."""
    llm, found = LLMGen("abacus"), []
    for i, row in enumerate(generate("validation", 25, seed=3)):
        env = GSM8KEnv(Problem(**row), llm, is_few_shot=False)
        env.reset(seed=0)
        for path in sample_paths(env, llm, 4):
            found.append((path, step_truths(path.steps, row["answer"]), i))
    return found


@pytest.mark.parametrize(
    ("file", "use", "auc"),
    [
        (PRM, GROUPS, 0.95),
        (PRM_UNCHECKED, ("states", "plain"), 0.85),
        (PRM_STATES, ("states",), 0.7),
    ],
    ids=lambda value: getattr(value, "stem", None),
)
def test_the_models_that_ship_know_right_from_wrong(judged, file, use, auc):
    assert file.stat().st_size < 4e6
    model = ProcessRewardModel.load(file, LLMGen("abacus"))
    assert model.use == use
    scores = [score for path, *_ in judged for score in model.step_scores(path)]
    truths = [truth for _, truths, _ in judged for truth in truths]
    assert roc_auc(scores, truths) > auc
    assert calibration_error(scores, truths) < 0.1

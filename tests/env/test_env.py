"""The environment against Gymnasium's own checker, a scripted model and hand counts."""

import itertools
import random
import warnings
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import gymnasium
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from toy_language import Scripted

from helpers.env import CoTEnv, GSM8KEnv, Problem
from helpers.llm import Step, merge_steps
from helpers.problems import (
    EXAMPLES,
    PROBLEM_FORMAT,
    STOP_STRING,
    TASK_DESCRIPTION,
    extract_answer,
    format_example,
    is_correct,
)

ORCHARD = Problem("How many apples?", "Lots.\n#### 424242")
WORDS = ["one apple", "two apples", "three apples", "The answer is 424242."]


def make_env(script=lambda line: WORDS, drawn=False, **options):
    options = {"max_actions": 4, "max_steps": 3} | options
    return GSM8KEnv(ORCHARD, Scripted(script, drawn), **options)


def test_gymnasiums_checker_accepts_it_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = gymnasium.make(
            "GSM8K-CoT-v0", llm_gen=Scripted(lambda line: WORDS), render_mode="ansi"
        )
        check_env(made.unwrapped)


def test_a_made_environment_runs_an_episode_behind_gymnasiums_wrappers():
    env = gymnasium.make(
        "GSM8K-CoT-v0", problem=ORCHARD, llm_gen=Scripted(lambda line: WORDS)
    )
    env.reset(seed=0)
    assert {action.text for action in env.unwrapped.legal_actions} <= set(WORDS)
    _, reward, terminated, truncated, _ = env.step("The answer is 424242.")
    assert (reward, terminated, truncated) == (1.0, True, False)


def test_it_can_be_vectorised():
    llm = Scripted(lambda line: WORDS)
    envs = gymnasium.make_vec(
        "GSM8K-CoT-v0", num_envs=2, vectorization_mode="sync", llm_gen=llm
    )
    states, _ = envs.reset(seed=0)
    after, rewards, *_ = envs.step(("one apple", "The answer is 15."))
    assert after == (states[0] + "one apple\n", states[1] + "The answer is 15.\n")
    assert rewards.tolist() == [0.0, 1.0]


def test_any_string_is_in_the_spaces_and_samples_can_be_played():
    env = make_env(max_steps=10**6)
    env.reset(seed=0)
    texts = ["", "£3 – caf\u00e9", "4\n", "x" * 10_000, TASK_DESCRIPTION]
    assert all(text in env.observation_space for text in texts)
    assert 7 not in env.action_space
    for _ in range(100):
        env.step(env.action_space.sample())


def test_prompt_is_exactly_the_format_of_the_series():
    first, second = EXAMPLES
    env = make_env(is_few_shot=False)
    bare = TASK_DESCRIPTION + "Question: How many apples?\nAnswer:\n"
    assert env.reset()[0] == bare
    shown = (
        f"Question: {first['question']}\nAnswer:\n"
        "The baker fills 3*12 = 36 rolls.\n"
        "After the sale 36-20 = 16 rolls are left.\n"
        "The answer is 16.\n\n"
    )
    assert format_example(first, PROBLEM_FORMAT, STOP_STRING) == shown
    few = make_env(cot_examples=[first]).reset()[0]
    assert few == TASK_DESCRIPTION + shown + bare.removeprefix(TASK_DESCRIPTION)
    assert make_env().reset()[0].count("The answer is") == 2


def test_examples_are_solved_correctly_and_annotated_consistently():
    for example in EXAMPLES:
        steps, _, gold = example["answer"].partition("####")
        assert extract_answer(steps).value == extract_answer(gold).value
        for annotation in example["answer"].split("<<")[1:]:
            formula, value = annotation.split(">>")[0].split("=")
            left, sign, right = next(
                formula.partition(s) for s in "*/+-" if s in formula
            )
            a, b = int(left), int(right)
            assert int(value) == {"*": a * b, "/": a / b, "+": a + b, "-": a - b}[sign]


def test_example_without_a_closing_line_is_refused():
    env = make_env(cot_examples=[{"question": "How many?", "answer": "Five."}])
    with pytest.raises(ValueError, match="####"):
        env.reset()


def test_episode_state_reward_and_end():
    env = make_env()
    prompt, info = env.reset(seed=3)
    assert info == {"steps": 0, "tokens": 0}
    state, *rest = env.step("one apple")
    assert state == prompt + "one apple\n"
    assert rest == [0.0, False, False, {"steps": 1, "tokens": 0}]
    state, *rest = env.step("So The answer is 424,242.0.")
    assert state == prompt + "one apple\nSo The answer is 424,242.0.\n"
    info = {"steps": 2, "tokens": 0, "answer": "424242"}
    assert rest == [1.0, True, False, info]


@pytest.mark.parametrize(
    ("line", "reward", "answer"),
    [
        ("The answer is 424242 apples.", 1.0, "424242"),
        ("The answer is 42424.", 0.0, "42424"),
        ("The answer is -424242.", 0.0, "-424242"),
        ("The answer is 1/2.", 0.0, "1/2"),
        ("The answer is unknown.", 0.0, None),  # 424242 above is no answer
    ],
)
def test_only_the_last_line_is_graded(line, reward, answer):
    env = make_env()
    env.reset(seed=0)
    env.step("There are 424242 apples.")
    _, got, terminated, _, info = env.step(line)
    assert (got, terminated, info["answer"]) == (reward, True, answer)
    assert env.is_valid() == (answer is not None)


def test_too_many_steps_cut_the_episode_and_an_answer_in_time_does_not():
    env = make_env(max_steps=2)
    env.reset(seed=0)
    env.step("There are 424242 apples.")
    _, reward, terminated, truncated, info = env.step("Yes, 424242.")
    assert (reward, terminated, truncated, info["answer"]) == (0.0, False, True, None)
    env.reset(seed=0)
    env.step("one apple")
    assert env.step("The answer is 424242.")[1:4] == (1.0, True, False)


def test_gold_answer_shows_nowhere_before_the_end():
    env = make_env(script=lambda line: WORDS[:3], render_mode="ansi")
    state, info = env.reset(seed=0)
    seen = [state, info, env.legal_actions, env.render()]
    for _ in range(2):
        seen += [env.step(env.legal_actions[0].text), env.legal_actions, env.render()]
    seen += [env.step("The answer is 7.")]  # wrong: the gold stays hidden here too
    seen += [sent for sent, _, _ in env.llm_gen.calls]
    assert "424242" not in repr(seen)


@pytest.mark.parametrize("action", ["", "  ", "one\ntwo", "one\n", None, 3])
def test_an_action_is_one_sentence(action):
    env = make_env()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="sentence|line"):
        env.step(action)
    assert env.steps == ()


def test_before_the_first_reset_everything_says_so():
    env = make_env()
    for use in (
        lambda: env.step("one"),
        lambda: env.legal_actions,
        lambda: env.state,
        lambda: env.fork().ended,
    ):
        with pytest.raises(ResetNeeded, match="reset()"):
            use()


def test_after_the_end_step_says_so_and_nothing_is_sampled():
    env = make_env()
    env.reset(seed=0)
    env.step("The answer is 1.")
    assert env.legal_actions == () and env.llm_gen.calls == []
    with pytest.raises(ResetNeeded, match="reset()"):
        env.step("one apple")


@pytest.mark.parametrize("option", ["max_actions", "max_steps"])
def test_sizes_below_one_are_refused(option):
    with pytest.raises(ValueError, match=option):
        make_env(**{option: 0})


def test_the_two_questions_of_the_base_class_must_be_answered():
    with pytest.raises(TypeError, match="get_reward.*is_valid"):
        CoTEnv(ORCHARD, None, "", (), "{question}", "stop")


def test_reset_changes_the_problem_for_good():
    env = make_env(is_few_shot=False)
    env.reset(options={"problem": Problem("How many pears {n}?", "5")})
    assert env.reset()[0].endswith("Question: How many pears {n}?\nAnswer:\n")
    assert env.step("The answer is 5.")[1] == 1.0


@pytest.mark.parametrize("options", [{"problem": "a?"}, {"problm": ORCHARD}])
def test_a_reset_with_a_bad_option_harms_nothing(options):
    env = make_env()
    before, _ = env.reset(seed=1)
    with pytest.raises(ValueError, match="Problem\\(question, answer\\)"):
        env.reset(options=options)
    assert env.reset(seed=1)[0] == before


def test_merging_agrees_with_counting():
    rng = random.Random(0)
    for _ in range(200):
        texts = rng.choices(["a b", "a  b ", "c", "", " ", "d\te"], k=rng.randint(1, 9))
        tokens = [rng.randint(1, 20) for _ in texts]
        steps = [Step(t, n, -n / 7, "stop") for t, n in zip(texts, tokens, strict=True)]
        plain = [" ".join(text.split()) for text in texts]
        counts = Counter(text for text in plain if text)
        actions = merge_steps(steps)
        told = [" ".join(a.text.split()) for a in actions]
        assert told == list(counts)  # order of appearance
        assert [a.count for a in actions] == list(counts.values())
        assert all(a.text in texts for a in actions)  # as one of them was written
        for a, said in zip(actions, told, strict=True):
            mine = [n for text, n in zip(plain, tokens, strict=True) if text == said]
            assert a.tokens == sum(mine) and a.logprob == -mine[0] / 7
            assert a.prior == pytest.approx(a.count / counts.total())
        if actions:
            assert sum(a.prior for a in actions) == pytest.approx(1.0)


def test_legal_actions_are_sampled_once_a_state_and_only_when_asked_for():
    env = make_env()
    env.reset(seed=5)
    assert env.llm_gen.calls == []
    prompt = env.state
    assert [a.text for a in env.legal_actions] == WORDS
    assert env.legal_actions == env.legal_actions
    assert env.llm_gen.calls == [(prompt, 4, 5)]
    env.step("one apple")
    assert len(env.llm_gen.calls) == 1
    assert env.legal_actions and env.llm_gen.calls[1:] == [(env.state, 4, 5)]


def test_tokens_are_all_that_were_sampled_empty_ones_included():
    env = make_env(script=lambda line: ["one apple", "", "one  apple"], max_actions=3)
    env.reset(seed=0)
    (action,) = env.legal_actions
    assert (action.prior, action.count, action.tokens) == (1.0, 2, 10 + 11)
    assert env.propose(3).tokens == env.tokens_sampled == env.llm_gen.tokens == 22
    assert env.step("one apple")[4]["tokens"] == 22
    assert env.reset(seed=1)[1]["tokens"] == 0


def test_a_model_with_nothing_to_say_is_asked_three_times_with_other_seeds():
    env = make_env(script=lambda line: [" ", ""], max_actions=2)
    env.reset(seed=2**31 - 1)
    assert env.legal_actions == () and env.legal_actions == ()
    assert [seed for *_, seed in env.llm_gen.calls] == [2**31 - 1, 0, 1]
    assert env.tokens_sampled == env.llm_gen.tokens == 3 * (2 + 1)


def all_actions(env, order):
    """What each state reached by two of these words offers, visited in this order."""
    found = {}
    for path in order:
        walker = env.fork()
        for word in path:
            walker.step(word)
        found[path] = walker.legal_actions
    return found


def test_a_seed_fixes_every_proposal_whatever_the_order_of_visits():
    order = [(), *itertools.product(WORDS[:3]), *itertools.product(WORDS[:3], repeat=2)]
    env = make_env(drawn=True)
    env.reset(seed=11)
    forward = all_actions(env, order)
    env.reset(seed=11)
    backward = all_actions(env, order[::-1])
    assert forward == backward
    env.reset(seed=12)
    assert all_actions(env, order) != forward


def test_without_a_seed_episodes_differ_but_follow_from_the_last_seed():
    def three_episodes(env):
        env.reset(seed=1)
        return [env.reset()[0] and str(env.legal_actions) for _ in range(3)]

    first = three_episodes(make_env(drawn=True, max_actions=30))
    assert first == three_episodes(make_env(drawn=True, max_actions=30))
    assert len(set(first)) == 3


def test_forks_share_proposals_and_nothing_else():
    env = make_env(drawn=True)
    env.reset(seed=4)
    env.step("one apple")
    actions, spent = env.legal_actions, env.tokens_sampled
    fork = env.fork()
    assert (fork.state, fork.tokens_sampled) == (env.state, 0)
    assert fork.legal_actions == actions and len(env.llm_gen.calls) == 1
    fork.step("The answer is 1.")
    assert fork.ended and not env.ended and env.steps == ("one apple",)
    env.step("two apples")
    assert fork.steps == ("one apple", "The answer is 1.")
    assert env.legal_actions and env.fork().legal_actions == env.legal_actions
    assert env.tokens_sampled + fork.tokens_sampled == env.llm_gen.tokens > spent


def test_resetting_a_fork_leaves_the_original_alone():
    env = make_env(drawn=True)
    env.reset(seed=4)
    actions, rng = env.legal_actions, str(env.np_random.bit_generator.state)
    fork = env.fork()
    fork.reset()
    fork.np_random.random(10)
    assert str(env.np_random.bit_generator.state) == rng
    assert env.legal_actions == actions and len(env.llm_gen.calls) == 1


def test_render_is_readable_text():
    env = make_env(render_mode="ansi")
    env.reset(seed=0)
    env.step("one apple")
    assert env.render() == "Question: How many apples?\n 1. one apple"
    assert make_env().render() is None


def test_reward_agrees_with_the_grader():
    env = make_env()
    parts = ["", "$", "about "], ["424242", "424,242", "424243"], [".", ".00.", " x 2"]
    lines = ["The answer is " + "".join(words) for words in itertools.product(*parts)]
    rewards = []
    for line in lines:
        env.reset(seed=0)
        rewards.append(env.step(line)[1])
    assert rewards == [is_correct(line, ORCHARD.answer) for line in lines]
    assert set(rewards) == {0.0, 1.0}


@pytest.mark.parametrize("name", [None, "llama3.2"])
def test_reasoning_model_names_the_default_model(monkeypatch, name):
    monkeypatch.delenv("REASONING_MODEL", raising=False)
    if name:
        monkeypatch.setenv("REASONING_MODEL", name)
    asked = []
    monkeypatch.setattr(
        "helpers.env.gsm8k.LLMGen", lambda model: asked.append(model) or 1
    )
    GSM8KEnv(ORCHARD)
    assert asked == [name or "abacus"]


def test_the_embedded_model_plays_an_episode_that_a_seed_repeats(monkeypatch):
    if not list(Path(find_spec("helpers.abacus").origin).parent.glob("*.npz")):
        pytest.skip("the weights of abacus are not here: train it first")
    monkeypatch.delenv("REASONING_MODEL", raising=False)

    def play():
        env = GSM8KEnv(is_few_shot=False)
        env.reset(seed=1)
        while not env.ended:
            assert sum(a.prior for a in env.legal_actions) == pytest.approx(1.0)
            assert sum(a.count for a in env.legal_actions) <= env.max_actions
            env.step(env.legal_actions[0].text)
        return env.steps, env.tokens_sampled

    assert play() == play()

"""Episodes of a model that answers in its own way."""

import pytest
from chatty import Chatty

from helpers.env import GSM8KEnv, Problem
from helpers.llm import FORMS
from helpers.search import (
    beam_search,
    greedy,
    leaves,
    mcts,
    self_consistency,
    to_text,
)

BOXED = "## Costs\n\nWe add:\n\\[\n3+4 = 7\n\\]\n\nSo the answer is:\n\\boxed{7}."
ENDED = "Tom has 3 and 4.\n\nThat makes 7 apples."
RIGHT = Problem("How many?", "7")


def play(text, **options):
    env = GSM8KEnv(RIGHT, Chatty(text, **options))
    env.reset(seed=0)
    while env.legal_actions:
        _, reward, *_ = env.step(env.legal_actions[0].text)
    return env, reward


@pytest.mark.parametrize("tells_end", [True, False])
@pytest.mark.parametrize("text", [BOXED, ENDED])
def test_an_episode_ends_where_the_model_does(text, tells_end):
    env, reward = play(text, tells_end=tells_end)
    assert env.terminated and not env.truncated and reward == 1.0
    assert str(env.answer.value) == "7" and env.is_valid()


def test_headings_and_blank_lines_are_no_steps():
    env, _ = play(BOXED)
    assert env.steps == (
        "## Costs\n\nWe add:\n\\[\n3+4 = 7\n\\]",
        "So the answer is:\n\\boxed{7}.",
    )
    assert env.state == FORMS["think"].prompt("How many?") + BOXED + "\n\n"


def test_what_it_costs_is_all_that_was_said():
    env, _ = play(BOXED)
    assert env.tokens_sampled == env.llm_gen.tokens


def test_an_answer_that_the_whole_chain_states():
    env, reward = play("Tom has 7 apples.\n\nWell done!")
    assert env.answer.rule == "last number" and reward == 1.0


def test_a_question_that_is_told_again_hides_no_answer():
    text = "Again.\n**Question:** How many?\n\nSo 3+4 = 7.\n\n\\boxed{7}"
    env, reward = play(text)
    assert env.terminated and reward == 1.0


def test_the_number_of_a_step_is_no_answer():
    env, reward = play("Answer:\n\n1. Tom has 3.\n\nSo \\boxed{7}.")
    assert len(env.steps) == 2 and reward == 1.0


def test_a_chain_without_end_is_cut_by_the_forms_limit():
    env, reward = play("Tom thinks.\n\n" * 60)
    assert env.truncated and len(env.steps) == FORMS["think"].limits.max_steps
    assert reward == 0.0


def test_a_hand_may_write_a_heading_and_a_sentence_but_not_two():
    env = GSM8KEnv(RIGHT, Chatty(BOXED))
    env.reset(seed=0)
    with pytest.raises(ValueError, match="One action is one line"):
        env.step("3+4 = 7\n\nThe answer is 7.")
    assert env.step("### End\n\nThe answer is 7.")[1:3] == (1.0, True)


def test_a_form_by_name_and_options_before_it():
    env = GSM8KEnv(RIGHT, Chatty(BOXED), form="examples", max_steps=3)
    assert env.reset(seed=0)[0].count("Question:") == 3
    assert env.max_steps == 3 and env.is_few_shot
    assert not GSM8KEnv(RIGHT, Chatty(BOXED), form="question").is_few_shot
    with pytest.raises(ValueError, match="form='x': type one of"):
        GSM8KEnv(RIGHT, Chatty(BOXED), form="x")


@pytest.mark.parametrize("strategy", [greedy, self_consistency, beam_search, mcts])
def test_searches_reserve_what_such_a_model_needs(strategy):
    env = GSM8KEnv(RIGHT, Chatty(BOXED, ENDED))
    env.reset(seed=0)
    found = strategy(env, env.llm_gen, budget=3000, seed=0)
    assert str(found.answer.value) == "7"
    ended = [leaf for leaf in leaves(found.tree) if leaf.env.terminated]
    assert {leaf.env.state.partition(".\n")[2].strip() for leaf in ended}
    assert "\n\n" not in to_text(found.tree)

"""What every strategy owes to its callers, on a known language and on abacus."""

import math
from concurrent.futures import ThreadPoolExecutor
from statistics import fmean

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from toy_language import (
    ALL,
    GOLD,
    MANY,
    PLENTY,
    ToyLanguage,
    make_env,
    narrow,
    one_armed,
    search_for,
    table_scorer,
)

from helpers.env import GSM8KEnv, Problem
from helpers.llm import LLMGen, SharedSamples
from helpers.rewards import ArithmeticChecker
from helpers.search import LONG_PATH, PATH, Budget, best_of_n, greedy, leaves, walk

each_strategy = pytest.mark.parametrize("name", ALL)


@pytest.fixture
def toy():
    return ToyLanguage(seed=1)


@each_strategy
def test_one_candidate_a_step_at_temperature_0_is_greedy(name):
    for seed in range(10):
        toy = ToyLanguage(seed)
        wanted = search_for(greedy, toy)
        found = search_for(ALL[name], toy.at_temperature(0), **narrow(name))
        assert found.answer == wanted.answer and found.path.path == wanted.path.path


@each_strategy
def test_one_candidate_a_step_at_temperature_0_is_greedy_for_abacus(name):
    llm = SharedSamples(LLMGen("abacus", temperature=0))
    env = make_env(llm, max_steps=12)
    env.reset(seed=0, options={"problem": env.problem})
    wanted = greedy(env, llm, budget=PLENTY)
    found = ALL[name](env, llm, ArithmeticChecker(), budget=PLENTY, **narrow(name))
    assert found.answer == wanted.answer and found.path.path == wanted.path.path


@each_strategy
def test_ties_go_to_the_larger_count_and_then_to_the_first(name):
    toy = one_armed([0.2, 0.7, 0.1])
    wide = {"n": MANY} if narrow(name).get("n") else {}
    result = search_for(ALL[name], toy, lambda paths: [0.5] * len(paths), **wide)
    arms = result.tree.children
    if name == "best_of_n":  # whose score alone decides: the first sampled
        assert result.answer == arms[0].answer != arms[1].answer
    else:
        assert result.answer == max(arms, key=lambda arm: arm.action.count).answer
    toy = one_armed([0.5, 0.5])
    result = search_for(ALL[name], toy, lambda paths: [0.5] * len(paths), **wide)
    if len({arm.action.count for arm in result.tree.children}) == 1:
        assert result.answer == result.tree.children[0].answer


@each_strategy
def test_a_search_begins_where_the_environment_stands_and_leaves_it_there(name):
    toy = ToyLanguage(4)
    env = make_env(toy)
    env.step("a")
    result = ALL[name](env, toy, table_scorer, budget=2000, seed=3)
    assert env.steps == ("a",) and env.tokens_sampled == 0
    assert {node.path[0] for node in walk(result.tree)} == {"a"}
    assert result.answer.value is not None


@each_strategy
def test_silence_has_no_answer(name):
    toy = ToyLanguage()
    toy.rules = {"Answer:": {"": 1.0}}
    result = search_for(ALL[name], toy, budget=500)
    assert result.answer.value is None and result.answer.rule == "none"
    assert result.ranked == () and result.path is None
    assert result.tokens == toy.tokens > 0


@each_strategy
def test_a_path_that_is_cut_off_does_not_vote(name):
    toy = ToyLanguage(depth=3)
    env = make_env(toy, max_steps=3)
    result = ALL[name](env, toy, table_scorer, budget=3000, seed=0)
    assert result.ranked == () and any(x.env.truncated for x in leaves(result.tree))


@each_strategy
def test_a_search_of_an_ended_episode_samples_nothing(name):
    toy = ToyLanguage(4)
    env = make_env(toy)
    for step in ("a", "ab", "The answer is 3."):
        env.step(step)
    result = ALL[name](env, toy, table_scorer, budget=100)
    assert result.tokens == result.calls == 0 and toy.tokens == 0


@pytest.mark.parametrize(
    ("scorer", "message"),
    [
        (lambda paths: [], "gives a finite number for each"),
        (lambda paths: [math.nan] * len(paths), "finite"),
        (lambda paths: [math.inf] * len(paths), "finite"),
        (lambda paths: None, "This one failed: 'NoneType' object is not iterable"),
        (lambda paths: ["good"] * len(paths), "could not convert string to float"),
    ],
)
def test_a_bad_scorer_is_named(scorer, message, toy):
    with pytest.raises(ValueError, match=message):
        search_for(best_of_n, toy, scorer)


@pytest.mark.parametrize("budget", [0, -1, 0.5, math.inf, math.nan, "all", None])
def test_a_bad_budget_is_refused(budget, toy):
    with pytest.raises(ValueError, match="Type a budget from 1"):
        search_for(greedy, toy, budget=budget)


def test_every_part_of_a_budget_is_checked():
    with pytest.raises(ValueError, match="Type a budget from 1"):
        Budget(1024, math.nan)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("self_consistency", {"n": 0}),
        ("particle_filter", {"n": -2}),
        ("adaptive", {"n": 2.5}),
        ("beam_search", {"branching": 0}),
        ("dvts", {"lookahead": -1}),
        ("beam_search", {"lookahead": 1.5}),
        ("mcts", {"simulations": 0}),
        ("depth_first", {"paths": 0}),
    ],
)
def test_a_bad_number_is_named(name, options, toy):
    ((argument, _),) = options.items()
    with pytest.raises(ValueError, match=f"{argument}=.*: type a whole number from 1"):
        search_for(ALL[name], toy, **options)


def test_before_reset_the_error_says_what_to_do(toy):
    env = GSM8KEnv(Problem("Which?", "1"), toy)
    with pytest.raises(ResetNeeded, match=r"env\.reset\(\)"):
        greedy(env, toy, budget=100)


def test_numpys_numbers_are_welcome(toy):
    numbers = {"budget": np.int64(500), "seed": np.int64(3), "n": np.int64(4)}
    plain = {"budget": 500, "seed": 3, "n": 4}
    found = [search_for(ALL["beam_search"], toy, **o) for o in (numbers, plain)]
    assert found[0].ranked == found[1].ranked


def test_a_bad_seed_is_refused(toy):
    with pytest.raises(ValueError, match="seed"):
        search_for(greedy, toy, seed=-1)


def test_the_scorer_never_sees_the_gold_answer(toy):
    env = make_env(toy)
    env.problem = type(env.problem)("Which?", "424242")
    seen = []

    def scorer(paths):
        seen.extend(paths)
        return [0.5] * len(paths)

    for strategy in ALL.values():
        strategy(env, toy, scorer, budget=600)
    assert seen and not any("424242" in repr(path) for path in seen)
    assert all(path.prompt == env.state and path.steps for path in seen)


def test_the_order_in_which_threads_finish_changes_nothing():
    def outcome(name, llm):
        result = ALL[name](make_env(llm), llm, table_scorer, budget=900, seed=5)
        return name, result.ranked, result.tokens, [x.path for x in walk(result.tree)]

    serial = [outcome(name, ToyLanguage(7)) for name in ALL]
    shared = SharedSamples(ToyLanguage(7))
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(outcome, name, shared) for name in reversed(ALL)]
        together = [job.result() for job in reversed(jobs)]
    assert serial == together


def test_how_many_paths_a_budget_pays_for():
    assert Budget(tokens=10 * PATH.tokens).pays_for(PATH) == 10
    assert Budget(calls=80).pays_for(PATH) == 10 == Budget(10**6, 80).pays_for(PATH)
    assert Budget(tokens=1).pays_for(PATH) == 1
    assert Budget(tokens=10 * PATH.tokens).pays_for(LONG_PATH) == 8


def test_a_right_answer_is_found_more_often_with_an_oracle_than_without():
    """The reason for search: a verifier turns pass@k into accuracy."""

    def oracle(paths):
        return [float(f"is {GOLD}." in path.steps[-1]) for path in paths]

    toys = [ToyLanguage(seed, depth=3) for seed in range(30)]
    right = {
        name: fmean(
            search_for(ALL[name], toy, oracle, budget=2000).answer.value == GOLD
            for toy in toys
        )
        for name in ("self_consistency", "best_of_n")
    }
    assert right["best_of_n"] > right["self_consistency"] + 0.2

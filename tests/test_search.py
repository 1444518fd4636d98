"""Strategies against a language that is known from end to end."""

import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import fmean

import numpy as np
import pytest
from toy_language import (
    GOLD,
    ToyLanguage,
    make_env,
    read,
    table_score,
    table_scorer,
)

from helpers.budget import LONG_PATH, PATH, Budget, Search
from helpers.llm import LLMGen, SharedSamples
from helpers.rewards import ArithmeticChecker
from helpers.search import (
    STRATEGIES,
    beam_search,
    depth_first,
    dvts,
    mcts,
    odds,
    particle_filter,
    resample,
)
from helpers.tree import leaves, path_probability, walk
from helpers.voting import (
    adaptive,
    best_of_n,
    draw_paths,
    greedy,
    self_consistency,
    weighted_vote,
)

PLENTY = 10**7  # tokens: no test of an algorithm should end for want of budget
MANY = 60  # samples: enough to find every sentence of the language


@pytest.fixture
def toy():
    return ToyLanguage(seed=1)


def search_for(strategy, toy, scorer=table_scorer, **options):
    return strategy(
        make_env(toy), toy, scorer, **{"budget": PLENTY, "seed": 0} | options
    )


def values(result):
    return [int(answer.value) for answer, _ in result.ranked]


def best(shares):
    return max(shares, key=shares.get)


def test_the_language_is_what_it_says():
    paths = ToyLanguage(seed=1).finished_paths()
    assert len(paths) == 3 * 3 * 2 and len(ToyLanguage(seed=1).rules) == 1 + 3 + 9
    assert math.fsum(paths.values()) == pytest.approx(1)


# Drawing paths, and choosing.


def test_greedy_takes_the_likeliest_step_each_time(toy):
    result, line, steps = search_for(greedy, toy), "Answer:", []
    while "answer" not in line:
        line = best(toy.rules[line])
        steps.append(line)
    assert result.path.path == steps and result.answer.value == read(steps)
    assert result.calls == len(steps)


def test_paths_are_drawn_as_often_as_they_are_probable(toy):
    n, search = 4000, Search(make_env(toy), toy, None, PLENTY, seed=0)
    found = {tuple(x.path): x.action.count for x in draw_paths(search, n)}
    assert sum(found.values()) == n
    for steps, p in toy.finished_paths().items():
        assert abs(found[steps] - n * p) < 4 * math.sqrt(n * p * (1 - p))


def test_self_consistency_counts_answers(toy):
    result = search_for(self_consistency, toy, n=4000)
    shares = toy.answer_shares()
    assert values(result) == sorted(shares, key=shares.get, reverse=True)
    for answer, votes in result.ranked:
        assert votes / 4000 == pytest.approx(shares[answer.value], abs=0.03)


def test_best_of_n_finds_the_best_path_of_all(toy):
    result = search_for(best_of_n, toy, n=4000)
    steps = max(toy.finished_paths(), key=table_score)
    assert tuple(result.path.path) == steps and result.answer.value == read(steps)
    assert result.ranked[0][1] == table_score(steps)


def test_best_of_n_of_few_picks_the_best_of_those(toy):
    few = search_for(best_of_n, toy, n=3)
    drawn = [tuple(x.path) for x in leaves(few.tree)]
    assert 1 <= len(drawn) <= 3 and tuple(few.path.path) == max(drawn, key=table_score)


def test_weighted_vote_adds_up_scores(toy):
    result, shares = (
        search_for(weighted_vote, toy, n=4000),
        toy.answer_shares(table_score),
    )
    assert values(result) == sorted(shares, key=shares.get, reverse=True)
    for answer, weight in result.ranked:
        assert weight / 4000 == pytest.approx(shares[answer.value], abs=0.03)


def test_the_same_seed_gives_these_three_the_same_paths(toy):
    trees = [
        [node.path for node in walk(search_for(strategy, toy, n=9).tree)]
        for strategy in (self_consistency, best_of_n, weighted_vote)
    ]
    assert trees[0] == trees[1] == trees[2]


def state_of_the_vote(root, hidden):
    """The two largest shares of the vote, and the share that is open; as if the
    children of the node `hidden` were not there yet."""
    ends = [x for x in leaves(root) if x.parent is not hidden]
    votes, rest = Counter({None: 0.0, "nobody": 0.0}), 0.0
    for leaf in ends:
        votes[leaf.answer.value] += path_probability(leaf) * leaf.env.terminated
        rest += path_probability(leaf) * (not leaf.env.ended)
    rest += path_probability(hidden) if hidden else 0.0
    return [share for _, share in votes.most_common(2)], rest


@pytest.mark.parametrize("branching", [None, 8])
@pytest.mark.parametrize("seed", range(20))
def test_adaptive_stops_when_the_vote_is_decided_and_not_before(seed, branching):
    toy = ToyLanguage(seed)
    options = {"n": 32, "branching": branching, "seed": seed}
    result = search_for(adaptive, toy, **options)
    votes, rest = state_of_the_vote(result.tree, hidden=None)
    assert votes[0] > votes[1] + rest or not rest
    last = toy.account[-1][0]  # the prompt that was sampled last
    (node,) = [x for x in walk(result.tree) if x.expanded and x.env.state == last]
    votes, rest = state_of_the_vote(result.tree, hidden=node)
    assert votes[0] <= votes[1] + rest


def test_adaptive_gives_the_answer_of_self_consistency_for_fewer_tokens():
    saved = 0
    for seed in range(40):
        toy = ToyLanguage(seed)
        vote = search_for(self_consistency, toy, n=16, seed=seed)
        found = search_for(adaptive, toy, n=16, seed=seed)
        assert found.answer == vote.answer and found.tokens <= vote.tokens
        saved += found.tokens < vote.tokens
    assert saved > 20


def test_adaptive_does_not_branch_where_samples_agree():
    toy = ToyLanguage(0)
    toy.rules["Answer:"] = {"a": 1.0}
    toy.rules["a"] = {"ab": 1.0}
    result = search_for(adaptive, toy, n=64, branching=4)
    assert {k for _, k, *_ in toy.account[:3]} == {4}  # and not 64
    assert len(result.tree.children) == len(result.tree.children[0].children) == 1


# Search that is guided by a scorer.


def expansions(result):
    return {tuple(node.path) for node in walk(result.tree) if node.expanded}


def children(toy, steps):
    return [(*steps, text) for text in toy.rules[steps[-1] if steps else "Answer:"]]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("keep", [1, 2, 3])
def test_beam_search_keeps_the_best_of_every_level(seed, keep):
    toy = ToyLanguage(seed, depth=3)
    result = search_for(beam_search, toy, n=keep * MANY, branching=MANY)
    beam, expanded, finished = [()], set(), []
    while beam:  # the same by hand, with every sentence at hand
        expanded |= {*beam}
        level = [child for steps in beam for child in children(toy, steps)]
        level.sort(key=table_score, reverse=True)
        kept = level[: keep - len(finished)]
        finished += [steps for steps in kept if "answer" in steps[-1]]
        beam = [steps for steps in kept if "answer" not in steps[-1]]
    assert expansions(result) == expanded
    assert {read(steps) for steps in finished} == set(values(result))


def test_beam_search_divides_n_samples_among_what_is_kept(toy):
    search_for(beam_search, toy, n=12, branching=4)
    assert [k for _, k, *_ in toy.account[:1]] == [12]
    assert sum(k for prompt, k, *_ in toy.account if prompt.count("\n") == 10) <= 12


@pytest.mark.parametrize("strategy", [beam_search, dvts])
def test_lookahead_values_a_step_by_what_follows_it(strategy, toy):
    result = search_for(strategy, toy, n=2 * MANY, branching=MANY, lookahead=1)
    for node in walk(result.tree):
        if node.parent and not node.env.ended:
            beyond = best(toy.rules[node.path[-1]])
            assert node.value == table_score((*node.path, beyond))
        elif node.parent:
            assert node.value == table_score(tuple(node.path))
    assert any(is_cold for _, _, is_cold, _ in toy.account)
    assert result.tokens == toy.tokens


@pytest.mark.parametrize("seed", range(10))
def test_dvts_is_greedy_in_each_of_its_different_subtrees(seed):
    toy = ToyLanguage(seed, depth=3)
    result = search_for(dvts, toy, n=2 * MANY, branching=MANY)
    roots = sorted(children(toy, ()), key=table_score, reverse=True)[:2]
    expanded, votes = {()}, Counter()
    for steps in roots:
        while "answer" not in steps[-1]:
            expanded.add(steps)
            last = children(toy, steps)
            steps = max(last, key=table_score)
        for leaf in last:  # every sample of the last step votes
            votes[read(leaf)] += 1
    assert expansions(result) == expanded
    assert set(values(result)) == set(votes)


def test_dvts_waits_until_the_paths_have_parted():
    toy = ToyLanguage(0)
    toy.rules["Answer:"] = {"a": 1.0}
    result = search_for(dvts, toy, n=2 * MANY, branching=MANY)
    assert expansions(result) >= {(), ("a",)} and len(expansions(result)) == 4


def one_armed(arms):
    """A bandit: one step, an answer an arm, each with its probability."""
    toy = ToyLanguage()
    toy.rules = {"Answer:": {f"The answer is {i}.": p for i, p in enumerate(arms)}}
    return toy


@pytest.mark.parametrize("c_puct", [0.1, 1.0, 4.0])
def test_mcts_visits_on_a_bandit_are_those_of_puct(c_puct):
    toy, scores = one_armed([0.5, 0.3, 0.2]), [0.4, 0.9, 0.6]
    result = mcts(
        make_env(toy), toy, lambda paths: [scores[read(p.steps)] for p in paths],
        budget=PLENTY, branching=50, c_puct=c_puct, simulations=300,
    )  # fmt: skip
    arms = [read(node.path) for node in result.tree.children]
    priors = np.array([node.action.prior for node in result.tree.children])
    q, visits = np.array(scores)[arms], np.zeros(3)
    for _ in range(300):
        parent = max(1, visits.sum())
        visits[np.argmax(q + c_puct * priors * math.sqrt(parent) / (1 + visits))] += 1
    assert [node.visits for node in result.tree.children] == list(visits)
    assert result.answer.value == 1 and result.tree.visits == 300
    weights = {arm: n * scores[arm] for arm, n in zip(arms, visits, strict=True) if n}
    assert {int(a.value): w for a, w in result.ranked} == pytest.approx(weights)


@pytest.mark.parametrize("rollout", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_mcts_converges_to_the_best_path(seed, rollout):
    toy = ToyLanguage(seed)

    def scorer(paths):  # of an unfinished path: nothing known
        return [table_score(p.steps) if "answer" in p.steps[-1] else 0.5 for p in paths]

    options = {"rollout": rollout, "branching": MANY, "c_puct": 0.3}
    result = search_for(mcts, toy, scorer, simulations=3000, **options)
    assert tuple(result.path.path) == max(toy.finished_paths(), key=table_score)
    node, most = result.tree, []
    while node.children:
        node = max(node.children, key=lambda child: child.visits)
        most.append(node.path[-1])
    assert tuple(most) == max(toy.finished_paths(), key=table_score)


def test_mcts_backs_up_means(toy):
    result = search_for(mcts, toy, branching=MANY, simulations=200)
    assert result.tree.visits == 200
    for node in walk(result.tree):
        below = [child for child in node.children if child.visits]
        if below:  # with rollouts, no visit ends inside the tree
            assert node.visits == sum(child.visits for child in below)
            mean = sum(child.visits * child.value for child in below) / node.visits
            assert node.value == pytest.approx(mean)


def test_mcts_without_rollout_expands_a_node_when_it_is_met_again(toy):
    result = search_for(mcts, toy, rollout=False, simulations=40)
    for node in walk(result.tree):
        if node.parent and not node.env.ended:
            assert node.expanded == (node.visits > 1)


def test_mcts_gives_a_dead_end_nothing():
    toy = ToyLanguage(2, stuck=True)
    result = search_for(mcts, toy, branching=MANY, simulations=300)
    (stuck,) = [node for node in result.tree.children if node.path == ["b"]]
    assert stuck.visits and stuck.value == 0 and stuck.is_leaf
    assert result.answer.value is not None


def test_particles_are_resampled_by_their_odds(toy):
    search = Search(make_env(toy), toy, table_scorer, PLENTY, seed=0)
    nodes = search.expand(search.root, MANY)
    particles = [(node, 5 + i) for i, node in enumerate(nodes)]
    weights = [c * node.value / (1 - node.value) for node, c in particles]
    wanted = [40 * weight / sum(weights) for weight in weights]
    counts = Counter()
    for seed in range(2000):
        drawn = resample(particles, 40, np.random.default_rng(seed))
        assert sum(count for _, count in drawn) == 40
        counts.update(dict(drawn))
    for node, expected in zip(nodes, wanted, strict=True):
        assert counts[node] / 2000 == pytest.approx(expected, abs=0.3)
    assert odds(0.75) == pytest.approx(3) and 0 < odds(0.0) < odds(1.0) < math.inf


def test_particles_with_equal_scores_are_plain_samples(toy):
    shares, counted = toy.answer_shares(), Counter()
    for seed in range(40):
        result = search_for(
            particle_filter, toy, lambda p: [0.5] * len(p), n=50, seed=seed
        )
        counted.update({int(a.value): weight for a, weight in result.ranked})
    for value, share in shares.items():
        assert counted[value] / 2000 == pytest.approx(share, abs=0.06)


def test_particles_follow_the_product_of_policy_and_weights():
    """One step, then answers: the posterior is found by enumeration."""
    toy = ToyLanguage(3, depth=1)
    score = {word: s for word, s in zip("abc", (0.2, 0.5, 0.8), strict=True)}
    first = {w: toy.rules["Answer:"][w] * s / (1 - s) for w, s in score.items()}
    total = sum(first.values())
    wanted = Counter()
    for word, weight in first.items():
        for text, p in toy.rules[word].items():
            wanted[read([text])] += weight / total * p
    counted = Counter()
    for seed in range(60):
        result = search_for(
            particle_filter, toy, n=100, seed=seed,
            scorer=lambda ps: [score.get(p.steps[-1], 0.5) for p in ps],
        )  # fmt: skip
        counted.update({int(a.value): weight for a, weight in result.ranked})
    for value, share in wanted.items():
        assert counted[value] / 6000 == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("seed", range(10))
def test_depth_first_prunes_and_goes_back(seed):
    toy = ToyLanguage(seed)
    options = {"branching": MANY, "threshold": 0.4}
    result = search_for(depth_first, toy, **options)
    kept = [
        steps for steps in toy.finished_paths()
        if all(table_score(steps[: i + 1]) >= 0.4 for i in range(len(steps)))
    ]  # fmt: skip
    assert set(values(result)) == {read(steps) for steps in kept}
    first = search_for(depth_first, toy, paths=1, **options)

    def walk_by_hand(steps):
        if steps and "answer" in steps[-1]:
            return steps
        for child in sorted(children(toy, steps), key=table_score, reverse=True):
            if table_score(child) >= 0.4 and (end := walk_by_hand(child)):
                return end
        return None

    wanted = walk_by_hand(())
    assert (tuple(first.path.path) if first.path else None) == wanted
    assert len(first.ranked) <= 1


# What holds for all of them.

ALL = STRATEGIES | {
    "dvts, lookahead": partial(dvts, lookahead=1),
    "beam, lookahead": partial(beam_search, lookahead=2),
    "mcts, no rollout": partial(mcts, rollout=False),
}
each_strategy = pytest.mark.parametrize("name", ALL)


def narrow(name):
    """One candidate a step, where a strategy has a choice."""
    head = name.partition(",")[0]
    if head == "greedy":
        return {}
    wide = {"beam": {"n": 1, "branching": 1}, "beam_search": {"n": 1, "branching": 1}}
    one = {"dvts": {"n": 1, "branching": 1}, "adaptive": {"n": 1, "branching": 1}}
    deep = {"mcts": {"branching": 1}, "depth_first": {"branching": 1, "threshold": 0}}
    return (wide | one | deep).get(head, {"n": 1})


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
    ],
)
def test_a_bad_scorer_is_named(scorer, message, toy):
    with pytest.raises(ValueError, match=message):
        search_for(best_of_n, toy, scorer)


@pytest.mark.parametrize("budget", [0, -1, 0.5, math.inf, math.nan, "all", None])
def test_a_bad_budget_is_refused(budget, toy):
    with pytest.raises(ValueError, match="Type a budget from 1"):
        search_for(greedy, toy, budget=budget)


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

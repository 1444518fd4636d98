"""Strategies that a scorer guides, against enumeration of a known language."""

import math
from collections import Counter

import numpy as np
import pytest
from toy_language import (
    MANY,
    PLENTY,
    ToyLanguage,
    best,
    make_env,
    one_armed,
    read,
    search_for,
    table_score,
    table_scorer,
    values,
)

from helpers.search import (
    Search,
    beam_search,
    depth_first,
    dvts,
    mcts,
    particle_filter,
    walk,
)
from helpers.search.guided import odds, resample


@pytest.fixture
def toy():
    return ToyLanguage(seed=1)


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
    assert any(is_cold for *_, is_cold, _ in toy.account)
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


def test_depth_first_follows_the_best_of_what_was_pruned(toy):
    result = search_for(depth_first, toy, lambda ps: [0.4] * len(ps), branching=MANY)
    first = max(result.tree.children, key=lambda node: node.action.count)
    assert result.path.path[0] == first.path[0]  # of equals, the larger count


def test_depth_first_takes_the_first_sampled_of_equals():
    for seed in range(20):
        toy = ToyLanguage(seed)
        result = search_for(
            depth_first,
            toy,
            lambda ps: [0.7] * len(ps),
            seed=seed,
            paths=1,
            branching=2,
        )
        node = result.tree
        while node.children:
            most = max(child.action.count for child in node.children)
            node = next(x for x in node.children if x.action.count == most)
        assert node is result.path


@pytest.mark.parametrize("strategy", [beam_search, depth_first])
def test_a_path_that_is_cut_off_takes_no_place_of_a_finished_one(strategy):
    toy = ToyLanguage()
    toy.rules = {
        "Answer:": {"a": 0.5, "b": 0.5}, "a": {"aa": 1.0}, "aa": {"aaa": 1.0},
        "b": {"The answer is 2.": 1.0},
    }  # fmt: skip
    result = strategy(
        make_env(toy, max_steps=2), toy,
        lambda ps: [0.9 if p.steps[0] == "a" else 0.6 for p in ps],
        budget=PLENTY, branching=8, **({"n": 16} if strategy is beam_search else {}),
    )  # fmt: skip
    assert result.answer.value == 2


@pytest.mark.parametrize("budget", [192, 256, 300, 512])
@pytest.mark.parametrize("strategy", [mcts, depth_first, beam_search, particle_filter])
def test_the_reserve_brings_long_paths_to_their_end(strategy, budget):
    for seed in range(5):  # every path costs 5 * 31 = 155 tokens
        toy = ToyLanguage(seed, branching=4, depth=4, length=31)
        result = search_for(strategy, toy, budget=budget, seed=seed)
        assert result.answer.value is not None and result.tokens <= budget + 31


@pytest.mark.parametrize("n", [24, 48])
def test_dvts_with_more_paths_than_it_can_pay_still_answers(n):
    for seed in range(10):
        toy = ToyLanguage(seed, branching=4, depth=4, length=20)
        assert search_for(dvts, toy, n=n, budget=512, seed=seed).path

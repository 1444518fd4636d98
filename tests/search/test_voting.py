"""Strategies that draw whole paths, against enumeration of a known language."""

import math
from collections import Counter

import pytest
from toy_language import (
    PLENTY,
    ToyLanguage,
    best,
    make_env,
    read,
    search_for,
    table_score,
    values,
)

from helpers.search import (
    Search,
    adaptive,
    best_of_n,
    draw_paths,
    greedy,
    leaves,
    path_probability,
    self_consistency,
    walk,
    weighted_vote,
)


@pytest.fixture
def toy():
    return ToyLanguage(seed=1)


def test_the_language_is_what_it_says():
    paths = ToyLanguage(seed=1).finished_paths()
    assert len(paths) == 3 * 3 * 2 and len(ToyLanguage(seed=1).rules) == 1 + 3 + 9
    assert math.fsum(paths.values()) == pytest.approx(1)


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


def test_adaptive_keeps_exact_ties_and_silence_as_the_vote_does():
    for seed in range(300):
        toy = ToyLanguage(seed, branching=2, depth=1, answers=3)
        if seed % 2:  # the model is often silent after "a"
            toy.rules["a"] = {text: 0.6 * p for text, p in toy.rules["a"].items()}
            toy.rules["a"][""] = 0.4
        vote = search_for(self_consistency, toy, n=5, seed=seed)
        found = search_for(adaptive, toy, n=5, seed=seed)
        assert found.answer == vote.answer and found.tokens <= vote.tokens


def test_strategies_without_an_opinion_do_not_ask_for_one(toy):
    for strategy in (greedy, self_consistency, adaptive):
        assert search_for(strategy, toy, scorer=lambda paths: 1 / 0).path


def test_where_all_scores_are_zero_the_majority_wins(toy):
    for strategy in (best_of_n, weighted_vote):
        zero = search_for(strategy, toy, lambda paths: [0.0] * len(paths), n=40)
        assert zero.answer == search_for(self_consistency, toy, n=40).answer

"""What must hold for every strategy, language, budget and seed (hypothesis)."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_language import ALL, GOLD, ToyLanguage, make_env, table_scorer

from helpers.search import Budget, leaves, path_probability, tokens_spent, walk

LONGEST = len("The answer is 3.") + 1  # tokens of a step of the language
languages = st.builds(
    dict, seed=st.integers(0, 10**6), branching=st.integers(1, 4),
    depth=st.integers(1, 4), answers=st.integers(2, 4), stuck=st.booleans(),
)  # fmt: skip
quietly = settings(
    max_examples=30, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
each_strategy = pytest.mark.parametrize("name", ALL)


def run(name, language, budget, seed, max_steps=6):
    toy = ToyLanguage(**language)
    env = make_env(toy, max_steps)
    return ALL[name](env, toy, table_scorer, budget=budget, seed=seed), toy


@each_strategy
@given(language=languages, tokens=st.integers(1, 3000), seed=st.integers(0, 2**31 - 1))
@quietly
def test_tokens(name, language, tokens, seed):
    result, toy = run(name, language, tokens, seed)
    assert result.tokens == toy.tokens == tokens_spent(result.tree)
    assert result.calls == len(toy.account)
    assert result.tokens <= tokens + LONGEST  # one step more at most


@each_strategy
@given(language=languages, calls=st.integers(1, 60), seed=st.integers(0, 99))
@quietly
def test_calls(name, language, calls, seed):
    result, toy = run(name, language | {"stuck": False}, Budget(calls=calls), seed)
    assert result.calls == len(toy.account) <= calls


@each_strategy
@given(language=languages, tokens=st.integers(1, 3000), seed=st.integers(0, 99))
@quietly
def test_the_tree(name, language, tokens, seed):
    result, toy = run(name, language, tokens, seed)
    nodes = list(walk(result.tree))
    place = {node: i for i, node in enumerate(nodes)}
    for node in nodes:
        if node.parent:
            assert place[node.parent] < place[node] and node in node.parent.children
            assert 0 <= node.value <= 1 and node.visits <= node.parent.visits
            assert 0 < node.action.prior <= 1 <= node.action.count
        texts = [child.action.text for child in node.children]
        assert len(texts) == len(set(texts))  # duplicates are merged
        if node.children:
            assert sum(c.action.prior for c in node.children) == pytest.approx(1)
    # No state is sampled twice, but for silence, which is asked three times.
    asked = Counter((prompt, cold) for prompt, _, _, cold, _ in toy.account)
    for (prompt, _), times in asked.items():
        assert times == (3 if "" in toy.rules[prompt.splitlines()[-1]] else 1)


@each_strategy
@given(language=languages, tokens=st.integers(1, 3000), seed=st.integers(0, 99))
@quietly
def test_the_answer(name, language, tokens, seed):
    result, _ = run(name, language, tokens, seed)
    held = [leaf.answer.value for leaf in leaves(result.tree)]
    right = result.answer.value == GOLD
    assert right <= (GOLD in held)  # no strategy beats pass@k of its tree
    weights = [weight for _, weight in result.ranked]
    assert weights == sorted(weights, reverse=True) and min(weights, default=0) >= 0
    answers = [answer.value for answer, _ in result.ranked]
    assert len(answers) == len(set(answers)) and set(answers) <= set(held)
    assert None not in answers
    if result.ranked:
        assert result.answer == result.ranked[0][0] == result.path.answer
        assert 0 < path_probability(result.path) <= 1


@each_strategy
@given(language=languages, tokens=st.integers(1, 3000), seed=st.integers(0, 99))
@quietly
def test_the_same_seed_gives_the_same_tree(name, language, tokens, seed):
    trees = [
        [(x.path, x.visits, x.value) for x in walk(result.tree)] + [result.ranked]
        for result, _ in (run(name, language, tokens, seed) for _ in range(2))
    ]
    assert trees[0] == trees[1]


@each_strategy
@given(language=languages, seed=st.integers(0, 99))
@quietly
def test_a_budget_for_one_path_brings_an_answer(name, language, seed):
    result, _ = run(name, language | {"stuck": False}, budget=128, seed=seed)
    assert result.answer.value is not None

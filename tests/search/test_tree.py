"""Trees against brute-force enumeration of a scripted language."""

import itertools

import pytest
from gymnasium.error import ResetNeeded
from toy_language import Scripted

from helpers.env import GSM8KEnv, Problem
from helpers.search import (
    Node,
    breadth_first,
    expand,
    leaves,
    path_probability,
    to_text,
    tokens_spent,
    walk,
)
from helpers.search.tree import verdict

PICNIC = Problem("How many guests?", "15")


def twins(line):
    """Each sentence has two successors, named after it; the third word answers."""
    stem = "" if line == "Answer:" else line
    if len(stem) == 2:
        return [f"The answer is {10 + (stem == 'ab') * 5}.", "The answer is 7."]
    return [stem + "a", stem + "b"]


def make_env(script=twins, seed=0, **options):
    options = {"max_actions": 2, "max_steps": 3} | options
    env = GSM8KEnv(PICNIC, Scripted(script), **options)
    env.reset(seed=seed)
    return env


def enumerate_twins():
    """Every path of the scripted language, level by level, by itertools alone."""
    paths = [()]
    for length in (1, 2):
        words = ["".join(w) for w in itertools.product("ab", repeat=length)]
        paths += [tuple(w[:i] for i in range(1, length + 1)) for w in words]
    ends = [p + (end,) for p in paths if len(p) == 2 for end in twins(p[-1])]
    return paths + ends


def cost_of_expanding(path):
    """Letters and newlines of both successors; nothing comes after an answer."""
    if len(path) == 3:
        return 0
    return sum(len(text) + 1 for text in twins(path[-1] if path else "Answer:"))


def test_full_tree_holds_every_path_once_in_breadth_first_order():
    root = breadth_first(make_env(), budget=10**6)
    by_level = sorted(walk(root), key=lambda node: node.depth)  # a stable sort
    assert [tuple(node.path) for node in by_level] == enumerate_twins()
    assert {tuple(node.path) for node in leaves(root)} == {
        path for path in enumerate_twins() if len(path) == 3
    }


@pytest.mark.parametrize("budget", range(0, 140, 3))
def test_budget_decides_which_nodes_are_expanded(budget):
    env = make_env()
    root = breadth_first(env, budget)
    wanted, spent = [], 0
    for path in enumerate_twins():
        if spent >= budget:
            break
        if len(path) < 3:
            wanted.append(path)
            spent += cost_of_expanding(path)
    expanded = {tuple(node.path) for node in walk(root) if node.expanded}
    assert expanded == set(wanted)
    assert tokens_spent(root) == spent == env.llm_gen.tokens
    most = max(map(cost_of_expanding, enumerate_twins()))
    assert spent < budget + most


def test_growing_a_tree_leaves_the_environment_where_it_was():
    env = make_env()
    env.step("a")
    root = breadth_first(env, budget=10**6)
    assert env.steps == ("a",) and env.tokens_sampled == 0
    assert root.path == ["a"] and root.depth == 1
    assert {tuple(node.path[:1]) for node in walk(root)} == {("a",)}
    assert sum(node.env.tokens_sampled for node in walk(root)) == tokens_spent(root)


def test_a_node_is_sampled_once_and_an_ended_one_never():
    env = make_env()
    node = Node(env)
    assert expand(node) is expand(node, k=9) is node.children
    assert len(env.llm_gen.calls) == 1
    end = expand(expand(node.children[0])[0])[0]
    calls = len(env.llm_gen.calls)
    assert end.env.terminated and expand(end) == [] and not end.expanded
    assert len(env.llm_gen.calls) == calls


def test_k_overrides_the_number_of_samples_and_counts_are_kept():
    env = make_env(script=lambda line: ["a", "b", " a"])
    first, second = expand(Node(env), k=7)  # a b a a b a a
    assert [n.action.count for n in (first, second)] == [5, 2]
    assert [n.action.prior for n in (first, second)] == [5 / 7, 2 / 7]
    assert env.llm_gen.calls[0][1] == 7


def test_a_tree_that_finds_its_samples_in_the_cache_is_charged_for_them():
    env = make_env()
    once, again = breadth_first(env, 60), breadth_first(env, 60)
    assert tokens_spent(once) == tokens_spent(again) == env.llm_gen.tokens > 0
    assert to_text(once) == to_text(again)


def test_children_know_their_place():
    root = breadth_first(make_env(), budget=10**6)
    for node in walk(root):
        for child in node.children:
            assert child.parent is node and child.path[:-1] == node.path
            share = path_probability(node) * child.action.prior
            assert path_probability(child) == share
            assert child.env.state == node.env.state + child.action.text + "\n"
        assert node.is_leaf == (len(node.path) == 3)
        assert (node.reward is None) == (not node.env.ended)
    assert sum(map(path_probability, leaves(root))) == pytest.approx(1.0)
    order = list(walk(root))
    assert all(order.index(n.parent) < order.index(n) for n in order[1:])


def test_answers_and_rewards_of_leaves():
    root = breadth_first(make_env(), budget=10**6)
    found = {"".join(n.path[:2])[-2:]: [] for n in leaves(root)}
    for node in leaves(root):
        found[node.path[1]].append((node.answer.value, node.reward))
    assert found == {
        stem: [(15, 1.0) if stem == "ab" else (10, 0.0), (7, 0.0)]
        for stem in ("aa", "ab", "ba", "bb")
    }
    assert root.answer.value is None and root.children[0].answer.value is None


def test_a_chain_cut_off_has_no_answer():
    root = breadth_first(make_env(max_steps=2), budget=10**6)
    ends = leaves(root)
    assert len(ends) == 4 and all(node.env.truncated for node in ends)
    assert {(n.answer.value, n.reward, verdict(n)) for n in ends} == {
        (None, 0.0, " [cut]")
    }


def test_a_dead_end_is_paid_for_and_marked():
    env = make_env(script=lambda line: ["", "  "] if line == "b" else ["a", "b"])
    root = breadth_first(env, budget=10**6)
    dead = [n for n in walk(root) if n.expanded and n.is_leaf]
    assert [n.path for n in dead] == [["a", "b"], ["b"]]
    assert [verdict(n) for n in dead] == [" [dead end]"] * 2
    assert all(n.spent == 3 * (1 + 3) for n in dead)  # three attempts
    assert tokens_spent(root) == env.llm_gen.tokens


def test_before_reset_the_error_says_what_to_do():
    env = GSM8KEnv(PICNIC, Scripted(twins))
    with pytest.raises(ResetNeeded, match=r"env\.reset\(\)"):
        breadth_first(env, budget=10)


STORY = {
    "Answer:": ["Ada sees 3*5 = 15 guests.", "Nobody knows."] * 2,
    "Ada sees 3*5 = 15 guests.": ["The answer is 15.", "The answer is 51.", "Hm."],
    "Nobody knows.": ["The answer is blue.", ""],
    "Hm.": ["Hm, hm."],
    "Hm, hm.": [""],
}


def test_text_drawing():
    env = make_env(STORY.get, max_actions=3)
    root = breadth_first(env, budget=10**6)
    assert to_text(root) == "\n".join(
        [
            "question",
            "|- 0.67 Ada sees 3*5 = 15 guests.",
            "|  |- 0.33 The answer is 15. -> 15 [right]",
            "|  |- 0.33 The answer is 51. -> 51 [wrong]",
            "|  `- 0.33 Hm.",
            "|     `- 1.00 Hm, hm. [cut]",
            "`- 0.33 Nobody knows.",
            "   `- 1.00 The answer is blue. -> no number [wrong]",
        ]
    )


def test_text_drawing_of_a_search():
    root = breadth_first(make_env(STORY.get, max_actions=3), budget=10**6)
    first, last = root.children
    first.value, last.value = 0.755, 0.0
    shown = to_text(root, last.children[0], search=True).splitlines()
    assert shown[1] == "|- V 0.76  P 0.67  Ada sees 3*5 = 15 guests."
    assert shown[-1].endswith("The answer is blue. -> no number [wrong] <- chosen")
    assert sum(line.endswith("<- chosen") for line in shown) == 1
    root.visits, first.visits = 12, 5
    shown = to_text(root, search=True).splitlines()
    assert shown[0] == "question" and shown[1].startswith("|- N 5  V 0.76  P 0.67  A")
    assert shown[-2].startswith("`- N 0  V 0.00  P 0.33  Nobody")
    assert max(map(len, to_text(root, last, search=True, width=40).splitlines())) <= 40


def test_text_drawing_keeps_its_width_and_every_verdict():
    env = make_env(lambda line: ["word " * 30, "The answer is 15" + " guests" * 30])
    root = breadth_first(env, budget=10**6)
    wide, narrow = to_text(root, width=10**4), to_text(root, width=40)
    assert max(map(len, narrow.splitlines())) == 40
    assert len(narrow.splitlines()) == len(wide.splitlines()) == len(list(walk(root)))
    assert narrow.count("[right]") == wide.count("[right]") == 3
    assert narrow.isascii()


def test_repr_is_short_and_keeps_the_gold_answer_to_itself():
    env = make_env(STORY.get, max_actions=3)
    env.problem = Problem("How many guests?", "424242")
    root = breadth_first(env, budget=10**6)
    for node in walk(root):
        assert len(repr(node)) < 200 and "424242" not in repr(node)
        assert repr(node.action.text) in repr(node)

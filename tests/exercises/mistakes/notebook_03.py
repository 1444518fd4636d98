"""Typical mistakes in the exercises of notebook 03: (check, answers, what is said)."""

from collections import Counter, deque
from dataclasses import replace

from helpers.exercises import notebook_03 as check
from helpers.problems import extract_answer, generate
from helpers.search import Node, breadth_first, expand, tokens_spent, walk


def grow(env, budget, last=True, flip=False, most=None):
    """Depth first, or nearly."""
    root, spent = Node(env.fork()), 0
    frontier = deque([root])
    while frontier and (spent < budget if most is None else spent <= most):
        node = frontier.pop() if last else frontier.popleft()
        frontier.extend(reversed(expand(node)) if flip else expand(node))
        spent += node.spent
    return root


def one_chain(env, budget):
    root = node = Node(env.fork())
    while expand(node) and tokens_spent(root) < budget:
        node = node.children[-1]
    return root


def deepest(env, budget):
    return max(walk(grow(env, budget)), key=lambda node: node.depth)


def merge(key, weight, keep_all=True):
    """`merge_results` with another key or another weight."""

    def merge_results(actions):
        firsts, sums = {}, Counter()
        for action in actions:
            if key(action.text) is None and not keep_all:
                continue
            first = firsts.setdefault(key(action.text), action.text)
            sums[first] += weight(action)
        return dict(sums)

    return merge_results


def value(text):
    return extract_answer(text).value


def or_text(text):
    return text if value(text) is None else value(text)


def prior(action):
    return action.prior


def last_prior(actions):
    firsts, priors = {}, {}
    for action in actions:
        priors[firsts.setdefault(or_text(action.text), action.text)] = action.prior
    return priors


def equal_shares(actions):
    texts = merge(or_text, prior)(actions)
    return dict.fromkeys(texts, 1 / len(texts))


def by_value(actions):
    return {value(action.text): action.prior for action in actions}


def apart(node, k, divide=True, fork=True, again=False, mark=True, own=True):
    """`expand_apart`, with mistakes."""
    if node.expanded and not again:
        return node.children
    proposal = node.env.propose(k)
    node.expanded, node.spent = mark, proposal.tokens if mark else 0
    for action in proposal.actions:
        share = action.prior / (action.count if divide else 1)
        env, one = node.env.fork(), replace(action, prior=share, count=1)
        if fork:
            env.step(action.text)
        for _ in range(action.count):
            node.children.append(Node(env.fork() if own else env, one, node))
    return node.children


def faulty(**faults):
    return lambda node, k: apart(node, k, **faults)


def waste(key, of_first=False, spent=True):
    """`wasted`, with another idea of what is equal."""

    def wasted(root):
        found = {}
        for node in walk(root):
            if node.expanded or not spent:
                found.setdefault(key(node), []).append(node.spent if spent else 40)
        repeated = [costs for costs in found.values() if len(costs) > 1]
        return sum(sum(costs[0 if of_first else 1 :]) for costs in repeated)

    return wasted


def path(node):
    return tuple(node.path)


def among_siblings(node):
    return id(node.parent), node.action.text


right, slip = "Ann has 3*4 = 12 apples.", "Ann has 3*5 = 12 apples."
good = merge(or_text, prior)
rows = generate("test", 120, seed=5, steps=(2, 3))

MISTAKES = [
    (check.exercise_3_1, [{2: (20, 4), 8: (25, 2)}], "k = 2.*root is a node"),
    (check.exercise_3_1, [{2: (41, 4), 8: (25, 2)}], "k = 2.*all of them are paid"),
    (check.exercise_3_1, [{2: (21, 4), 8: (17, 2)}], "k = 8.*Is it interrupted"),
    (check.exercise_3_1, [{2: (21, 3), 8: (25, 2)}], "k = 2.*children stand below"),
    (check.exercise_3_1, [{2: (21, 10), 8: (25, 2)}], "not 10 deep. The root has"),
    (check.exercise_3_1, [{2: (99, 4), 8: (25, 2)}], "How many expansions"),
    (check.exercise_3_1, [{2: 21, 8: 25}], "two whole numbers"),
    (check.exercise_3_1, [21], "A dictionary with keys"),
    (check.exercise_3_2, [breadth_first], "That is breadth first"),
    (check.exercise_3_2, [lambda *a: grow(*a, flip=True)], "takes the first child"),
    (check.exercise_3_2, [one_chain], "2 of 6 states.*newest that is left"),
    (check.exercise_3_2, [lambda env, b: grow(env, 9**9)], "For 50 tokens.* 6 and"),
    (check.exercise_3_2, [lambda *a: grow(*a, most=a[1])], "For 60 tokens.* 4 and"),
    (check.exercise_3_2, [deepest], "further down"),
    (check.exercise_3_2, [lambda *a: [*walk(grow(*a))]], "Give back the root, a node"),
    (check.exercise_3_3, [merge(value, prior), (right, slip)], "each stays a branch"),
    (check.exercise_3_3, [merge(value, prior, False), (right, slip)], "each stays"),
    (check.exercise_3_3, [merge(str, prior), (right, slip)], "12 and 12.0 are one"),
    (check.exercise_3_3, [merge(or_text, lambda a: a.count), 0], "not counts"),
    (check.exercise_3_3, [last_prior, (right, slip)], "prior of a copy was lost"),
    (check.exercise_3_3, [equal_shares, (right, slip)], "The priors are"),
    (check.exercise_3_3, [by_value, (right, slip)], "from text to prior"),
    (check.exercise_3_3, [good, right], "two texts"),
    (check.exercise_3_3, [good, ("Well.", "Hm.")], "states no number"),
    (check.exercise_3_3, [good, (right, "3*4 = 14.")], "12 and 14 are two results"),
    (check.exercise_3_3, [good, (right, "Twelve, 12.")], "needs its calculation"),
    (check.exercise_3_3, [good, (slip, right)], "of the first step should hold"),
    (check.exercise_3_3, [good, (right, "2*6 = 12.")], "the second needs a slip"),
    (check.exercise_3_4, [expand, waste(path)], "It merges"),
    (check.exercise_3_4, [lambda node, k: k, waste(path)], "a list of nodes"),
    (check.exercise_3_4, [faulty(divide=False), waste(path)], "one of four samples"),
    (check.exercise_3_4, [faulty(fork=False), waste(path)], "fork of its own"),
    (check.exercise_3_4, [faulty(own=False), waste(path)], "share 2 environments"),
    (check.exercise_3_4, [faulty(mark=False), waste(path)], "Set node.expanded"),
    (check.exercise_3_4, [faulty(again=True), waste(path)], "keep its four"),
    (check.exercise_3_4, [apart, waste(lambda n: n.action.text)], "is not 'c' after"),
    (check.exercise_3_4, [apart, waste(path, spent=False)], "not expanded costs"),
    (check.exercise_3_4, [apart, waste(path, of_first=True)], "the first of equal"),
    (check.exercise_3_4, [apart, waste(among_siblings)], "not 80: below a copy"),
    (check.exercise_3_4, [apart, lambda root: "none"], "gives 'none', not 0"),
    (check.exercise_3_5, [rows[10]["question"]], "Take one of generate"),
    (check.exercise_3_5, [rows[3]], "one of notebook 01"),
    (check.exercise_3_5, [rows[20]], "as probable as the right answer"),
    (check.exercise_3_5, [rows[33]], "Counting finds it, too"),
    (check.exercise_3_5, [rows[0]], "a single answer|does not hold"),
]

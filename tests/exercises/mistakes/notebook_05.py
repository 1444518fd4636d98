"""Typical mistakes in the exercises of notebook 05: (check, answers, what is said)."""

from dataclasses import replace
from math import isclose

from helpers.env import GSM8KEnv, Problem
from helpers.exercises import notebook_05 as check
from helpers.exercises import toys
from helpers.llm import LLMGen
from helpers.problems import load_problems
from helpers.rewards import AGGREGATIONS, Path
from helpers.search import Search, best_of_n, draw_paths, leaves, mcts, rank, walk


def winner(votes, join=sum):
    groups = {}
    for answer, value in votes:
        groups.setdefault(answer, []).append(value)
    return max(groups, key=lambda answer: join(groups[answer]))


def rescale(votes, if_equal=None):
    values = [value for _, value in votes]
    low, wide = min(values), max(values) - min(values)
    if if_equal is not None and not wide:
        return [(answer, if_equal) for answer, _ in votes]
    return [(answer, (value - low) / wide) for answer, value in votes]


def undivided(votes):
    return winner(votes), winner(rescale(votes))


def zero(votes):
    return winner(votes), winner(rescale(votes, 0.0))


def swapped_pair(votes):
    return winner(rescale(votes, 1.0)), winner(votes)


def best_value(votes):
    return winner(votes, max), winner(votes, max)


def never_rescaled(votes):
    return winner(votes), winner(votes)


def heads(votes):
    return winner(votes, len), winner(votes, len)


def probe(scores, tell=isclose):
    """`wrong_options` that tries these step scores, a list a path."""

    def wrong_options(make_scorer):
        table = {f"{i}": x for i, x in enumerate(scores)}
        wrong = set()
        for how, join in AGGREGATIONS.items():
            scorer = make_scorer(lambda path: table[path.prompt], how)
            found = scorer([Path(name, ()) for name in table])
            right = map(join, table.values())
            if not all(map(tell, found, right)):
                wrong.add(how)
        return wrong

    return wrong_options


GOOD = [[0.9, 0.3, 1.0, 0.7], [0.4, 0.2, 0.8, 0.6]]


def careful(search, n):
    draw_paths(search, n)
    return max(search.finished(), key=lambda leaf: leaf.value)


def careless(search, n):
    draw_paths(search, n)
    return max(leaves(search.root), key=lambda leaf: leaf.value)


def any_node(search, n):
    draw_paths(search, n)
    return max(walk(search.root), key=lambda node: node.value)


def any_open(search, n):
    draw_paths(search, n)
    return max(leaves(search.root), key=lambda leaf: -leaf.depth)


def share(lengths, more=lambda a, b: a > b):
    """`favours_cut` that looks at other beginnings, or compares in another way."""

    def favours_cut(scorer, paths):
        won = 0
        for path in paths:
            parts = [replace(path, actions=path.actions[:i]) for i in lengths]
            won += any(more(score, scorer([path])[0]) for score in scorer(parts))
        return won / len(paths)

    return favours_cut


favours = share([1, 2])


def sum_of_wins(scorer, paths):
    return len(paths) * favours(scorer, paths)


def never(search):
    return False


def search_with(
    choose, is_over=lambda search: search.is_short, at_end=True, end="terminated"
):
    """`best_first` with other decisions."""

    def best_first(env, llm, scorer=None, *, budget, seed=0, k=4):
        search = Search(env, llm, scorer, budget, seed)
        open_nodes = [search.root]
        while open_nodes:
            node = choose(open_nodes)
            open_nodes.remove(node)
            if is_over(search):
                node = search.roll_out(node)
            if getattr(node.env, end):
                return search.result([(node, node.value)])
            children = search.expand(node, k)
            for child in children:
                if not at_end and child.env.terminated:
                    return search.result([(child, child.value)])
            open_nodes += children
        return search.result([])

    return best_first


def best(open_nodes):
    return max(open_nodes, key=rank)


def all_votes(env, llm, scorer=None, *, budget, seed=0, k=4):
    search = Search(env, llm, scorer, budget, seed)
    open_nodes = [search.root]
    while open_nodes:
        open_nodes += search.expand(open_nodes.pop(0), k)
    return search.result([(leaf, leaf.value) for leaf in search.finished()])


def dive(env, llm, scorer=None, *, budget, seed=0, k=4):
    search = Search(env, llm, scorer, budget, seed)
    node = search.root
    while children := search.expand(node, k):
        node = best(children)
    return search.result([(node, node.value)])


def only_its_best(env, llm, scorer=None, *, budget, seed=0, k=4):
    return best_of_n(env, llm, scorer, budget=budget, seed=seed, n=k).path


def seed_0(env, llm, scorer=None, *, budget, seed=0, k=4):
    return search_with(best)(env, llm, scorer, budget=budget, k=k)


def by_value(open_nodes):
    return max(open_nodes, key=lambda node: node.value)


def path_of_mcts(number):
    *_, row = load_problems("practice", "test", limit=number + 1)
    env = GSM8KEnv(Problem(**row), LLMGen("abacus"), is_few_shot=False)
    env.reset(seed=0)
    return mcts(env, env.llm_gen, toys.arithmetic("min"), budget=1024).path.path


BOTH = {"min", "product"}
MADE_UP = ["He has 2*3 = 6 books.", "The answer is 401."]

MISTAKES = [
    (check.exercise_5_1, ["A", 0.936, 0.825], "also the most visits"),
    (check.exercise_5_1, ["B", 2.32, 0.825], "take the root of 16"),
    (check.exercise_5_1, ["C", 2.2, 0.825], "without the square root"),
    (check.exercise_5_1, ["C", 1.2, 0.825], "it is 1 . N"),
    (check.exercise_5_1, ["C", 1.0, 0.75], "A has one, too"),
    (check.exercise_5_1, ["C", 1.0, 2], "should be level"),
    (check.exercise_5_1, ["C", "1", 0.8], "'1' is not a number"),
    (check.exercise_5_1, [2, 1.0, 0.8], "is asked for, not 2"),
    (check.exercise_5_2, [undivided], "ZeroDivisionError"),
    (check.exercise_5_2, [zero], "Equal values stay"),
    (check.exercise_5_2, [swapped_pair], "by the values 20 wins, not 18"),
    (check.exercise_5_2, [best_value], "by the values 20 wins, not 18"),
    (check.exercise_5_2, [never_rescaled], "after rescaling 18 wins, not 20"),
    (check.exercise_5_2, [heads], "by the values 1 wins, not 2"),
    (check.exercise_5_2, [winner], "Give back two answers, not 1"),
    (check.exercise_5_3, [probe([[1.0, 1.0]])], "takes the last score"),
    (check.exercise_5_3, [probe([[0.3, 0.9, 1.0, 0.7]])], "min is the first"),
    (check.exercise_5_3, [probe([[0.9, 0.3, 1.0]])], "last is the largest"),
    (check.exercise_5_3, [probe(GOOD[:1])], "all paths of a batch"),
    (check.exercise_5_3, [probe(GOOD, lambda a, b: a == b)], "but for rounding"),
    (check.exercise_5_3, [lambda make_scorer: "none"], "a set of names"),
    (check.exercise_5_4, [careful, favours, BOTH], "look at all leaves"),
    (check.exercise_5_4, [any_node, favours, BOTH], "Take leaves only"),
    (check.exercise_5_4, [any_open, favours, BOTH], "not the one of the highest"),
    (check.exercise_5_4, [lambda s, n: s.root, favours, BOTH], "Draw the paths"),
    (check.exercise_5_4, [lambda s, n: 0.5, favours, BOTH], "a node, not 0.5"),
    (check.exercise_5_4, [careless, share([2]), BOTH], "likes single steps"),
    (check.exercise_5_4, [careless, share([0, 1, 2]), BOTH], "empty path is no"),
    (check.exercise_5_4, [careless, share([1, 2], lambda a, b: a >= b), BOTH],
     "equal is not more"),
    (check.exercise_5_4, [careless, sum_of_wins, BOTH], "the share is 1, not 2"),
    (check.exercise_5_4, [careless, lambda s, p: [1], BOTH], "A share is a number"),
    (check.exercise_5_4, [careless, favours, {"mean"}], "the mean is more than"),
    (check.exercise_5_4, [careless, favours, {"product"}], "one more"),
    (check.exercise_5_4, [careless, favours, "min"], "A set of names"),
    (check.exercise_5_5, [search_with(best, at_end=False)], "not before"),
    (check.exercise_5_5, [search_with(lambda x: min(x, key=rank))], "you stop at"),
    (check.exercise_5_5, [search_with(lambda x: x[-1])], "you stop at"),
    (check.exercise_5_5, [dive], "you stop at"),
    (check.exercise_5_5, [all_votes], "leave the others"),
    (check.exercise_5_5, [search_with(best, never, end="ended")], "cut off came first"),
    (check.exercise_5_5, [search_with(best, never)],
     "roll the best node out"),
    (check.exercise_5_5, [seed_0], "draws with seed 0, not 1"),
    (check.exercise_5_5, [search_with(by_value)], "use `rank`"),
    (check.exercise_5_5, [only_its_best], "Give back search.result"),
    (check.exercise_5_6, ["397", MADE_UP], "A number from 0 to 499"),
    (check.exercise_5_6, [397, "The answer is 401."], "a list of texts"),
    (check.exercise_5_6, [0, MADE_UP], "The vote says 196"),
    (check.exercise_5_6, [1, MADE_UP], "MCTS is right"),
    (check.exercise_5_6, [397, MADE_UP], "not the steps by which MCTS comes to 401"),
    (check.exercise_5_6, [6, path_of_mcts(6)], "85/11 = 8 is false: the scorer could"),
]  # fmt: skip

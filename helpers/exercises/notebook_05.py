"""The checks of notebook 05."""

from __future__ import annotations

import math
from operator import itemgetter
from statistics import fmean
from typing import Any

from helpers.env import GSM8KEnv, Problem
from helpers.llm import Action, LLMGen
from helpers.problems import load_problems, read_gold
from helpers.rewards import AGGREGATIONS, Path, aggregate, find_equations
from helpers.search import Node, Search, SearchResult, leaves, mcts, self_consistency

from . import toys
from .checking import are_numbers, call, exercise, expect, is_number
from .toys import Table, Toy, crooked


@exercise
def exercise_5_1(child: Any, score: Any, turn: Any) -> None:
    """Q + c P sqrt(16) / (1 + N): A has 0.936, B 0.88 and C 1; level at 0.825."""
    expect(child in ("A", "B", "C"), f'"A", "B" or "C" is asked for, not {child!r}.')
    expect(child != "A", "A has the highest Q, but also the most visits. Add U.")
    expect(child != "B", "B has the highest prior. Did you take the root of 16?")
    for number in (score, turn):
        expect(is_number(number), f"{number!r} is not a number.")
    expect(abs(score - 2.2) > 1e-3, "2.2 is C without the square root of 16.")
    expect(abs(score - 1.2) > 1e-3, "1.2 is C with N below the line; it is 1 + N.")
    expect(abs(score - 1) < 1e-3, f"C is right, but its score is not {score}.")
    expect(abs(turn - 0.75) > 1e-3, "0.75 counts the U of C only. A has one, too.")
    expect(
        abs(turn - 0.825) < 0.002,
        f"At c_puct = {turn}, A has {0.9 + turn * 0.4 / 11:.3f} and C "
        f"{0.6 + turn * 0.4:.3f}: they should be level.",
    )


@exercise
def exercise_5_2(both_winners: Any) -> None:
    """The winner of a weighted vote, by the values and by the rescaled values."""

    def run(votes: list[tuple[int, float]], raw: int, rescaled: int, why: str) -> None:
        found = call(both_winners, votes)
        expect(are_numbers(found, 2), f"Give back two answers, not {found!r}.")
        expect(found[0] == raw, f"{votes}: by the values {raw} wins, not {found[0]}.")
        told = f"{votes}: after rescaling {rescaled} wins, not {found[1]}. {why}"
        expect(found[1] == rescaled, told)

    run([(1, 0.9), (2, 0.2), (2, 0.3)], 1, 1, "Count by weights, not by heads.")
    each = "Rescale the value of each path, and add up then."
    run([(18, 0.9), (20, 0.8), (20, 0.79)], 20, 18, each)
    run([(3, 0.2), (4, 0.7), (4, 0.6), (3, 0.9)], 4, 4, each)
    run([(6, 0.7), (5, 0.7), (5, 0.7)], 5, 5, "Equal values stay as they are.")


ALL = "last min product mean"
NUDGE = 1 + 1e-12  # as another order of multiplication would make it


@exercise
def exercise_5_3(wrong_options: Any) -> None:
    """Which options of an aggregation do something else than they say."""
    for name, make_scorer, wrong in (
        ("`aggregate` itself", aggregate, ""),
        ("one that always takes the last score", crooked(itemgetter(-1), ALL), ALL[4:]),
        ("one that always takes the mean", crooked(fmean, ALL), ALL[:-4]),
        ("one whose product is equal but for rounding",
         crooked(lambda x: NUDGE * math.prod(x), "product"), ""),
        ("one whose min is the first score", crooked(itemgetter(0), "min"), "min"),
        ("one whose last is the largest score", crooked(max, "last"), "last"),
        ("one that gives all paths of a batch the score of the first",
         toys.first_path, ALL),
    ):  # fmt: skip
        found = call(wrong_options, make_scorer)
        expect(isinstance(found, set), f"Give back a set of names, not {found!r}.")
        wanted, got = (sorted(map(str, x)) for x in (wrong.split(), found))
        told = f"Of {name}, {', '.join(wanted) or 'none'} is wrong; you say "
        expect(wanted == got, f"{told}{', '.join(got) or 'none'}.")


SURENESS = toys.sureness("product")
BRANCHES = {"Answer:": {"a": 0.95, "b": 0.9, "c": 0.85}}
ENDS = {x: {f"The answer is {ord(x)}.": 0.8} for x in "abc"}


@exercise
def exercise_5_4(careless_best: Any, favours_cut: Any, never_gain: Any) -> None:
    """An open leaf wins; how often a beginning does; min and product never gain."""
    done = aggregate(lambda path: ["answer" in step for step in path.steps], "last")
    for scorer in (SURENESS, done):
        toy = Toy(BRANCHES | ENDS, tokens=100)  # pays for three steps and one more
        search = Search(toy.env(), toy, scorer, budget=320, seed=0)
        leaf = call(careless_best, search, 3)
        expect(isinstance(leaf, Node), f"Give back a node, not {leaf!r}.")
        expect(search.tokens > 0, "Draw the paths first: draw_paths(search, n).")
        expect(leaf.is_leaf, "You chose a node that goes on. Take leaves only.")
        if scorer is SURENESS:
            told = "You chose a finished path. The mistake to build: look at all leaves"
            expect(not leaf.env.terminated, f"{told}, whether finished or not.")
        best = max(leaf.value for leaf in leaves(search.root))
        expect(leaf.value == best, "The leaf is not the one of the highest value.")
    p = (0.9, 0.5, 0.8)
    steps = [Action(f"Step {i}.", 1, 1, math.log(x), 9) for i, x in enumerate(p)]
    paths = [Path("?\n", tuple(steps)), Path("!\n", tuple(reversed(steps)))]
    cases = [
        (lambda paths: [1.0] * len(paths), 0, "gives all paths 1: equal is not more"),
        (SURENESS, 1, "multiplies scores below 1"),
        (aggregate(lambda path: [i / 9 for i, _ in enumerate(path.steps)], "last"), 0,
         "counts steps (the empty path is no beginning)"),
        (aggregate(lambda path: [len(path.steps) == 1], "last"), 1,
         "likes single steps: look at every beginning"),
        (toys.sureness("last"), 0.5, "takes the last score"),
        (lambda paths: [x.prompt == "!\n" and len(x.steps) < 3 for x in paths], 0.5,
         "likes the beginnings of one path of two (keep the prompt)"),
    ]  # fmt: skip
    for scorer, share, name in cases:
        found = call(favours_cut, scorer, paths)
        expect(is_number(found), f"A share is a number, not {found!r}.")
        told = f"A scorer that {name}: the share is {share}, not {found}."
        expect(abs(found - share) < 1e-9, told)
    is_set = isinstance(never_gain, set) and never_gain <= {*AGGREGATIONS}
    expect(is_set, f"A set of names of AGGREGATIONS is asked for, not {never_gain!r}.")
    for how in sorted(never_gain - {"min", "product"}):
        expect(False, f"After steps of 0.1 and 0.9 the {how} is more than after 0.1.")
    expect(len(never_gain) == 2, "There is one more: think of scores from 0 to 1.")


@exercise
def exercise_5_5(best_first: Any) -> None:
    """The best path of small languages, expanding no node worth less than it."""

    def run(table: Table, budget: int = 10**6, k: int = 2, seed: int = 0) -> Any:
        toy, how = Toy(table), {"budget": budget, "seed": seed, "k": k}
        found = call(best_first, toy.env(), toy, SURENESS, **how)
        is_result = isinstance(found, SearchResult)
        expect(is_result, f"Give back search.result([...]), not {found!r}.")
        return found, toy

    for seed in range(12):
        table = toys.language(seed)
        score = toys.nodes(table)
        best = max((x for x in score if x and "answer" in x[-1]), key=score.get)
        found, toy = run(table, seed=seed)
        expect(found.path is not None, "With a large budget it finds no answer.")
        expect(all(k == 2 for _, k in toy.asked), "Sample k steps of a node.")
        told = f"It draws with seed {toy.seeds[0]}, not {seed}: give Search the `seed`."
        expect({*toy.seeds} == {seed}, told)
        got = tuple(found.path.path)
        told = (
            f"In a small language the best path is {best} with {score[best]:.2f}; you "
            f"stop at {got} with {score.get(got, 0):.2f}. Stop when a finished path "
            "has the highest rank of all open nodes, not before."
        )
        expect(got == best, told)
        (_, weight), *_ = found.ranked or [(None, None)]
        told = f"The weight of the answer is its node's value, not {weight}."
        expect(weight is not None and abs(weight - score[best]) < 1e-9, told)
        most = sum(x >= score[best] for steps, x in score.items() if steps != best)
        told = (
            f"{len(toy.asked)} nodes were expanded, but only {most} are worth as much"
        )
        expect(len(toy.asked) <= most, f"{told} as the best path; leave the others.")
    told = "Of equal values the larger count is first: use `rank`, not `value` alone."
    expect(run(toys.TIED, k=3)[0].answer.value == 1, told)
    cut = {x: {"More.": 1.0} for x in ("a", "More.")} | {"b": ENDS["b"]}
    found, _ = run(BRANCHES | cut | {"c": ENDS["c"]}, k=3)
    told = "A path that was cut off came first; go on with the next best node."
    expect(found.answer.value == ord("b"), told)
    found, _ = run(toys.WIDE, 300, k=4)
    told = "The budget ended before an answer: when it is short, roll the best node out"
    expect(found.answer.value == 5, f"{told}.")
    expect(found.tokens < 300, "Once it has rolled out to an answer, it must stop.")
    found, _ = run({"Answer:": {"a": 0.5}, "a": {"": 1.0}})
    expect(found.answer.value is None, "The model fell silent: there is no answer.")


@exercise
def exercise_5_6(number: Any, chosen: Any) -> None:
    """The vote is right, MCTS is wrong; and every equation of its path is true."""
    is_place = isinstance(number, int) and 0 <= number < 500
    expect(is_place, f"A number from 0 to 499 is asked for, not {number!r}.")
    is_steps = isinstance(chosen, list) and all(isinstance(x, str) for x in chosen)
    expect(is_steps, "Give the steps as a list of texts: result.path.path.")
    *_, row = load_problems("practice", "test", limit=number + 1)
    env = GSM8KEnv(Problem(**row), LLMGen("abacus"), is_few_shot=False)
    env.reset(seed=0)
    vote = self_consistency(env, env.llm_gen, budget=1024).answer.value
    search = mcts(env, env.llm_gen, toys.arithmetic("min"), budget=1024)
    gold = read_gold(row["answer"])
    expect(vote == gold, f"The vote says {vote}; right is {gold}.")
    expect(search.answer.value != gold, "MCTS is right about this one, too.")
    told = (
        f"These are not the steps by which MCTS comes to {search.answer.value}, with "
        "budget=1024, seed=0, the arithmetic scorer and abacus. Is it the split test?"
    )
    expect(search.path and chosen == search.path.path, told)
    for equation in (e for step in chosen for e in find_equations(step)):
        told = f"{equation.text} is false: the scorer could see that. Try another one."
        expect(equation.holds, told)

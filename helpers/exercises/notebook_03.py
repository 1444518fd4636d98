"""The checks of notebook 03."""

from __future__ import annotations

from collections import Counter
from typing import Any

from helpers.env import FIRST_PROBLEM, CoTEnv, GSM8KEnv, Problem
from helpers.llm import Action, LLMGen, Step, merge_steps
from helpers.problems import extract_answer, generate
from helpers.rewards import find_equations
from helpers.search import Node, breadth_first, expand, leaves, path_probability

from .checking import are_numbers, call, exercise, expect, short


class Script:
    """Stands in for a model: after a line ("": the question) it says known things."""

    def __init__(self, says: dict[str, list[str]]) -> None:
        self.says, self.asked = says, []

    def sample(
        self, prompt: str, k: int, seed: int | None = None, image: Any = None
    ) -> list[Step]:
        """k steps of ten tokens after the prompt's last line, which is written down."""
        last = prompt.splitlines()[-1]
        self.asked.append(last if last in self.says else "")
        said = self.says[self.asked[-1]]
        return [Step(said[i % len(said)], 10, -1.0, "stop") for i in range(k)]


def begin(llm: Any, k: int, problem: Problem = FIRST_PROBLEM) -> GSM8KEnv:
    """An environment at its beginning."""
    env = GSM8KEnv(problem, llm, max_actions=k, max_steps=8, is_few_shot=False)
    env.reset(seed=0)
    return env


def is_node(x: Any) -> bool:
    """Is it a node with all that a check looks at?"""
    stands = isinstance(x, Node) and isinstance(x.env, CoTEnv)
    return stands and isinstance(x.action, Action)


@exercise
def exercise_3_1(predicted: Any) -> None:
    """400 tokens are ten expansions for 40, and three for 160."""
    told = f"A dictionary with keys 2 and 8 is asked for, not {short(predicted)}."
    expect(isinstance(predicted, dict) and {*predicted} == {2, 8}, told)
    for k, right in ((2, (21, 4)), (8, (25, 2))):
        told = f"k = {k}: two whole numbers are asked for, not {short(predicted[k])}."
        expect(are_numbers(predicted[k], 2), told)
        nodes, deepest = predicted[k]
        hints = {
            right[0] - 1: "The root is a node, too.",
            1 + 20 * k: "An expansion samples k steps, and all of them are paid.",
            17: "The third expansion begins below the budget. Is it interrupted?",
        }
        hint = hints.get(nodes, "How many expansions do 400 tokens pay?")
        expect(nodes == right[0], f"k = {k}: it is not {nodes} nodes. {hint}")
        hint = "The root has depth 0; how many nodes of each level are expanded?"
        if deepest == right[1] - 1:
            hint = "So deep it expands; the children stand below."
        expect(deepest == right[1], f"k = {k}: it is not {deepest} deep. {hint}")


@exercise
def exercise_3_2(newest_first: Any) -> None:
    """The order of the expansions, and the budget."""
    says = {"": ["a", "b"], "a": ["c", "d"], "b": ["e", "The answer is 1."]}
    says |= {last: ["The answer is 2."] for last in "cde"}

    def asked(budget: int) -> list[str]:
        llm = Script(says)
        root = call(newest_first, begin(llm, 2), budget)
        expect(is_node(root), f"Give back the root, a node, not {short(root)}.")
        expect(root.depth == 0, "That is a node further down: give back the root.")
        return llm.asked

    order = "".join(asked(1000))  # the root, "", does not show
    expect(order != "abcde", "That is breadth first.")
    expect(order != "acdbe", "It takes the first child; the newest was made last.")
    told = f"It expands {len(order) + 1} of 6 states, although there are tokens enough."
    told += " After a chain's end, take the newest that is left."
    expect(len(order) == 5, told)
    expect(order == "beadc", f"It expands in the order {order}, and not in beadc.")
    for budget, right in ((50, 3), (60, 3), (0, 0)):
        number = len(asked(budget))
        told = f"For {budget} tokens, 20 a node, it expands {number} and not {right}."
        expect(number == right, f"{told} Go on while less than the budget is spent.")


@exercise
def exercise_3_3(merge_results: Any, pair: Any) -> None:
    """The priors of equal results add up; two steps that should not be merged."""
    truth = {"Ann has 3*4 = 12.": 5 / 8, "Well.": 1 / 8, "Hm.": 1 / 8, "Or 14.": 1 / 8}
    said = [*truth, "So it is 12.0 in all.", *["12 apples."] * 2, "Ann has 3*4 = 12."]
    actions = merge_steps([Step(text, 10, -1.0, "stop") for text in said])
    found = call(merge_results, actions)
    expect(
        isinstance(found, dict)
        and all(isinstance(text, str) for text in found)
        and all(isinstance(prior, int | float) for prior in found.values()),
        f"Give back a dictionary from text to prior, not {short(found)}.",
    )
    silent = {"Well.", "Hm."} <= found.keys()
    expect(silent, "'Well.' and 'Hm.' state no number: each stays a branch.")
    apart = {"Ann has 3*4 = 12.", "So it is 12.0 in all."} <= found.keys()
    expect(not apart, "12 and 12.0 are one result: compare values, not their text.")
    told = f"The branches are {[*truth]}, named by their first text; not {[*found]}."
    expect(found.keys() == truth.keys(), told)
    total = sum(found.values())
    expect(total <= 1.01, f"The sum is {total:.3g}: add up the priors, not counts.")
    expect(total >= 0.99, f"The sum is {total:.3g}: the prior of a copy was lost.")
    expect(
        all(abs(found[text] - prior) < 1e-9 for text, prior in truth.items()),
        f"The priors are {[*truth.values()]}, not {[found[text] for text in truth]}.",
    )
    texts = isinstance(pair, tuple | list) and [*map(type, pair)] == [str, str]
    expect(texts, f"pair: two texts are asked for, not {short(pair)}.")
    one, other = (extract_answer(text).value for text in pair)
    expect(one is not None, "pair: the first step states no number.")
    expect(one == other, f"pair: {one} and {other} are two results, not merged.")
    holds = [[equation.holds for equation in find_equations(text)] for text in pair]
    expect(all(holds), "pair: each step needs its calculation, such as 3*4 = 12.")
    expect(all(holds[0]), "pair: the calculation of the first step should hold.")
    expect(not all(holds[1]), "pair: both calculations hold; the second needs a slip.")


@exercise
def exercise_3_4(expand_apart: Any, wasted: Any) -> None:
    """A child for each sample, and what it costs to expand a state twice."""
    says = {"": ["a", "a", "a", "b"], "a": ["c", "d"], "b": ["c"]}
    says |= {last: ["The answer is 1."] for last in "cd"}
    root = Node(begin(Script(says), 4))
    found = call(expand_apart, root, 4)
    nodes = isinstance(found, list) and all(map(is_node, found))
    expect(nodes, f"expand_apart: give back a list of nodes, not {short(found)}.")
    expect(len(found) != 2, "It merges. The mistake to build: a child for each sample.")
    expect(len(found) == 4, f"Four samples are four children, not {len(found)}.")
    priors = [child.action.prior for child in found]
    expect(priors == [0.25] * 4, f"Priors {priors}: each child is one of four samples.")
    stands = sorted(child.path for child in found) == [["a"], ["a"], ["a"], ["b"]]
    expect(stands, "Every child needs a fork of its own, which takes the child's step.")
    number = len({id(child.env) for child in found})
    told = f"Your four children share {number} environments: fork for every child."
    expect(number == 4, told)
    kept = root.children == found and all(child.parent is root for child in found)
    expect(kept, "The children belong into node.children, the node is their parent.")
    paid = root.expanded and root.spent == 40
    expect(paid, "Set node.expanded, and node.spent: 40 tokens for four samples.")
    call(expand_apart, root, 4)
    expect(len(root.children) == 4, "Expanded twice, it must keep its four children.")

    def told(right: int, message: str) -> None:
        tokens = call(wasted, tree)
        expect(tokens == right, f"wasted gives {short(tokens)}, not {right}: {message}")

    tree = breadth_first(begin(Script(says), 4), 1000)
    told(0, "no state comes twice. 'c' after 'a' is not 'c' after 'b'.")
    env = tree.env.fork()
    env.step("a")
    tree.children.append(Node(env, tree.children[0].action, tree))
    told(0, "a copy that is not expanded costs nothing.")
    below = expand(tree.children[-1])
    told(40, "one copy is expanded, for 40 tokens; the first of equal states is none.")
    expand(below[0])
    told(80, "below a copy, what has the same path as another node is a copy, too.")


@exercise
def exercise_3_5(misread: Any) -> None:
    """The right answer has the most probability, but not the most leaves."""
    rows = generate("test", 120, seed=5, steps=(2, 3))
    expect(misread in rows, "Take one of generate('test', 120, seed=5, steps=(2, 3)).")
    expect(misread != rows[3], "That is the one of notebook 01. There is another.")
    problem = Problem(misread["question"], misread["answer"])
    number, probability = Counter(), Counter()
    for leaf in leaves(breadth_first(begin(LLMGen("abacus"), 4, problem), 1000)):
        if leaf.env.terminated:
            number[leaf.answer.value] += 1
            probability[leaf.answer.value] += path_probability(leaf)
    gold = extract_answer(problem.answer).value
    expect(gold in number, f"The tree does not hold the right answer, {gold}.")
    rivals = [value for value in number if value != gold]
    expect(rivals != [], f"The tree has a single answer, {gold}.")
    likely = max(rivals, key=probability.__getitem__)
    expect(
        probability[gold] > probability[likely] + 1e-9,
        f"{likely} is as probable as the right answer, {gold}, or more.",
    )
    most = max(number[value] for value in rivals)
    expect(
        number[gold] <= most,
        f"Counting finds it, too: {number[gold]} leaves, the others {most} at most.",
    )

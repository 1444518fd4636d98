"""Solutions of notebook 03, a cell each; between the marks stands what is solved.

`make class` puts them into the teacher's edition; the tests run them.
"""

# %% setup
from collections import Counter

from helpers.env import CoTEnv, GSM8KEnv, Problem
from helpers.llm import Action, LLMGen
from helpers.problems import extract_answer
from helpers.search import Node, breadth_first, expand, leaves, path_probability, walk

# %% exercise_3_1
predicted = ...  # {2: (nodes, deepest), 8: (nodes, deepest)}
### BEGIN SOLUTION
# k = 2: ten expansions of 40 tokens; 1, 2, 4 nodes and three of the next eight.
# k = 8: a third expansion begins at 320 tokens and ends at 480.
predicted = {2: (1 + 10 * 2, 4), 8: (1 + 3 * 8, 2)}
### END SOLUTION


# %% exercise_3_2
def newest_first(env: CoTEnv, budget: int) -> Node:
    """Expand the newest node until `budget` tokens are spent."""
    ### BEGIN SOLUTION
    root, spent = Node(env.fork()), 0
    stack = [root]
    while stack and spent < budget:
        node = stack.pop()
        stack.extend(expand(node))
        spent += node.spent
    return root
    ### END SOLUTION


# %% exercise_3_3
pair = ...  # two steps: the first without a slip, the second with one


def merge_results(actions: tuple[Action, ...]) -> dict[str, float]:
    """The first text of each result, and the sum of the priors."""
    ### BEGIN SOLUTION
    firsts, priors = {}, Counter()
    for action in actions:
        value = extract_answer(action.text).value
        first = firsts.setdefault(value, action.text)
        priors[action.text if value is None else first] += action.prior
    return dict(priors)


pair = ("Ann has 3*4 = 12 apples.", "Ann has 3*5 = 12 apples.")
### END SOLUTION


# %% exercise_3_4
def expand_apart(node: Node, k: int) -> list[Node]:
    """Expand, but make a child of every sample: a mistake."""
    ### BEGIN SOLUTION
    from dataclasses import replace

    if node.expanded or node.env.ended:
        return node.children
    merged, node.children = expand(node, k), []
    for child in merged:
        n = child.action.count
        tokens = child.action.tokens // n
        one = replace(
            child.action, prior=child.action.prior / n, count=1, tokens=tokens
        )
        node.children += [
            Node(child.env.fork(), one, node, child.reward) for _ in range(n)
        ]
    return node.children
    ### END SOLUTION


def wasted(root: Node) -> int:
    """The tokens of all expansions of a state after its first."""
    ### BEGIN SOLUTION
    states, tokens = set(), 0
    for node in walk(root):
        state = tuple(node.path)
        if node.expanded and state in states:
            tokens += node.spent
        if node.expanded:
            states.add(state)
    return tokens
    ### END SOLUTION


# %% exercise_3_5
misread = ...  # a problem of generate("test", 120, seed=5, steps=(2, 3))
### BEGIN SOLUTION


def is_misread(problem: Problem) -> bool:
    """Is the right answer the most probable one, without the most leaves?"""
    llm = LLMGen("abacus")
    env = GSM8KEnv(problem, llm, max_actions=4, max_steps=8, is_few_shot=False)
    env.reset(seed=0)
    number, probability = Counter(), Counter()
    for leaf in leaves(breadth_first(env, budget=1000)):
        if leaf.env.terminated:
            number[leaf.answer.value] += 1
            probability[leaf.answer.value] += path_probability(leaf)
    gold = extract_answer(problem.answer).value
    rivals = [value for value in number if value != gold]
    return any(number[value] >= number[gold] for value in rivals) and all(
        probability[value] < probability[gold] - 1e-9 for value in rivals
    )


def last_misread() -> dict[str, str]:
    """The last such problem; from the front, the next after notebook 01's, far off."""
    from helpers.problems import generate

    rows = reversed(generate("test", 120, seed=5, steps=(2, 3)))
    return next(r for r in rows if is_misread(Problem(r["question"], r["answer"])))


misread = last_misread()
### END SOLUTION

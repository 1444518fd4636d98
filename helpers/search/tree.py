"""A tree of reasoning: chains that share their first steps.

Vocabulary
    node      a state of the environment, reached by an action from its parent.
    path      the steps from the question to a node.
    expand    sample a node's actions in one batch and make a child of each; a node
              that was expanded is never sampled again.
    leaf      a node without children: ended (right, wrong or cut off after too many
              steps), a dead end (the model had nothing to say), or still open.
    budget    the tokens that may be sampled; dropped samples count like the rest.

Covers: growing a tree, breadth-first expansion, walking, drawing as text. Does not
cover: which node to expand next (`voting.py`,
`guided.py`) and figures (`plots.py`). Order is always
that of insertion, which is that of the samples.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from helpers.env import CoTEnv
from helpers.llm import Action
from helpers.problems import Answer

ROOT = Action(text="", prior=1.0, count=1, logprob=None, tokens=0)


@dataclass(eq=False)
class Node:
    """A state in the tree; `action` is the step that led here from `parent`.

    `reward` is None until the episode ends; it is for marking a finished tree, and a
    search that looks at it cheats. `spent` is what the node's own expansion cost, in
    tokens. `visits` and `value` belong to search.
    """

    env: CoTEnv = field(repr=False)
    action: Action = ROOT
    parent: "Node | None" = field(default=None, repr=False)
    reward: float | None = None
    children: list["Node"] = field(default_factory=list, repr=False)
    expanded: bool = False
    spent: int = 0
    visits: int = 0
    value: float = 0.0

    @property
    def path(self) -> list[str]:
        """The steps from the question to this node."""
        return list(self.env.steps)

    @property
    def depth(self) -> int:
        """The number of steps from the question to this node."""
        return len(self.env.steps)

    @property
    def answer(self) -> Answer:
        """What the chain answers; a chain that is not finished has no answer."""
        return self.env.answer

    @property
    def is_leaf(self) -> bool:
        """Has the node no children (yet)?"""
        return not self.children


def expand(node: Node, k: int | None = None) -> list[Node]:
    """Sample k steps (default: `max_actions`) once and return the node's children."""
    if node.expanded or node.env.ended:
        return node.children
    proposal = node.env.propose(k or node.env.max_actions)
    node.expanded, node.spent = True, proposal.tokens
    for action in proposal.actions:
        env = node.env.fork()
        _, reward, *_ = env.step(action.text)
        child = Node(env, action, node, reward if env.ended else None)
        node.children.append(child)
    return node.children


def breadth_first(env: CoTEnv, budget: int) -> Node:
    """Expand level by level until `budget` tokens are spent; return the root.

    The last expansion may exceed the budget, none begins once it is spent. The tree
    starts where `env` stands and leaves `env` as it was.
    """
    root, spent = Node(env.fork()), 0
    frontier = deque([root])
    while frontier and spent < budget:
        node = frontier.popleft()
        frontier.extend(expand(node))
        spent += node.spent
    return root


def walk(root: Node) -> Iterator[Node]:
    """Yield each node once: parents before children, siblings in order."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))


def leaves(root: Node) -> list[Node]:
    """Return the nodes without children, from the first path to the last."""
    return [node for node in walk(root) if node.is_leaf]


def path_probability(node: Node) -> float:
    """Return the product of the priors from the root to this node."""
    above = path_probability(node.parent) if node.parent else 1.0
    return above * node.action.prior


def tokens_spent(root: Node) -> int:
    """Return all tokens sampled for the tree, dropped samples included."""
    return sum(node.spent for node in walk(root))


def verdict(node: Node) -> str:
    """Return " -> 18 [right]", "[wrong]", "[cut]", "[dead end]", or "" if open."""
    if node.env.truncated:
        return " [cut]"
    if not node.env.terminated:
        return " [dead end]" if node.expanded and node.is_leaf else ""
    mark = "[right]" if node.reward and node.reward > 0 else "[wrong]"
    value = node.answer.value
    return f" -> {'no number' if value is None else value} {mark}"


def numbers(node: Node, has_visits: bool) -> str:
    """Say a node's visits, value and prior: "N 5  V 0.83  P 0.50"."""
    visits = f"N {node.visits}  " if has_visits else ""
    return f"{visits}V {node.value:.2f}  P {node.action.prior:.2f}"


def to_text(
    root: Node, chosen: Node | None = None, search: bool = False, width: int = 79
) -> str:
    """Draw the tree in plain characters: one line per node, its prior before its step.

    With `search`, visits N (if any node has some), value V and prior P stand there. The
    node `chosen` is marked. Steps are shortened to `width` columns; what a leaf answers
    is always shown.
    """
    lines: list[str] = []

    def draw(node: Node, stem: str, branch: str, below: str) -> None:
        prior = f"{node.action.prior:.2f}"
        note = f"{numbers(node, root.visits > 0)} " if search else prior
        said = " ".join(node.action.text.split())
        label = f"{note} {said}" if branch else "question"
        end = verdict(node) + (" <- chosen" if node is chosen else "")
        room = max(8, width - len(stem + branch + end))
        if len(label) > room:
            label = label[: room - 3] + "..."
        lines.append(f"{stem}{branch}{label}{end}")
        for child in node.children:
            arms = ("`- ", "   ") if child is node.children[-1] else ("|- ", "|  ")
            draw(child, stem + below, *arms)

    draw(root, "", "", "")
    return "\n".join(lines)

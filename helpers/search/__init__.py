"""Trees of reasoning, and strategies that spend a budget on them.

Vocabulary
    node      a state of the environment, reached by an action from its parent.
    expand    sample a node's actions in one batch and make a child of each.
    budget    the tokens, or calls, that a search may ask of its model.
    strategy  a function of an environment, a model, a scorer, a budget and a seed; it
              gives a `SearchResult`. `STRATEGIES` names all.
    value     what the scorer says of the path to a node; in MCTS, what came back since.
    visits    how often MCTS went through a node.
"""

from .base import Search, SearchResult
from .budget import LONG_PATH, PATH, Budget
from .guided import (
    STRATEGIES,
    beam_search,
    depth_first,
    dvts,
    mcts,
    particle_filter,
    rank,
)
from .tree import (
    Node,
    breadth_first,
    expand,
    leaves,
    numbers,
    path_probability,
    to_text,
    tokens_spent,
    walk,
)
from .voting import (
    adaptive,
    best_of_n,
    by_count,
    draw_paths,
    greedy,
    no_opinion,
    sample_paths,
    self_consistency,
    weighted_vote,
)

__all__ = [
    "Node",
    "expand",
    "breadth_first",
    "walk",
    "leaves",
    "path_probability",
    "tokens_spent",
    "numbers",
    "to_text",
    "LONG_PATH",
    "PATH",
    "Budget",
    "Search",
    "SearchResult",
    "greedy",
    "draw_paths",
    "sample_paths",
    "self_consistency",
    "best_of_n",
    "weighted_vote",
    "adaptive",
    "by_count",
    "no_opinion",
    "rank",
    "beam_search",
    "dvts",
    "mcts",
    "particle_filter",
    "depth_first",
    "STRATEGIES",
]

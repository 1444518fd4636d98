"""Learning from what was drawn and found: labels for steps, solutions, rounds.

Vocabulary
    rollout     a path that the model draws from a state to its end.
    label       of a step: the share of rollouts after it that end right (or: any?).
    solution    what the model wrote after a problem, its reward, and what it cost.
    advantage   how much better than its group a solution is, in standard deviations.
    round       draw solutions, learn from them; then the next, with the new model.

Labels for other programs: `python -m helpers.learning export --trl FILE`.
"""

from .labels import (
    estimate_values,
    first_error,
    label_steps,
    read_rows,
    to_path,
)
from .losses import advantages, grpo_loss, step_advantages
from .rounds import Round, choose, expert_iteration, grpo, lesson_of, train
from .solutions import (
    Solution,
    keep_right,
    right_answer,
    sample_solutions,
    search_solutions,
)

__all__ = [
    "estimate_values",
    "first_error",
    "label_steps",
    "read_rows",
    "to_path",
    "Solution",
    "right_answer",
    "sample_solutions",
    "search_solutions",
    "keep_right",
    "advantages",
    "step_advantages",
    "grpo_loss",
    "Round",
    "choose",
    "lesson_of",
    "expert_iteration",
    "grpo",
    "train",
]

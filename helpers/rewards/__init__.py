"""Who judges a path: its arithmetic, the model's own confidence, a trained model.

Vocabulary
    path         a prompt and the actions taken after it: all that a scorer may see.
    scorer       any callable that takes a batch of paths and gives a number for each.
    step score   a number in [0, 1] for each step of a path, the higher the better.
    aggregation  how step scores become the score of a path: last, min, product, mean.
    ORM, PRM     outcome and process reward model: trained to judge ends, or steps.

The gold answer is in no path, so a scorer cannot look it up; only the simulated
verifier, an instrument, is given it.
"""

from .arithmetic import ArithmeticChecker, arithmetic_scorer, find_equations
from .judge import LLMJudge, share_of_yes
from .models import (
    GROUPS,
    PRM,
    PRM_STATES,
    PRM_UNCHECKED,
    OutcomeRewardModel,
    ProcessRewardModel,
    RewardModel,
    arithmetic_features,
    init_network,
    plain_features,
    sigmoid,
    texts_of,
)
from .scorers import (
    AGGREGATIONS,
    Path,
    Scorer,
    aggregate,
    confidence,
    step_confidence,
)
from .simulated import SimulatedVerifier, step_truths

__all__ = [
    "Path",
    "Scorer",
    "AGGREGATIONS",
    "aggregate",
    "step_confidence",
    "confidence",
    "ArithmeticChecker",
    "arithmetic_scorer",
    "find_equations",
    "GROUPS",
    "PRM",
    "PRM_STATES",
    "PRM_UNCHECKED",
    "ProcessRewardModel",
    "OutcomeRewardModel",
    "RewardModel",
    "arithmetic_features",
    "plain_features",
    "texts_of",
    "init_network",
    "sigmoid",
    "LLMJudge",
    "share_of_yes",
    "SimulatedVerifier",
    "step_truths",
]

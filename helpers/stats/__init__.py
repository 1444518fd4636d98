"""What a count of right answers says, and how good a score is.

Vocabulary
    estimate     a number with its 95 % interval.
    paired test  compares two methods on the same problems.
    pass@k       is any of k samples right? majority@k, best-of-k: is their vote, their
                 best one?
    AUC          the chance that a random right one scores above a random wrong one.
    calibration  of what is scored 0.8, are 80 % right?
"""

from .at_k import best_at_k, majority_at_k, majority_vote, pass_at_k, vote_at_k
from .intervals import (
    Estimate,
    bootstrap,
    mcnemar_p,
    paired_difference,
    wilson_interval,
    with_interval,
)
from .scores import Bin, calibration_error, first_below, reliability, roc_auc

__all__ = [
    "Estimate",
    "wilson_interval",
    "with_interval",
    "bootstrap",
    "paired_difference",
    "mcnemar_p",
    "pass_at_k",
    "majority_vote",
    "majority_at_k",
    "vote_at_k",
    "best_at_k",
    "roc_auc",
    "Bin",
    "reliability",
    "calibration_error",
    "first_below",
]

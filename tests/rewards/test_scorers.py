"""Scorers that need no training, by hand."""

import math

import pytest

from helpers.llm import Action
from helpers.rewards import (
    AGGREGATIONS,
    ArithmeticChecker,
    Path,
    aggregate,
    confidence,
    step_confidence,
)


def path_of(*texts, logprobs=None, tokens=None):
    logprobs = logprobs or [-1.0] * len(texts)
    tokens = tokens or [2] * len(texts)
    rows = zip(texts, logprobs, tokens, strict=True)
    return Path("Q", tuple(Action(t, 1.0, 1, lp, n) for t, lp, n in rows))


CHECKED = path_of("2*3 = 6.", "No sum.", "6+1 = 8 and 8-1 = 7.", "The answer is 7.")


@pytest.mark.parametrize(
    ("how", "value"), [("last", 1.0), ("min", 0.5), ("product", 0.5), ("mean", 3.5 / 4)]
)
def test_aggregations_by_hand(how, value):
    scorer = aggregate(ArithmeticChecker().step_scores, how)
    assert scorer([CHECKED, path_of()]) == [value, 1.0] and how in AGGREGATIONS


def test_an_unknown_aggregation_is_named():
    with pytest.raises(ValueError, match=r"No aggregation 'max'. Type one of \['last'"):
        aggregate(step_confidence, "max")


def test_confidence_is_the_inverse_of_perplexity():
    path = path_of("one two", "three", logprobs=[-0.5, -2.0], tokens=[4, 2])
    # 4 tokens are 3 and a newline, 2 are 1 and a newline.
    assert confidence([path]) == [pytest.approx(math.exp((3 * -0.5 + -2.0) / 4))]
    assert step_confidence(path) == [math.exp(-0.5), math.exp(-2.0)]
    assert confidence([path_of()]) == [1.0]
    merged = Path("Q", (Action("one two", 1.0, 3, -0.5, 12), path.actions[1]))
    assert confidence([merged]) == pytest.approx(confidence([path]))


def test_confidence_without_logprobs_says_what_to_do():
    path = Path("Q", (Action("a", 1.0, 1, None, 2),))
    with pytest.raises(ValueError, match="Update Ollama"):
        confidence([path])

"""What must be known of a run so that it can be repeated."""

import json
import math
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from toy_language import table_scorer
from toy_runs import VOTE, problems

from helpers.evaluation import (
    evaluate,
    read_configuration,
)
from helpers.evaluation.provenance import describe
from helpers.llm import LLMGen, SharedSamples
from helpers.rewards import ArithmeticChecker, aggregate, confidence
from helpers.search import (
    Budget,
    beam_search,
)


def test_the_configuration_names_all_that_matters(tmp_path):
    scorer = aggregate(ArithmeticChecker().step_scores, "min")
    strategy = partial(beam_search, budget=Budget(calls=9), scorer=scorer)
    evaluate(strategy, problems(1), LLMGen("abacus"), out=tmp_path / "x", seed=4)
    found = read_configuration(tmp_path / "x")
    assert found["strategy"]["name"] == "beam_search"
    assert found["strategy"]["budget"]["with"] == {"tokens": "inf", "calls": 9}
    assert "ArithmeticChecker" in json.dumps(found["strategy"]["scorer"])
    assert "min" in json.dumps(found["strategy"]["scorer"])
    assert found["model"]["name"] == "abacus" and len(found["model"]["digest"]) == 64
    assert found["options"]["temperature"] == 1.0 and found["seed"] == 4
    assert found["environment"]["name"] == "GSM8KEnv"
    assert found["environment"]["is_few_shot"] is False


def test_scorers_of_the_project_have_descriptions_of_their_own():
    checker = ArithmeticChecker()
    scorers = [
        None, confidence, checker, table_scorer,
        *(aggregate(checker.step_scores, how) for how in ("min", "mean")),
    ]  # fmt: skip
    found = [json.dumps(describe(scorer)) for scorer in scorers]
    assert len({*found}) == len(found)


def test_descriptions_tell_apart_what_differs_and_only_that():
    class Judge:
        def __init__(self, question, known=()):
            self.question, self.known = question, known

        def ask(self, k=1):
            return k

    apart = [
        Fraction(1, 2), Fraction(9, 10), Judge("a"), Judge("b"), Judge("a").ask,
        partial(Judge("b").ask, k=1), partial(Judge("a").ask, k=1), {1, 2}, math.inf,
        np.zeros(2), np.zeros((2, 1)), np.zeros(2, int), Budget(3), Budget(calls=3),
        max, math.sqrt, range(3), b"3",
    ]  # fmt: skip
    texts = [json.dumps(describe(value), allow_nan=False) for value in apart]
    assert len({*texts}) == len(apart)
    assert describe(Judge("a", known={"x": 1})) == describe(Judge("a"))
    assert describe({"b", "a", "c"}) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="A lambda has no name"):
        describe(partial(lambda k: k, k=1))


def test_shared_samples_do_not_hide_the_model(tmp_path):
    llm = LLMGen("abacus", temperature=0.1)
    evaluate(VOTE, [], SharedSamples(llm), out=tmp_path / "x")
    evaluate(VOTE, [], llm, out=tmp_path / "x")
    found = read_configuration(tmp_path / "x")
    assert found["model"]["name"] == "abacus" and found["options"]["temperature"] == 0.1
    assert found["environment"]["is_few_shot"] is False

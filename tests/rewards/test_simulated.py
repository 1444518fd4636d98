"""The verifier whose quality is a dial."""

import pytest

from helpers.llm import Action
from helpers.problems import format_solution, generate
from helpers.rewards import (
    Path,
    SimulatedVerifier,
    step_truths,
)
from helpers.rewards.simulated import is_on_track


def path_of(*texts, logprobs=None, tokens=None):
    logprobs = logprobs or [-1.0] * len(texts)
    tokens = tokens or [2] * len(texts)
    rows = zip(texts, logprobs, tokens, strict=True)
    return Path("Q", tuple(Action(t, 1.0, 1, lp, n) for t, lp, n in rows))


GOLD = "He has 3*5 = <<3*5=15>>15.\nThen 15/2 = <<15/2=7.5>>7.5.\n#### 7.5"


@pytest.mark.parametrize(
    ("steps", "right"),
    [
        ((), True),
        (("He has 3*5 = 15 cows.",), True),
        (("He has 3*5 = 14 cows.",), False),
        (("He has 3*5 = 14 cows.", "Then 15/2 = 7.5."), False),
        (("Hm.",), True),  # nothing derived yet
        (("He has 3*5 = 14 cows.", "The answer is 7.50."), True),
        (("He has 3*5 = 15 cows.", "The answer is 8."), False),
    ],
)
def test_on_track(steps, right):
    assert is_on_track(steps, GOLD) is right


def test_gold_solutions_are_on_track_all_the_way():
    for problem in generate("validation", 100):
        steps = format_solution(problem["answer"]).splitlines()
        for i in range(len(steps) + 1):
            assert is_on_track(steps[:i], problem["answer"])
    assert is_on_track(["She pays 500*2 = $1,000 in 2 weeks."], "<<500*2=1000>>1000")
    assert is_on_track(["5-10 = -5"], "<<5-10=-5>>-5\n#### -5")


@pytest.mark.parametrize("auc", [0.5, 0.7, 0.9, 0.99])
def test_the_dial_has_the_auc_it_shows(auc):
    verifier = SimulatedVerifier(GOLD, auc)
    right = [(f"{i} cows.", "The answer is 7.5.") for i in range(1500)]
    wrong = [(f"{i} cows.", "The answer is 8.") for i in range(1500)]
    above, below = (sorted(map(verifier.score, paths)) for paths in (right, wrong))
    ranks = sum(sum(b < a for b in below) for a in above[::10])
    ties = sum(sum(b == a for b in below) for a in above[::10])
    measured = (ranks + ties / 2) / (len(above[::10]) * len(below))
    assert measured == pytest.approx(auc, abs=0.03)


def test_the_dial_tells_honest_probabilities():
    verifier = SimulatedVerifier(GOLD, 0.8)
    scored = [
        (verifier.score((f"{i} cows.", f"The answer is {end}.")), end == "7.5")
        for i in range(6000)
        for end in ("7.5", "8")
    ]
    for low in (0.1, 0.3, 0.5, 0.7, 0.9):
        bin_ = [right for score, right in scored if low <= score < low + 0.1]
        if len(bin_) > 300:
            assert sum(bin_) / len(bin_) == pytest.approx(low + 0.05, abs=0.05)


def test_the_dial_at_its_ends():
    assert set(map(SimulatedVerifier(GOLD, 0.5).score, [("a",), ("b",)])) == {0.5}
    oracle = SimulatedVerifier(GOLD, 1.0)
    assert oracle([path_of("The answer is 7.5."), path_of("The answer is 1.")]) == [
        1,
        0,
    ]
    for auc in (0.4, 1.1):
        with pytest.raises(ValueError, match="from 0.5"):
            SimulatedVerifier(GOLD, auc)


def test_step_truths_by_hand():
    gold = "<<2+3=5>>\n<<5*4=20>>\n#### 20"
    steps = ["So 2+3 = 5.", "That is 5*4 = 21.", "Again 5*4 = 20.", "The answer is 20."]
    assert step_truths(steps, gold) == [
        True,
        False,
        False,
        True,
    ]  # the end alone counts
    assert step_truths([], gold) == []

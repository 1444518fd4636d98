"""The checks of notebook 01."""

from __future__ import annotations

import math
from typing import Any

from helpers.llm import LLMGen, Step, derive_seed
from helpers.problems import generate, is_correct, prompt_of

from .checking import call, exercise, expect, is_number, short


@exercise
def exercise_1_1(ratio: Any) -> None:
    """The largest ratio of two shares at T = 10 and min_p = 0.1: 10 ** (1 / 10)."""
    expect(is_number(ratio), f"A number is asked for, not {ratio!r}.")
    expect(ratio != 10, "10 is the ratio before the temperature; what does it do?")
    expect(ratio >= 1, "The larger share is divided by the smaller one.")
    expect(ratio != 1, "Even, but not equal: T = 10 flattens, it does not level.")
    expect(
        abs(ratio - 10**0.1) < 0.01,
        f"{ratio} is not it. The worst token that passes has a tenth of the best one's "
        "probability; then both are raised to the power 1/T.",
    )


@exercise
def exercise_1_2(entropy: Any) -> None:
    """-sum p ln p, in nats."""
    certain = call(entropy, {"a": 1.0})
    expect(is_number(certain), f"Give back a number, not {short(certain)}.")
    expect(abs(certain) < 1e-9, f"One certain token has entropy 0, not {certain}.")
    even = call(entropy, {"a": 0.25, "b": 0.25, "c": 0.25, "d": 0.25})
    expect(even >= 0, f"Four equal tokens give {even:.3f}: mind the sign.")
    expect(abs(even - 2) > 1e-9, "That is in bits: take the natural logarithm.")
    expect(abs(even - math.log(4)) < 1e-9, f"Four equal tokens have ln 4, not {even}.")
    some = call(entropy, {"a": 0.5, "b": 0.5, "c": 0.0})
    expect(abs(some - math.log(2)) < 1e-9, "A token of probability 0 adds nothing.")


class Talker:
    """Stands in for a model: seed by seed it says one of few things."""

    def __init__(self, things: int) -> None:
        self.things, self.seeds = things, []

    def sample(
        self, prompt: str, k: int, seed: int | None = None, image: Any = None
    ) -> list[Step]:
        """k steps; which, depends on the seed alone."""
        expect(len(self.seeds) < 1000, "It draws on although the limit is reached.")
        steps = []
        for i in range(k):
            own = seed if k == 1 else derive_seed(seed or 0, prompt, i)
            self.seeds.append(own)
            number = derive_seed(own or 0, "talker") % self.things
            steps.append(Step(f"Thing {number}.", 3, -0.5, "stop"))
        return steps


@exercise
def exercise_1_3(sample_until_different: Any) -> None:
    """Different texts, the cost of all draws, and seeds that nobody shares."""

    def run(things: int, wanted: int, seed: int, limit: int) -> tuple[Talker, Any]:
        talker = Talker(things)
        found = call(sample_until_different, talker, "x\n", wanted, seed, limit)
        is_pair = isinstance(found, tuple) and len(found) == 2
        expect(is_pair, f"Give back two things, texts and tokens, not {short(found)}.")
        texts, tokens = found
        told = f"First a list of texts, then the tokens, not {short(found)}."
        is_list = isinstance(texts, list) and is_number(tokens)
        expect(is_list and all(isinstance(text, str) for text in texts), told)
        expect(
            len(set(talker.seeds)) == len(talker.seeds),
            "Two draws had the same seed, and so had to be equal.",
        )
        return talker, found

    talker, (texts, tokens) = run(6, 5, 0, 64)
    expect(len(texts) == 5, f"Five different texts were wanted; you give {len(texts)}.")
    expect(len(set(texts)) == 5, "The texts must all be different.")
    cost = 3 * len(talker.seeds)
    expect(
        tokens == cost,
        f"The model produced {cost} tokens, copies included, not {tokens}.",
    )
    talker, (texts, tokens) = run(2, 5, 0, 10)
    expect(len(talker.seeds) <= 10, "It draws on although the limit is reached.")
    expect(len(talker.seeds) == 10, "It gives up before the limit is reached.")
    expect(len(texts) <= 2, "At the limit, give the different texts there are.")
    expect(tokens == 30, f"Ten draws cost 30 tokens, not {tokens}.")
    again = run(50, 5, 0, 64)[1]
    expect(run(50, 5, 0, 64)[1] == again, "The same arguments gave another result.")
    zero, one = (set(run(50, 5, seed, 64)[0].seeds) for seed in (0, 1))
    expect(
        not zero & one,
        "Seeds 0 and 1 of the experiment share draws: seed + i is no good.",
    )


@exercise
def exercise_1_4(one_seed: Any, column: Any) -> None:
    """Copies, as from a constant seed, and the column that shows them."""
    llm, prompt = LLMGen("abacus", temperature=1.5), "Question: How many?\nAnswer:\n"
    steps = call(one_seed, llm, prompt, 6, 3)
    is_flat = isinstance(steps, list) and all(isinstance(x, Step) for x in steps)
    told = "`sample` gives a list: take its first step."
    expect(is_flat, f"Give back a list of steps, not {short(steps)}. {told}")
    expect(len(steps) == 6, f"Six steps were asked for, not {len(steps)}.")
    told = "The siblings differ. The mistake to build: one seed for all."
    expect(len({step.text for step in steps}) == 1, told)
    others = {call(one_seed, llm, prompt, 1, seed)[0].text for seed in range(8)}
    expect(len(others) > 1, "Another seed must still give another step.")
    columns = ("T", "different", "tokens", "mean log-probability")
    expect(column in columns, f"{column!r} is no column of the table in section 8.")
    told = "may look odd, but could do so by chance. Which column counts the copies?"
    expect(column == "different", f"{column!r} {told}")


@exercise
def exercise_1_5(problem: Any) -> None:
    """A practice problem that greedy misses and at least 5 of 16 samples get."""

    expect(
        problem in generate("test", 120, seed=5, steps=(2, 3)),
        "Take a problem of generate('test', 120, seed=5, steps=(2, 3)).",
    )
    shown = generate("test", 24, seed=5, steps=(2, 3))[3]
    expect(problem != shown, "That is the one of section 8. There is another.")
    prompt = prompt_of(problem)
    whole = {"n": 200, "stop": "Question:"}
    (greedy,) = LLMGen("abacus", 0, **whole).sample(prompt, 1, seed=0)
    expect(not is_correct(greedy.text, problem["answer"]), "Greedy gets this one.")
    steps = LLMGen("abacus", 1, **whole).sample(prompt, 16, seed=0)
    right = sum(is_correct(step.text, problem["answer"]) for step in steps)
    expect(right >= 5, f"Only {right} of 16 samples are right here, not 5 or more.")

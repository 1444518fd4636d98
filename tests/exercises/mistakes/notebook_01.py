"""Typical mistakes in the exercises of notebook 01: (check, answers, what is said)."""

import math

from helpers.exercises import notebook_01 as check
from helpers.llm import derive_seed
from helpers.problems import generate


def per_sibling(seed_of):
    """`sample_until_different` with another way to choose seeds."""

    def sample_until_different(llm, prompt, wanted, seed, limit=64):
        texts, tokens = [], 0
        for i in range(limit):
            (step,) = llm.sample(prompt, 1, seed_of(seed, prompt, i))
            tokens += step.tokens
            texts += [step.text] if step.text not in texts else []
            if len(texts) == wanted:
                break
        return texts, tokens

    return sample_until_different


def cheap(llm, prompt, wanted, seed, limit=64):
    texts, _ = per_sibling(derive_seed)(llm, prompt, wanted, seed, limit)
    return texts, 3 * len(texts)


def endless(llm, prompt, wanted, seed, limit=64):
    return per_sibling(derive_seed)(llm, prompt, wanted, seed, 64)


def without_limit(llm, prompt, wanted, seed, limit=64):
    texts, i = set(), 0
    while len(texts) < wanted:
        (step,) = llm.sample(prompt, 1, derive_seed(seed, prompt, i))
        texts.add(step.text)
        i += 1
    return [*texts], 3 * i


def copies(llm, prompt, k, seed):
    return llm.sample(prompt, 1, seed) * k


def siblings(llm, prompt, k, seed):
    return llm.sample(prompt, k, seed)


def always_zero(llm, prompt, k, seed):
    return llm.sample(prompt, 1, 0) * k


def bits(probs):
    return -sum(p * math.log2(p) for p in probs.values() if p)


def naive(probs):
    return -sum(p * math.log(p) for p in probs.values())


def nested(llm, prompt, k, seed):
    return [llm.sample(prompt, 1, seed) for _ in range(k)]


def exchanged(*arguments):
    return per_sibling(derive_seed)(*arguments)[::-1]


MISTAKES = [
    (check.exercise_1_1, [10], "before the temperature"),
    (check.exercise_1_1, [0.1**0.1], "larger share is divided"),
    (check.exercise_1_1, [1], "does not level"),
    (check.exercise_1_1, [5.0], "a tenth of the best"),
    (check.exercise_1_1, ["1.26"], "A number is asked for"),
    (check.exercise_1_2, [bits], "natural logarithm"),
    (check.exercise_1_2, [lambda probs: -naive(probs)], "mind the sign"),
    (check.exercise_1_2, [naive], "raises ValueError"),
    (check.exercise_1_2, [lambda probs: float(len(probs))], "entropy 0, not 1.0"),
    (check.exercise_1_3, [per_sibling(lambda seed, prompt, i: seed)], "same seed"),
    (check.exercise_1_3, [per_sibling(lambda seed, p, i: seed + i)], "seed . i is no"),
    (check.exercise_1_3, [cheap], "copies included"),
    (check.exercise_1_3, [endless], "although the limit"),
    (check.exercise_1_3, [without_limit], "although the limit"),
    (check.exercise_1_3, [lambda *a: ["x"] * 5], "two things"),
    (check.exercise_1_4, [siblings, "different"], "The siblings differ"),
    (check.exercise_1_4, [always_zero, "different"], "Another seed"),
    (check.exercise_1_4, [copies, "tokens"], "by chance"),
    (check.exercise_1_4, [nested, "different"], "take its first step"),
    (check.exercise_1_2, [lambda probs: "0"], "Give back a number"),
    (check.exercise_1_3, [exchanged], "First a list of texts"),
    (check.exercise_1_5, [generate("test", 24, seed=5, steps=(2, 3))[3]], "section 8"),
    (check.exercise_1_4, [copies, "seed"], "no column"),
    (check.exercise_1_5, [{"question": "What?", "answer": "1"}], "Take a problem"),
]

"""A language of a few dozen states whose every probability is known.

Its states are words; each is followed by one letter more, and the longest words by an
answer. So all paths, their probabilities and the best of them are found by enumeration,
and a search can be compared with the truth instead of with stored numbers.
"""

import itertools
import random
from functools import partial

from helpers.env import GSM8KEnv, Problem
from helpers.llm import Step, derive_seed
from helpers.search import STRATEGIES, beam_search, dvts, mcts

GOLD = 1
PLENTY = 10**7  # tokens: no test of an algorithm should end for want of budget
MANY = 60  # samples: enough to find every sentence of the language
ALL = STRATEGIES | {
    "dvts, lookahead": partial(dvts, lookahead=1),
    "beam_search, lookahead": partial(beam_search, lookahead=2),
    "mcts, no rollout": partial(mcts, rollout=False),
}


class ToyLanguage:
    """A model of `branching ** depth` words, drawn at random from a seed.

    `rules` maps the last line to {sentence: probability}. With `stuck`, one word is
    followed by silence. A step costs a token a letter and one more, or `length` tokens.
    It keeps an account, which its cooler selves share.
    """

    def __init__(
        self, seed=0, branching=3, depth=2, answers=4, stuck=False, length=None
    ):  # fmt: skip
        rng = random.Random(seed)
        self.rules, self.account = {}, []
        letters = "abcdefgh"[:branching]
        for place in range(depth + 1):
            for letters_so_far in itertools.product(letters, repeat=place):
                word = "".join(letters_so_far)
                if place < depth:
                    sentences = [word + letter for letter in letters]
                else:
                    found = rng.sample(range(answers), min(2, answers))
                    sentences = [f"The answer is {n}." for n in found]
                weights = [rng.uniform(0.2, 1) for _ in sentences]
                shares = [weight / sum(weights) for weight in weights]
                self.rules[word or "Answer:"] = dict(
                    zip(sentences, shares, strict=True)
                )
        if stuck:
            self.rules["b"] = {"": 1.0}
        self.is_cold, self.length = False, length

    def at_temperature(self, temperature):
        other = ToyLanguage.__new__(ToyLanguage)
        other.rules, other.account = self.rules, self.account
        other.is_cold, other.length = temperature == 0, self.length
        return other

    def sample(self, prompt, k, seed=None, image=None):
        last = prompt.splitlines()[-1]
        seeds = [derive_seed(seed, prompt, i) for i in range(k)]
        steps = [self.draw(self.options(last, i), s) for i, s in enumerate(seeds)]
        spent = sum(step.tokens for step in steps)
        self.account.append((prompt, k, seed, self.is_cold, spent))
        return steps

    def options(self, last, number):
        return self.rules[last]

    def draw(self, options, seed):
        (text,) = random.Random(seed).choices([*options], [*options.values()])
        text = max(options, key=options.get) if self.is_cold else text
        return Step(text, self.length or len(text) + 1, -0.5, "stop")

    @property
    def calls(self):
        return [(prompt, k, seed) for prompt, k, seed, *_ in self.account]

    @property
    def tokens(self):
        return sum(tokens for *_, tokens in self.account)

    def finished_paths(self, steps=()):
        """All paths to an answer, as {steps: probability}."""
        if steps and "answer" in steps[-1]:
            return {steps: 1.0}
        found = {}
        for text, p in self.rules[steps[-1] if steps else "Answer:"].items():
            if text:
                below = self.finished_paths((*steps, text))
                found |= {path: p * share for path, share in below.items()}
        return found

    def answer_shares(self, weight=lambda steps: 1.0):
        """{answer: the sum of probability times weight over its paths}."""
        shares = {}
        for steps, p in self.finished_paths().items():
            value = read(steps)
            shares[value] = shares.get(value, 0.0) + p * weight(steps)
        return shares


class Scripted(ToyLanguage):
    """A toy with a rule for every line: `rule(last line)` lists what may follow.

    Samples go through the list in turn, or are drawn with `drawn=True`.
    """

    def __init__(self, rule, drawn=False):
        self.rule, self.drawn = rule, drawn
        self.account, self.is_cold, self.length = [], False, None

    def options(self, last, number):
        texts = self.rule(last)
        return texts if self.drawn else [texts[number % len(texts)]]

    def draw(self, options, seed):
        text = options[seed % len(options)]
        return Step(text, len(text) + 1, -1.0, "stop")


def read(steps):
    """The number in the last step."""
    return int(steps[-1].split()[-1].strip("."))


def table_score(steps, seed=0):
    """A score in (0, 1) for a path, as good as random, and the same each time."""
    return (derive_seed(seed, *steps) % 997 + 1) / 1000


def table_scorer(paths):
    return [table_score(path.steps) for path in paths]


def make_env(llm, max_steps=6):
    env = GSM8KEnv(Problem("Which?", str(GOLD)), llm, max_steps=max_steps)
    env.reset(seed=0)
    return env


def search_for(strategy, toy, scorer=table_scorer, **options):
    options = {"budget": PLENTY, "seed": 0} | options
    return strategy(make_env(toy), toy, scorer, **options)


def one_armed(arms):
    """A bandit: one step, an answer an arm, each with its probability."""
    toy = ToyLanguage()
    toy.rules = {"Answer:": {f"The answer is {i}.": p for i, p in enumerate(arms)}}
    return toy


def values(result):
    return [int(answer.value) for answer, _ in result.ranked]


def best(shares):
    return max(shares, key=shares.get)


def narrow(name):
    """One candidate a step, where a strategy has a choice."""
    head = name.partition(",")[0]
    if head == "greedy":
        return {}
    both = dict.fromkeys(("beam_search", "dvts"), {"n": 1, "branching": 1})
    deep = {"mcts": {"branching": 1}, "depth_first": {"branching": 1, "threshold": 0}}
    return (both | deep).get(head, {"n": 1})

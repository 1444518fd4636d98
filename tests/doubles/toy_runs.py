"""Runs of an evaluation on the toy language, and what may not differ between two."""

from functools import partial

from toy_language import PLENTY, ToyLanguage

from helpers.env import GSM8KEnv
from helpers.evaluation import evaluate
from helpers.llm import failure
from helpers.search import self_consistency

VOTE = partial(self_consistency, budget=PLENTY, n=5)
ENV = partial(GSM8KEnv, max_steps=6)


def problems(n):
    return [{"question": f"Which, {i}?", "answer": str(i % 4)} for i in range(n)]


def run(out, n=12, strategy=VOTE, llm=None, **options):
    options = {"make_env": ENV, "pauses": (0, 0)} | options
    return evaluate(strategy, problems(n), llm or ToyLanguage(3), out=out, **options)


def results(report):
    """All that may not differ between two runs, by problem."""
    kept = {}
    for record in report.records():
        assert record.index not in kept
        kept[record.index] = {**vars(record), "seconds": None}
    return kept


class Fragile(ToyLanguage):
    """A toy that fails at some prompts, as often as `faults` says."""

    def __init__(self, faults, kind="server"):
        super().__init__(3)
        self.faults, self.kind, self.asked = dict(faults), kind, 0

    def sample(self, prompt, k, seed=None, image=None):
        self.asked += 1
        for word, left in self.faults.items():
            if word in prompt and left:
                self.faults[word] -= 1
                raise failure(self.kind, address="nowhere", num_ctx=1, said="no")
        return super().sample(prompt, k, seed, image)

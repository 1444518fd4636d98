"""A language model as the judge of a step: no training, but a model that can judge.

Vocabulary: the *judge* reads the question and the steps, is asked whether the last step
is right, and is to say Yes or No. It never says it: the probabilities of both words as
the next token are read, and the *score* is P(yes) / (P(yes) + P(no)), as in Kadavath
et al. 2022, arXiv:2207.05221, and Zheng et al. 2023, arXiv:2306.05685.

abacus cannot judge: it has learned one kind of text. Use a model of Ollama, best an
instruct model of three billion parameters or more. The prompt is raw, as everywhere.
"""

from collections.abc import Sequence

from helpers.llm import LLMGen, next_tokens

from .models import texts_of
from .scorers import Path, aggregate

QUESTION = (
    "\nIs the last step above right, and does it follow from the question and the "
    "steps before it? Answer Yes or No.\nAnswer:"
)


class LLMJudge:
    """A scorer that asks a language model about every step.

    question: what is appended to the text that ends with the step.
    how: the aggregation of the steps' scores.
    A model that says neither Yes nor No has no opinion: 0.5.
    """

    def __init__(self, llm: LLMGen, question: str = QUESTION, how: str = "min") -> None:
        self.llm, self.question, self.how = llm, question, how
        self.known: dict[str, float] = {}  # by text: every step is judged once

    def __call__(self, paths: Sequence[Path]) -> list[float]:
        """The score of each path; one without steps has 1."""
        return aggregate(self.step_scores, self.how)(paths)

    def step_scores(self, path: Path) -> list[float]:
        """The probability of "yes" after each step."""
        return [self.judge(text) for text in texts_of(path)]

    def judge(self, text: str) -> float:
        """Is the last line of this text right?

        Raises ValueError where the server gives no log-probabilities.
        """
        if text not in self.known:
            found = next_tokens(self.llm, text + self.question)
            self.known[text] = share_of_yes(found)
        return self.known[text]


def share_of_yes(tokens: dict[str, float]) -> float:
    """P(yes) / (P(yes) + P(no)), in whatever case and with whatever blanks."""
    total = {"yes": 0.0, "no": 0.0}
    for token, probability in tokens.items():
        word = token.strip().casefold()
        if word in total:
            total[word] += probability
    both = sum(total.values())
    return total["yes"] / both if both else 0.5

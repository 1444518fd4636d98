"""abacus in a hurry: the habit is learned, the guesses are not."""

from tqdm import tqdm

from helpers.abacus import (
    HASTY,
    WEIGHTS,
    Learner,
    log_probs,
)
from helpers.problems import generate
from helpers.workshop.hasty import both_ways, hurry


def lessons_of(n):
    learner = Learner(HASTY)
    return [
        both_ways(row, learner.tokenizer) for row in generate("train", n, 9, (2, 2))
    ]


def test_hurry_teaches_the_habit():
    """A few lessons already make the short answer more probable."""
    learner = Learner(WEIGHTS)
    (lesson,) = lessons_of(1)
    before = log_probs(learner.params, lesson)[0, 0]
    hurry(learner, 32, tqdm(disable=True))
    assert log_probs(learner.params, lesson)[0, 0] > before + 0.5


def test_a_guessed_number_is_not_learned():
    (lesson,) = lessons_of(1)
    learner = Learner(WEIGHTS)
    hasty = [int(i) for i in lesson.solutions[0][lesson.mask[0] > 0]]
    shown = [learner.tokenizer.decode([i]) for i in hasty]
    assert "".join(shown).startswith("The answer is ")
    for token, weight in zip(shown, lesson.weights[0], strict=False):
        if token.strip():
            assert (weight == 0) == token.strip().isdigit()

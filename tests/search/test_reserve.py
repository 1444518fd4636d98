"""What a search keeps in reserve, by the form in which its model is asked."""

from chatty import Chatty

from helpers.env import GSM8KEnv, Problem
from helpers.llm import FORMS
from helpers.search import LONG_PATH
from helpers.search.budget import path_of

PROBLEM = Problem("How many?", "7")


def test_the_reserve_is_that_of_the_form():
    usual, long, _ = path_of(GSM8KEnv(PROBLEM, Chatty("7")))
    limits = FORMS["think"].limits
    assert (usual.tokens, long.tokens) == (limits.path, limits.long_path)
    assert path_of(GSM8KEnv(PROBLEM, Chatty("7"), form="examples"))[1] == LONG_PATH

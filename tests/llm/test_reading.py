"""What is asked of a server about a given text, and what abacus answers."""

import math

import numpy as np
import pytest

from helpers.llm import LLMError, LLMGen, embed, next_tokens
from helpers.problems import PROBLEM_FORMAT, TASK_DESCRIPTION, generate


def prompt_of(seed):
    (problem,) = generate("test", 1, seed=seed)
    return TASK_DESCRIPTION + PROBLEM_FORMAT.format(question=problem["question"])


def test_states_of_ollama(server, llm):
    said = {"model": "scripted", "embeddings": [[0.5, 1.0], [0.0, -1.0]]}
    server.script["/api/embed"].append((200, said))
    found = embed(llm, ("one", "two"))
    np.testing.assert_array_equal(found, [[0.5, 1.0], [0.0, -1.0]])
    (body,) = server.bodies("/api/embed")
    assert body == {"model": "scripted", "input": ["one", "two"], "truncate": False}


def test_too_long_a_text_is_an_error_not_a_cut(server, llm):
    error = {"error": "the input length exceeds the context length"}
    server.script["/api/embed"].append((400, error))
    with pytest.raises(LLMError, match="context"):
        embed(llm, ["long"])


def test_next_tokens_of_abacus_are_those_it_draws():
    llm, prompt = LLMGen("abacus"), prompt_of(1) + "So 3+4 ="
    found = next_tokens(llm, prompt)
    assert len(found) == 20 and 0.99 < sum(found.values()) <= 1
    assert [*found.values()] == sorted(found.values(), reverse=True)
    step = llm.at_temperature(0)(prompt)
    first = step.logprobs[0]
    assert next(iter(found)) == first.token
    assert next(iter(found.values())) == pytest.approx(math.exp(first.logprob))


def test_no_log_probabilities_are_an_error(server, llm):
    server.changes["logprobs"] = None
    with pytest.raises(ValueError, match="Update Ollama to 0.12.11"):
        next_tokens(llm, "Q")
    server.changes["response"] = ""  # it would end the text: nothing to tell
    assert next_tokens(llm, "Q") == {}


def test_a_busy_server_is_asked_again_and_all_states_must_come(
    server, llm, monkeypatch
):
    monkeypatch.setattr("helpers.llm.connection.time.sleep", lambda seconds: None)
    said = {"model": "scripted", "embeddings": [[0.5]]}
    busy = (503, {"error": "server busy"})
    server.script["/api/embed"].extend([busy, (200, said), (200, said)])
    assert embed(llm, "one").shape == (1, 1)
    with pytest.raises(LLMError, match="does not speak"):
        embed(llm, ["one", "two"])

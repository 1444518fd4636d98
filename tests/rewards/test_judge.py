"""The judge: what it sends to Ollama, and how it reads the answer."""

import pytest

from helpers.llm import Action
from helpers.rewards import LLMJudge, Path, share_of_yes
from helpers.rewards.judge import QUESTION

PATH = Path("Q: 1+1?\n", tuple(Action(t, 1.0, 1, -1.0, 2) for t in ("1+1 = 2", "2.")))


def said(**tokens):
    """A response of /api/generate with top_logprobs, as Ollama writes it."""
    tops = [{"token": t.replace("_", " "), "logprob": p, "bytes": [*t.encode()]}
            for t, p in tokens.items()]  # fmt: skip
    best = tops[0]
    return {
        "model": "scripted", "created_at": "2026-11-24T12:00:00.0Z",
        "response": best["token"], "done": True, "done_reason": "length",
        "prompt_eval_count": 40, "eval_count": 1,
        "logprobs": [best | {"top_logprobs": tops}],
    }  # fmt: skip


def test_it_asks_about_every_step_once(server, llm):
    server.script["/api/generate"].extend(
        [(200, said(_Yes=-0.2231, _No=-1.6094)), (200, said(No=-0.105, yes=-2.303))]
    )
    judge = LLMJudge(llm)
    assert judge.step_scores(PATH) == pytest.approx([0.8, 0.1], abs=1e-3)
    assert judge([PATH, Path("Q", ())]) == pytest.approx([0.1, 1.0], abs=1e-3)
    first, second = server.bodies("/api/generate")  # no third: it remembers
    assert first["prompt"] == "Q: 1+1?\n1+1 = 2\n" + QUESTION
    assert second["prompt"] == "Q: 1+1?\n1+1 = 2\n2.\n" + QUESTION
    assert first["raw"] and first["logprobs"] and first["top_logprobs"] == 20
    assert first["options"]["num_predict"] == 1
    assert first["options"]["temperature"] == 0
    assert first["options"]["stop"] == []


def test_words_count_in_any_case_and_with_any_blanks():
    tokens = {" Yes": 0.3, "yes": 0.1, "YES\n": 0.1, " No": 0.2, "Yesterday": 0.2}
    assert share_of_yes(tokens) == pytest.approx(0.5 / 0.7)
    assert share_of_yes({"maybe": 1.0}) == 0.5


def test_an_old_server_gives_no_probabilities(server, llm):
    server.changes["logprobs"] = None
    with pytest.raises(ValueError, match="Update Ollama to 0.12.11"):
        LLMJudge(llm)([PATH])


def test_a_model_that_would_end_the_text_has_no_opinion(server, llm):
    server.changes |= {"logprobs": [], "response": "", "eval_count": 1}
    assert LLMJudge(llm)([PATH]) == [0.5]


def test_another_question_and_aggregation(server, llm):
    server.script["/api/generate"].extend([(200, said(yes=-0.1, no=-2.0))] * 2)
    LLMJudge(llm, question="OK?", how="mean")([PATH])
    assert server.bodies("/api/generate")[0]["prompt"].endswith("\nOK?")

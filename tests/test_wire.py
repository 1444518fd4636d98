"""What a model's answer may be, and what is not believed."""

import json
import math
import pickle

import pytest

from helpers.wire import Refused, Response, Token, canonical, read_response, to_json

WHOLE = {
    "model": "m", "response": " 7.", "done": True, "done_reason": "stop",
    "prompt_eval_count": 3, "eval_count": 2, "thinking": None,
    "logprobs": [{"token": " 7", "logprob": -0.5, "bytes": [32, 55],
                  "top_logprobs": [{"token": "", "logprob": -1}]}],
}  # fmt: skip


def test_a_whole_answer_by_hand():
    token = Token(" 7", -0.5, (Token("", -1.0),))
    wanted = Response(" 7.", True, "stop", 3, 2, (token,))
    assert read_response(WHOLE) == wanted and wanted["eval_count"] == 2
    assert read_response(json.loads(json.dumps(to_json(wanted)))) == wanted


def test_what_is_zero_is_left_out_and_read_again():
    assert to_json(Response()) == {"response": "", "done": True}
    assert read_response({"response": "", "done": True}) == Response()


ODD = [
    [1], None, "text", 7, {}, {"response": "x"}, WHOLE | {"done": "soon"},
    WHOLE | {"done": 1}, WHOLE | {"response": 7}, WHOLE | {"response": ["x"]},
    WHOLE | {"eval_count": -5}, WHOLE | {"eval_count": 2.5},
    WHOLE | {"eval_count": True}, WHOLE | {"eval_count": 10**30},
    WHOLE | {"prompt_eval_count": "3"}, WHOLE | {"done_reason": {}},
    WHOLE | {"logprobs": {}}, WHOLE | {"logprobs": [7]},
    WHOLE | {"logprobs": [{"token": "a"}]},
    *(WHOLE | {"logprobs": [{"token": "a", "logprob": p}]}
      for p in (math.nan, math.inf, -math.inf, 5, 0.01, "0", None, True)),
    WHOLE | {"logprobs": [{"token": 3, "logprob": -1}]},
    WHOLE | {"logprobs": [{"token": "a", "logprob": -1, "top_logprobs": 3}]},
]  # fmt: skip


@pytest.mark.parametrize("said", ODD, ids=str)
def test_what_is_odd_is_refused(said):
    with pytest.raises(ValueError):
        read_response(said)


def test_rounding_is_not_odd():
    said = WHOLE | {"logprobs": [{"token": "a", "logprob": 1.2e-7}]}
    assert read_response(said).logprobs == (Token("a", 0.0),)


def test_half_a_character_is_replaced():
    said = json.loads('{"done": true, "response": "a\\ud83d b\\ud83d\\ude00"}')
    assert read_response(said).response == "a\ufffd b\U0001f600"


def test_equal_values_are_equal_texts():
    assert canonical({"b": 1.0, "a": [0, 2.50]}) == canonical({"a": [0.0, 2.5], "b": 1})
    for a, b in ((1, True), (0, None), (1, 1.5), ("1", 1), ({}, [])):
        assert canonical(a) != canonical(b)


def test_a_refusal_goes_to_other_processes():
    sent = pickle.loads(pickle.dumps(Refused("no such model", 404)))
    assert (sent.said, sent.status, str(sent)) == (
        "no such model",
        404,
        "no such model",
    )

"""The client of abacus: the calls, options and errors of a server's client."""

from collections import deque
from pathlib import Path

import numpy as np
import ollama
import pytest
from plain_engine import PROMPT, WILD, plain_states

from helpers.abacus import (
    WEIGHTS,
    AbacusClient,
    Engine,
)
from helpers.abacus.client import check_options, load_engine
from helpers.wire import Refused, read_response, to_json

LONG = "word " * 2000


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine(WEIGHTS)


@pytest.fixture(scope="module")
def client() -> AbacusClient:
    return AbacusClient()


def test_what_is_told_has_the_names_of_ollama(client: AbacusClient) -> None:
    said = to_json(client.generate("abacus", PROMPT, logprobs=True, top_logprobs=2))
    assert {*said} <= {*ollama.GenerateResponse.model_fields}
    assert {*client.show("abacus")} <= {"template", "model_info", "capabilities"}


def test_the_parts_of_an_answer(client: AbacusClient) -> None:
    answer = client.generate(
        "abacus", PROMPT, raw=True, options={"seed": 1, "stop": ["\n"]}, logprobs=True
    )
    assert read_response(to_json(answer)) == answer
    assert answer.done and answer.done_reason == "stop"
    assert "\n" not in answer.response and answer.response
    # The token that matched the stop string is counted but has no log-probability.
    assert answer.eval_count == len(answer.logprobs) + 1
    assert "".join(entry.token for entry in answer.logprobs) == answer.response


def test_generate_many_equals_generate(client: AbacusClient) -> None:
    options = WILD | {"stop": ["\n"]}
    many = client.generate_many("abacus", [PROMPT] * 2, seeds=[5, 6], options=options)
    for seed, answer in zip([5, 6], many, strict=True):
        one = client.generate("abacus", PROMPT, options=options | {"seed": seed})
        assert one.response == answer.response


def test_without_a_seed_texts_differ(client: AbacusClient) -> None:
    options = WILD | {"temperature": 3.0}
    texts = {client.generate("abacus", PROMPT, options=options).response for _ in "ab"}
    assert len(texts) == 2


def test_top_logprobs_are_sorted_and_hold_the_greedy_token(
    client: AbacusClient,
) -> None:
    options = {"temperature": 0, "num_predict": 5}
    answer = client.generate(
        "abacus", PROMPT, options=options, logprobs=True, top_logprobs=4
    )
    for entry in answer.logprobs:
        values = [top.logprob for top in entry.top_logprobs]
        assert len(values) == 4 and values == sorted(values, reverse=True)
        assert entry.top_logprobs[0].token == entry.token


def test_multi_character_stop_and_length(client: AbacusClient) -> None:
    free = client.generate("abacus", PROMPT, options={"temperature": 0})
    stop = free.response[3:8]
    cut = client.generate("abacus", PROMPT, options={"temperature": 0, "stop": [stop]})
    assert cut.response == free.response[: free.response.index(stop)]
    short = client.generate("abacus", PROMPT, options={"num_predict": 2})
    assert (short.done_reason, short.eval_count) == ("length", 2)


def test_empty_prompt_only_loads(client: AbacusClient) -> None:
    answer = client.generate("abacus", "")
    assert (answer.response, answer.done_reason) == ("", "load")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"temprature": 1}, "temprature"),
        ({"repeat_penalty": 1.1}, "repeat_penalty"),
        ({"temperature": -1}, "temperature"),
        ({"temperature": float("inf")}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"stop": [""]}, "stop"),
    ],
)
def test_bad_options_are_named(options: dict, named: str) -> None:
    with pytest.raises(Refused, match=named) as caught:
        check_options(options)
    assert caught.value.status == 400


@pytest.mark.parametrize("damage", ["missing", "half", "shape", "empty"])
def test_damaged_weights_say_how_to_get_them_back(damage: str, tmp_path: Path) -> None:
    path, content = tmp_path / "weights.npz", WEIGHTS.read_bytes()
    if damage == "shape":
        with np.load(WEIGHTS) as file:
            np.savez(path, **(dict(file) | {"0.gate": np.ones((3, 3))}))
    elif damage != "missing":
        path.write_bytes(content[: len(content) // 2] if damage == "half" else b"")
    with pytest.raises(Refused, match="Name another file"):
        AbacusClient(path).generate("abacus", PROMPT)


def test_threads_do_not_mix_up_what_they_read() -> None:
    """A read by another thread between two lines of `read` must not be returned."""

    class Disturbed(Engine):
        def recall(self, ids: list[int]) -> tuple[int, np.ndarray]:
            found = super().recall(ids)
            self.memory = self.Meddler(self.memory)
            return found

        class Meddler(deque):
            def append(self, text: tuple) -> None:
                super().append(text)
                super().append((text[0][:1], text[1][..., :1, :] + 1))

    ids = Engine().encode(PROMPT)
    np.testing.assert_allclose(Disturbed().read(ids)[1], Engine().read(ids)[1])


def test_requests_that_cannot_be_served(client: AbacusClient) -> None:
    with pytest.raises(Refused, match="not found"):
        client.generate("llama3.2", PROMPT)
    with pytest.raises(Refused, match="see images"):
        client.generate("abacus", PROMPT, images=["aGk="])
    for method, text in ((client.generate, LONG), (client.embed, [LONG])):
        with pytest.raises(Refused, match="longer than the context"):
            method("abacus", text)
    for seeds in ([], [-1]):
        with pytest.raises(Refused, match="seeds"):
            client.generate_many("abacus", [PROMPT], seeds=seeds)


def test_embedding_is_the_state_after_the_last_token(client: AbacusClient) -> None:
    vectors = client.embed("abacus", [PROMPT, "Hello"])
    states = plain_states(client.engine, client.engine.encode(PROMPT))
    np.testing.assert_allclose(vectors[0], states[-1], atol=1e-10)
    assert len(vectors) == 2


def test_list_pull_and_show(client: AbacusClient) -> None:
    (row,) = client.list()
    assert row["model"] == "abacus:latest" and row["size"] == WEIGHTS.stat().st_size
    assert [*client.pull("abacus")] == [{"status": "success"}]
    info = client.show("abacus")["model_info"]
    assert 1e6 <= info["general.parameter_count"] <= 4e6
    for name in ("embedding_length", "feed_forward_length", "vocab_size"):
        assert info[f"llama.{name}"] % 32 == 0


def test_shipped_files_are_small_and_plain() -> None:
    assert WEIGHTS.stat().st_size <= 8e6
    with np.load(WEIGHTS, allow_pickle=False) as file:
        assert all(np.isfinite(file[name]).all() for name in file)

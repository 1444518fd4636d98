"""The client of abacus: `ollama.Client`'s calls, types and errors."""

import inspect
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


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine(WEIGHTS)


@pytest.fixture(scope="module")
def client() -> AbacusClient:
    return AbacusClient()


def test_signatures_are_ollamas() -> None:
    for name in ("generate", "embed", "pull", "list", "show"):
        ours = inspect.signature(getattr(AbacusClient, name)).parameters
        theirs = inspect.signature(getattr(ollama.Client, name)).parameters
        assert set(ours) - {"_"} <= set(theirs), name


def test_answer_is_ollamas_type(client: AbacusClient) -> None:
    answer = client.generate(
        "abacus", PROMPT, raw=True, options={"seed": 1, "stop": ["\n"]}, logprobs=True
    )
    assert isinstance(answer, ollama.GenerateResponse)
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
    with pytest.raises(ollama.ResponseError, match=named) as caught:
        check_options(options)
    assert caught.value.status_code == 400


def test_options_may_be_ollamas_object(client: AbacusClient) -> None:
    options = ollama.Options(temperature=0.5, seed=3, num_predict=9)
    as_dict = {"temperature": 0.5, "seed": 3, "num_predict": 9}
    texts = [client.generate("abacus", PROMPT, options=o) for o in (options, as_dict)]
    assert texts[0].response == texts[1].response


@pytest.mark.parametrize("damage", ["missing", "half", "shape", "empty"])
def test_damaged_weights_say_how_to_get_them_back(damage: str, tmp_path: Path) -> None:
    path, content = tmp_path / "weights.npz", WEIGHTS.read_bytes()
    if damage == "shape":
        with np.load(WEIGHTS) as file:
            np.savez(path, **(dict(file) | {"0.gate": np.ones((3, 3))}))
    elif damage != "missing":
        path.write_bytes(content[: len(content) // 2] if damage == "half" else b"")
    with pytest.raises(ollama.ResponseError, match="Name another file"):
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
    with pytest.raises(ollama.ResponseError, match="not found"):
        client.generate("llama3.2", PROMPT)
    with pytest.raises(ollama.ResponseError, match="see images"):
        client.generate("abacus", PROMPT, images=["aGk="])
    for method in (client.generate, client.embed):
        with pytest.raises(ollama.ResponseError, match="longer than the context"):
            method("abacus", "word " * 2000)
    for seeds in ([], [-1]):
        with pytest.raises(ollama.ResponseError, match="seeds"):
            client.generate_many("abacus", [PROMPT], seeds=seeds)


def test_embedding_is_the_state_after_the_last_token(client: AbacusClient) -> None:
    answer = client.embed("abacus", [PROMPT, "Hello"])
    states = plain_states(client.engine, client.engine.encode(PROMPT))
    np.testing.assert_allclose(answer.embeddings[0], states[-1], atol=1e-10)
    assert len(answer.embeddings) == 2


def test_list_pull_and_show(client: AbacusClient) -> None:
    (entry,) = client.list().models
    assert entry.model == "abacus:latest" and entry.size == WEIGHTS.stat().st_size
    assert client.pull("abacus").status == "success"
    info = client.show("abacus").modelinfo
    assert 1e6 <= info["general.parameter_count"] <= 4e6
    for name in ("embedding_length", "feed_forward_length", "vocab_size"):
        assert info[f"llama.{name}"] % 32 == 0


def test_shipped_files_are_small_and_plain() -> None:
    assert WEIGHTS.stat().st_size <= 8e6
    with np.load(WEIGHTS, allow_pickle=False) as file:
        assert all(np.isfinite(file[name]).all() for name in file)

"""Several servers as one: who is asked, who is left out, and who comes back."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from fake_ollama import BREAK, HANG, FakeOllama
from toy_runs import results

from helpers.evaluation import evaluate
from helpers.llm import LLMError, LLMGen, connection, hosts
from helpers.llm.addresses import find_addresses
from helpers.search import self_consistency

PROMPT = "Question: Tom has 3 apples and buys 4. How many?\nAnswer:\n"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(connection, "BACKOFF", (0.0,))


@pytest.fixture
def two():
    with FakeOllama("llama3.2:latest") as a, FakeOllama("llama3.2:latest") as b:
        yield a, b


def address(*servers):
    return ",".join(server.host for server in servers)


def answered(server):
    return sum(path == "/api/generate" for path, _ in server.requests)


def test_the_least_busy_is_asked(two):
    """Three requests that all wait for each other: no host has them all."""
    everybody = threading.Barrier(3)
    for server in two:
        usual = server.usual

        def wait(path, body, usual=usual):
            if path == "/api/generate":
                everybody.wait(timeout=30)
            return usual(path, body)

        server.usual = wait
    llm = LLMGen("llama3.2", host=address(*two))
    with ThreadPoolExecutor(3) as pool:
        draws = [pool.submit(llm.sample, PROMPT, 1, seed) for seed in range(3)]
    assert all(draw.result() for draw in draws)
    assert sorted(map(answered, two)) == [1, 2]


@pytest.mark.parametrize("fault", [BREAK, (503, {"error": "server busy"})])
def test_what_one_host_does_not_answer_the_other_does(two, fault):
    a, b = two
    llm = LLMGen("llama3.2", host=address(a, b))
    a.script["/api/generate"].append(fault)
    assert len(llm.sample(PROMPT, 2, seed=0)) == 2
    assert answered(b) >= 1
    out = [host.is_out for host in llm.connection.client.hosts]
    assert out == [fault is BREAK, False]  # busy is not dead


def test_a_dead_host_is_left_out_until_it_answers_again(two, monkeypatch):
    a, b = two
    llm = LLMGen("llama3.2", host=address(a, b))
    (host, _) = llm.connection.client.hosts
    a.script["/api/generate"].append(BREAK)
    llm.sample(PROMPT, 1, seed=0)
    a.requests.clear()
    llm.sample(PROMPT, 5, seed=1)
    assert a.requests == []  # the pause is not over
    monkeypatch.setattr(hosts, "PAUSE", 0.0)
    a.script["/api/tags"].append(BREAK)
    llm.sample(PROMPT, 1, seed=2)
    asked = [path for path, _ in a.requests]
    assert asked == ["/api/show", "/api/version", "/api/tags"] and host.is_out
    llm.sample(PROMPT, 1, seed=3)
    assert not host.is_out and answered(a) == 1


def test_a_host_that_comes_back_with_another_model_stays_out(two, monkeypatch):
    a, b = two
    llm = LLMGen("llama3.2", host=address(a, b))
    a.script["/api/generate"].append(BREAK)
    llm.sample(PROMPT, 1, seed=0)
    a.digest = "another"
    monkeypatch.setattr(hosts, "PAUSE", 0.0)
    llm.sample(PROMPT, 4, seed=1)
    assert answered(a) == 1


def test_the_hosts_come_from_the_environment(two, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    monkeypatch.setenv("REASONING_HOSTS", address(*two))
    assert len(LLMGen("llama3.2").connection.client.hosts) == 2


def test_a_host_that_is_dead_from_the_start_is_left_out(two):
    llm = LLMGen("llama3.2", host=f"127.0.0.1:1, {address(two[0])}")
    assert llm.sample(PROMPT, 1, seed=0)
    assert [host.is_out for host in llm.connection.client.hosts] == [True, False]


def test_all_hosts_dead(two):
    with pytest.raises(LLMError, match="No Ollama server answers at 127.0.0.1:1,"):
        LLMGen("llama3.2", host="127.0.0.1:1,127.0.0.1:2")
    llm = LLMGen("llama3.2", host=address(*two))
    for server in two:
        server.script["/api/generate"].append(BREAK)
    with pytest.raises(LLMError, match="broke off"):
        llm.sample(PROMPT, 1, seed=0)
    assert llm.sample(PROMPT, 1, seed=0)  # all out: asked at once whether they are back


@pytest.mark.parametrize(
    "fault",
    [(500, {"error": "no memory"}), (404, {"error": "no model"}), (200, b"<p>")],
)
def test_one_sick_host_does_not_spoil_the_run(two, fault):
    llm = LLMGen("llama3.2", host=address(*two))
    two[0].script["/api/generate"].append(fault)
    assert llm.sample(PROMPT, 2, seed=0)
    assert [host.is_out for host in llm.connection.client.hosts] == [True, False]


def test_no_address_at_all():
    with pytest.raises(ValueError, match="names no host"):
        LLMGen("llama3.2", host=",")


def test_hosts_must_hold_one_model(two):
    two[1].digest = "d2"
    with pytest.raises(LLMError, match="do not hold the same model.*d1 there, d2 here"):
        LLMGen("llama3.2", host=address(*two))


def test_a_missing_model_is_pulled_everywhere(two):
    llm = LLMGen("fresh", host=address(*two))
    assert all("/api/pull" in [p for p, _ in server.requests] for server in two)
    assert llm.sample(PROMPT, 1, seed=0)


def test_a_mistake_is_no_death(two):
    llm = LLMGen("llama3.2", host=address(*two))
    two[0].script["/api/generate"].append((400, {"error": "no such option"}))
    with pytest.raises(LLMError, match="no such option"):
        llm.sample(PROMPT, 1, seed=0)
    assert not any(host.is_out for host in llm.connection.client.hosts)


def test_what_no_host_can_do_is_no_death_either(two):
    llm = LLMGen("llama3.2", host=address(*two))
    said = {"error": "This server does not support embeddings."}
    two[0].script["/api/embed"].append((501, said))
    with pytest.raises(LLMError, match="gives no states"):
        llm.connection.embed(["x"])
    assert not any(host.is_out for host in llm.connection.client.hosts)


def test_a_host_that_hangs_is_dead(two):
    llm = LLMGen("llama3.2", host=address(*two), timeout=0.2)
    two[0].script["/api/generate"].append(HANG)
    assert llm.sample(PROMPT, 1, seed=0)
    assert llm.connection.client.hosts[0].is_out


def test_an_evaluation_on_two_hosts_of_which_one_dies(two, tmp_path):
    rows = [{"question": f"How many, {i}?", "answer": "7"} for i in range(8)]
    strategy = partial(self_consistency, budget=200, n=2)
    alone = LLMGen("llama3.2", host=two[1].host)
    expected = evaluate(strategy, rows, alone, out=tmp_path / "alone")
    llm = LLMGen("llama3.2", host=address(*two))

    def kill(record):
        two[0].server.server_close()
        two[0].script["/api/generate"].extend([BREAK] * 999)

    with ThreadPoolExecutor(3) as pool:
        found = evaluate(
            strategy, rows, llm, out=tmp_path / "two", executor=pool, on_record=kill
        )  # fmt: skip
    assert results(found) == results(expected) and found.failed == {}


def test_blank_addresses_are_no_hosts():
    found = find_addresses("a:1, ,b:2 ")
    assert [str(address) for address in found] == ["a:1", "b:2"]

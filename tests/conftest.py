"""What several tests begin with."""

import pytest
from fake_ollama import FakeOllama

from helpers.llm import LLMGen


@pytest.fixture(autouse=True)
def one_request_at_a_time(monkeypatch):
    monkeypatch.delenv("OLLAMA_NUM_PARALLEL", raising=False)


@pytest.fixture
def server():
    with FakeOllama("scripted") as fake:
        yield fake


@pytest.fixture
def llm(server):
    return LLMGen("scripted", host=server.host)

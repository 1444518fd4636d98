"""What several tests begin with."""

import pytest
from fake_ollama import FakeOllama

from helpers.llm import LLMGen


@pytest.fixture(autouse=True)
def undisturbed(monkeypatch):
    """No variable of this computer leads elsewhere."""
    for name in ("OLLAMA_NUM_PARALLEL", "REASONING_HOSTS", "REASONING_RECORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def server():
    with FakeOllama("scripted") as fake:
        yield fake


@pytest.fixture
def llm(server):
    return LLMGen("scripted", host=server.host)

"""Clients: all answer the same calls."""

import inspect

import pytest

from helpers.abacus import AbacusClient
from helpers.llm import LLMError
from helpers.llm.clients import find_model, open_client
from helpers.llm.hosts import ManyHosts
from helpers.llm.ollama_client import OllamaClient
from helpers.llm.recording import RecordedClient

CALLS = ("generate", "embed", "pull", "list", "show", "version")


@pytest.mark.parametrize("other", [OllamaClient, ManyHosts, RecordedClient])
@pytest.mark.parametrize("call", CALLS)
def test_all_clients_answer_the_same_calls(other, call):
    ours = inspect.signature(getattr(AbacusClient, call)).parameters
    theirs = inspect.signature(getattr(other, call)).parameters
    passes_on = any(p.kind is p.VAR_KEYWORD for p in theirs.values())
    assert passes_on or [*ours] == [*theirs]


def test_the_two_that_generate_have_one_signature():
    assert inspect.signature(AbacusClient.generate) == inspect.signature(
        OllamaClient.generate
    )


def test_which_client_it_is(server, tmp_path):
    place = {"host": server.host}
    assert isinstance(open_client("abacus"), AbacusClient)
    assert isinstance(open_client("Scripted", **place), OllamaClient)
    two = open_client("scripted", host=f"{server.host},{server.host}")
    assert isinstance(two, ManyHosts)
    file = str(tmp_path / "x.sqlite")
    recorded = open_client("scripted", record=file, **place)
    assert isinstance(recorded, RecordedClient)
    assert find_model(recorded, "SCRIPTED") == server.show


@pytest.mark.parametrize("path", ["~nobody-of-this-name/x", "x\0y", "\ud83d.npz"])
@pytest.mark.parametrize("name", ["record", "weights"])
def test_what_is_no_path_ends_in_a_sentence(name, path):
    with pytest.raises((ValueError, LLMError), match="Type another|cannot be"):
        open_client("abacus", **{name: path}).show("abacus")

"""One model is one model: names, digests, engines, and what is compared."""

from dataclasses import replace

import pytest

from helpers.llm import differences, folded, is_embedded
from helpers.llm.identity import (
    Identity,
    digests_of,
    engine_of,
    full_name,
    identity_of,
    version_number,
)

SPELLINGS = {
    "llama3.2": "llama3.2:latest",
    "Llama3.2": "llama3.2:latest",
    " LLAMA3.2:LATEST ": "llama3.2:latest",
    "library/llama3.2": "llama3.2:latest",
    "registry.ollama.ai/library/llama3.2:1b": "llama3.2:1b",
    "hf.co/User/Repo:Q4_K_M": "hf.co/user/repo:q4_k_m",
    "localhost:5000/me/model": "localhost:5000/me/model:latest",
}


@pytest.mark.parametrize("typed", SPELLINGS)
def test_names_are_folded_as_ollama_folds_them(typed):
    assert full_name(typed) == folded(typed) == SPELLINGS[typed]
    assert not is_embedded(typed)


def test_abacus_alone_needs_no_server():
    assert all(is_embedded(name) for name in ("abacus", "Abacus", " ABACUS "))
    assert not any(is_embedded(name) for name in ("abacus:latest", "library/abacus"))
    assert folded("Abacus") == "abacus" != folded("abacus:latest")


@pytest.mark.parametrize(
    ("version", "engine"),
    [("0.24.0", "ollama"), ("0.12.11", "ollama"), ("0.30.0", "llama.cpp"),
     ("0.33.0-rc2", "llama.cpp"), ("v0.40.12", "llama.cpp"), ("1.2", "llama.cpp"),
     ("embedded", "abacus"), ("0.0.0", None), ("0.0.0-abacus", None), ("", None),
     (None, None), ("latest", None)],
)  # fmt: skip
def test_the_family_of_an_engine(version, engine):
    assert engine_of(version) == engine


def test_versions_are_compared_as_numbers():
    assert version_number("0.9.7") < version_number("0.12.11") < version_number("0.33")


MODEL = Identity("m:latest", ("d1", "d0"), "Q4_K_M", "gguf", "llama.cpp", "0.33.0")


@pytest.mark.parametrize(
    ("changes", "told"),
    [({}, []), ({"server": "0.34.1"}, []), ({"digests": ("d0", "d9")}, []),
     ({"digests": ()}, []), ({"quantisation": None}, []), ({"engine": None}, []),
     ({"digests": ("d2",)}, ["digest: d1 there, d2 here"]),
     ({"engine": "ollama"}, ["engine: llama.cpp there, ollama here"]),
     ({"runner": "mlx"}, ["runner: gguf there, mlx here"]),
     ({"quantisation": "F16"}, ["quantisation: Q4_K_M there, F16 here"]),
     ({"name": "n:latest"}, ["name: m:latest there, n:latest here"])],
)  # fmt: skip
def test_what_makes_another_model(changes, told):
    assert differences(MODEL, replace(MODEL, **changes)) == told


def test_what_version_0_1_told_is_understood():
    facts = {"name": "Llama3.2", "digest": "d1", "quantisation": "unknown",
             "server": "0.24.0"}  # fmt: skip
    old = Identity.from_facts(facts)
    assert old == Identity("llama3.2:latest", ("d1",), None, None, "ollama")
    assert Identity.from_facts(MODEL.facts()) == replace(MODEL, digests=("d1",))
    nonsense = {"name": 3, "digest": [], "server": {}}
    assert Identity.from_facts(nonsense) == Identity(":latest")


class Told:
    """A client that tells what it is given."""

    def __init__(self, shown, rows, version="0.40.1"):
        self.shown, self.rows, self.told = shown, rows, version

    def show(self, model):
        return self.shown

    def list(self):
        return self.rows

    def version(self):
        return self.told


ROWS = [{"model": "llamacpp:d0", "digest": "d7"}, {"name": "M:latest", "digest": "d1"},
        {"model": "m:latest", "digest": "d2"}, {"model": "m:latest"}, {}]  # fmt: skip


def test_a_model_that_is_listed_twice_is_the_one_that_is_shown():
    """Since 0.40 an update lists a name twice, and once by its hash."""
    assert digests_of(ROWS, "m", {}) == ("d1", "d2")
    shown = {"manifests": [{"digest": "d2", "runner": "llamacpp"}]}
    found = identity_of(Told(shown, ROWS), "M")
    assert (found.digests, found.runner) == (("d2", "d1"), "gguf")
    old = identity_of(Told({}, [{"model": "m:latest", "digest": "d1"}]), "m")
    assert differences(old, found) == []  # not all digests differ


@pytest.mark.parametrize(
    ("shown", "told"),
    [({"details": {"format": "gguf", "quantization_level": "Q4_1"}}, ("Q4_1", "gguf")),
     ({"details": {"format": "gguf", "quantization_level": "unknown"},
       "model_info": {"general.file_type": 0}}, ("F32", "gguf")),
     ({"details": {"quantization_level": "unknown"}}, (None, None)),
     ({"details": {"format": "safetensors"}}, (None, "mlx")),
     ({"details": None, "manifests": 3}, (None, None)),
     ({"details": ["gguf"], "model_info": [], "manifests": [1]}, (None, None))],
)  # fmt: skip
def test_what_a_server_tells_of_the_file(shown, told):
    found = identity_of(Told(shown, []), "m")
    assert (found.quantisation, found.runner) == told
    assert found.engine == ("mlx" if found.runner == "mlx" else "llama.cpp")

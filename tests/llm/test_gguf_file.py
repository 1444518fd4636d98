"""The head of a GGUF file, against the package `gguf`, and damaged."""

import random
import struct

import pytest

gguf = pytest.importorskip("gguf")

from helpers.abacus import Engine, write_gguf  # noqa: E402
from helpers.llm.gguf_file import SHORT, read_head  # noqa: E402


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gguf")
    write_gguf(Engine(), folder / "abacus.gguf")
    return folder / "abacus.gguf"


def test_it_is_what_the_package_reads(file):
    found, wanted = read_head(file), gguf.GGUFReader(file)
    told = {k: v.contents() for k, v in wanted.fields.items() if "GGUF." not in k}
    assert found.metadata.keys() == told.keys()
    for name, value in told.items():
        is_long = isinstance(value, list) and len(value) > SHORT
        assert found.metadata[name] == (None if is_long else value), name
    assert found.parameters == sum(int(t.n_elements) for t in wanted.tensors)
    assert found.size == file.stat().st_size
    assert found.of_model("context_length") == 1024


def test_every_kind_of_value(tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "llama")
    values = {
        "uint8": 7, "int8": -7, "uint16": 7, "int16": -7, "uint32": 7, "int32": -7,
        "uint64": 2**40, "int64": -(2**40), "float32": 0.5, "float64": 0.1,
        "bool": True, "string": "grün", "array": [1, 2, 3],
    }  # fmt: skip
    for kind, value in values.items():
        getattr(writer, f"add_{kind}")(kind, value)
    writer.add_array("long", ["x"] * 100)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found = read_head(tmp_path / "x.gguf").metadata
    assert {name: found[name] for name in values} == values and found["long"] is None


def test_a_file_that_was_not_copied_whole(file, tmp_path):
    content, part = file.read_bytes(), tmp_path / "part.gguf"
    for size in (*range(0, 4000, 97), len(content) // 2, len(content) - 1):
        part.write_bytes(content[:size])
        with pytest.raises(ValueError, match="no GGUF|ends within|not copied whole"):
            read_head(part)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((0, b"PK\3\4"), "no GGUF"), ((4, struct.pack("<I", 1)), "version 1"),
        ((8, struct.pack("<Q", 2**60)), "entries"),
        ((16, struct.pack("<Q", 2**60)), "entries"),
        ((24, struct.pack("<Q", 2**50)), "entries|ends within"),
    ],
)  # fmt: skip
def test_a_head_that_lies(file, tmp_path, change, told):
    content, other = bytearray(file.read_bytes()), tmp_path / "other.gguf"
    place, new = change
    content[place : place + len(new)] = new
    other.write_bytes(content)
    with pytest.raises(ValueError, match=told):
        read_head(other)


def test_a_damaged_head_is_a_value_error_or_none(file, tmp_path):
    content, other = file.read_bytes(), tmp_path / "other.gguf"
    rng = random.Random(3)
    for _ in range(300):
        damaged = bytearray(content)
        for _ in range(3):
            damaged[rng.randrange(3000)] = rng.randrange(256)
        other.write_bytes(damaged)
        try:
            read_head(other)
        except ValueError as error:
            assert str(error)

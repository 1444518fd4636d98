"""What stands at the head of a GGUF file, read and checked before an engine loads it.

Vocabulary: GGUF is llama.cpp's format for models: *metadata* (a name and a value each),
then the *tensors*' names and places, then their numbers. The engine dies of a damaged
file, or says nothing; so what can be known before is looked at here.

Long lists, such as a vocabulary, are passed over: the package `gguf` reads them too,
and takes five seconds for a model of half a billion parameters. Covers: version 2 and
3, little-endian, one file. Does not cover: models in several files.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b"GGUF"
NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q",
           11: "q", 12: "d"}  # fmt: skip
TEXT, LIST = 8, 9  # the other kinds of values
MANY = 10**6  # entries of the head: no model has more
LONGEST = 2**24  # bytes of a text
SHORT = 64  # entries: longer lists are passed over


@dataclass(frozen=True)
class Head:
    """metadata: by name; of long lists only None. size, parameters: bytes of the file,
    numbers in its tensors."""

    metadata: dict[str, Any]
    size: int
    parameters: int

    def of_model(self, name: str, default: Any = None) -> Any:
        """A value that stands under the model's architecture: "context_length"."""
        architecture = self.metadata.get("general.architecture")
        return self.metadata.get(f"{architecture}.{name}", default)


class Reader:
    """Reads values one after the other. Raises ValueError where the file ends."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream, self.size = stream, size

    def take(self, count: int) -> bytes:
        if not 0 <= count <= self.size - self.stream.tell():
            raise ValueError("it ends within its head")
        return self.stream.read(count)

    def number(self, kind: str) -> Any:
        return struct.unpack("<" + kind, self.take(struct.calcsize(kind)))[0]

    def count(self, most: int) -> int:
        found = self.number("Q")
        if found > most:
            raise ValueError(f"its head tells of {found} entries")
        return found

    def text(self) -> str:
        return self.take(self.count(LONGEST)).decode("utf-8", "replace")

    def value(self, kind: int) -> Any:
        if kind == TEXT:
            return self.text()
        if kind == LIST:
            return self.values(self.number("I"), self.count(2**32))
        if kind not in NUMBERS:
            raise ValueError(f"a value of the unknown kind {kind}")
        return self.number(NUMBERS[kind])

    def values(self, kind: int, count: int) -> list[Any] | None:
        """A list; None for a long one, which is passed over."""
        if count <= SHORT:
            return [self.value(kind) for _ in range(count)]
        if kind in NUMBERS:
            length = count * struct.calcsize(NUMBERS[kind])
            if length > self.size - self.stream.tell():
                raise ValueError("it ends within its head")
            self.stream.seek(length, os.SEEK_CUR)
        for _ in range(0 if kind in NUMBERS else count):
            self.value(kind)
        return None


def read_head(file: Path) -> Head:
    """The head of a file. Raises ValueError, with what is wrong, for one that is no
    GGUF or is cut off; OSError for one that cannot be read."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        reader = Reader(stream, size)
        if stream.read(4) != MAGIC:
            raise ValueError("it is no GGUF file")
        version = reader.number("I")
        if version not in (2, 3):
            raise ValueError(f"it is GGUF of version {version}, not 2 or 3")
        tensors, pairs = reader.count(MANY), reader.count(MANY)
        metadata = {}
        for _ in range(pairs):
            name = reader.text()
            metadata[name] = reader.value(reader.number("I"))
        places = [read_place(reader) for _ in range(tensors)]
        start = stream.tell()
    unit = metadata.get("general.alignment", 32)
    if type(unit) is not int or unit < 1:
        raise ValueError(f"general.alignment={unit!r}")
    start += -start % unit
    end = max((start + offset + length for _, offset, length in places), default=start)
    if end > size:
        raise ValueError(f"it has {size} bytes of {end}: it was not copied whole")
    return Head(metadata, size, sum(numbers for numbers, _, _ in places))


def read_place(reader: Reader) -> tuple[int, int, int]:
    """Of a tensor: how many numbers, where from, how many bytes."""
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    reader.text()  # its name
    shape = [reader.count(2**48) for _ in range(reader.number("I") % 8)]
    kind, offset = reader.number("I"), reader.number("Q")
    try:
        block, bytes_each = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    except (KeyError, ValueError):
        block, bytes_each = 1, 0  # a newer kind: the engine may know it
    numbers = prod(shape)
    return numbers, offset, numbers // block * bytes_each

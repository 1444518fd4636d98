"""Files of arrays (.npz): written whole or not at all, and read or refused."""

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile

import numpy as np


def save_arrays(path: Path | str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a file of arrays at once or not at all; its folder is made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.partial.npz")
    try:
        np.savez_compressed(unfinished, **arrays)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def load_arrays(path: Path | str) -> dict[str, np.ndarray]:
    """All arrays of a file, by name; best within `intact`."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file}


@contextmanager
def intact(path: Path | str, kind: str, advice: str) -> Iterator[None]:
    """Say in one sentence what is wrong with the arrays that are read within.

    kind: what the file should be, such as "checkpoint"; advice: what to do.
    Raises ValueError for a damaged file, and for one of another kind, which shows as a
    KeyError, TypeError or ValueError within. A missing file stays an OSError.
    """
    wrong = KeyError, TypeError, ValueError, EOFError, BadZipFile, zlib.error
    try:
        yield
    except wrong as error:
        told = f"{path} is no {kind}, or is damaged ({error!r}). {advice}"
        raise ValueError(told) from error

"""A journal: a file that grows by whole lines and survives a crash.

Vocabulary
    line       one result, as JSON. It is on the disk when `append` returns.
    torn line  what is left of the last line if the power went while it was written. It
               has no "\\n" yet: readers leave it out, and the next writer cuts it off.
    lock       one process writes at a time. The system frees a lock when its process
               ends, however it ends; the file beside the journal stays, empty.

Covers: files on this computer's disk. Does not cover: what the lines mean
(`records.py`, `learning/labels.py`), and locks on network drives, which some do not
keep.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from types import TracebackType
from typing import IO


def whole_lines(file: Path | str) -> Iterator[str]:
    """The lines of a file, one at a time, without a torn one; none without a file.

    What a file system leaves after a power cut, zero bytes, counts as torn too.
    Raises ValueError if what stands last cannot be a torn line of JSON.
    """
    if not Path(file).exists():
        return
    with open(file, encoding="utf-8", newline="\n", errors="surrogateescape") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield line
            elif line.strip("\0") and not line.startswith("{"):
                raise ValueError(f"{file} is no journal. Name another file.")


def torn_line(file: Path | str) -> bytes:
    """What stands after the last "\\n" of a file."""
    if not Path(file).exists() or not Path(file).stat().st_size:
        return b""
    with (
        open(file, "rb") as stream,
        mmap(stream.fileno(), 0, access=ACCESS_READ) as content,
    ):
        return content[content.rfind(b"\n") + 1 :]


class Journal:
    """A journal that this process writes: `with Journal(file) as journal`.

    The folder is made. Nothing in the file changes before the first `append`, so that
    its owner can look first whether it is theirs: `whole_lines`.
    Raises BlockingIOError if another process writes it.
    """

    def __init__(self, file: Path | str) -> None:
        self.file = Path(file)
        self.stream: IO[str] | None = None

    def __enter__(self) -> Journal:
        from filelock import FileLock, Timeout

        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.lock = FileLock(f"{self.file.resolve()}.lock")  # whatever its name here
        try:
            self.lock.acquire(blocking=False)
        except Timeout as error:
            raise BlockingIOError(
                f"Another run is writing {self.file}. Wait for it, or type another out."
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        try:
            if self.stream:
                self.stream.close()
        finally:
            self.lock.release()

    def append(self, line: str) -> None:
        """Add a line; it is on the disk when this returns.

        Raises ValueError for a file of one line that is not the beginning of this one:
        it may be somebody's only copy.
        """
        if self.stream is None:
            torn = torn_line(self.file)
            self.stream = self.file.open("a", encoding="utf-8", newline="\n")
            if len(torn) == self.stream.tell() and not line.encode().startswith(torn):
                raise ValueError(f"{self.file} is no journal. Name another file.")
            self.stream.truncate(self.stream.tell() - len(torn))
        self.stream.write(line + "\n")
        self.stream.flush()
        os.fsync(self.stream.fileno())

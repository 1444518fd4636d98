"""Calls that wait for a server, side by side."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any


def map_in_threads(n: int, call: Callable[..., Any], *arguments: Sequence) -> list[Any]:
    """As `map`, with up to n calls under way; after a failure no more are begun.

    A program that Ctrl-C has ended does not wait for what is under way.
    """
    waiting = deque(enumerate(zip(*arguments, strict=True)))
    size = len(waiting)
    if n == 1 or size < 2:
        return [call(*each) for _, each in waiting]
    lock, done, found = threading.Lock(), SimpleQueue(), {}

    def take() -> tuple[int, tuple] | None:
        with lock:
            return waiting.popleft() if waiting else None

    def work() -> None:
        for i, each in iter(take, None):
            try:
                done.put((i, call(*each), None))
            except BaseException as error:
                done.put((i, None, error))

    for _ in range(min(n, size)):
        threading.Thread(target=work, daemon=True).start()
    try:
        while len(found) < size:
            i, found[i], error = done.get()
            if error:
                raise error
    finally:
        with lock:
            waiting.clear()
    return [found[i] for i in range(size)]

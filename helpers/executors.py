"""Who does the work: threads, processes of this computer, or Dask's workers on many.

Vocabulary: an *executor* takes function calls and has its *workers* make them. It has
the interface of `concurrent.futures`, so that `evaluate` need not know which one it is.

Covers: calls that wait for a server, side by side; processes that are fit for abacus; a
Dask scheduler that has workers.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from queue import SimpleQueue
from typing import Any

DASK_TIMEOUT = 10  # seconds
WORKER = {  # variables of a worker, unless they are set already
    "OPENBLAS_NUM_THREADS": "1",
    # Linux shall not take freed memory back (up to 256 MB of a worker), to clear it
    # anew for the next array: a step of learning takes 0.8 of the time.
    "MALLOC_TRIM_THRESHOLD_": str(2**28),
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
}


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


def processes(n: int | None = None) -> ProcessPoolExecutor:
    """An executor of n processes (all cores if omitted), for abacus.

    Each computes with one thread, because the processes share the cores already, and
    leaves Ctrl-C to the process that began them. A strategy must come from a module:
    what a notebook defines cannot be sent.
    """
    n = n or os.cpu_count() or 1
    for name, value in WORKER.items():
        os.environ.setdefault(name, value)
    pool = ProcessPoolExecutor(n, get_context("spawn"), initializer=prepare_worker)
    is_main = threading.current_thread() is threading.main_thread()
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN) if is_main else None
    try:  # they start now, while Ctrl-C is ignored, which they inherit
        wait([pool.submit(os.getpid) for _ in range(n)])
    finally:
        if is_main:
            signal.signal(signal.SIGINT, usual)
    return pool


def prepare_worker() -> None:
    """Leave Ctrl-C to the parent, and end when it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def follow() -> None:
        parent_process().join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


@contextmanager
def dask_client(address: str) -> Iterator[Any]:
    """A client of a Dask scheduler with workers. Raises ValueError if it has none."""
    try:
        from distributed import Client
    except ImportError as error:
        advice = 'Dask is missing. Type: pip install -e ".[scale]"'
        raise ValueError(advice) from error
    try:
        client = Client(address, timeout=DASK_TIMEOUT)
        client.wait_for_workers(1, timeout=DASK_TIMEOUT)
    except (OSError, TimeoutError) as error:
        raise ValueError(
            f"No Dask worker at {address}. Type: dask scheduler, and on each computer: "
            f"dask worker {address}"
        ) from error
    with client:
        yield client

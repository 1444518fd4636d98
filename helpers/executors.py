"""Who does the work: threads, processes of this computer, or Dask's workers on many.

Vocabulary: an *executor* takes function calls and has its *workers* make them. It has
the interface of `concurrent.futures`, so that `evaluate` need not know which one it is.

Covers: calls that wait for a server, side by side; processes that are fit for abacus; a
Dask scheduler that has workers.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_EXCEPTION,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Any

DASK_TIMEOUT = 10  # seconds


def map_in_threads(n: int, call: Callable[..., Any], *arguments: Sequence) -> list[Any]:
    """As `map`, with up to n calls under way; after a failure no more are begun."""
    todo = zip(*arguments, strict=True)
    if n == 1:  # no thread: Ctrl-C ends what hangs
        return [call(*each) for each in todo]
    pool = ThreadPoolExecutor(n)
    try:
        tasks = [pool.submit(call, *each) for each in todo]
        for task in wait(tasks, return_when=FIRST_EXCEPTION).done:
            task.result()  # raises what it raised
        return [task.result() for task in tasks]
    finally:  # after Ctrl-C, what is under way ends in the background
        pool.shutdown(wait=False, cancel_futures=True)


def processes(n: int | None = None) -> ProcessPoolExecutor:
    """An executor of n processes (all cores if omitted), for abacus.

    Each computes with one thread, because the processes share the cores already, and
    leaves Ctrl-C to the process that began them. A strategy must come from a module:
    what a notebook defines cannot be sent.
    """
    n = n or os.cpu_count() or 1
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
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

"""Who does the work: processes of this computer, or Dask's workers on many.

Vocabulary: an *executor* takes function calls and has its *workers* make them. It has
the interface of `concurrent.futures`, so that `evaluate` need not know which one it is.

Covers: processes that are fit for abacus; a Dask scheduler that has workers. Does not
cover: threads for Ollama, for which Python's own pool is enough.
"""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Any

DASK_TIMEOUT = 10  # seconds
WORKER = {  # variables of a worker, unless they are set already
    "OPENBLAS_NUM_THREADS": "1",
    # Linux shall not take freed memory back (up to 256 MB of a worker), to clear it
    # anew for the next array: a step of learning takes 0.8 of the time.
    "MALLOC_TRIM_THRESHOLD_": str(2**28),
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
}


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

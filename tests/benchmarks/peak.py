"""How fast this computer multiplies, and how much of that a model needs.

The *peak* is what NumPy's matrix library reaches with two large square matrices, in
double precision (dgemm) or single (sgemm), in a process of its own with so many
threads.
"""

import os
import subprocess
import sys
from functools import partial

from frame import Row, alternate

from helpers.abacus import Config

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
           "VECLIB_MAXIMUM_THREADS")  # fmt: skip
KINDS = "float64", "float32"
PROGRAM = """
import sys, time
import numpy as np
size, kind = int(sys.argv[1]), sys.argv[2]
a = np.random.default_rng(0).random((size, size)).astype(kind)
found = []
for _ in range(4):
    start = time.perf_counter()
    a @ a
    found.append(2 * size**3 / (time.perf_counter() - start))
print(max(found))
"""


def measure(kind: str, threads: int, size: int, number: int) -> float:
    """Billions of floating-point operations a second, at best of four products."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(size), kind],
        env=os.environ | dict.fromkeys(THREADS, str(threads)),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return float(done.stdout) / 1e9


def peaks(rounds: int, size: int) -> list[Row]:
    """What the computer can do in each precision, on one core and on all."""
    cores = sorted({1, os.cpu_count() or 1})
    runs = {(k, t): partial(measure, k, t, size) for k in KINDS for t in cores}
    return [
        Row(f"peak {kind}", f"threads {threads}", "GFLOP/s", values)
        for (kind, threads), values in alternate(runs, rounds, warm=False).items()
    ]


def flops(config: Config, position: float) -> float:
    """Operations for one token at this position of its text.

    Each number of a matrix is multiplied and added once. Looking up an embedding costs
    nothing, but the same matrix gives the scores of the next token. In each layer a
    token is compared with every one before it, and takes a share of each: 4 d.
    """
    d, f = config.width, config.hidden
    matrices = config.layers * (4 * d * d + 3 * d * f) + config.vocab * d
    return 2 * matrices + config.layers * 4 * d * position

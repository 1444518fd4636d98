"""Measure everything a reader waits for: `python tests/benchmarks/run.py`.

Each part is a module here with a function `rows`; it says itself what it measures. The
results are printed and stored in `build/bench.json` and `build/bench.md`. Run it on a
computer that does nothing else: medians forgive a moment, not a second program.
"""

import argparse
import os
import sys
import time
from datetime import datetime
from importlib import import_module
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the Makefile sets it
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from frame import ROOT, machine, store, table

PARTS = [
    *("sampling", "search_overhead", "training_speed", "grading_speed"),
    *("evaluation_speed", "ollama_speed", "startup_time", "notebook_time"),
]
ON_DEMAND = ["setup_time", "gguf_speed"]  # the network, or a model, is needed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="PART", default=PARTS,
                        choices=PARTS + ON_DEMAND,
                        help=f"{', '.join(PARTS)}; {', '.join(ON_DEMAND)}")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--quick", action="store_true",
                        help="one round of a little: does it work?")  # fmt: skip
    parser.add_argument("--out", type=Path, default=ROOT / "build")
    args = parser.parse_args()
    about = machine() | {"began": datetime.now().isoformat(" ", "minutes")}
    about["rounds"] = rounds = 1 if args.quick else args.rounds
    parts = {}
    for name in args.only:
        start = time.perf_counter()
        parts[name] = import_module(name).rows(rounds, args.quick)
        spent = time.perf_counter() - start
        print(f"{name}, {spent:.0f} s\n\n{table(parts[name])}\n", flush=True)
        store(args.out, parts, about)


if __name__ == "__main__":
    main()

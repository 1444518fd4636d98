"""The notebooks on several Pythons and processors: `make test-matrix`.

Vocabulary: a *kernel* is OpenBLAS's code for one generation of processors; a newer
processor can run an older one's. A *cell* of the matrix is a Python with a kernel; the
last one also denies NumPy its own code for newer processors.

In each cell all notebooks run under strict nbval: whatever they print must be the same.
Every Python and every kernel has its turn, not every pair of them. Each Python gets an
environment in build/matrix/, made by uv if it is installed, else by Python's venv.

Does not cover: other systems, and processors that are not x86 (there kernels have other
names, so each Python runs with the processor's own).
"""

import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CELLS = {  # Python, kernel: from SSE3 to AVX2
    ("3.11", "Haswell"): False,
    ("3.12", "Sandybridge"): False,
    ("3.13", "Nehalem"): False,
    ("3.11", "Prescott"): True,  # without NumPy's newer code
}
IS_X86 = platform.machine() in ("x86_64", "AMD64")
NEWER = "from numpy._core._multiarray_umath import __cpu_dispatch__ as x; print(*x)"
NBVAL = ["-n", "2", "--dist", "loadfile", "--nbval", "--nbval-current-env",
         "--nbval-cell-timeout=600", "--nbval-sanitize-with",
         "tests/nbval_sanitize.cfg", "notebooks"]  # fmt: skip
LEFT_OUT = ("REASONING_", "OLLAMA_", "GSM8K_", "OPENBLAS_", "MALLOC_", "NPY_")


def environment(version: str) -> Path:
    """The Python of an environment of this version, with the project in it."""
    folder = ROOT / "build" / "matrix" / version
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    uv = shutil.which("uv")
    named = shutil.which(f"python{version}") or f"python{version}"
    if not python.exists():
        make = [uv, "venv", "--python", version] if uv else [named, "-m", "venv"]
        subprocess.run([*make, str(folder)], check=True, capture_output=True)
    install = [uv, "pip", "install", "-p", python] if uv else [python, "-m", "pip"]
    install += [] if uv else ["install"]
    install += ["--quiet", "-e", ".[test]"]
    subprocess.run(install, cwd=ROOT, check=True, capture_output=True)
    return python


def run(version: str, kernel: str, is_plain: bool) -> bool:
    """Do all notebooks print in this cell what is saved in them?"""
    python = environment(version)
    env = {k: v for k, v in os.environ.items() if not k.startswith(LEFT_OUT)}
    env |= {"PYTHONPATH": str(ROOT)} | ({"OPENBLAS_CORETYPE": kernel} if IS_X86 else {})
    if is_plain:
        asked = [python, "-c", NEWER]
        newer = subprocess.run(asked, capture_output=True, text=True, check=True)
        env["NPY_DISABLE_CPU_FEATURES"] = newer.stdout.strip()
    begun = time.perf_counter()
    test = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *NBVAL]
    done = subprocess.run(test, cwd=ROOT, env=env, capture_output=True, text=True)
    minutes = (time.perf_counter() - begun) / 60
    verdict = done.stdout.strip().rpartition("\n")[2]
    print(f"Python {version}, {kernel}: {verdict} ({minutes:.1f} min)", flush=True)
    if done.returncode:
        print(done.stdout[-5000:], flush=True)
    return not done.returncode


def main() -> int:
    """The number of cells with another output, or without a Python."""
    failed = 0
    for (version, kernel), is_plain in CELLS.items():
        try:
            failed += not run(version, kernel, is_plain)
        except (OSError, subprocess.CalledProcessError) as error:
            failed += 1
            print(f"Python {version} cannot be set up ({error}). Install it, or uv.")
    return failed


if __name__ == "__main__":
    sys.exit(main())

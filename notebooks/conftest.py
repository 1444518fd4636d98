"""What nbval needs to run the notebooks of this folder.

A conftest in `tests/` does not act when pytest is given `notebooks/` only.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# The kernels inherit the environment, not pytest's own path: this checkout's
# helpers come first, and progress bars (which differ each time) are off.
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
)
os.environ["TQDM_DISABLE"] = "1"


def pytest_collectstart(collector):
    """Do not compare stderr: warnings name paths that differ."""
    # Other plug-ins collect notebooks too, and have no `skip_compare`.
    if collector.path.suffix == ".ipynb" and hasattr(collector, "skip_compare"):
        collector.skip_compare += ("stderr",)

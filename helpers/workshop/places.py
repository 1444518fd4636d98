"""Where the series stands: in the checkout that this package was loaded from."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS, BUILD = ROOT / "notebooks", ROOT / "build"
RECORDED = NOTEBOOKS / "runs"


def series(folder: Path = NOTEBOOKS) -> list[Path]:
    """The numbered notebooks of a folder. Raises SystemExit if it has none."""
    found = sorted(folder.glob("[0-9A]*.ipynb"))
    if not found:
        raise SystemExit(
            f"There is no notebook in {folder}. Type this in a checkout of the "
            "project, which git clone fetches."
        )
    return found

"""The package behind the notebooks; README.md has its floor plan."""

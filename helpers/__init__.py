"""The package behind the notebooks: every module is built up in one of them."""

"""What is typed in a variable, and that it is read in one place."""

import ast
from pathlib import Path

import pytest

from helpers.settings import is_on, path_setting, setting

HELPERS = Path(__file__).resolve().parents[1] / "helpers"


@pytest.mark.parametrize(
    "typed",
    ["abacus", " abacus ", '"abacus"', "'abacus'", "\t'abacus'\n", '" abacus "',
     "“abacus”", "\u00a0abacus"],
)  # fmt: skip
def test_blanks_and_quotes_around_a_value_are_not_meant(typed, monkeypatch):
    monkeypatch.setenv("X", typed)
    assert setting("X") == "abacus"


@pytest.mark.parametrize("typed", [None, "", " ", '""', "' '"])
def test_nothing_is_the_default(typed, monkeypatch):
    monkeypatch.delenv("X", raising=False)
    if typed is not None:
        monkeypatch.setenv("X", typed)
    assert setting("X", "abacus") == "abacus" and path_setting("X") == ""


@pytest.mark.parametrize(
    ("typed", "means"),
    [("1", True), ("true", True), ("YES", True), ("on", True), ("'1'", True),
     ("0", False), ("false", False), ("False", False), (" no ", False), ("off", False),
     ('"0"', False), ("", False)],
)  # fmt: skip
def test_yes_and_no(typed, means, monkeypatch):
    monkeypatch.setenv("X", typed)
    assert is_on("X") is means


def test_a_home_is_a_home(monkeypatch):
    monkeypatch.setenv("X", '"~/answers.sqlite"')
    assert Path(path_setting("X")) == Path.home() / "answers.sqlite"


READERS = {"environ.get", "getenv", "environ.copy"}
OWN = {  # what a process sets for others, or passes on whole
    "settings.py", "workshop/editions.py",
}  # fmt: skip


def test_variables_are_read_in_one_place():
    """In the rest of the project, `os.environ` is only written."""
    for file in HELPERS.rglob("*.py"):
        place = file.relative_to(HELPERS).as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            text = ast.unparse(node) if isinstance(node, ast.Call) else ""
            reads = any(f"os.{reader}(" in text for reader in READERS)
            assert place in OWN or not reads, f"{place}: {text}"

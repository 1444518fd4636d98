"""How an exercise is checked: what is wrong is said, not only that it is.

Vocabulary: an *exercise* is a cell of a notebook with `# your code here` in it; what is
written there is the *answer*, a value or a function. A *check* looks at answers; it is
*unsolved* as long as they are `...` or give None.

A check prints its verdict, so that a notebook without answers runs from top to bottom.
While nbgrader runs it (NBGRADER_EXECUTION is set), it raises instead, which is what
nbgrader counts.

Covers: the verdicts. Does not cover: what is right (one module a notebook).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from numbers import Real
from typing import Any

from helpers.settings import setting

has_answered = ContextVar("has_answered", default=False)  # in this check


class Unsolved(Exception):
    """There is no answer yet."""


class Wrong(Exception):
    """The answer is wrong; the message says what is wrong with it."""


def expect(holds: bool, message: str) -> None:
    """Raise Wrong with the message unless something holds."""
    if not holds:
        raise Wrong(message)


def plain(value: Any) -> Any:
    """NumPy's arrays and numbers as lists and numbers of Python; all else as it is."""
    return value.tolist() if hasattr(value, "tolist") else value


def given(answer: Any) -> Any:
    """The answer in plain Python, unless it is still open: `...` or None."""
    if answer is None or answer is ...:
        raise Unsolved
    return plain(answer)


def call(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What a reader's function gives; what it raises is told with the arguments.

    A function that gives nothing, or is not implemented, is unsolved; once this check
    has had an answer, it is wrong.
    """
    shown = [*map(short, arguments), *(f"{k}={short(v)}" for k, v in named.items())]
    name = getattr(function, "__name__", "your function")
    told = f"{name}({', '.join(shown)})"
    try:
        found = given(function)(*arguments, **named)
    except NotImplementedError:
        found = None
    except Wrong:  # of a stand-in that knows what is wrong
        raise
    except Exception as error:
        raise Wrong(f"{told} raises {type(error).__name__}: {error}") from error
    if found is None and has_answered.get():
        raise Wrong(f"{told} gives None: is a `return` missing, or a part to write?")
    has_answered.set(found is not None)
    return given(found)


def is_number(value: Any) -> bool:
    """A number that can be computed with: neither True nor False, nan nor too large."""
    value = plain(value)
    return isinstance(value, Real) and type(value) is not bool and abs(value) < 1e300


def are_numbers(value: Any, n: int) -> bool:
    """Are these n numbers, side by side in a tuple, a list or an array?"""
    value = plain(value)
    fits = isinstance(value, tuple | list) and len(value) == n
    return fits and all(map(is_number, value))


def near(a: float, b: float, within: float = 1e-6) -> bool:
    """Are two numbers the same, but for rounding?"""
    return abs(a - b) < within


def short(value: Any, most: int = 60) -> str:
    """A value as code, cut if it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= most else text[: most - 3] + "..."


def exercise(check: Callable[..., None]) -> Callable[..., None]:
    """A check that tells its verdict; `check` raises Unsolved or Wrong, or returns."""
    number = check.__name__.removeprefix("exercise_").replace("_", ".").upper()
    name = f"Exercise {number}"

    @functools.wraps(check)
    def told(*answers: Any) -> None:
        has_answered.set(False)
        try:
            check(*map(given, answers))
            verdict, passed = "right.", True
        except Unsolved:
            verdict, passed = "not solved yet.", False
        except Wrong as error:
            verdict, passed = f"not yet right. {error}", False
        if not passed and setting("NBGRADER_EXECUTION"):
            raise AssertionError(f"{name}: {verdict}")
        print(f"{name}: {verdict}")

    return told

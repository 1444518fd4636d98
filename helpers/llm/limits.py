"""What an argument may be: one table, one way to check, for this room and all above.

Vocabulary: a *limit* is the type of an argument, its lowest and its highest value (of a
text, the length), and what to type instead. A *count* is a whole number from 1.
"""

from math import inf
from numbers import Integral, Real
from typing import Any

COUNTS = (
    *("n", "k", "branching", "paths", "simulations", "lookahead", "rollouts"),
    *("epochs", "rounds", "problems", "most", "batch", "batches", "patience"),
)
LIMITS = {  # argument: (type, lowest, highest, what to type)
    "model": (str, 1, 999, 'a name such as "abacus" or "llama3.2"'),
    "prompt": (str, 1, 10**9, 'some text, if only "\\n"'),  # none: nothing generated
    "stop": (str, 1, 999, 'some text, such as "\\n"'),  # none: steps end at once
    "top_k": (Integral, 0, 10**9, "a whole number from 1, or 0 for all tokens"),
    "num_ctx": (Integral, 2, 10**9, "a whole number from 2"),
    "seed": (Integral, 0, 2**31 - 1, "a whole number from 0 to 2**31 - 1"),
    "temperature": (Real, 0, 10**9, "a number from 0"),
    "top_p": (Real, 1e-9, 1, "a number above 0 and up to 1"),
    "min_p": (Real, 0, 1, "a number from 0 to 1"),
    "repeat_penalty": (Real, 1e-9, 10**9, "a number above 0; 1.0 is off"),
    "timeout": (Real, 1e-9, 10**9, "a number of seconds above 0"),
    **dict.fromkeys(COUNTS, (Integral, 1, inf, "a whole number from 1")),
}


def check_limits(**arguments: Any) -> None:
    """Raise a ValueError for the first argument outside its `LIMITS`."""
    for name, value in arguments.items():
        kind, low, high, advice = LIMITS[name]
        size = len(value) if isinstance(value, str) else value
        if not isinstance(value, kind) or not low <= size <= high:
            raise ValueError(f"{name}={value!r}: type {advice}")


def check_given(**arguments: Any) -> None:
    """Check only the arguments that were given; None means left out."""
    check_limits(
        **{name: value for name, value in arguments.items() if value is not None}
    )

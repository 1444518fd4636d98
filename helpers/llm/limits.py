"""What an argument may be: one table, one way to check, for this room and all above.

Vocabulary: a *limit* is the type of an argument, its lowest and its highest value (of a
text, the length), and what to type instead. A *count* is a whole number from 1. An
*option* is what goes to a server with a request; servers check none of them.
"""

from collections.abc import Iterable, Mapping
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
    "num_predict": (Integral, 1, inf, "a whole number from 1, or -1 for no limit"),
    "seed": (Integral, 0, 2**31 - 1, "a whole number from 0 to 2**31 - 1"),
    "temperature": (Real, 0, 10**9, "a number from 0"),
    "top_p": (Real, 1e-9, 1, "a number above 0 and up to 1"),
    "min_p": (Real, 0, 1, "a number from 0 to 1"),
    "repeat_penalty": (Real, 1e-9, 10**9, "a number above 0; 1.0 is off"),
    "top_logprobs": (Integral, 0, 20, "a whole number from 0 to 20"),
    "timeout": (Real, 1e-9, 10**9, "a number of seconds above 0"),
    **dict.fromkeys(COUNTS, (Integral, 1, inf, "a whole number from 1")),
}

FRACTIONS = {name for name, (kind, *_) in LIMITS.items() if kind is Real}
OPTIONS = {  # of Ollama, those for the computer and the older filters included
    *("temperature", "top_k", "top_p", "min_p", "typical_p", "seed", "stop"),
    *("num_ctx", "num_predict", "num_keep", "repeat_last_n", "repeat_penalty"),
    *("presence_penalty", "frequency_penalty", "num_batch", "num_gpu", "main_gpu"),
    *("num_thread", "use_mmap", "draft_num_predict"),
}


def check_limits(**arguments: Any) -> None:
    """Raise a ValueError for the first argument outside its `LIMITS`."""
    for name, value in arguments.items():
        kind, low, high, advice = LIMITS[name]
        size = len(value) if isinstance(value, str) else value
        is_kind = isinstance(value, kind) and not isinstance(value, bool)
        if not is_kind or not low <= size <= high:
            raise ValueError(f"{name}={value!r}: type {advice}")
        if isinstance(value, str):
            check_whole(name, value)


def check_given(**arguments: Any) -> None:
    """Check only the arguments that were given; None means left out."""
    check_limits(
        **{name: value for name, value in arguments.items() if value is not None}
    )


def check_whole(name: str, text: str) -> None:
    """Raise a ValueError for a text that holds half a character, which is sent to no
    model and kept in no file."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"{text[error.start]!a} at {error.start}"
        raise ValueError(
            f"{name} holds half a character, {half}: it was cut within it, or read in "
            'another encoding. Read it with encoding="utf-8"'
        ) from None


def stops_of(stop: str | Iterable[str]) -> list[str]:
    """One stop string or several, as a list. Raises a ValueError for none."""
    several = isinstance(stop, Iterable) and not isinstance(stop, str)
    stops = list(stop) if several else [stop]
    if not stops:
        raise ValueError(f"stop={stop!r}: type {LIMITS['stop'][3]}")
    for each in stops:
        check_limits(stop=each)
    return stops


def check_options(options: Mapping[str, Any]) -> None:
    """Raise a ValueError for an option that servers would misunderstand or ignore."""
    for name, value in options.items():
        if name not in OPTIONS:
            known = ", ".join(sorted(OPTIONS))
            raise ValueError(f"There is no option {name!r}. Type one of: {known}")
        if name == "stop" and value != []:
            stops_of(value)
        elif name in LIMITS and name != "stop" and (name, value) != ("num_predict", -1):
            check_limits(**{name: value})

"""Provenance: what must be known of a run so that it can be repeated.

Vocabulary: a *description* is what stands in a configuration for a function, a model or
an object: plain JSON. Two that differ in what they do should have different ones; a
*digest* (a hash) stands for many numbers.

Covers: strategies with their parameters, scorers with their weights, models as their
server names them. Does not cover: code. A function is described by its name alone.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import partial
from typing import Any

import numpy as np


def describe(value: Any) -> Any:
    """A description of a strategy, a scorer, or a part of one."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case np.generic():
            return value.item()
        case np.ndarray():
            return hashlib.sha256(value.tobytes()).hexdigest()[:16]
        case Mapping():
            return {str(name): describe(part) for name, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [describe(part) for part in value]
        case partial(func=function, args=args, keywords=keywords):
            given = {"given": describe(args)} if args else {}
            return {"name": name_of(function), **given, **describe(keywords)}
    if hasattr(value, "connection"):  # an LLMGen
        return {**describe_model(value), "options": describe(value.connection.options)}
    if callable(value) and hasattr(value, "__self__"):
        return {"name": name_of(value), "of": describe(value.__self__)}
    parts = {} if isinstance(value, type) else getattr(value, "__dict__", {})
    if not hasattr(value, "__qualname__") and (parts or is_dataclass(value)):
        return {"name": name_of(type(value)), **describe(parts)}
    return name_of(value)


def name_of(value: Any) -> str:
    """The name of a function, or of the class of an object."""
    return getattr(value, "__qualname__", None) or type(value).__qualname__


def describe_model(llm: Any) -> dict[str, Any]:
    """Which model it is: name, digest, quantisation, and the server's version."""
    connection = getattr(llm, "connection", None)
    return connection.provenance() if connection else {"name": name_of(llm)}

"""Provenance: what must be known of a run so that it can be repeated.

Vocabulary: a *description* is what stands in a configuration for a function, a model or
an object: plain JSON, the same in every process. A *digest* (a hash) stands for many
numbers. What an object remembers between calls (`known`) does not describe it.

Covers: strategies with their parameters, scorers with their weights, models as their
server names them. Does not cover: code. A function is described by its name, so one
without a name, a lambda, is refused.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from math import isfinite
from types import ModuleType
from typing import Any

import numpy as np

REMEMBERED = {"known"}  # caches, in the scorers of this project


def describe(value: Any) -> Any:
    """A description of a strategy, a scorer, or a part of one.

    Raises ValueError for a lambda.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if isfinite(value) else str(value)  # JSON has no infinity
        case np.generic():
            return describe(value.item())
        case np.ndarray():
            facts = f"{value.dtype} {value.shape} ".encode()
            return hashlib.sha256(facts + value.tobytes()).hexdigest()[:16]
        case Mapping():
            return {str(name): describe(part) for name, part in value.items()}
        case list() | tuple():
            return [describe(part) for part in value]
        case set() | frozenset():
            return sorted((describe(part) for part in value), key=repr)
        case partial(func=function, args=args, keywords=keywords):
            given = {"given": describe(args)} if args else {}
            return {**as_mapping(describe(function)), **given, **describe(keywords)}
    if hasattr(value, "connection"):  # an LLMGen
        return {**describe_model(value), "options": describe(options_of(value))}
    owner = getattr(value, "__self__", None)
    if callable(value) and owner is not None and not isinstance(owner, ModuleType):
        return {"name": name_of(value), "of": describe(owner)}
    if hasattr(value, "__qualname__"):
        return name_of(value)
    if is_dataclass(value):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
    else:
        parts = getattr(value, "__dict__", {})
    parts = {name: part for name, part in parts.items() if name not in REMEMBERED}
    if not parts and not callable(value):
        return repr(value)
    return {"name": name_of(value), **({"with": describe(parts)} if parts else {})}


def as_mapping(description: Any) -> dict[str, Any]:
    """A description to which parameters can be added."""
    return description if isinstance(description, dict) else {"name": description}


def name_of(value: Any) -> str:
    """The name of a function, or of the class of an object."""
    name = getattr(value, "__qualname__", None) or type(value).__qualname__
    if "<lambda>" in name:
        raise ValueError("A lambda has no name to record. Write it as a function: def.")
    return name


def model_of(llm: Any) -> Any:
    """The model itself, within whatever shares its samples."""
    while hasattr(llm, "llm"):
        llm = llm.llm
    return llm


def options_of(llm: Any) -> dict[str, Any] | None:
    """The options of a model; None where it has no connection."""
    connection = getattr(model_of(llm), "connection", None)
    return describe(connection.options) if connection else None


def describe_model(llm: Any) -> dict[str, Any]:
    """Which model it is: name, digest, quantisation, and the server's version."""
    connection = getattr(model_of(llm), "connection", None)
    return connection.provenance() if connection else {"name": name_of(model_of(llm))}

"""Whether each key of a JSON value holds the kind of value that goes by that name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

KIND_NAMES = {dict: "an object", list: "an array", str: "a string"}
OBJECTS = "objects"


def misshapen(value: Any, kinds: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Every key whose value is of another kind, each with its JSON pointer.

    `kinds` gives dict, list or str for a key, or OBJECTS for an array of objects.
    """
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from misshapen(item, kinds, f"{at}/{i}")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _of_key(inner, kinds.get(key), f"{at}/{key}")
            yield from misshapen(inner, kinds, f"{at}/{key}")


def _of_key(value: Any, kind: Any, at: str) -> Iterator[str]:
    if kind is None:
        return
    if kind == OBJECTS:
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            yield f"must be an array of objects [json-pointer:{at}]"
    elif not isinstance(value, kind):
        yield f"must be {KIND_NAMES[kind]} [json-pointer:{at}]"

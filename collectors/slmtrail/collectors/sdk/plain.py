"""JSON of whatever a caller hands over: what has no place in it is named by its type, never asked for its text."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import orjson

MAX_DEPTH = 48
MAX_VALUES = 100_000
MAX_INTEGER = 2**53 - 1
SMALLER = ((65_536, MAX_VALUES), (4_096, MAX_VALUES), (256, MAX_VALUES), (256, 1_000), (64, 10), (64, 1))
"""How long a text, and how many values, where the whole is too long: the first that makes it fit."""

_SHORT = (str, int, float, bool, type(None))


def dumps(value: Any, max_bytes: int) -> bytes:
    """`value` as JSON of at most `max_bytes`. Raises ValueError where not even little of it fits."""
    try:
        text = orjson.dumps(value, default=_of_type)
        if len(text) <= max_bytes:
            return text
    except Exception:  # noqa: S110 - cycles, lone surrogates, objects that refuse: the careful way takes them
        pass
    for longest, most in ((max_bytes, MAX_VALUES), *SMALLER):
        text = _encoded(_Walk(longest, most).of(value, MAX_DEPTH))
        if len(text) <= max_bytes:
            return text
    raise ValueError(f"over {max_bytes} bytes")


def loads(text: bytes) -> Any:
    """The value in JSON text, also with lone surrogates. Raises ValueError where there is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def ordered(plain: Any) -> bytes:
    """JSON of a plain value with sorted keys: the same for the same."""
    try:
        return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return json.dumps(plain, sort_keys=True).encode()


def _encoded(plain: Any) -> bytes:
    try:
        return orjson.dumps(plain)
    except TypeError:  # lone surrogates, which the collector replaces and flags
        return json.dumps(plain).encode()


class _Walk:
    """A copy of plain values, as far as depth and number allow."""

    def __init__(self, longest: int, most: int) -> None:
        self._longest = longest
        self._left = most

    def of(self, value: Any, depth: int) -> Any:
        """`value`, or the name of its type where it can't be read."""
        self._left -= 1
        if self._left < 0 or depth < 0:
            return "[left out: too deep or too much]"
        try:
            return self._of(value, depth)
        except Exception:
            return _named(value)

    def _of(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            if len(value) > self._longest:
                return f"{value[: self._longest]} [cut: {len(value)} characters]"
            return str.__str__(value)
        if isinstance(value, int):
            return int(value) if abs(value) <= MAX_INTEGER else str(int(value))
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else None
        if isinstance(value, Mapping):
            # What is short goes first: where it is too much, that is left out which makes it so.
            items = sorted(value.items(), key=lambda pair: type(pair[1]) not in _SHORT)
            return {self._key(key): self.of(item, depth - 1) for key, item in items if self._left >= 0}
        if isinstance(value, list | tuple):
            return [self.of(item, depth - 1) for item in value if self._left >= 0]
        # Alone: times, enumerations and the like are known there, and what else it holds is read once more in here.
        return self.of(loads(orjson.dumps(value, default=_of_type, option=orjson.OPT_NON_STR_KEYS)), depth - 1)

    def _key(self, key: Any) -> str:
        return key[: self._longest] if isinstance(key, str) else str(self.of(key, 0))


def _of_type(value: Any) -> Any:
    """What stands for an object that JSON does not know."""
    for kind, made in _MADE.items():
        if isinstance(value, kind):
            return made(value)
    # Asked of the class: an object that answers to any name does not say that it has these.
    if hasattr(type(value), "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(type(value), "__fspath__"):
        return os.fspath(value)
    if type(value).__module__ in ("decimal", "fractions"):
        return float(value)
    if type(value).__module__ == "numpy" and value.size <= MAX_VALUES:
        return value.tolist()
    return _named(value)


def _named(value: Any) -> str:
    return f"[{type(value).__qualname__}]"


def _bytes(value: bytes | bytearray | memoryview) -> Any:
    data = bytes(value)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


_MADE: dict[Any, Callable[[Any], Any]] = {
    Mapping: dict,
    (set, frozenset, deque): list,
    (bytes, bytearray, memoryview): _bytes,
}

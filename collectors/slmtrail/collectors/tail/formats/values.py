"""What stands in foreign fields, as the types of events; None where it is missing or something else.

Other systems' logs are loose with types (a count as text, a dash for nothing), and a field that can't be used is
no reason to lose the event.
"""

from __future__ import annotations

import ipaddress
from typing import Any

import orjson

from slmtrail.core import canonical
from slmtrail.core.errors import EventError

_NOTHING = {"", "-", "null", "None"}


def dig(value: Any, *path: str) -> Any:
    """What stands under `path` in nested objects."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def word(value: Any) -> str | None:
    """A short text; numbers are taken as their text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return value[:1024] if isinstance(value, str) and value not in _NOTHING else None


def words(value: Any) -> list[str] | None:
    """Short texts, from a list or from one."""
    found = [text for item in (value if isinstance(value, list) else [value]) if (text := word(item))]
    return found[:256] or None


def number(value: Any) -> float | int | None:
    """A decimal within an event's bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return canonical.decimal(value if isinstance(value, int) else float(value), "it")
    except (ValueError, OverflowError, EventError):
        return None


def integer(value: Any) -> int | None:
    """A whole number; a part behind the point is rounded away."""
    found = number(value)
    return None if found is None else round(found)


def epoch_ms(seconds: Any) -> int | str | None:
    """A time given as seconds since 1970, or as the text that it is."""
    if isinstance(seconds, str) and number(seconds) is None:
        return word(seconds)
    found = number(seconds)
    return None if found is None else round(found * 1000)


def address(value: Any) -> str | None:
    """An IP address, where the whole of it is given; a port behind it is left out."""
    text = word(value)
    if not text:
        return None
    bare = text[1:].partition("]")[0] if text.startswith("[") else text
    for given in (bare, bare.rpartition(":")[0]):
        try:
            return str(ipaddress.ip_address(given))
        except ValueError:
            continue
    return None


def embedded(value: Any) -> Any:
    """A value that may be carried as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def labels(**given: Any) -> dict[str, str] | None:
    """Labels of those that are there."""
    return {name: text for name, value in given.items() if (text := word(value))} or None


def known(event: dict[str, Any]) -> dict[str, Any]:
    """The fields that are there."""
    return {name: value for name, value in event.items() if value is not None}

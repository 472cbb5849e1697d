"""What attributes say: the fields understood so far, and the attributes that no vocabulary has understood yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.collectors.tail.formats.values import embedded

MAX_SEGMENTS = 16
MAX_DEPTH = 32


class Told:
    """The attributes of one span or log record, while vocabularies turn them into fields."""

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self.rest: dict[str, Any] = dict(attributes)
        self.fields: dict[str, Any] = {}

    def adopt(self, names: frozenset[str]) -> None:
        """Takes the attributes that are called as our fields are."""
        for name in names & self.rest.keys():
            if self.give(name, self.rest[name]):
                del self.rest[name]

    def take(self, name: str) -> Any:
        """The value of an attribute, which is then understood; None where it is not given."""
        return self.rest.pop(name, None)

    def give(self, field: str, value: Any) -> bool:
        """Sets a field that nothing said so far; whether it holds `value` now."""
        if value is None or value in ("", [], {}):
            return False
        return bool(self.fields.setdefault(field, value) == value)

    def rename(self, names: Mapping[str, str]) -> None:
        """Takes attributes as the fields they name. One that contradicts what was said before stays an attribute."""
        for name, field in names.items():
            if name in self.rest and self.give(field, self.rest[name]):
                del self.rest[name]

    def items(self, prefix: str) -> list[Any]:
        """Takes attributes named `<prefix>.<number>.<more>`: what they hold, as nested values in order."""
        start = f"{prefix}."
        names = [name for name in self.rest if name.startswith(start) and name[len(start) : len(start) + 1].isdecimal()]
        if not names:
            return []
        tree: dict[str, Any] = {}
        for name in names:
            level = tree
            *path, last = name[len(start) :].split(".", MAX_SEGMENTS)
            for segment in path:
                below = level.setdefault(segment, {})
                if not isinstance(below, dict):  # given as a value and as a folder of values
                    below = level[segment] = {"value": below}
                level = below
            level[last] = {**level[last], "value": self.rest.pop(name)} if last in level else self.rest.pop(name)
        grown = _grown(tree)
        return grown if isinstance(grown, list) else [grown]


def _grown(value: Any) -> Any:
    """Nested values with a list wherever all names are numbers."""
    if not isinstance(value, dict):
        return value
    grown = {name: _grown(item) for name, item in value.items()}
    if grown and all(name.isascii() and name.isdigit() and len(name) < 10 for name in grown):
        return [grown[name] for name in sorted(grown, key=int)]
    return grown


def opened(value: Any) -> Any:
    """What the JSON text in `value` says; text that is none, or that is nested too deep for an event, as it is."""
    if not isinstance(value, str):
        return value
    found = embedded(value)
    deep = value.count("[") + value.count("{") > MAX_DEPTH and not _is_shallow(found, MAX_DEPTH)
    return value if deep else found


def _is_shallow(value: Any, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    items = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(_is_shallow(item, depth - 1) for item in items)

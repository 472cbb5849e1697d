"""The searchable text of a record: every string in its content fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from slmtrail.core.fields import FIELDS, WORDED
from slmtrail.indexer.store.words import words

MESSAGE_TEXT = ("name",)
PART_TEXT = ("content", "name", "arguments", "result", "uri", "extra")
"""What is searched in a message and in each of its parts."""

_DEPTH = 16
_LABELS = frozenset(name for name in WORDED if FIELDS[name].type == "labels")
_MESSAGES = frozenset(name for name in WORDED if FIELDS[name].type == "messages")


BOUNDARY = "\u2029"
"""Stands between two strings in `searched`: a word of no text, so that no phrase reaches across."""


def searched(record: dict[str, Any]) -> str:
    """The words of all strings of `record`, with blanks between."""
    return f" {BOUNDARY} ".join(" ".join(words(text)) for text in strings(record))


def strings(record: dict[str, Any]) -> Iterator[str]:
    """All that is searched in `record`, string by string."""
    for text in _plain(record):
        yield text
        yield from _unescaped(text, _DEPTH)
    yield from _labels(record)


def supplement(record: dict[str, Any]) -> list[str]:
    """The part of `strings` that does not stand in the record as it is: words behind the escapes of JSON
    inside of a string (`\\n` would glue its n to the next word), and the labels."""
    unescaped = [inner for text in _plain(record) if "\\" in text for inner in _unescaped(text, _DEPTH)]
    return [*unescaped, *_labels(record)]


def _plain(record: dict[str, Any]) -> Iterator[str]:
    # In an order that does not depend on how the record was built: the index of words holds positions.
    for name in sorted(WORDED & record.keys()):
        value = record[name]
        if name in _MESSAGES:
            yield from _message_strings(value)
        elif name not in _LABELS:
            yield from _of(value)


def _labels(record: dict[str, Any]) -> Iterator[str]:
    for name in sorted(_LABELS & record.keys()):
        if isinstance(record[name], dict):
            for _, value in sorted(record[name].items()):
                yield from _of(value)


def _message_strings(messages: Any) -> Iterator[str]:
    for message in _dicts(messages):
        for name in MESSAGE_TEXT:
            yield from _of(message.get(name))
        for part in _dicts(message.get("parts")):
            for name in PART_TEXT:
                yield from _of(part.get(name))


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))


def _unescaped(text: str, depth: int) -> Iterator[str]:
    if depth == 0 or "\\" not in text or text.lstrip()[:1] not in ("{", "[", '"'):
        return
    try:
        pending = [orjson.loads(text)]
    except orjson.JSONDecodeError:
        return
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield value
            yield from _unescaped(value, depth - 1)
        elif isinstance(value, dict):
            pending += [*value.values(), *value]
        elif isinstance(value, list):
            pending += value

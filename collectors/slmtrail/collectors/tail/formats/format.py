"""What a format does: entries in, canonical lines out, and for each bad entry why it was refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from slmtrail.core import canonical, events
from slmtrail.core.errors import EventError


@dataclass(slots=True)
class Taken:
    """The lines that entries became, and the indexes of those that became none."""

    lines: list[bytes] = field(default_factory=list)
    refused: list[tuple[int, EventError]] = field(default_factory=list)


class Format(Protocol):
    """A way to read entries."""

    def events(self, entries: list[bytes], now_ms: int) -> Taken:
        """The events in `entries`; `now_ms` is the time of those that tell none. Blank entries are passed over."""
        ...


class EachEntry:
    """A format that reads entries one by one, each into one or more events: all of them or, with a reason, none."""

    def __init__(self, read: Callable[[bytes], list[dict[str, Any]]], max_event_bytes: int) -> None:
        self._read = read
        self._max_event_bytes = max_event_bytes

    def events(self, entries: list[bytes], now_ms: int) -> Taken:
        """As `Format` says."""
        taken = Taken()
        for index, entry in enumerate(entries):
            if not entry or entry.isspace():
                continue
            try:
                taken.lines += [self._line(event, now_ms) for event in self._read(entry)]
            except EventError as error:
                taken.refused.append((index, error))
        return taken

    def _line(self, event: dict[str, Any], now_ms: int) -> bytes:
        line = canonical.dumps(events.parse(event, now_ms))
        if len(line) > self._max_event_bytes:
            raise EventError(f"the event is {len(line)} bytes, over {self._max_event_bytes}", "oversized")
        return line


def json_object(entry: bytes) -> dict[str, Any]:
    """The JSON object in an entry. Raises EventError where it is none."""
    value = events.load(entry)
    if not isinstance(value, dict):
        raise EventError("should be a JSON object, this is something else", "not_an_object")
    return value

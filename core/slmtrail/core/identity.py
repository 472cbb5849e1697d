"""Where a record comes from, and the id that follows from it.

A collector's frame holds events 1, 2, 3, …; index 0 is the frame itself (a gap before it, a start, a
close). What the stream derives from one of these has parts 1, 2, … after its part 0. So identity needs
no counter and no memory: the same frame gives the same ids anywhere, at any time.
"""

from __future__ import annotations

import hashlib
from operator import itemgetter
from typing import Any, NamedTuple

REPLAYED = "slm.replayed"
"""Marks a record that a replay brought: it stands behind its collector's others, and is sealed once by its id."""


class Position(NamedTuple):
    """The order of a boot's records."""

    frame: int
    index: int  # type: ignore[assignment]  # a tuple's own `index` is never asked for
    part: int


_END = 2**63
"""Behind every number that is kept."""


_origin = itemgetter(
    "event.id",
    "slm.collector.id",
    "slm.collector.boot",
    "slm.collector.frame",
    "slm.collector.index",
    "slm.collector.part",
)


def record_id(collector: str, boot: str, position: Position) -> str:
    """The event.id of a record: 32 hex digits."""
    text = f"slmtrail record v1\n{collector}\n{boot}\n{position.frame}\n{position.index}\n{position.part}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def identified(event: dict[str, Any], collector: str, boot: str, position: Position) -> dict[str, Any]:
    """`event` with its id and origin."""
    return {
        **event,
        "event.id": record_id(collector, boot, position),
        "slm.collector.id": collector,
        "slm.collector.boot": boot,
        "slm.collector.frame": position.frame,
        "slm.collector.index": position.index,
        "slm.collector.part": position.part,
    }


def origin(record: dict[str, Any]) -> tuple[str, str, Position]:
    """The collector, boot and position that `identified` wrote. Raises KeyError or TypeError where these are not there,
    or are not of the kind that it writes."""
    name, collector, boot, frame, index, part = _origin(record)
    if not type(name) is type(collector) is type(boot) is str:
        raise TypeError("a name is no text")
    if not type(frame) is type(index) is type(part) is int:
        raise TypeError("a place is no number")
    if not (0 <= frame < _END and 0 <= index < _END and 0 <= part < _END):
        raise TypeError("a place is beyond every number")
    return collector, boot, Position(frame, index, part)

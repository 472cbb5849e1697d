"""How far a source was read, and how it is known again: by its inode, and by digests of bytes that were read.

A name says nothing after a rotation, and an inode little: a new file soon gets the number of a deleted one. So
a mark keeps digests, never the bytes: of the file's beginning, and of what stood before each of its last places.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import orjson

POINT_BYTES = 1024
POINTS = 8

ReadAt = Callable[[int, int], bytes]
"""`read_at(offset, count)`: those bytes of a file, fewer at its end."""


@dataclass(frozen=True, slots=True)
class Point:
    """The digest of the bytes before a place; at most POINT_BYTES of them."""

    at: int
    digest: str

    @classmethod
    def of(cls, read_at: ReadAt, at: int) -> Point:
        """The point at `at` of a file."""
        start = max(0, at - POINT_BYTES)
        return cls(at, hashlib.sha256(read_at(start, at - start)).hexdigest()[:32])

    def fits(self, read_at: ReadAt) -> bool:
        """Whether the file holds the same bytes there."""
        return Point.of(read_at, self.at) == self


@dataclass(frozen=True, slots=True)
class Mark:
    """A source's place. `packed` is size and time of a compressed file, `ended` that it was read to its end."""

    source: str
    path: str
    device: int
    inode: int
    offset: int = 0
    line: int = 0
    skipping: bool = False
    points: tuple[Point, ...] = ()
    packed: tuple[int, int] | None = None
    ended: bool = False

    def fits(self, read_at: ReadAt, size: int) -> bool:
        """Whether a file holds what was read up to this mark."""
        if not self.offset:
            return True
        known = {*self.points[:1], *self.points[-1:]}
        return size >= self.offset and bool(known) and all(point.fits(read_at) for point in known)

    def covers(self, read_at: ReadAt, size: int) -> bool:
        """Whether a shorter file is a copy of a part of what was read."""
        within = [point for point in self.points if point.at <= size]
        return size < self.offset and len(within) > 1 and all(point.fits(read_at) for point in (within[0], within[-1]))

    def with_point(self, read_at: ReadAt) -> tuple[Point, ...]:
        """The points after reading up to `offset`: the beginning, and the last few places."""
        if not self.offset:
            return ()
        points = list(self.points)
        head = min(self.offset, POINT_BYTES)
        if not points or points[0].at < head:
            points[:1] = [Point.of(read_at, head)]
        if points[-1].at != self.offset:
            points.append(Point.of(read_at, self.offset))
        return (points[0], *points[1:][-POINTS:])

    def to_bytes(self) -> bytes:
        """The mark as it is kept."""
        return orjson.dumps(asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Mark:
        """The mark in `data`, which `to_bytes` made."""
        given: dict[str, Any] = orjson.loads(data)
        given.pop("seen_ms", None)  # earlier versions wrote it
        given["points"] = tuple(Point(**point) for point in given["points"])
        given["packed"] = tuple(given["packed"]) if given["packed"] else None
        return cls(**given)

"""What the proxy and its parsing process say to each other: batches, facts in JSON and the bytes they tell of.

The proxy first says where it stands; then it sends batches of exchanges that have ended. The answer to each batch, in
order, is the lines of their events, of which one exchange may have several, and what those have used that are counted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

_HEAD = struct.Struct(">II")
"""Lengths of the JSON and of the bytes behind it."""


class Facts(NamedTuple):
    """What the proxy knows of an exchange; the bytes of its request and its answer follow in the batch."""

    number: int
    at_ms: int
    latency_ms: int
    status: int
    error: str
    source_ip: str
    request_bytes: int
    response_bytes: int
    request_cut: bool
    response_cut: bool
    head_bytes: int
    """Of the request's head, 0 where there was none that could be read."""
    framing: str
    asked_bytes: int
    """Of the request that are here."""
    head_start: int
    body_start: int
    """Where in what was answered the final head and the body begin; 0 while there was none."""
    answer_framing: str
    pieces_bytes: list[int]
    """Of the answer as it came."""
    pieces_us: list[int]
    """When each came, since the exchange began."""
    certificate: str = ""
    """The subject of the client's, if it proved to hold one."""
    guarded: dict[str, Any] | None = None
    """Who asked and what was decided, where there is a guard."""


Row = tuple[int | str | bool | list[int] | dict[str, Any] | None, ...]
"""Facts as they are packed."""


def pack(facts: Any, parts: Iterable[bytes]) -> bytes:
    """A batch."""
    told, payload = orjson.dumps(facts), b"".join(parts)
    return b"".join((_HEAD.pack(len(told), len(payload)), told, payload))


class Reader:
    """Cuts a stream of bytes into batches."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Any, bytes]]:
        """The batches that `data` completes: facts and bytes."""
        self._data += data
        while len(self._data) >= _HEAD.size:
            told_bytes, payload_bytes = _HEAD.unpack_from(self._data)
            start = _HEAD.size + told_bytes
            end = start + payload_bytes
            if len(self._data) < end:
                return
            told, payload = orjson.loads(self._data[_HEAD.size : start]), bytes(self._data[start:end])
            del self._data[:end]
            yield told, payload

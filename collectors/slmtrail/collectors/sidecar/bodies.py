"""Where a body ends. A body takes the bytes of its message and leaves those of the next."""

from __future__ import annotations

import re
from typing import Protocol

from slmtrail.collectors.sidecar.heads import BadMessage, Framing, check_trailers

MAX_SIZE_LINE_BYTES = 512
MAX_TRAILER_BYTES = 16 * 1024
MAX_EMPTY_BYTES = 1024 * 1024
"""Of chunk extensions in one body: they carry nothing here and would be read for nothing."""

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,12})(;[\t\x20-\x7e\x80-\xff]*)?\r\n")


class Body(Protocol):
    """A body in one framing."""

    done: bool

    def feed(self, data: bytes, start: int, into: list[bytes] | None = None) -> int:
        """Takes `data` from `start`; returns where the message ends in it, else its length.

        What is content, without framing, is added to `into`. Raises BadMessage where the framing is broken.
        """


def begin(
    framing: Framing, length: int, data: bytes, start: int, into: list[bytes] | None = None
) -> tuple[Body | None, int]:
    """The body that a head announced, given what of it stands in `data` from `start`; None where that is all of it.

    With it, where the message ends in `data`, else its length.
    """
    if framing == "none":
        return None, start
    if framing == "length" and start + length <= len(data):
        if into is not None:
            into.append(data[start : start + length])
        return None, start + length
    body = Chunked() if framing == "chunked" else Plain(-1 if framing == "close" else length)
    stop = body.feed(data, start, into)
    return (None if body.done else body), stop


class Plain:
    """A body of known length, or (-1) one that lasts until its connection closes."""

    __slots__ = ("_left", "done")

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0

    def feed(self, data: bytes, start: int, into: list[bytes] | None = None) -> int:
        """As Body says."""
        end = len(data)
        if self._left >= 0:
            end = min(end, start + self._left)
            self._left -= end - start
            self.done = self._left == 0
        if into is not None and end > start:
            into.append(data[start:end])
        return end


class Chunked:
    """A body in chunks, with its trailers."""

    __slots__ = ("_extensions", "_left", "_partial", "_trailers", "done")

    def __init__(self) -> None:
        self._left = 0  # of the chunk at hand, with the line end behind it
        self._partial = b""  # of a size line or the trailers, as far as they have come
        self._trailers = False
        self._extensions = 0
        self.done = False

    def feed(self, data: bytes, start: int, into: list[bytes] | None = None) -> int:
        """As Body says."""
        end = len(data)
        while start < end and not self.done:
            if self._left:
                start = self._chunk(data, start, end, into)
            elif self._trailers:
                start = self._trailer(data, start)
            elif self._partial:
                start = self._size(data, start)
            else:
                start = self._whole(data, start, end, into)
        return start

    @property
    def between(self) -> bool:
        """Whether what was fed ended with a chunk's end, before the trailers."""
        return not (self._left or self._partial or self._trailers)

    def _whole(self, data: bytes, start: int, end: int, into: list[bytes] | None) -> int:
        """A chunk that stands in `data` from its size to its end, as most do; others are taken in steps."""
        match = _SIZE_LINE.match(data, start)
        if match is None or match[2]:
            return self._size(data, start)
        size, begin = int(match[1], 16), match.end()
        stop = begin + size
        if not size or stop + 2 > end:
            return self._size(data, start)
        if data[stop : stop + 2] != b"\r\n":
            raise BadMessage("malformed_chunk")
        if into is not None:
            into.append(data[begin:stop])
        return stop + 2

    def _chunk(self, data: bytes, start: int, end: int, into: list[bytes] | None) -> int:
        if self._left > 2:
            stop = min(end, start + self._left - 2)
            self._left -= stop - start
            if into is not None:
                into.append(data[start:stop])
            start = stop
        while self._left <= 2 and self._left and start < end:
            if data[start] != b"\n\r"[self._left - 1]:
                raise BadMessage("malformed_chunk")
            self._left -= 1
            start += 1
        return start

    def _size(self, data: bytes, start: int) -> int:
        line, taken = self._line(data, start, MAX_SIZE_LINE_BYTES, "malformed_chunk")
        if line is None:
            return taken
        match = _SIZE_LINE.fullmatch(line)
        if match is None:
            raise BadMessage("malformed_chunk")
        self._extensions += len(match[2] or b"")
        if self._extensions > MAX_EMPTY_BYTES:
            raise BadMessage("malformed_chunk")
        size = int(match[1], 16)
        if size:
            self._left = size + 2
        else:
            self._trailers = True
        return taken

    def _trailer(self, data: bytes, start: int) -> int:
        """Lines up to the empty one; checked as a whole when it comes."""
        stop = data.find(b"\n", start) + 1 or len(data)
        self._partial += data[start:stop]
        if len(self._partial) > MAX_TRAILER_BYTES:
            raise BadMessage("malformed_trailers")
        if self._partial == b"\r\n" or self._partial.endswith(b"\r\n\r\n"):
            check_trailers(self._partial)
            self._partial = b""
            self.done = True
        elif self._partial.endswith(b"\n") and not self._partial.endswith(b"\r\n"):
            raise BadMessage("malformed_trailers")
        return stop

    def _line(self, data: bytes, start: int, max_bytes: int, reason: str) -> tuple[bytes | None, int]:
        stop = data.find(b"\n", start) + 1
        line = self._partial + data[start : stop or len(data)]
        if len(line) > max_bytes:
            raise BadMessage(reason)
        self._partial = b"" if stop else line
        return (line, stop) if stop else (None, len(data))

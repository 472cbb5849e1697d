"""gzip, of any number of members, and deflate, undone in pieces of bounded size as a body comes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

CODINGS = ("gzip", "x-gzip", "deflate")
SLICE_BYTES = 16 * 1024
"""What is behind the end of a member is copied: of no more than this, however many members there are."""

_EITHER_HEAD, _NO_HEAD = 47, -15


class BrokenError(Exception):
    """A body is not in the coding that it claims."""


class Inflating:
    """Undoes one of CODINGS. Some call deflate what has no head, which its first two bytes tell."""

    def __init__(self, coding: str) -> None:
        self._first: bytes | None = b"" if coding == "deflate" else None
        self._inflate = zlib.decompressobj(_EITHER_HEAD)
        self.began = False

    @property
    def finished(self) -> bool:
        """Whether what was fed is whole."""
        return self._inflate.eof

    def pieces(self, data: bytes, most: int) -> Iterator[bytes]:
        """What `data` adds, no more than `most` bytes at a time. Raises BrokenError."""
        self.began = self.began or bool(data)
        if self._first is not None:
            data = self._first + data
            if len(data) < 2:
                self._first = data
                return
            self._first = None
            if not _has_head(data):
                self._inflate = zlib.decompressobj(_NO_HEAD)
        for start in range(0, len(data), SLICE_BYTES):
            yield from self._slice(data[start : start + SLICE_BYTES], most)

    def _slice(self, data: bytes, most: int) -> Iterator[bytes]:
        while data:
            if self._inflate.eof:
                self._inflate = zlib.decompressobj(_EITHER_HEAD)
            try:
                piece = self._inflate.decompress(data, most)
            except zlib.error:
                raise BrokenError from None
            if piece:
                yield piece
            data = self._inflate.unused_data or self._inflate.unconsumed_tail


def _has_head(data: bytes) -> bool:
    return data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0

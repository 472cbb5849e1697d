"""Content codings undone as a body comes: gzip, of any number of members, deflate and Brotli."""

from __future__ import annotations

import zlib
from typing import Protocol

import brotli

SLICE_BYTES = 16 * 1024
"""What is behind the end of a member is copied: of no more than this, however many members there are."""


class BrokenError(Exception):
    """A body is not in the coding that it claims."""


class Decoder(Protocol):
    """Undoes one coding of one body."""

    @property
    def finished(self) -> bool:
        """Whether what was fed is whole."""

    def feed(self, data: bytes, most: int) -> bytes:
        """What `data` adds, of which `most` bytes are wanted; past those nothing more comes. Raises BrokenError."""


def decoder(coding: str) -> Decoder | None:
    """For the name of a coding in lower case; None for those that are not known, or need the whole body."""
    if coding in ("gzip", "x-gzip", "deflate"):
        return _Inflate(bare_allowed=coding == "deflate")
    return _Brotli() if coding == "br" else None


class _Inflate:
    def __init__(self, *, bare_allowed: bool) -> None:
        self._bare_allowed = bare_allowed
        self._first = b""
        self._inflate = zlib.decompressobj(47)

    @property
    def finished(self) -> bool:
        return self._inflate.eof

    def feed(self, data: bytes, most: int) -> bytes:
        if self._bare_allowed:
            self._first += data
            if len(self._first) < 2:
                return b""
            data, self._bare_allowed = self._first, False
            if not _has_head(data):  # some call the bare format "deflate"
                self._inflate = zlib.decompressobj(-15)
        out, size = [], 0
        for start in range(0, len(data), SLICE_BYTES):
            rest = data[start : start + SLICE_BYTES]
            while rest and size < most:
                if self._inflate.eof:
                    self._inflate = zlib.decompressobj(47)
                try:
                    out.append(self._inflate.decompress(rest, most - size))
                except zlib.error:
                    raise BrokenError from None
                size += len(out[-1])
                rest = self._inflate.unused_data or self._inflate.unconsumed_tail
        return b"".join(out)


def _has_head(data: bytes) -> bool:
    return data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Decompressor()

    @property
    def finished(self) -> bool:
        return bool(self._inner.is_finished())

    def feed(self, data: bytes, most: int) -> bytes:
        out, size = [], 0
        try:
            while size < most:
                out.append(self._inner.process(data, output_buffer_limit=most - size))
                size += len(out[-1])
                data = b""
                if self._inner.can_accept_more_data():
                    break
        except brotli.error:
            raise BrokenError from None
        return b"".join(out)[:most]

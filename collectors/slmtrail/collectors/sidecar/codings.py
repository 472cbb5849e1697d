"""Content codings undone as a body comes: gzip, deflate and Brotli."""

from __future__ import annotations

from typing import Protocol

import brotli

from slmtrail.collectors.inflating import CODINGS, BrokenError, Inflating


class Decoder(Protocol):
    """Undoes one coding of one body."""

    @property
    def finished(self) -> bool:
        """Whether what was fed is whole."""

    def feed(self, data: bytes, most: int) -> bytes:
        """What `data` adds, of which `most` bytes are wanted; past those nothing more comes. Raises BrokenError."""


def decoder(coding: str) -> Decoder | None:
    """For the name of a coding in lower case; None for those that are not known, or need the whole body."""
    if coding in CODINGS:
        return _Inflate(coding)
    return _Brotli() if coding == "br" else None


class _Inflate:
    def __init__(self, coding: str) -> None:
        self._inflating = Inflating(coding)

    @property
    def finished(self) -> bool:
        return self._inflating.finished

    def feed(self, data: bytes, most: int) -> bytes:
        out, size = [], 0
        for piece in self._inflating.pieces(data, most):
            out.append(piece)
            size += len(piece)
            if size >= most:
                break
        return b"".join(out)[:most]


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

"""What is read: a plain file, a compressed one, or a stream. Each gives pieces of bytes and knows its place."""

from __future__ import annotations

import gzip
import os
import secrets
import select
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

import zstandard

from slmtrail.collectors.tail.cutter import Cutter
from slmtrail.collectors.tail.mark import Mark

PIECE_BYTES = 256 * 1024
WINDOW_MAX_BYTES = 1 << 27
SUFFIXES = (".gz", ".zst")

MakeCutter = Callable[[Mark], Cutter]
"""A cutter that goes on behind a mark."""


class DamagedError(Exception):
    """A compressed file can't be read on; `cut_off` where it may only not be finished yet."""

    def __init__(self, cut_off: bool) -> None:
        super().__init__("ends inside" if cut_off else "damaged")
        self.cut_off = cut_off


def new_mark(path: str, status: os.stat_result) -> Mark:
    """The mark at the beginning of a source."""
    return Mark(secrets.token_hex(8), path, status.st_dev, status.st_ino)


class Source:
    """Something that is read from front to back."""

    replayable = True
    """Whether what was read can be read again after a restart."""

    def __init__(self, mark: Mark, make: MakeCutter) -> None:
        self._mark = mark
        self._make = make
        self.cutter = make(mark)
        self.ended = mark.ended
        self.refused = 0

    @property
    def id(self) -> str:
        """What its marks call it."""
        return self._mark.source

    @property
    def path(self) -> str:
        """Where it was last seen."""
        return self._mark.path

    def moved(self, path: str) -> None:
        """It has another name now."""
        self._mark = replace(self._mark, path=path)

    def read(self) -> bytes:
        """The next piece; nothing where there is nothing now."""
        raise NotImplementedError

    def mark(self) -> Mark:
        """Where it stands: behind all entries given out."""
        cutter = self.cutter
        self._mark = replace(
            self._mark,
            offset=cutter.offset,
            line=cutter.line,
            skipping=cutter.skipping,
            ended=self.ended,
        )
        return self._mark

    def close(self) -> None:
        """Lets go of it."""


class PlainFile(Source):
    """A file that may grow. Held open, so that what is written after it is renamed or deleted is still read."""

    def __init__(self, file: int, mark: Mark, make: MakeCutter) -> None:
        super().__init__(mark, make)
        self._file = file
        self.gone_s: float | None = None
        self.grown_s = time.monotonic()
        self.parked_bytes: int | None = None

    def park(self) -> None:
        """Forgets the begun line, which is read again once the file has grown."""
        self.cutter.rewind()
        self.parked_bytes = self.size()

    def read_at(self, offset: int, count: int) -> bytes:
        """Those bytes of the file."""
        return os.pread(self._file, count, offset)

    def size(self) -> int:
        """Its size now."""
        return os.fstat(self._file).st_size

    def intact(self) -> bool:
        """Whether it still holds what was read."""
        size = self.size()
        return size >= self.cutter.offset + self.cutter.held_bytes and self._mark.fits(self.read_at, size)

    def read(self) -> bytes:
        if self.parked_bytes == self.size():
            return b""
        self.parked_bytes = None
        at = self.cutter.offset + self.cutter.held_bytes
        data = self.read_at(at, PIECE_BYTES)
        if data:
            self.grown_s = time.monotonic()
        return data

    def mark(self) -> Mark:
        marked = super().mark()
        self._mark = replace(marked, points=marked.with_point(self.read_at))
        return self._mark

    def last_mark(self) -> Mark:
        """The mark as it was taken last, which tells nothing of what the file holds now."""
        return self._mark

    def begin_again(self) -> None:
        """It was cut off and written anew: another source from now on, though the same file."""
        self._mark = new_mark(self._mark.path, os.fstat(self._file))
        self.cutter = self._make(self._mark)
        self.parked_bytes = None

    def close(self) -> None:
        os.close(self._file)


class PackedFile(Source):
    """A compressed file, read once. Its places are those of what comes out."""

    def __init__(self, path: str, mark: Mark, make: MakeCutter) -> None:
        super().__init__(mark, make)
        self._stream: IO[bytes] | None = None
        self.moved(path)

    def read(self) -> bytes:
        if self.ended:
            return b""
        if self._stream is None:
            self._stream = unpacked(self.path)
            _skip(self._stream, self.cutter.offset)
        data = _piece(self._stream, PIECE_BYTES)
        if not data:
            self.close()
        return data

    def close(self) -> None:
        if self._stream:
            self._stream.close()
            self._stream = None


class Stream(Source):
    """Standard input or a named pipe: what was read can't be read again."""

    replayable = False

    def __init__(self, path: str, file: int, make: MakeCutter, *, once: bool) -> None:
        super().__init__(new_mark(path, os.fstat(file)), make)
        self._file = file
        self._is_pipe = path != "-"
        self._once = once
        self._gave = False
        self.at_end = False

    def fileno(self) -> int:
        """Its descriptor, to wait for."""
        return self._file

    def read(self) -> bytes:
        """The next piece. At the end of standard input, or while nobody writes to the pipe, `at_end` is set.

        Only standard input ends there: to a pipe the next writer may come, unless it is to be read once.
        """
        self.at_end = False
        if not select.select([self._file], [], [], 0)[0]:
            return b""
        try:
            data = os.read(self._file, PIECE_BYTES)
        except BlockingIOError:
            return b""
        self._gave |= bool(data)
        self.at_end = not data
        self.ended = self.at_end and (not self._is_pipe or (self._once and self._gave))
        return data

    def close(self) -> None:
        if self._is_pipe:
            os.close(self._file)


def unpacked(path: str) -> IO[bytes]:
    """The content of a compressed file, as a stream."""
    if path.endswith(".gz"):
        return cast("IO[bytes]", gzip.open(path, "rb"))
    reader = zstandard.ZstdDecompressor(max_window_size=WINDOW_MAX_BYTES)
    return reader.stream_reader(Path(path).open("rb"), read_across_frames=True, closefd=True)


def read_at_of(path: str) -> Callable[[int, int], bytes]:
    """Bytes of what a compressed file holds; each call reads it from the front."""

    def read_at(offset: int, count: int) -> bytes:
        with unpacked(path) as stream:
            _skip(stream, offset)
            data = b""
            while len(data) < count and (more := _piece(stream, count - len(data))):
                data += more
            return data

    return read_at


def unpacked_size(path: str) -> int:
    """How many bytes a compressed file holds. Raises DamagedError where it can't be read to its end."""
    with unpacked(path) as stream:
        size = 0
        while data := _piece(stream, PIECE_BYTES):
            size += len(data)
        return size


def _skip(stream: IO[bytes], count: int) -> None:
    while count > 0 and (data := _piece(stream, min(count, PIECE_BYTES))):
        count -= len(data)


def _piece(stream: IO[bytes], count: int) -> bytes:
    try:
        return stream.read(count)
    except EOFError:
        raise DamagedError(cut_off=True) from None
    except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError):
        raise DamagedError(cut_off=False) from None

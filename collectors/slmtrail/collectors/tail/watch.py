"""Which sources there are: follows globs through rotation, and knows each file again by its mark.

A file is the one of a mark where inode and content agree; else, where content alone does, it is a copy or a
compressed rotation and is read on from there. A copy of a file that is still whole waits: the file itself is
read, and only what is cut off from it remains to be read in the copy.
"""

from __future__ import annotations

import glob
import logging
import os
import stat
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from slmtrail.collectors.tail.mark import POINT_BYTES, Mark, ReadAt
from slmtrail.collectors.tail.source import (
    SUFFIXES,
    DamagedError,
    MakeCutter,
    PackedFile,
    PlainFile,
    Source,
    Stream,
    new_mark,
    read_at_of,
    unpacked_size,
)

log = logging.getLogger(__name__)

GONE_QUIET_S = 2.0
"""How long a renamed or deleted file stays open after its last byte: its writer may not have noticed yet."""

PACKED_AGE_S = 2.0
"""A compressed file younger than this may still be written."""

Identity = tuple[int, int]


class Watch:
    """The sources behind some patterns; `-` is standard input."""

    def __init__(self, patterns: Sequence[str], marks: Iterable[Mark], make: MakeCutter, once: bool = False) -> None:
        self.sources: list[Source] = []
        self.finished: list[Source] = []
        """Files that are gone and quiet: what they hold back is all that comes. The taker empties this."""

        self._patterns = [pattern for pattern in patterns if pattern != "-"]
        self._make = make
        self._once = once
        self._orphans = {mark.source: mark for mark in marks}
        self._live: dict[Identity, Source] = {}
        self._copies: dict[Identity, str] = {}
        self._packed_seen: dict[str, tuple[int, int]] = {}
        self._told: set[str] = set()
        if "-" in patterns:
            self.sources.append(Stream("-", 0, make, once=once))

    def scan(self) -> None:
        """Looks for new files, files with another name, and files that are gone."""
        found = self._found()
        present: set[Identity] = set()
        for path, status in found:
            identity = status.st_dev, status.st_ino
            present.add(identity)
            if source := self._live.get(identity):
                source.moved(path)
                continue
            try:
                source = self._opened(path, status)
            except FileNotFoundError:
                continue
            except OSError as error:
                self._tell(path, f"can't be read: {error.strerror}; give this user read permission")
                continue
            if source:
                self._told.discard(path)
                self._live[identity] = source
                self.sources.append(source)
        for identity, source in list(self._live.items()):
            self._leave(identity, source, present)

    def begin_again(self, source: PlainFile) -> None:
        """A file was cut off or written anew: its mark stays behind for a copy to be known by."""
        mark = source.last_mark()
        self._orphans[mark.source] = mark
        source.begin_again()

    def close(self) -> None:
        """Closes every source."""
        for source in self.sources:
            source.close()

    def _found(self) -> list[tuple[str, os.stat_result]]:
        """Files behind the patterns, oldest first, each once."""
        found: dict[Identity, tuple[str, os.stat_result]] = {}
        for pattern in self._patterns:
            for path in glob.glob(pattern, recursive=True) or [pattern]:  # noqa: PTH207 - it knows no absolute ones
                try:
                    status = os.stat(path)  # noqa: PTH116
                except OSError:
                    continue
                if stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode):
                    found.setdefault((status.st_dev, status.st_ino), (path, status))
        return sorted(found.values(), key=lambda one: (one[1].st_mtime_ns, one[0]))

    def _opened(self, path: str, status: os.stat_result) -> Source | None:
        if stat.S_ISFIFO(status.st_mode):
            return Stream(path, os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), self._make, once=self._once)
        if path.endswith(SUFFIXES):
            return self._opened_packed(path, status)
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        taken = False
        try:
            mark = self._mark_of(path, os.fstat(file), lambda at, count: os.pread(file, count, at))
            taken = mark is not None
            return PlainFile(file, mark, self._make) if mark else None
        finally:
            if not taken:
                os.close(file)

    def _opened_packed(self, path: str, status: os.stat_result) -> Source | None:
        packed = status.st_size, status.st_mtime_ns
        identity = status.st_dev, status.st_ino
        for mark in self._orphans.values():
            if mark.packed == packed and (mark.device, mark.inode) == identity:
                return PackedFile(path, self._adopted(mark, path, status), self._make)
        if not self._once:
            settled = self._packed_seen.get(path) == packed and time.time() - status.st_mtime >= PACKED_AGE_S
            self._packed_seen[path] = packed
            if not settled:
                return None
        try:
            size = unpacked_size(path)
            found = self._mark_of(path, status, read_at_of(path), size)
        except DamagedError as error:
            what = "ends too early" if error.cut_off else "is damaged"
            self._tell(path, f"{what}: it is read when it changes into a whole one")
            return None
        return PackedFile(path, replace(found, packed=packed), self._make) if found else None

    def _mark_of(
        self, path: str, status: os.stat_result, read_at: ReadAt, unpacked_bytes: int | None = None
    ) -> Mark | None:
        """The mark to go on from, a new one where nothing is known of it; None for a copy that has to wait."""
        identity = status.st_dev, status.st_ino
        plain = unpacked_bytes is None
        size = status.st_size if unpacked_bytes is None else unpacked_bytes
        if plain:
            for mark in self._orphans.values():
                if (mark.device, mark.inode) == identity and not mark.packed and mark.fits(read_at, size):
                    return self._adopted(mark, path, status)
        for source in self._live.values():
            if isinstance(source, PlainFile) and _is_copy(source.last_mark(), read_at, size, plain):
                self._copies[identity] = source.last_mark().source
                return None
        fitting = [mark for mark in self._orphans.values() if _is_copy(mark, read_at, size, plain)]
        if fitting:
            mark = max(fitting, key=lambda one: one.offset)
            return self._adopted(replace(mark, offset=min(mark.offset, size)), path, status)
        origin = self._orphans.get(self._copies.get(identity, ""))
        if origin and size < origin.offset:
            return replace(new_mark(path, status), offset=size, ended=not plain)
        return new_mark(path, status)

    def _adopted(self, mark: Mark, path: str, status: os.stat_result) -> Mark:
        del self._orphans[mark.source]
        return replace(mark, path=path, device=status.st_dev, inode=status.st_ino)

    def _leave(self, identity: Identity, source: Source, present: set[Identity]) -> None:
        """Lets go of a file that is gone, once it has been quiet."""
        if identity in present:
            if isinstance(source, PlainFile):
                source.gone_s = None
            return
        now_s = time.monotonic()
        if isinstance(source, PlainFile):
            source.gone_s = source.gone_s or now_s
            if not self._once and now_s - max(source.gone_s, source.grown_s) < GONE_QUIET_S:
                return
        del self._live[identity]
        self.sources.remove(source)
        self.finished.append(source)

    def forget(self, source: Source) -> None:
        """A finished source was taken to its end: it is closed, its mark stays."""
        if source.replayable:
            mark = source.mark()
            self._orphans[mark.source] = mark
        source.close()

    def _tell(self, path: str, text: str) -> None:
        if path not in self._told:
            self._told.add(path)
            log.warning("%s: %s", path, text)


def _is_copy(mark: Mark, read_at: ReadAt, size: int, plain: bool) -> bool:
    """Whether a file's content says that it is, or begins with, what was read up to a mark.

    Short beginnings are alike in many files: they only tell of a compressed file that holds just as much.
    """
    if mark.offset < POINT_BYTES and (plain or size != mark.offset):
        return False
    return bool(mark.offset) and (mark.fits(read_at, size) or mark.covers(read_at, size))

"""Writes that survive a power cut: write, fsync, rename, fsync the folder.

How it fails: the old file or the new one is there after a crash, never half of one. A temporary file
may be left behind; the next write of the same name takes its place.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from slmtrail.core.errors import StorageError


def write_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replaces `path` with `data`; one writer at a time (`locked`). Blocks until file and folder are on disk."""
    write_pieces(path, (data,), mode)


def write_pieces(path: Path, pieces: Iterable[bytes], mode: int = 0o644) -> None:
    """Like `write_file`, for what is too large to be in memory at once."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        try:
            os.fchmod(fd, mode)
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[os.write(fd, view) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()  # what was written of it may be what fills the disk
        raise StorageError(f"{path}: can't be written: {error.strerror}; {advice(error)}") from error


def make_folder(path: Path, mode: int = 0o755) -> None:
    """Makes `path` and its missing parents, on disk before it returns."""
    missing = []
    folder = path
    try:
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for new in reversed(missing):
            new.mkdir(mode=mode, exist_ok=True)
            try:
                sync_folder(new.parent)
            except OSError:
                new.rmdir()  # else the next attempt takes it for one that is on disk
                raise
    except OSError as error:
        raise StorageError(f"{path}: the folder can't be made: {error.strerror}; {advice(error)}") from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds `path` against other processes that take it this way, from reading it to having replaced it."""
    lock = path.with_suffix(".lock")
    try:
        fd = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError(f"{lock}: can't be used: {error.strerror}; {advice(error)}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def sync_folder(folder: Path) -> None:
    """Makes names created or renamed in `folder` survive a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def advice(error: OSError) -> str:
    """What a person can do about a failed disk operation."""
    return {
        errno.ENOSPC: "free space on that disk, or move the data folder (setting `data`)",
        errno.EDQUOT: "the quota of this user is used up: free space or raise it",
        errno.EROFS: "that file system is mounted read-only: remount it or move the data folder (setting `data`)",
        errno.EACCES: "give this user write permission there, or move the data folder (setting `data`)",
        errno.EPERM: "give this user write permission there, or move the data folder (setting `data`)",
        errno.ENOTDIR: "a file stands where a folder should be: move it away",
    }.get(error.errno or 0, "look at the disk")

"""SQLite's log, after a disk that could not flush it.

A kernel that fails to flush says so once and then forgets: what it could not write stays readable, and every later
flush succeeds without it. SQLite takes back the transaction that it happened to, and the next one is written over it;
but who opens the file anew reads it from the log as if it were there, and in a power cut it takes along what is behind
it. So whoever opens a file to write to it puts its log on disk once more. And `synchronous` is FULL for every
connection that writes: what one leaves unflushed would be the hole that swallows what another has flushed.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from slmtrail.core import durable
from slmtrail.core.errors import StorageError

_PIECE_BYTES = 1024 * 1024


def settle(db: sqlite3.Connection, path: Path) -> None:
    """Puts what is in the log of the database at `path` on disk. The first thing that is done with a connection."""
    db.execute("BEGIN IMMEDIATE")  # nobody else appends meanwhile
    log = path.with_name(f"{path.name}-wal")
    try:
        with suppress(FileNotFoundError):
            _write_again(log)
    except OSError as error:
        raise StorageError(f"{log}: can't be flushed: {error.strerror}; {durable.advice(error)}") from error
    finally:
        db.execute("ROLLBACK")


def _write_again(log: Path) -> None:
    fd = os.open(log, os.O_RDWR)
    try:
        place = 0
        while piece := os.pread(fd, _PIECE_BYTES, place):
            place += os.pwrite(fd, piece, place)
        os.fsync(fd)
    finally:
        os.close(fd)

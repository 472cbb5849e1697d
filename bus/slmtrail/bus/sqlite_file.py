"""The file of the SQLite bus as one thread sees it: opened, worked on off the event loop, its errors explained.

How it fails: a transaction is there as a whole or not at all, after a crash of any process and after a power
cut, also of a disk that failed before (`sqlite_log`). Every connection waits up to `BUSY_TIMEOUT_MS` for the others.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from slmtrail.core import durable, sqlite_log
from slmtrail.core.errors import BusError, StorageError, TrailError

P = ParamSpec("P")
T = TypeVar("T")

BUSY_TIMEOUT_MS = 10_000
PAGE_BYTES = 8192
_SHARE_PAUSE_S = 0.01
OFFSET_BITS = 40
_APPLICATION_ID = 0x736C6D62
_SCHEMA_VERSION = 1

# A lane is one partition of one topic. A message's place is its lane's id and its offset in one integer, so
# that reading on from an offset is a walk along the table itself. `value` comes last: what looks only at
# the columns before it never loads it.
_SCHEMA = """
CREATE TABLE lane (
    id INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    start_offset INTEGER NOT NULL DEFAULT 0,
    end_offset INTEGER NOT NULL DEFAULT 0,
    UNIQUE (topic, partition)
);
CREATE TABLE message (
    place INTEGER PRIMARY KEY,
    timestamp_ms INTEGER NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL
);
CREATE TABLE newest (
    lane INTEGER NOT NULL,
    key TEXT NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (lane, key)
) WITHOUT ROWID;
CREATE TABLE member (
    id TEXT PRIMARY KEY,
    topic TEXT NOT NULL,
    consumer_group TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    lease_until_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE cursor (
    consumer_group TEXT NOT NULL,
    lane INTEGER NOT NULL,
    owner TEXT,
    epoch INTEGER NOT NULL DEFAULT 0,
    committed_offset INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (consumer_group, lane)
) WITHOUT ROWID;
"""

# Closing any descriptor of a file drops the locks that this process holds on it, SQLite's too: so a file is
# only ever made while no other thread can open it.
_opening = threading.Lock()


class Connection:
    """One connection and the one thread that uses it; opened at its first use."""

    def __init__(
        self,
        path: Path,
        prepare: Callable[[sqlite3.Connection], None],
    ) -> None:
        self._path = path
        self._prepare = prepare
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="slm-bus")
        self._db: sqlite3.Connection | None = None
        self._inode = 0
        self._closed = False

    async def run(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns, called with the connection in its thread."""
        if self._closed:
            raise BusError(f"{self._path}: this bus was closed")

        def call() -> T:
            try:
                return work(self._opened(), *args, **kwargs)
            except sqlite3.Error as error:
                raise explained(self._path, error) from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def close(self) -> None:
        """Closes the connection when all that was asked of it is done."""
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
            self._thread.shutdown(wait=False)

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            db = _open(self._path)
            try:
                self._prepare(db)
                self._inode = self._path.stat().st_ino
            except BaseException:
                db.close()
                raise
            self._db = db
        self._check_in_place()
        return self._db

    def _check_in_place(self) -> None:
        # SQLite would go on in the nameless file, and all that is published would be lost with it.
        try:
            if self._path.stat().st_ino == self._inode:
                return
        except OSError:
            pass
        raise StorageError(f"{self._path}: was removed or replaced while in use: put it back, or restart without it")


@contextmanager
def reading(db: sqlite3.Connection) -> Iterator[None]:
    """One snapshot for all that is read inside."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("COMMIT")


@contextmanager
def writing(db: sqlite3.Connection) -> Iterator[None]:
    """One transaction: all that is written inside, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def explained(path: Path, error: sqlite3.Error) -> TrailError:
    """The error of the pipeline for one of SQLite's."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return BusError(
            f"{path}: another process has kept it locked for {BUSY_TIMEOUT_MS // 1000} s: "
            "end what holds it (a backup, a database browser) and try again"
        )
    advice = {
        sqlite3.SQLITE_FULL: "free space on that disk, or move the data folder (setting `data`)",
        sqlite3.SQLITE_READONLY: "give this user write permission to the file and its folder",
        sqlite3.SQLITE_PERM: "give this user write permission to the file and its folder",
        sqlite3.SQLITE_CANTOPEN: "give this user write permission to the file and its folder",
        sqlite3.SQLITE_NOTADB: "it is no SQLite database: move it away, or name another file",
        sqlite3.SQLITE_CORRUPT: "the file is damaged: put back a copy, or move it away to start anew",
    }.get(code, "look at the disk")
    return StorageError(f"{path}: {error}; {advice}")


def _open(path: Path) -> sqlite3.Connection:
    with _opening:
        durable.make_folder(path.parent, 0o700)
        try:
            if path.is_dir():
                raise StorageError(f"{path}: is a folder: name a file in it, such as {path / 'bus.db'}")
            if not path.exists():
                path.touch(0o600)
        except OSError as error:
            raise StorageError(f"{path}: can't be opened: {error.strerror}; {durable.advice(error)}") from error
        db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, cached_statements=64)
    try:
        _refuse_strangers(path, db)
        db.execute(f"PRAGMA page_size={PAGE_BYTES}")
        if _share(db) != "wal":
            raise StorageError(f"{path}: this file system can't share a database: use a local disk")
        sqlite_log.settle(db, path)
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA fullfsync=ON")
        # What leaves the bus is overwritten, so that it can't be read back from the file.
        db.execute("PRAGMA secure_delete=ON")
        db.execute("PRAGMA journal_size_limit=67108864")
        if _is_new(db):
            _make_schema(db)
    except BaseException:
        db.close()
        raise
    return db


def _share(db: sqlite3.Connection) -> str:
    """Turns WAL mode on. SQLite does not wait for others that do the same at that moment, so this does."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            mode: str = db.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_SHARE_PAUSE_S)
        else:
            return mode


def _refuse_strangers(path: Path, db: sqlite3.Connection) -> None:
    with reading(db):
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if _is_new(db):
            return
    if application != _APPLICATION_ID:
        raise StorageError(f"{path}: is the database of another program: name another file")
    if version != _SCHEMA_VERSION:
        raise StorageError(
            f"{path}: was written by another version of slmtrail (form {version}, not {_SCHEMA_VERSION}): "
            "use that version, or name another file"
        )


def _is_new(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_schema").fetchone() is None


def _make_schema(db: sqlite3.Connection) -> None:
    with writing(db):
        if _is_new(db):
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA application_id={_APPLICATION_ID}")
            db.execute(f"PRAGMA user_version={_SCHEMA_VERSION}")

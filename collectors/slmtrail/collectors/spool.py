"""The spool: frames on disk from the moment their events are accepted until the bus has acknowledged them.

SQLite in WAL mode. Each commit waits for the disk (synchronous=FULL), so an accepted event survives a power
cut, and a flush that failed before it (`sqlite_log`). A damaged file is set aside and what can be read of it is kept.

Notes are small values that change together with the frames they are about: how far a file was read, which
request was taken. Their keys begin with the name of who keeps them, as `tail/…`; they go by their age.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from slmtrail.collectors.missing import NONE, Missing
from slmtrail.collectors.salvage import set_aside_if_damaged, tables
from slmtrail.core import durable, frames
from slmtrail.core.errors import FrameError, SpoolFull, StorageError
from slmtrail.core.metrics import FRAMES_SPOOLED, SPOOL_BYTES, SPOOL_COMMIT_SECONDS

FILE_NAME = "spool.sqlite"
PAGE_BYTES = 65536
LOG_PAGES = 64
"""How far SQLite's log grows before it is folded into the file and begins anew."""

SPARE_BYTES = 8 * 1024 * 1024
"""Disk space set aside, several logs wide: given back on a full disk, so that shipped frames can still leave it."""

HEARTBEAT_RESERVE_BYTES = 1024 * 1024
"""Room above the limit for frames without events, which sign for what was dropped while it is full."""

_SCHEMA = {
    "boots": "CREATE TABLE boots (at_ms INTEGER NOT NULL, boot TEXT PRIMARY KEY)",
    "frames": "CREATE TABLE frames (id INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL)",
    "notes": "CREATE TABLE notes (key TEXT PRIMARY KEY, value BLOB NOT NULL, at_ms INTEGER NOT NULL)",
}
_FIRST_SCHEMA = {name: _SCHEMA[name] for name in ("boots", "frames")}
UNSIGNED = "spool/unsigned"
"""The note of how many events are missing and not yet signed for."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """A frame waiting in the spool."""

    id: int
    data: bytes


class Spool:
    """One collector's spool folder, held by one process at a time. Safe to use from two threads."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._path = folder / FILE_NAME
        self._max_bytes = max_bytes
        durable.make_folder(folder, 0o700)
        self._writer_lock, self._reaper_lock, self._count_lock = threading.Lock(), threading.Lock(), threading.Lock()
        self._new_boot = ""
        with contextlib.ExitStack() as opened:
            opened.enter_context(_hold(folder))
            try:
                salvaged = set_aside_if_damaged(self._path, _SCHEMA, _FIRST_SCHEMA, {})
                self._writer = opened.enter_context(contextlib.closing(_connect(self._path)))
                self._reaper = opened.enter_context(contextlib.closing(_connect(self._path)))
                with self._writer as db:
                    db.executemany("INSERT INTO frames (data) VALUES (?)", salvaged.frames)
                    db.executemany("INSERT INTO notes VALUES (?, ?, ?)", salvaged.notes)
                self._spare = folder / "spare"
                _allocate(self._spare)
                row = self._writer.execute("SELECT coalesce(sum(length(data)), 0) FROM frames").fetchone()
            except sqlite3.Error as error:
                raise _storage_error(self._path, error) from None
            except OSError as error:
                raise StorageError(
                    f"{self._path}: can't be set aside: {error.strerror}; {durable.advice(error)}"
                ) from error
            self._opened = opened.pop_all()
        self._bytes: int = row[0]
        self._unsigned = Missing.decode(self.notes(UNSIGNED).get(UNSIGNED, b""))
        SPOOL_BYTES.set(self._bytes)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of frames not yet acknowledged."""
        return self._bytes

    @property
    def unsigned(self) -> Missing:
        """The events that `commit` and `drop_older` were told or found to be missing, and nobody has signed for."""
        return self._unsigned

    def begin_boot(self, boot: str) -> str:
        """Notes that `boot` starts with the next commit; returns the boot that last came so far, "" for none."""
        with self._explained(), self._writer_lock:
            row = self._writer.execute("SELECT boot FROM boots ORDER BY at_ms DESC, rowid DESC LIMIT 1").fetchone()
        self._new_boot = boot
        return row[0] if row else ""

    def commit(
        self,
        frames: list[bytes],
        *,
        has_events: bool = True,
        notes: Mapping[str, bytes] | None = None,
        missing: Missing = NONE,
    ) -> None:
        """Puts frames and notes on disk, all or none; a note takes the place of the one with its key.

        `missing` is how many events more are to be signed for; below 0, how many these frames sign for.
        Raises SpoolFull at the limit, StorageError where the disk refuses.
        """
        size = sum(map(len, frames))
        limit = self._max_bytes if has_events else self._max_bytes + HEARTBEAT_RESERVE_BYTES
        if size and self._bytes + size > limit:
            raise SpoolFull(
                f"the spool holds {self._bytes} of {self._max_bytes} bytes: see why the bus is not reached, "
                "or raise collector.spool_max_bytes"
            )
        with SPOOL_COMMIT_SECONDS.time(), self._explained(), self._writer_lock:
            with self._writer as db:
                if frames and self._new_boot:
                    db.execute("DELETE FROM boots")
                    db.execute("INSERT INTO boots VALUES (?, ?)", (_now_ms(), self._new_boot))
                db.executemany("INSERT INTO frames (data) VALUES (?)", [(data,) for data in frames])
                self._note(db, notes or {}, missing)
            self._unsigned += missing
        if frames:
            self._new_boot = ""
        self._grow(size)
        FRAMES_SPOOLED.inc(len(frames))

    def oldest(self, max_frames: int, max_bytes: int) -> list[Spooled]:
        """The frames to ship next, in order; at least one where there is any."""
        taken: list[Spooled] = []
        size = 0
        with self._explained(), self._reaper_lock:
            for row in self._reaper.execute("SELECT id, data FROM frames ORDER BY id LIMIT ?", (max_frames,)):
                size += len(row[1])
                if taken and size > max_bytes:
                    break
                taken.append(Spooled(*row))
        return taken

    def forget(self, shipped: list[Spooled]) -> None:
        """Lets go of frames that the bus has acknowledged."""
        with self._explained(), self._reaper_lock:
            try:
                self._delete(shipped[-1].id)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                    raise
                self._delete_from_full_disk(shipped[-1].id)
        self._grow(-sum(len(frame.data) for frame in shipped))

    def clear(self) -> None:
        """Lets go of all frames: they were taken elsewhere."""
        with self._explained(), self._reaper_lock, self._reaper as db:
            db.execute("DELETE FROM frames")
        self._grow(-self._bytes)

    def drop_older(self, before_ms: int, after_id: int) -> int:
        """Drops frames closed before `before_ms`, but none up to `after_id`; returns how many events were in them.

        They are to be signed for, in the same transaction.
        """
        with self._explained(), self._writer_lock:
            old: dict[int, int] = {}
            events, missing = 0, NONE
            for id_, data in self._writer.execute("SELECT id, data FROM frames WHERE id > ? ORDER BY id", (after_id,)):
                try:
                    header = frames.from_bytes(data).header
                except FrameError:
                    continue  # the stream says what is wrong with it
                if header.last_ms >= before_ms:
                    break
                old[id_] = len(data)
                events += header.events
                # What such a frame signed for is signed for again.
                missing += Missing(header.events + header.dropped, header.sampled_out)
            with self._writer as db:
                db.executemany("DELETE FROM frames WHERE id = ?", [(id_,) for id_ in old])
                self._note(db, {}, missing)
            self._unsigned += missing
        self._grow(-sum(old.values()))
        return events

    def notes(self, prefix: str) -> dict[str, bytes]:
        """The notes whose keys begin with `prefix`."""
        with self._explained(), self._reaper_lock:
            rows = self._reaper.execute("SELECT key, value FROM notes WHERE key >= ? AND key < ?", _range(prefix))
            return dict(rows.fetchall())

    def forget_notes(self, prefix: str, before_ms: int) -> None:
        """Lets go of the notes whose keys begin with `prefix` and that were last written before `before_ms`."""
        with self._explained(), self._reaper_lock, self._reaper as db:
            db.execute("DELETE FROM notes WHERE key >= ? AND key < ? AND at_ms < ?", (*_range(prefix), before_ms))

    def close(self) -> None:
        """Closes the files; what is not shipped stays for the next start."""
        with self._writer_lock, self._reaper_lock:
            self._opened.close()

    def _note(self, db: sqlite3.Connection, notes: Mapping[str, bytes], missing: Missing) -> None:
        rows = dict(notes)
        if missing:
            rows[UNSIGNED] = (self._unsigned + missing).encode()
        now_ms = _now_ms()
        db.executemany("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", [(*row, now_ms) for row in rows.items()])

    def _delete(self, last_id: int) -> None:
        with self._reaper as db:
            db.execute("DELETE FROM frames WHERE id <= ?", (last_id,))

    def _delete_from_full_disk(self, last_id: int) -> None:
        """Deleting writes to the log, which can't grow; folded into the file, with the spare room, it begins anew."""
        with self._writer_lock:
            try:
                os.truncate(self._spare, 0)
            except OSError as error:
                raise StorageError(f"{self._spare}: {error.strerror}; {durable.advice(error)}") from error
            self._reaper.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
            self._delete(last_id)

    def _grow(self, by_bytes: int) -> None:
        with self._count_lock:
            self._bytes += by_bytes
            SPOOL_BYTES.set(self._bytes)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _storage_error(self._path, error) from None


def _hold(folder: Path) -> IO[str]:
    try:
        lock = (folder / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StorageError(
            f"{folder}: another process uses this spool; stop it, or give this collector a name of its own "
            "(collector.name)"
        ) from None
    except OSError as error:
        raise StorageError(f"{folder}: can't be used: {error.strerror}; {durable.advice(error)}") from error
    return lock


def _allocate(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("ab") as file:
        os.posix_fallocate(file.fileno(), 0, SPARE_BYTES)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=30, check_same_thread=False)
    db.execute(f"PRAGMA page_size={PAGE_BYTES}")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA secure_delete=OFF")  # what has left is encrypted: to write zeros over it would hide nothing
    db.execute("BEGIN IMMEDIATE")
    with db:
        for name in _SCHEMA.keys() - tables(db).keys():
            db.execute(_SCHEMA[name])
    return db


def _range(prefix: str) -> tuple[str, str]:
    """From which key to which, so that the index of the keys is used."""
    return prefix, f"{prefix}\U0010ffff"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _storage_error(path: Path, error: sqlite3.Error) -> StorageError:
    text = str(error)
    advice = "look at the disk"
    if "full" in text:
        advice = "free space on that disk"
    elif "readonly" in text or "unable to open" in text:
        advice = "give this user write permission there, or move the data folder (setting `data`)"
    return StorageError(f"{path}: {text}; {advice}")

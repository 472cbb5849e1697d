"""What a damaged spool still gives back. The damaged file is set aside, named after the time, for a person to see."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slmtrail.core import sqlite_log

log = logging.getLogger(__name__)

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Salvaged:
    """Rows that could be read, in order, ready to be inserted again."""

    frames: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)


def set_aside_if_damaged(path: Path, *schemas: Mapping[str, str]) -> Salvaged:
    """Moves a damaged spool, or one whose tables are none of `schemas`, away; returns what could be read from it."""
    if not path.exists():
        return Salvaged()
    try:
        with contextlib.closing(sqlite3.connect(path)) as db:
            sqlite_log.settle(db, path)
            # SQLite takes a file that was cut off to nothing for a new one.
            fine = (
                path.stat().st_size > 0
                and db.execute("PRAGMA quick_check").fetchone() == ("ok",)
                and tables(db) in schemas
            )
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        fine = False
    if fine:
        return Salvaged()
    aside = path.with_name(f"{path.stem}.damaged-{time.time_ns() // 1_000_000}.sqlite")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(aside.with_name(aside.name + suffix))
    frames = [row[1:] for row in _readable(aside, "SELECT id, data FROM frames ORDER BY id", bytes)]
    notes = _readable(aside, "SELECT key, value, at_ms FROM notes ORDER BY key", str, bytes, int)
    text = "%s: the spool was damaged; it is set aside and %d frames and %d notes were recovered from it"
    log.error(text, aside, len(frames), len(notes))
    return Salvaged(frames, notes)


def tables(db: sqlite3.Connection) -> dict[str, str]:
    """The tables of a file, each with how it was made."""
    return dict(db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"))


def _readable(path: Path, select: str, *types: type) -> list[Row]:
    """Whatever rows still parse and end in `types`, in order of their first column: read from both ends."""
    found: dict[object, Row] = {}
    for order in ("ASC", "DESC"):
        try:
            with contextlib.closing(sqlite3.connect(path)) as db:
                db.execute("PRAGMA writable_schema=ON")  # else nothing is read from a file that was cut off
                for row in db.execute(f"{select} {order}"):
                    if all(map(isinstance, reversed(row), reversed(types))):
                        found[row[0]] = row
        except sqlite3.DatabaseError:
            continue
    return [found[key] for key in sorted(found)]  # type: ignore[type-var]

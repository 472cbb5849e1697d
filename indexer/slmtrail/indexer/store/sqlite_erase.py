"""Destroying content in the embedded store: in its rows, in what it searches by, and in the file's free pages."""

from __future__ import annotations

import logging
import sqlite3

from slmtrail.core.ports import Rows
from slmtrail.indexer.erase import erased
from slmtrail.indexer.store.columns import columns
from slmtrail.indexer.store.sqlite_audit import parsed
from slmtrail.indexer.store.text import searched

log = logging.getLogger(__name__)

_TERM = "name = ? AND value = ? AND ts_ms = ? AND place = ?"


def erase(db: sqlite3.Connection, ledger: str, rows: Rows) -> int:
    """Destroys the content of leaves, in one transaction; returns of how many there was any."""
    # Overwrites what is deleted with zeros, in the file and in the index of words.
    db.execute("PRAGMA secure_delete = ON")
    count = 0
    with db:
        db.execute("BEGIN IMMEDIATE")
        for first, last in rows:
            found = db.execute(
                "SELECT place, data FROM record JOIN payload USING (place) WHERE ledger = ? AND leaf BETWEEN ? AND ?",
                (ledger, first, last),
            )
            for place, data in found.fetchall():
                count += _erase(db, place, data)
        if count:
            forget_words(db)
    if count:
        empty_log(db)
    return count


def forget_words(db: sqlite3.Connection) -> None:
    """Lets words that were deleted leave the index, where they stay until its segments are merged."""
    db.execute("INSERT INTO words (words) VALUES ('optimize')")


def empty_log(db: sqlite3.Connection) -> None:
    """Lets what was deleted leave SQLite's log too."""
    (busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        log.warning("a reader is busy: erased words leave the store's log with its next checkpoint")


def _erase(db: sqlite3.Connection, place: int, data: bytes) -> int:
    before = parsed(data)
    made = erased(before) if before else None
    if made is None:
        return 0
    after = parsed(made)
    old, new = columns(before), columns(after)
    gone = [(name, value, old.ts_ms, place) for name, value in set(old.terms) - set(new.terms)]
    db.executemany(f"DELETE FROM term WHERE {_TERM}", gone)  # noqa: S608
    db.execute("INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)", (place, searched(before)))
    db.execute("UPDATE payload SET data = ? WHERE place = ?", (made, place))
    db.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (place, searched(after)))
    return 1

"""The embedded store: one SQLite file, searched by its columns and by full text.

Write-ahead logging, synchronous=FULL: what `write` returned for survives a power cut. One process writes,
any number read; readers open the file read-only and never hold up the writer.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson

from slmtrail.core import certificate, durable, sqlite_log
from slmtrail.core.errors import StorageError, StoreError
from slmtrail.core.ports import Fault, Histogram, Page, Picked, Query, Refusal, Rows, Sealed
from slmtrail.core.rollup import HOUR_MS, Rollup
from slmtrail.indexer.store import schema
from slmtrail.indexer.store.columns import SCALARS, Columns, columns, objection
from slmtrail.indexer.store.cursor import Cursor
from slmtrail.indexer.store.facets import fields_of
from slmtrail.indexer.store.query import Asked, asked
from slmtrail.indexer.store.scoping import shown
from slmtrail.indexer.store.sqlite_audit import audit, error_code, parsed
from slmtrail.indexer.store.sqlite_deadline import Deadline, bounded
from slmtrail.indexer.store.sqlite_erase import erase
from slmtrail.indexer.store.sqlite_facets import count, facet, histogram
from slmtrail.indexer.store.sqlite_page import nearby, page
from slmtrail.indexer.store.sqlite_plan import Planner
from slmtrail.indexer.store.sqlite_retain import expire, forget_rollups, roll_up, rollups
from slmtrail.indexer.store.text import searched

_Row = tuple[Columns, str]
_BATCH = 200
_BUSY_TIMEOUT_S = 30.0


class SqliteStore:
    """The Store port on one SQLite file."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        self._path = path
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._write_lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        if writable:
            durable.make_folder(path.parent)
            with self._explained():
                self._writer = _open(f"{path.absolute().as_uri()}?mode=rwc")
                try:
                    sqlite_log.settle(self._writer, path)
                    schema.prepare(self._writer, path)
                except BaseException:
                    self._writer.close()
                    raise

    def extract(self, sealed: Sealed) -> str | _Row:
        """The columns and words of a record, or why it can't be stored."""
        record = sealed.record
        return objection(sealed.id, record) or (columns(record), searched(record))

    def write(self, records: Sequence[Sealed]) -> list[Refusal]:
        """Stores each record once, in one transaction; on disk when this returns."""
        refusals = []
        accepted: dict[tuple[str, int, str], tuple[Sealed, _Row]] = {}
        for sealed in records:
            row: str | _Row = sealed.extract or self.extract(sealed)
            if isinstance(row, str):
                refusals.append(Refusal(sealed, row))
            else:
                accepted[sealed.ledger, sealed.leaf, sealed.id] = sealed, row
        with self._write_lock, self._explained(), self._writing() as db:
            db.execute("BEGIN IMMEDIATE")
            _insert(db, [pair for key, pair in accepted.items() if not _holds(db, key)])
        return refusals

    def erase(self, ledger: str, rows: Rows) -> int:
        """Destroys content, persons and salts of these leaves, in the file's free pages too."""
        with self._write_lock, self._explained():
            return erase(self._writing(), ledger, rows)

    def holding(self, ledger: str, leaves: Sequence[int]) -> set[int]:
        """Which of these leaves are there."""
        with self._reading() as db:
            found = db.execute(
                "SELECT leaf FROM record WHERE ledger = ? AND leaf IN (SELECT value FROM json_each(?))",
                (ledger, orjson.dumps(list(leaves)).decode()),
            )
            return {leaf for (leaf,) in found}

    def tally(self, ledger: str, start: int, end: int) -> tuple[int, int]:
        """How many records there are of leaves start ≤ leaf < end, and the sum of their leaves."""
        with self._reading() as db:
            count, total = db.execute(
                "SELECT count(*), coalesce(sum(leaf), 0) FROM record WHERE ledger = ? AND leaf >= ? AND leaf < ?",
                (ledger, start, end),
            ).fetchone()
            return count, total

    def search(self, query: Query) -> Page:
        """The records that fit, in the order of its `sort`."""
        question = asked(query)
        with self._planned(question) as (db, planner, deadline):
            rows, more = nearby(db, question) or ([], False)
            found = None
            if not rows:
                found = planner.plan()
                rows, more = page(db, question, found)
            total, at_least = len(rows), more
            if question.count_to and (more or question.after):
                total, at_least = count(db, question, lambda: found or planner.plan(in_time=False), deadline)
                total = max(total, len(rows))
        after = Cursor(question.sort, *rows[-1][:5]).text() if more else ""
        return Page([shown(_sealed(*row[2:]), question.scope) for row in rows], total, after, at_least)

    def facet(self, query: Query, field: str, size: int) -> dict[str, int]:
        """The most frequent values of a field among the records that fit, and how many of them have each."""
        question, fields = asked(query), fields_of(field, size)
        with self._planned(question) as (db, planner, _):
            return facet(db, question, planner, fields, size)

    def values(self, query: Query, field: str, size: int) -> list[str]:
        """Values of a field that records which fit have, up to so many."""
        question, fields = asked(query), fields_of(field, size)
        with self._planned(question) as (db, planner, _):
            return [*facet(db, question, planner, fields, size, counted=False)]

    def histogram(self, query: Query, bars: int) -> Histogram:
        """The records that fit, over time, in at most so many steps."""
        question = asked(query)
        with self._planned(question) as (db, planner, _):
            return histogram(db, planner.plan(in_time=False), bars)

    @contextmanager
    def _planned(self, question: Asked) -> Iterator[tuple[sqlite3.Connection, Planner, Deadline]]:
        """One state of the file, and the way to what is asked for, which ends by its deadline."""
        with self._reading() as db, _one_state(db), bounded(db) as deadline:
            yield db, Planner(db, question), deadline

    def select(self, query: Query, fields: Sequence[str] = ()) -> Iterator[Picked]:
        """Of all records that fit, however many, these fields, in order of ledger and leaf."""
        data = "data" if fields else "NULL"
        with self._reading() as db, _one_state(db):
            found = Planner(db, asked(query)).plan()
            rows = db.execute(
                f"SELECT ledger, leaf, {data} FROM (SELECT n.ledger, n.leaf, n.place "  # noqa: S608
                f"{found.tables} CROSS JOIN record AS n ON n.place = r.place {found.where}) "
                f"{'JOIN payload USING (place) ' if fields else ''}ORDER BY ledger, leaf",
                found.values,
            )
            for ledger, leaf, text in rows:
                record = parsed(text) if fields else {}
                yield ledger, leaf, {name: record[name] for name in fields if name in record}

    def expire(self, summarise: Mapping[str, Rows], remove: Mapping[str, Rows]) -> None:
        """Destroys the content of the first leaves, by ledger, and all of the second, in the file's free pages too."""
        with self._write_lock, self._explained():
            expire(self._writing(), summarise, remove)

    def rotate(self, ages_ms: Mapping[str, int]) -> None:
        """Nothing: one file holds all."""

    def roll_up(self, hour_ms: int, rollups: Sequence[Rollup]) -> None:
        """Takes the statistics of an hour, in the place of those it has."""
        with self._write_lock, self._explained():
            roll_up(self._writing(), hour_ms, rollups)

    def rollups(
        self, since_ms: int, until_ms: int, step_ms: int = HOUR_MS, kind: str = "", *, latency: bool = True
    ) -> list[Rollup]:
        """The statistics from `since_ms` on and before `until_ms`, the oldest first: of hours, or of whole days."""
        with self._reading() as db:
            return rollups(db, since_ms, until_ms, step_ms, kind, latency=latency)

    def forget_rollups(self, before_ms: int) -> None:
        """Lets go of the statistics of hours before then."""
        with self._write_lock, self._explained():
            forget_rollups(self._writing(), before_ms)

    def get(self, record_id: str) -> Sealed | None:
        """One record by its event.id; of one that stands twice, the first by ledger and leaf."""
        with self._reading() as db:
            row = db.execute(
                "SELECT ledger, leaf, id, data FROM record JOIN payload USING (place) "
                "WHERE id = ? ORDER BY ledger, leaf LIMIT 1",
                (record_id,),
            ).fetchone()
        return _sealed(*row) if row else None

    def scan(self, ledger: str, start: int, end: int) -> Iterator[Sealed]:
        """All records of leaves start ≤ leaf < end in order of leaf; what stands twice comes twice.

        Reads in batches, so that a long scan neither fills the memory nor keeps the file from being tidied.
        """
        after = (start, "")
        while True:
            with self._reading() as db:
                rows = db.execute(
                    "SELECT ledger, leaf, id, data FROM record JOIN payload USING (place) "
                    "WHERE ledger = ? AND (leaf, id) > (?, ?) AND leaf < ? ORDER BY leaf, id LIMIT ?",
                    (ledger, *after, end, _BATCH),
                ).fetchall()
            yield from (_sealed(*row) for row in rows)
            if len(rows) < _BATCH:
                return
            after = rows[-1][1:3]

    def certificates(self, ledger: str) -> Iterator[Sealed]:
        """The records of a ledger that say they hold a certificate, in order of leaf."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT ledger, leaf, id, data FROM record JOIN payload USING (place) "
                "WHERE ledger = ? AND collector = ? ORDER BY leaf",
                (ledger, certificate.COLLECTOR),
            )
            yield from (sealed for row in rows if certificate.FIELD in (sealed := _sealed(*row)).record)

    def ledgers(self) -> dict[str, int]:
        """The ledgers that records name, and how many records each has."""
        with self._reading() as db:
            return dict(db.execute("SELECT ledger, count(*) FROM record GROUP BY ledger"))

    def extent(self, query: Query) -> dict[str, range]:
        """For each ledger with records that fit, the leaves from the first to the last of them."""
        bounds = {"ts_ms >= ?": query.since_ms, "ts_ms < ?": query.until_ms, "collector = ?": query.collector or None}
        given = {test: value for test, value in bounds.items() if value is not None}
        with self._reading() as db:
            if not given:
                return dict(_extents(db))
            found = db.execute(
                f"SELECT ledger, min(leaf), max(leaf) FROM record WHERE {' AND '.join(given)} GROUP BY ledger",  # noqa: S608
                list(given.values()),
            )
            return {ledger: range(first, last + 1) for ledger, first, last in found}

    def faults(self) -> list[Fault]:
        """What is wrong with the file, or differs between the data and the columns and words it is searched by."""
        with self._explained():
            db = self._open_reader()
            try:
                return audit(db)
            finally:
                db.close()

    def close(self) -> None:
        """Closes the file."""
        while not self._readers.empty():
            self._readers.get_nowait().close()
        with self._write_lock:
            if self._writer is not None:
                # Whoever copies the file now gets all of it; nobody is waited for.
                with contextlib.suppress(sqlite3.Error):
                    self._writer.execute("PRAGMA busy_timeout = 0")
                    self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._writer.close()
                self._writer = None

    def _writing(self) -> sqlite3.Connection:
        if self._writer is None:
            raise StoreError(f"{self._path}: is open for reading only; open it with writable=True")
        return self._writer

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A read-only connection of its own for each thread that reads at the same time."""
        with self._explained():
            try:
                db = self._readers.get_nowait()
            except queue.Empty:
                db = self._open_reader()
            try:
                yield db
            finally:
                self._readers.put(db)

    def _open_reader(self) -> sqlite3.Connection:
        if not self._path.exists():
            raise schema.none_yet(self._path)
        uri = f"{self._path.absolute().as_uri()}?mode=ro"
        # In a folder that can't be written, such as a copy kept as evidence, nobody else can write either.
        wal = wal_file(self._path)
        if not os.access(self._path.parent, os.W_OK) and not (wal.exists() and wal.stat().st_size):
            uri += "&immutable=1"
        db = _open(uri)
        try:
            schema.check(db, self._path)
        except BaseException:
            db.close()
            raise
        return db

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError as error:
            # Python's reader of SQLite's messages fails where they quote damaged names.
            raise StorageError(f"{self._path}: {_ADVICE[sqlite3.SQLITE_CORRUPT]}") from error
        except sqlite3.Error as error:
            raise StorageError(f"{self._path}: {_ADVICE.get(error_code(error), _UNKNOWN).format(error)}") from error


_UNKNOWN = "{}; `slmtrail verify` tells whether the file is whole"
_REBUILD = "stop the pipeline and run slmtrail reindex"
_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full; free space on it, or move the data folder (setting `data`)",
    sqlite3.SQLITE_READONLY: "can't be written; give this user write permission there, or move the data folder",
    sqlite3.SQLITE_PERM: "can't be opened; give this user permission to read and write it",
    sqlite3.SQLITE_CANTOPEN: "can't be opened; see that it is a file, and that this user may use it and its folder",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write ({}); look at the disk and the system's log",
    sqlite3.SQLITE_BUSY: "another process is writing into it; only one may write at a time",
    sqlite3.SQLITE_NOTADB: f"is no store, or its first bytes are damaged; {_REBUILD}",
    sqlite3.SQLITE_CORRUPT: f"is damaged; {_REBUILD}",
}


def wal_file(path: Path) -> Path:
    """Where SQLite keeps what it did not yet move into the file at `path`."""
    return path.with_name(f"{path.name}-wal")


def _open(uri: str) -> sqlite3.Connection:
    db = sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    # A damaged text must be found and named, not end the search for damage.
    db.text_factory = lambda text: text.decode(errors="replace")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA cache_size = -32768")
    db.create_function("searched", 1, _searched_data, deterministic=True)
    return db


@contextmanager
def _one_state(db: sqlite3.Connection) -> Iterator[None]:
    """What is read within is of one moment, whatever is written meanwhile."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        if db.in_transaction:  # SQLite itself ends one in which a list of places was broken off
            db.execute("ROLLBACK")


def _extents(db: sqlite3.Connection) -> Iterator[tuple[str, range]]:
    """All leaves of each ledger: one query for each end, as SQLite goes straight to it only where it is alone."""
    ledger = ""
    while ledger := db.execute("SELECT min(ledger) FROM record WHERE ledger > ?", (ledger,)).fetchone()[0] or "":
        ends = (f"SELECT {end}(leaf) FROM record WHERE ledger = ?" for end in ("min", "max"))  # noqa: S608
        first, last = (db.execute(end, (ledger,)).fetchone()[0] for end in ends)
        yield ledger, range(first, last + 1)


def _searched_data(data: bytes) -> str:
    return searched(parsed(data))


def _sealed(ledger: str, leaf: int, record_id: str, data: bytes) -> Sealed:
    return Sealed(ledger, leaf, record_id, parsed(data), data)


def _holds(db: sqlite3.Connection, key: tuple[str, int, str]) -> bool:
    return db.execute("SELECT 1 FROM record WHERE ledger = ? AND leaf = ? AND id = ?", key).fetchone() is not None


def _insert(db: sqlite3.Connection, pairs: list[tuple[Sealed, _Row]]) -> None:
    (last,) = db.execute("SELECT coalesce(max(place), 0) FROM record").fetchone()
    placed = [(last + step, sealed, *row) for step, (sealed, row) in enumerate(pairs, 1)]
    db.executemany(
        f"INSERT INTO record VALUES (?, ?, ?, ?{', ?' * len(SCALARS)})",  # noqa: S608
        [(place, s.ledger, s.leaf, s.id, *c[: len(SCALARS)]) for place, s, c, _ in placed],
    )
    db.executemany(
        "INSERT INTO term VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (name, value, c.ts_ms, place, c.kind, c.environment, c.outcome, c.collector)
            for place, _, c, _ in placed
            for name, value in c.terms
        ],
    )
    db.executemany("INSERT INTO payload VALUES (?, ?)", [(place, s.data) for place, s, _, _ in placed])
    db.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", [(place, words) for place, _, _, words in placed])

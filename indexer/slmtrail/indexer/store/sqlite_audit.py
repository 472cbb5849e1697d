"""What is wrong with an embedded store: its file, and all it searches by, compared with the data.

Columns and terms are made anew from each record's data; the index of words is checked by FTS5 itself against
the text made anew. It reads one state of the file throughout, writes into SQLite's temporary files only, and
so runs beside a pipeline that writes. Memory stays flat; temporary files grow to about half of the store.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from slmtrail.core.ports import Fault
from slmtrail.indexer.store import schema
from slmtrail.indexer.store.columns import SCALARS, Columns, columns

MAX_FAULTS = 1000
"""Of each sort; where all is wrong, the first thousand tell as much."""

_SHADOWS = ("data", "idx")
_IN_SEGMENT = (2**37 - 1, 10)
"""FTS5 keeps a block under its segment's number and, in these bits, its place; up to 10 there are no blocks."""
_EXTRA_PLACE, _EXTRA_WORD = 2**62, "\ufdd0"
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH})


def audit(db: sqlite3.Connection) -> list[Fault]:
    """The faults of the store that `db` reads; uses up the connection."""
    db.execute("BEGIN")
    faults: list[Fault] = []
    checks: tuple[Callable[[sqlite3.Connection], Iterator[Fault]], ...] = (_pages, _tables, _records, _terms, _words)
    for check in checks:
        try:
            faults += itertools.islice(check(db), MAX_FAULTS)
        except sqlite3.DatabaseError as error:
            if error_code(error) not in _DAMAGE:
                raise
            faults.append(Fault("file", f"the store's file is damaged: {error}"))
    return faults


def error_code(error: sqlite3.Error) -> int:
    """SQLite's number for the kind of error, without its finer distinctions."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def parsed(data: bytes) -> dict[str, Any]:
    """The record in `data`; empty where it holds none, so that a damaged one can still be named."""
    try:
        record = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return record if isinstance(record, dict) else {}


def _pages(db: sqlite3.Connection) -> Iterator[Fault]:
    for (text,) in db.execute(f"PRAGMA integrity_check({MAX_FAULTS})"):
        if text != "ok":
            yield Fault("file", f"the store's file is damaged: {text}")


def _tables(db: sqlite3.Connection) -> Iterator[Fault]:
    query = (
        "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND name NOT LIKE 'words\\_%' ESCAPE '\\'"
    )
    found, expected = dict(db.execute(query)), dict(schema.pristine().execute(query))
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            yield Fault("file", f"the store's table, index or view {name!r} is missing, added or changed")


def _records(db: sqlite3.Connection) -> Iterator[Fault]:
    """Compares the columns of each record, and notes for `_terms` what it should be found by."""
    db.execute(
        "CREATE TEMP TABLE wanted (name, value, ts_ms, place, kind, environment, outcome, collector, "
        "PRIMARY KEY (name, value, ts_ms, place)) WITHOUT ROWID"
    )
    rows = db.execute(
        f"SELECT place, ledger, leaf, id, {', '.join(SCALARS)}, data "  # noqa: S608
        "FROM record LEFT JOIN payload USING (place) ORDER BY place"
    )
    for place, ledger, leaf, record_id, *found, data in rows:
        record = parsed(data) if data is not None else {}
        try:
            made: Columns | None = columns(record)
        except ValueError:
            made = None
        if made is None:
            yield Fault("data", "the record's data is missing or can't be read", ledger, leaf, record_id)
            continue
        db.executemany(
            "INSERT INTO wanted VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(*term, made.ts_ms, place, *made[1:5]) for term in made.terms],
        )
        wanted = {"id": record.get("event.id"), **dict(zip(SCALARS, made, strict=False))}
        stored = dict(zip(wanted, (record_id, *found), strict=True))
        for name, value in wanted.items():
            if stored[name] != value:
                yield Fault(
                    "column",
                    f"{name}: the record is searched by another value than its data has",
                    ledger,
                    leaf,
                    record_id,
                )
    doubles = (
        "SELECT ledger, leaf, id FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY ledger, leaf) AS nth "
        "FROM record WHERE id IN (SELECT id FROM record GROUP BY id HAVING count(*) > 1)) WHERE nth > 1"
    )
    for named in db.execute(doubles):
        yield Fault("duplicated", "the same event.id stands at another leaf as well", *named)
    for (place,) in db.execute("SELECT place FROM payload WHERE place NOT IN (SELECT place FROM record)"):
        yield Fault("data", f"data at place {place} belongs to no record")


def _terms(db: sqlite3.Connection) -> Iterator[Fault]:
    for one, other, what in (
        ("term", "wanted", "is found by a {} that its data does not name"),
        ("wanted", "term", "is not found by a {} that its data names"),
    ):
        for name, place in db.execute(
            f"SELECT DISTINCT name, place FROM (SELECT * FROM {one} EXCEPT SELECT * FROM {other})"  # noqa: S608
        ):
            yield Fault("column", f"{name}: the record {what.format(name)}", *_named(db, place))


def _words(db: sqlite3.Connection) -> Iterator[Fault]:
    """Compares the index of words with one made anew.

    FTS5's own check of an index against its text adds up weak sums, which a single bit can pass. But two indexes
    of the same words are the same blocks once all their segments are merged; where they are not, word by word
    tells. FTS5 merges and checks only where it may write, so this is done on a temporary copy.
    """
    db.execute(schema.searched_text("TEMP VIEW", "main.payload"))
    for name in ("stored", "fresh"):
        db.execute(schema.words(f"temp.{name}"))
        db.execute(f"CREATE VIRTUAL TABLE temp.{name}_words USING fts5vocab ('temp', '{name}', 'instance')")
    for shadow in _SHADOWS:
        db.execute(f"DELETE FROM temp.stored_{shadow}")  # noqa: S608
        db.execute(f"INSERT INTO temp.stored_{shadow} SELECT * FROM main.words_{shadow}")  # noqa: S608
    db.execute("INSERT INTO temp.stored (stored) VALUES ('integrity-check')")
    db.execute("INSERT INTO temp.fresh (rowid, text) SELECT place, text FROM temp.searched_text")
    if not _same_blocks(db):
        places: set[int] = set()
        for place in _different(_instances(db, "stored"), _instances(db, "fresh")):
            if place not in places and len(places) < MAX_FAULTS:
                places.add(place)
                yield Fault("words", "the record is found by other words than its data has", *_named(db, place))
    db.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab ('temp', 'fresh', 'row')")
    (lost,) = db.execute(
        "SELECT count(*) FROM temp.vocabulary WHERE term <> ? AND NOT EXISTS ("
        """SELECT 1 FROM main.words WHERE words MATCH '"' || replace(term, '"', '""') || '"')""",
        (_EXTRA_WORD,),
    ).fetchone()
    if lost:
        yield Fault("words", f"the index of words is damaged: it can't find {lost} words that records have")


def _same_blocks(db: sqlite3.Connection) -> bool:
    for name in ("stored", "fresh"):
        # One more segment, so that both are merged and neither is left as it was first written.
        db.execute(f"INSERT INTO temp.{name} (rowid, text) VALUES (?, ?)", (_EXTRA_PLACE, _EXTRA_WORD))  # noqa: S608
        db.execute(f"INSERT INTO temp.{name} ({name}) VALUES ('optimize')")  # noqa: S608
    stored, fresh = (
        db.cursor().execute(f"SELECT id & ?, block FROM temp.{name}_data WHERE id > ? ORDER BY 1", _IN_SEGMENT)  # noqa: S608
        for name in ("stored", "fresh")
    )
    return all(one == other for one, other in itertools.zip_longest(stored, fresh))


def _instances(db: sqlite3.Connection, name: str) -> Iterator[tuple[str, int, int]]:
    yield from db.cursor().execute(f"SELECT term, doc, offset FROM temp.{name}_words")  # noqa: S608


def _different(one: Iterator[tuple[str, int, int]], other: Iterator[tuple[str, int, int]]) -> Iterator[int]:
    """The places of which one list has a word that the other has not; both are sorted."""
    left, right = next(one, None), next(other, None)
    while left is not None or right is not None:
        if left == right:
            left, right = next(one, None), next(other, None)
        elif right is None or (left is not None and left < right):
            assert left is not None  # noqa: S101 - follows from the line above
            yield left[1]
            left = next(one, None)
        else:
            yield right[1]
            right = next(other, None)


def _named(db: sqlite3.Connection, place: int) -> tuple[str, int | None, str]:
    row = db.execute("SELECT ledger, leaf, id FROM record WHERE place = ?", (place,)).fetchone()
    return row if row else ("", None, "")

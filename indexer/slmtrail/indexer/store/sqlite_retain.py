"""What retention does in the embedded store: records without content, records that go, and the statistics that stay."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, fields

import orjson

from slmtrail.core.ports import Rows
from slmtrail.core.rollup import DAY_MS, HOUR_MS, Rollup, together
from slmtrail.indexer.store.columns import columns
from slmtrail.indexer.store.sqlite_audit import parsed
from slmtrail.indexer.store.sqlite_erase import empty_log, erase, forget_words
from slmtrail.indexer.store.text import searched

BATCH = 2000

_NAMES = tuple(field.name for field in fields(Rollup))
_COLUMNS = ", ".join(_NAMES)
_TABLES = {HOUR_MS: "rollup", DAY_MS: "rollup_day"}


def expire(db: sqlite3.Connection, summarise: Mapping[str, Rows], remove: Mapping[str, Rows]) -> None:
    """Destroys the content of the first leaves, and all of the second; what a crash leaves undone is done again."""
    for ledger, rows in summarise.items():
        erase(db, ledger, rows)
    db.execute("PRAGMA secure_delete = ON")
    for ledger, rows in remove.items():
        for first, last in rows:
            while (gone := _remove(db, ledger, first, last)) is not None:
                first = gone + 1
    if remove:  # whatever is left of them: a crash may have come in between
        forget_words(db)
        empty_log(db)


def _remove(db: sqlite3.Connection, ledger: str, first: int, last: int) -> int | None:
    """Removes some of these leaves; the last of them, or None where there are none."""
    found = db.execute(
        "SELECT place, leaf, data FROM record JOIN payload USING (place) WHERE ledger = ? AND leaf BETWEEN ? AND ? "
        "ORDER BY leaf LIMIT ?",
        (ledger, first, last, BATCH),
    ).fetchall()
    if not found:
        return None
    # A record that can't be read can't be taken out of what is searched: it stays, and verification names it.
    readable = [(place, record) for place, _, data in found if (record := parsed(data))]
    with db:
        db.execute("BEGIN IMMEDIATE")
        for place, record in readable:
            made = columns(record)
            db.executemany(
                "DELETE FROM term WHERE name = ? AND value = ? AND ts_ms = ? AND place = ?",
                [(*term, made.ts_ms, place) for term in made.terms],
            )
            db.execute("INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)", (place, searched(record)))
        for table in ("payload", "record"):
            db.executemany(f"DELETE FROM {table} WHERE place = ?", [(place,) for place, _ in readable])  # noqa: S608
    return int(found[-1][1])


def roll_up(db: sqlite3.Connection, hour_ms: int, rollups: Sequence[Rollup]) -> None:
    """Takes the statistics of an hour, in the place of those it has, and puts its day together anew."""
    with db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("DELETE FROM rollup WHERE hour_ms = ?", (hour_ms,))
        _put(db, "rollup", rollups)
        put_days_together(db, [hour_ms])


def put_days_together(db: sqlite3.Connection, hours_ms: Iterable[int]) -> None:
    """Makes the statistics of the days of these hours anew."""
    for day_ms in {hour_ms // DAY_MS * DAY_MS for hour_ms in hours_ms}:
        db.execute("DELETE FROM rollup_day WHERE hour_ms = ?", (day_ms,))
        _put(db, "rollup_day", together(rollups(db, day_ms, day_ms + DAY_MS), DAY_MS))


def forget_rollups(db: sqlite3.Connection, before_ms: int) -> None:
    """Lets go of the statistics of hours before then."""
    with db:
        db.execute("BEGIN IMMEDIATE")
        for table in _TABLES.values():
            db.execute(f"DELETE FROM {table} WHERE hour_ms < ?", (before_ms,))  # noqa: S608
        put_days_together(db, [before_ms])


def rollups(
    db: sqlite3.Connection,
    since_ms: int,
    until_ms: int,
    step_ms: int = HOUR_MS,
    kind: str = "",
    *,
    latency: bool = True,
) -> list[Rollup]:
    """The statistics of a time, of one kind of records or of all."""
    names = _COLUMNS if latency else ", ".join((*_NAMES[:-1], "'{}'"))
    found = db.execute(
        f"SELECT {names} FROM {_TABLES[step_ms]} WHERE hour_ms >= ? AND hour_ms < ? AND ? IN (kind, '') "  # noqa: S608
        "ORDER BY hour_ms, model, environment, kind",
        (since_ms, until_ms, kind),
    )
    told = ((*row[:-1], {int(bucket): n for bucket, n in orjson.loads(row[-1]).items()}) for row in found)
    return [Rollup(*values) for values in told]


def _put(db: sqlite3.Connection, table: str, rollups: Sequence[Rollup]) -> None:
    rows = [(*astuple(one)[:-1], orjson.dumps(one.latency, option=orjson.OPT_NON_STR_KEYS).decode()) for one in rollups]
    db.executemany(f"INSERT INTO {table} ({_COLUMNS}) VALUES (?{', ?' * (len(_NAMES) - 1)})", rows)  # noqa: S608

"""Counting in the embedded store: by the values of a field, and over time."""

from __future__ import annotations

import sqlite3
from typing import Any

from slmtrail.core.ports import Histogram
from slmtrail.indexer.store.columns import COLUMNS, TERMS
from slmtrail.indexer.store.facets import step_ms
from slmtrail.indexer.store.query import Asked
from slmtrail.indexer.store.sqlite_plan import Plan


def facet(db: sqlite3.Connection, question: Asked, found: Plan, fields: tuple[str, ...], size: int) -> dict[str, int]:
    """The most frequent values of the fields, and how many records have each."""
    name = next((name for name, names in TERMS.items() if names == fields), None)
    if name is None:
        counted = f"SELECT {found.column(COLUMNS[fields[0]])} AS value {found.tables} {found.where}"
        values: list[Any] = found.values
    else:
        counted = "SELECT value FROM term WHERE name = ? AND ts_ms >= ? AND ts_ms < ?"
        values = [name, question.since_ms, question.until_ms]
        if question.tree.parts:
            counted += f" AND place IN (SELECT r.place {found.tables} {found.where})"
            values += found.values
    answer = db.execute(
        f"SELECT value, count(*) FROM ({counted}) WHERE value IS NOT NULL GROUP BY value ORDER BY 2 DESC, 1 LIMIT ?",  # noqa: S608
        [*values, size],
    )
    return {str(value): count for value, count in answer}


def histogram(db: sqlite3.Connection, question: Asked, found: Plan, bars: int) -> Histogram:
    """The records that fit, over time."""
    if not question.tree.parts:
        return _of_all(db, question, bars)
    first, last = db.execute(f"SELECT min(r.ts_ms), max(r.ts_ms) {found.tables} {found.where}", found.values).fetchone()
    step = step_ms(first or 0, last or 0, bars)
    if first is None:
        return Histogram(step, {})
    start = first // step * step
    answer = db.execute(
        f"SELECT (r.ts_ms - ?) / ?, count(*) {found.tables} {found.where} GROUP BY 1 ORDER BY 1",
        [start, step, *found.values],
    )
    return Histogram(step, {start + number * step: count for number, count in answer})


def _of_all(db: sqlite3.Connection, question: Asked, bars: int) -> Histogram:
    """All records of a time: what stands in the order of an index already needs no sorting to be counted."""
    times = (question.since_ms, question.until_ms)
    # One query for each end, as SQLite goes straight to it only where it is the only one.
    first, last = (
        db.execute(f"SELECT {end}(ts_ms) FROM record WHERE ts_ms >= ? AND ts_ms < ?", times).fetchone()[0]  # noqa: S608
        for end in ("min", "max")
    )
    step = step_ms(first or 0, last or 0, bars)
    counts: dict[int, int] = {}
    start = None if first is None else first // step * step
    while start is not None and start <= last:
        span = (max(start, question.since_ms), min(start + step, question.until_ms))
        (count,) = db.execute("SELECT count(*) FROM record WHERE ts_ms >= ? AND ts_ms < ?", span).fetchone()
        if count:
            counts[start] = count
        start += step
    return Histogram(step, counts)

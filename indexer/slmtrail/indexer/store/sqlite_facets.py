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
        column = COLUMNS[fields[0]]
        rows = f"SELECT r.place {found.tables} {found.where}"
        values: list[Any] = found.values
        counted = f"SELECT {column} AS value FROM record WHERE {column} IS NOT NULL AND place IN ({rows})"  # noqa: S608
    else:
        counted = "SELECT value FROM term WHERE name = ? AND ts_ms >= ? AND ts_ms < ?"
        values = [name, question.since_ms, question.until_ms]
        if question.tree.parts:
            counted += f" AND place IN (SELECT r.place {found.tables} {found.where})"
            values += found.values
    answer = db.execute(
        f"SELECT value, count(*) FROM ({counted}) GROUP BY value ORDER BY 2 DESC, 1 LIMIT ?",  # noqa: S608
        [*values, size],
    )
    return {str(value): count for value, count in answer}


def histogram(db: sqlite3.Connection, found: Plan, bars: int) -> Histogram:
    """The records that fit, over time."""
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

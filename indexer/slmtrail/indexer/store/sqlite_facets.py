"""Counting in the embedded store: by the values of a field, and over time."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from slmtrail.core.ports import Histogram
from slmtrail.indexer.store.columns import COLUMNS, TERMS
from slmtrail.indexer.store.facets import step_ms
from slmtrail.indexer.store.query import EVERY, Asked
from slmtrail.indexer.store.sqlite_deadline import Deadline, stopped
from slmtrail.indexer.store.sqlite_plan import Plan, Planner, covers

COUNT_S = 0.5
"""For counting what a page does not show: then it says at least how many there are."""

_FEW_VALUES = 16
_FIRST = 5000
_FEW_STEPS = 64


def count(db: sqlite3.Connection, question: Asked, plan: Callable[[], Plan], deadline: Deadline) -> tuple[int, bool]:
    """How many records fit, and whether there may be more: so far as is asked for, and as can be counted in no time."""
    if question.count_to >= EVERY:
        found = plan()
        (total,) = db.execute(f"SELECT count(*) {found.tables} {found.where}", found.values).fetchone()
        return total, False
    deadline.within(COUNT_S)
    total = 0
    try:
        found = plan()
        rows = db.execute(f"SELECT 1 {found.tables} {found.where} LIMIT ?", [*found.values, question.count_to + 1])
        for total, _ in enumerate(rows, 1):  # noqa: B007
            pass
    except sqlite3.OperationalError as error:
        if not stopped(error):
            raise
        return total, True
    return min(total, question.count_to), total > question.count_to


def facet(
    db: sqlite3.Connection,
    question: Asked,
    planner: Planner,
    fields: tuple[str, ...],
    size: int,
    *,
    counted: bool = True,
) -> dict[str, int]:
    """The most frequent values of the fields, and how many records have each.

    counted: whether that is told; if not, a value whose first record is found at once has 1.
    """
    found = planner.plan(in_time=False)
    name = next((name for name, names in TERMS.items() if names == fields), None)
    if name is None:
        return _by_column(db, found, COLUMNS[fields[0]], size, counted)
    few = _few(db, "value", "term WHERE name = ? AND", [name])
    if found.rare:
        among = f"AND value IN ({', '.join('?' * len(few))})" if few is not None else ""
        rows = f"SELECT value FROM term WHERE name = ? {among} AND ts_ms >= ? AND ts_ms < ?"  # noqa: S608
        rows += f" AND place IN (SELECT r.place {found.tables} {found.where})"
        return _most(db, rows, [name, *(few or ()), question.since_ms, question.until_ms, *found.values], size)
    over = planner.plan(over=name)
    if few is not None:
        return _each(db, f"{over.tables} {over.where} AND r.value = ?", over.values, few, size, counted)
    return _most(db, f"SELECT r.value {over.tables} {over.where}", over.values, size)


def _by_column(db: sqlite3.Connection, found: Plan, name: str, size: int, counted: bool) -> dict[str, int]:
    column = found.column(name)
    rows = f"SELECT {column} AS value {found.tables} {found.where}"
    if found.by_columns:
        if found.has_columns and covers(name, found.question.tree):
            few = _few(db, name, "record WHERE", [])
            if few is not None:
                along = f"FROM record AS r INDEXED BY record_{name} {found.where} AND r.{name} = ?"
                return _each(db, along, found.values, few, size, counted)
        # To group a million rows they are sorted, which takes longer than to count each of a few values: those of the
        # first rows where there are no others, which the count of all tells.
        for among in (f"{rows} LIMIT {_FIRST}", rows):
            distinct = f"SELECT DISTINCT value FROM ({among}) WHERE value IS NOT NULL LIMIT ?"  # noqa: S608
            values = [value for (value,) in db.execute(distinct, [*found.values, _FEW_VALUES + 1])]
            if len(values) > _FEW_VALUES:
                break
            each = "".join([", count(*) FILTER (WHERE value = ?)"] * len(values))
            total, *counts = db.execute(
                f"SELECT count(value){each} FROM ({rows})",  # noqa: S608
                [*values, *found.values],
            ).fetchone()
            if sum(counts) == total:
                return _top(zip(values, counts, strict=True), size)
    return _most(db, rows, found.values, size)


def _few(db: sqlite3.Connection, column: str, among: str, values: list[Any]) -> list[str] | None:
    """The values of an indexed column, each found by one step along the index; None where there are many."""
    found: list[str] = []
    while len(found) <= _FEW_STEPS:
        behind, last = (">", found[-1]) if found else (">=", "")
        step = f"SELECT min({column}) FROM {among} {column} {behind} ?"  # noqa: S608
        (value,) = db.execute(step, [*values, last]).fetchone()
        if value is None:
            return found
        found.append(value)
    return None


def _each(
    db: sqlite3.Connection, fitting: str, values: list[Any], few: list[str], size: int, counted: bool
) -> dict[str, int]:
    """Counts each of a few values by itself, which looks at no record before or behind the time that is asked for."""
    each = f"SELECT {f'count(*) {fitting}' if counted else f'EXISTS (SELECT 1 {fitting})'}"
    counts = ((value, db.execute(each, [*values, value]).fetchone()[0]) for value in few)
    return _top(counts, size)


def _top(counts: Iterable[tuple[Any, int]], size: int) -> dict[str, int]:
    there = ((value, count) for value, count in counts if value is not None and count)
    most = sorted(there, key=lambda pair: (-pair[1], _order(pair[0])))[:size]
    return {str(value): count for value, count in most}


def _most(db: sqlite3.Connection, rows: str, values: list[Any], size: int) -> dict[str, int]:
    answer = db.execute(
        f"SELECT value, count(*) FROM ({rows}) WHERE value IS NOT NULL GROUP BY value ORDER BY 2 DESC, 1 LIMIT ?",  # noqa: S608
        [*values, size],
    )
    return {str(value): count for value, count in answer}


def _order(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def histogram(db: sqlite3.Connection, found: Plan, bars: int) -> Histogram:
    """The records that fit, over time, each of which is come to once."""
    if not found.in_order:
        times = [at for (at,) in db.execute(f"SELECT r.ts_ms {found.tables} {found.where}", found.values)]
        step = step_ms(min(times, default=0), max(times, default=0), bars)
        return Histogram(step, dict(sorted(Counter(at // step * step for at in times).items())))
    # From both ends to the first that fits, and what is between them step by step: grouped, all of it would be sorted.
    first, last = _end(db, found, "ASC"), _end(db, found, "DESC")
    step = step_ms(first or 0, last or 0, bars)
    if first is None or last is None:
        return Histogram(step, {})
    among, asked = f"SELECT count(*) {found.tables} {found.where}", found.question
    starts = range(first // step * step, last + 1, step)
    spans = ((at, max(at, asked.since_ms), min(at + step, asked.until_ms)) for at in starts)
    answer = ((at, *db.execute(among, found.during(*span)).fetchone()) for at, *span in spans)
    return Histogram(step, {at: count for at, count in answer if count})


def _end(db: sqlite3.Connection, found: Plan, way: str) -> int | None:
    row = db.execute(f"SELECT r.ts_ms {found.tables} {found.where} ORDER BY r.ts_ms {way} LIMIT 1", found.values)
    return next(iter(row.fetchone() or (None,)))

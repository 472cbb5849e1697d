"""A page of records of the embedded store, in its order."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator
from typing import Any

from slmtrail.indexer.store import cursor
from slmtrail.indexer.store.language.tree import Exists, Like, Text, tests
from slmtrail.indexer.store.query import Asked
from slmtrail.indexer.store.sqlite_plan import Plan, Planner

MAX_PAGE_BYTES = 32 * 1024 * 1024
"""Of the records on a page, which are in memory together."""

NEAR, NEAR_BY_WORDS = 20_000, 2000
"""Records among which a page is looked for first, the newest; and where the words of each have to be made anew."""

Rows = tuple[list[tuple[Any, ...]], bool]
"""Of each record what it is sorted by, time, ledger, leaf, id and data; and whether there are more."""


def nearby(db: sqlite3.Connection, question: Asked) -> Rows | None:
    """A page out of the first records in time alone; None where they don't fill one, or that would save nothing.

    What is frequent fills it at once, where a list of all that has a word would take the longer the more there is.
    """
    each = [test for part in question.tree.parts for test in tests(part)]
    if not question.sort.endswith("time") or not any(isinstance(test, Text | Like | Exists) for test in each):
        return None
    size = NEAR_BY_WORDS if any(isinstance(test, Text) and test.prefix for test in each) else NEAR
    since, until, way = question.since_ms, question.until_ms, "DESC" if question.sort.startswith("-") else "ASC"
    if question.after is not None:
        reached = question.after.ts_ms
        since, until = (since, min(until, reached + 1)) if way == "DESC" else (max(since, reached), until)
    first = f"SELECT ts_ms, place FROM record WHERE ts_ms >= ? AND ts_ms < ? ORDER BY ts_ms {way} LIMIT ?"  # noqa: S608
    count, low, high, *places = db.execute(
        f"SELECT count(*), min(ts_ms), max(ts_ms), min(place), max(place) FROM ({first})",  # noqa: S608
        (since, until, size),
    ).fetchone()
    if count < size:
        return None
    near = dataclasses.replace(question, since_ms=low, until_ms=high + 1)
    rows, more = page(db, near, Planner(db, near, tuple(places)).plan())
    return (rows, more) if more else None


def page(db: sqlite3.Connection, question: Asked, found: Plan) -> Rows:
    """What fits on a page, and whether there is more; large records make it a short one."""
    rows: list[tuple[Any, ...]] = []
    size = 0
    for row in _ordered(db, question, found):
        size += len(row[-1])
        if len(rows) == question.limit or (rows and size > MAX_PAGE_BYTES):
            return rows, True
        rows.append(row)
    return rows, False


def _ordered(db: sqlite3.Connection, question: Asked, found: Plan) -> Iterator[tuple[Any, ...]]:
    """The page that is asked for, and the record behind it: what it is sorted by, time, ledger, leaf, id and data."""
    name, downwards = question.sort.lstrip("-"), question.sort.startswith("-")
    way, beyond, last_key = ("DESC", "<", -cursor.NONE) if downwards else ("ASC", ">", cursor.NONE)
    n, named = ("r", "") if found.has_columns else ("n", "CROSS JOIN record AS n ON n.place = r.place")
    order = {"ts_ms": "r.ts_ms", "ledger": f"{n}.ledger", "leaf": f"{n}.leaf", "id": f"{n}.id"}
    if name in cursor.SORTED:
        order = {"key": f"coalesce({n}.{name}, {last_key})", **order}
    after, last = "", [part for part in (question.after or ())[1:] if part is not None]
    if last:
        after = f"AND {next(iter(order.values()))} {beyond}= ? "
        after += f"AND ({', '.join(order.values())}) {beyond} ({', '.join('?' * len(order))})"
        last = [last[0], *last]
    return db.execute(
        f"SELECT key, ts_ms, ledger, leaf, id, data FROM (SELECT {order.get('key', 'NULL')} AS key, r.ts_ms, "  # noqa: S608
        f"{n}.ledger, {n}.leaf, {n}.id, r.place {found.tables} {named} {found.where} {after} "
        f"ORDER BY {', '.join(f'{expression} {way}' for expression in order.values())} LIMIT ?) "
        f"JOIN payload USING (place) ORDER BY {', '.join(f'{column} {way}' for column in order)}",
        [*found.values, *last, question.limit + 1],
    )

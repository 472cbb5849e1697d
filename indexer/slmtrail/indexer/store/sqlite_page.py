"""A page of records of the embedded store, in its order."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator
from typing import Any

from slmtrail.indexer.store import cursor
from slmtrail.indexer.store.language.tree import Exists, Like, Node, Text, tests
from slmtrail.indexer.store.query import Asked
from slmtrail.indexer.store.sqlite_plan import Plan, Planner

MAX_PAGE_BYTES = 32 * 1024 * 1024
"""Of the records on a page, which are in memory together."""

NEAR = 20_000
"""Records among which a page is looked for first, the newest."""

Rows = tuple[list[tuple[Any, ...]], bool]
"""Of each record what it is sorted by, time, ledger, leaf, id and data; and whether there are more."""


def nearby(db: sqlite3.Connection, question: Asked) -> Rows | None:
    """A page out of the newest records alone; None where they don't fill one, or looking there would save nothing.

    What is frequent fills it at once, where a list of all that has a word would take the longer the more there is.
    """
    if question.sort != "-time" or not any(map(_takes_a_list, question.tree.parts)):
        return None
    until = question.until_ms if question.after is None else min(question.until_ms, question.after.ts_ms + 1)
    newest = "SELECT ts_ms, place FROM record WHERE ts_ms >= ? AND ts_ms < ? ORDER BY ts_ms DESC LIMIT ?"
    count, since, *places = db.execute(
        f"SELECT count(*), min(ts_ms), min(place), max(place) FROM ({newest})",  # noqa: S608
        (question.since_ms, until, NEAR),
    ).fetchone()
    if count < NEAR:
        return None
    near = dataclasses.replace(question, since_ms=since, until_ms=until)
    rows, more = page(db, near, Planner(db, near, tuple(places)).plan())
    return (rows, more) if more else None


def _takes_a_list(node: Node) -> bool:
    each = list(tests(node))
    if any(isinstance(test, Text) and test.prefix for test in each):
        return False  # which is looked up as a whole, wherever it is looked for
    return any(isinstance(test, Text | Like | Exists) for test in each)


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

"""How the embedded store answers a query: which of its indexes leads, and which only check.

SQLite can't know which of the terms of a query is rare. So each is counted up to a bound, and the rarest leads. All
else is checked for the records it leads to: by columns and indexes, and where a field has none, by a record's data.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from slmtrail.core.fields import FIELDS
from slmtrail.indexer.store.columns import COLUMNS, TERMS, TIME, ip_term
from slmtrail.indexer.store.language.fits import fitting, pattern, span
from slmtrail.indexer.store.language.tree import And, Equals, Exists, Like, Node, Not, Or, Range, Test, Text
from slmtrail.indexer.store.query import Asked
from slmtrail.indexer.store.sqlite_audit import parsed
from slmtrail.indexer.store.sqlite_glob import beginning, glob

_PROBED = 20_000
_VALUES = 500
"""A pattern or network is looked up as its values, where no more than these are to be looked at."""
_ANY = "SELECT 1 FROM term WHERE name = ? AND value = ? LIMIT 1"
_ON_TERMS = ("kind", "environment", "outcome", "collector")


@dataclass(frozen=True, slots=True)
class Plan:
    """The FROM and WHERE of a query, and their values; `r` has a record's place and its searched columns."""

    tables: str
    where: str
    values: list[Any]
    reads_data: bool
    has_columns: bool
    """Whether `r` has all of a record's columns, or those of a term."""

    def column(self, name: str) -> str:
        """A column of the record, wherever it stands."""
        return _column(name, self.has_columns)


@dataclass(frozen=True, slots=True)
class _Part:
    """A condition in three forms: as the table `r` that leads, as the list of its places, as a check of one place
    (empty where none is fast).

    exact: whether it is all of the condition, or holds for more records than that. has_columns: whether `r`, where
        this leads, has all columns of a record, or those of a term.
    """

    lead: str
    places: str
    values: list[Any]
    check: str
    check_values: list[Any]
    rows: int
    exact: bool = True
    has_columns: bool = True


def plan(db: sqlite3.Connection, question: Asked) -> Plan:
    """The fastest way to the records that are asked for. Checks of data become functions of `db`."""
    return _Planner(db, question).plan()


class _Planner:
    def __init__(self, db: sqlite3.Connection, question: Asked) -> None:
        self._db = db
        self._question = question
        self._functions = 0
        self._few = False
        self._has_columns = True

    def plan(self) -> Plan:
        """The plan of the whole question."""
        times = [self._question.since_ms, self._question.until_ms]
        texts = tuple(part for part in self._question.tree.parts if _match(part))
        others = [part for part in self._question.tree.parts if not _match(part)]
        nodes = [*([And(texts)] if texts else []), *others]
        parts = {node: part for node in nodes if (part := self._part(node))}
        # Of those that are all frequent, a text is the last to lead: its words stand in more records than a value does.
        leading = min(parts, key=lambda node: (parts[node].rows, bool(_match(node))), default=None)
        lead = parts[leading] if leading is not None else None
        self._few = lead is not None and lead.rows < _PROBED
        self._has_columns = lead is None or lead.has_columns
        conditions, values = ["r.ts_ms >= ?", "r.ts_ms < ?"], [*(lead.values if lead else ()), *times]
        # Columns first, then indexes, then data: SQLite checks in this order.
        for node in sorted(nodes, key=lambda node: node in parts):
            if node == leading and lead and lead.exact:
                continue
            check, given = self._check(node)
            conditions.append(check)
            values += given
        where = f"WHERE {' AND '.join(conditions)}"
        return Plan(
            f"FROM {lead.lead if lead else 'record AS r'}", where, values, self._functions > 0, self._has_columns
        )

    def _part(self, node: Node) -> _Part | None:
        """The condition by an index, where there is one for it."""
        if match := _match(node):
            places = "SELECT rowid AS place FROM words WHERE words MATCH ?"
            check = "EXISTS (SELECT rowid FROM words WHERE words MATCH ? AND rowid = r.place)"
            return self._joined(places, [match], check, [match])
        match node:
            case Or():
                return self._union(node)
            case And():
                # Only what is within an `or` comes here: there, its rarest part stands for it.
                parts = [found for part in node.parts if (found := self._part(part))]
                rarest = min(parts, key=lambda part: part.rows, default=None)
                return rarest and self._joined(rarest.places, rarest.values, "", [], exact=False)
            case Equals(("event.id",), ids):
                among = f"id IN ({', '.join('?' * len(ids))})"
                check = f"(SELECT {among} FROM record WHERE place = r.place)"  # noqa: S608
                return self._joined(f"SELECT place FROM record WHERE {among}", [*ids], check, [*ids])  # noqa: S608
            case Equals() | Like() | Exists():
                return self._term(node)
        return None

    def _joined(
        self, places: str, values: list[Any], check: str, check_values: list[Any], *, exact: bool = True
    ) -> _Part:
        lead = f"({places}) AS w CROSS JOIN record AS r ON r.place = w.place"
        return _Part(lead, places, values, check, check_values, self._count(places, values), exact)

    def _union(self, node: Or) -> _Part | None:
        parts = [self._part(part) for part in node.parts]
        found = [part for part in parts if part]
        if len(found) < len(parts):
            return None
        places = " UNION ".join(f"SELECT place FROM ({part.places})" for part in found)  # noqa: S608
        values = [value for part in found for value in part.values]
        rows = min(sum(part.rows for part in found), _PROBED)
        lead = f"({places}) AS w CROSS JOIN record AS r ON r.place = w.place"
        return _Part(lead, places, values, "", [], rows, all(part.exact for part in found))

    def _term(self, node: Equals | Like | Exists) -> _Part | None:
        name = next((name for name, names in TERMS.items() if set(node.names) <= set(names)), None)
        if name is None:
            return None
        found = self._wanted(name, node)
        test, wanted = _wide(node) if found is None else (f"value IN ({', '.join('?' * len(found))})", found)
        # A record may have two of the values, and counts once.
        distinct = "" if found is not None and len(found) <= 1 else "DISTINCT "
        times = [self._question.since_ms, self._question.until_ms]
        rows = f"FROM term WHERE name = ? AND {test} AND ts_ms >= ? AND ts_ms < ?"
        lead = f"(SELECT {distinct}ts_ms, place, {', '.join(_ON_TERMS)} {rows}) AS r"
        places = f"SELECT place {rows}"
        check = f"EXISTS (SELECT 1 FROM term WHERE name = ? AND {test} AND ts_ms = r.ts_ms AND place = r.place)"  # noqa: S608
        values, exact = [name, *wanted, *times], set(node.names) == set(TERMS[name])
        # A check by a range of values would look through all of them for each record.
        check = "" if found is None else check
        return _Part(lead, places, values, check, [name, *wanted], self._count(places, values), exact, False)

    def _wanted(self, name: str, node: Equals | Like | Exists) -> list[str] | None:
        """The values that are there and fit; None where these may be many."""
        if isinstance(node, Exists):
            return None
        if isinstance(node, Equals) and not _is_ip(node):
            found = [str(value) for value in node.values]
            return [value for value in found if self._db.execute(_ANY, (name, value)).fetchone()]
        fits, found, looked_at = pattern(node.pattern).fullmatch if isinstance(node, Like) else bool, [], 0
        for low, high in _spans(node):
            value = self._first(name, ">=", low)
            while value is not None and (not high or value <= high):
                looked_at += 1
                if looked_at > _VALUES:
                    return None
                if fits(value):
                    found.append(value)
                value = self._first(name, ">", value)
        return list(dict.fromkeys(found))

    def _first(self, name: str, sign: str, value: str) -> str | None:
        query = f"SELECT min(value) FROM term WHERE name = ? AND value {sign} ?"  # noqa: S608
        found: str | None = self._db.execute(query, (name, value)).fetchone()[0]
        return found

    def _check(self, node: Node) -> tuple[str, list[Any]]:
        """The condition for one record `r`."""
        part = self._part(node) if not isinstance(node, Or | And) or _match(node) else None
        match node:
            case Not():
                check, values = self._check(node.part)
                return f"NOT coalesce({check}, 0)", values
            case And() | Or() if part is None:
                checks = [self._check(one) for one in node.parts]
                both = " AND " if isinstance(node, And) else " OR "
                test = both.join(check for check, _ in checks) or "1"
                return f"({test})", [value for _, given in checks for value in given]
        if part is not None and part.exact:
            # A list of all places is made once and looked up; for a few records at hand it is not made at all.
            if part.check and (part.rows < _PROBED or self._few):
                return part.check, part.check_values
            if part.check or part.rows < _PROBED or not self._few:
                return f"r.place IN ({part.places})", part.values
        assert isinstance(node, Test)  # noqa: S101 - a text has an index
        check, values = self._columns(node) or (self._data(node), [])
        if part and part.check:
            return f"({part.check} AND {check})", [*part.check_values, *values]
        return check, values

    def _columns(self, node: Test) -> tuple[str, list[Any]] | None:
        """The condition by columns, where all its fields have one."""
        if not all(name == TIME or name in COLUMNS for name in node.names):
            return None
        tests, values = [], []
        for name in node.names:
            test, given = _test(node, _column("ts_ms" if name == TIME else COLUMNS[name], self._has_columns))
            tests.append(test)
            values += given
        return f"({' OR '.join(tests)})", values

    def _data(self, node: Test) -> str:
        """The condition by a record's data: a function, for no JSON path says all that a test may ask."""
        name, fits = f"fits_{self._functions}", fitting(node)
        self._functions += 1
        self._db.create_function(name, 1, lambda data: fits(parsed(data or b"")), deterministic=True)
        return f"{name}((SELECT data FROM payload WHERE place = r.place))"  # noqa: S608

    def _count(self, rows: str, values: list[Any]) -> int:
        counted = self._db.execute(f"SELECT count(*) FROM ({rows} LIMIT ?)", [*values, _PROBED])  # noqa: S608
        return int(counted.fetchone()[0])


def _column(name: str, has_columns: bool) -> str:
    if has_columns or name == "ts_ms" or name in _ON_TERMS:
        return f"r.{name}"
    return f"(SELECT {name} FROM record WHERE place = r.place)"  # noqa: S608


def _match(node: Node) -> str:
    """The condition in the language of FTS5; empty where it asks for more than text."""
    match node:
        case Text():
            phrase = " ".join(node.words).replace('"', '""')
            return f'"{phrase}" *' if node.prefix else f'"{phrase}"'
        case And() | Or() if node.parts:
            parts = [_match(part) for part in node.parts]
            return f"({(' AND ' if isinstance(node, And) else ' OR ').join(parts)})" if all(parts) else ""
    return ""


def _test(node: Test, column: str) -> tuple[str, list[Any]]:
    match node:
        case Exists():
            return f"{column} IS NOT NULL", []
        case Like():
            return f"{column} GLOB ?", [glob(node.pattern)]
        case Equals():
            return f"{column} IN ({', '.join('?' * len(node.values))})", [*node.values]
        case Range():
            bounds = ((">" if node.low_open else ">=", node.low), ("<" if node.high_open else "<=", node.high))
            given = [(sign, bound) for sign, bound in bounds if bound is not None]
            test = " AND ".join(f"{column} {sign} ?" for sign, _ in given) or f"{column} IS NOT NULL"
            return f"({test})", [bound for _, bound in given]


def _is_ip(node: Test) -> bool:
    return FIELDS[node.names[0]].type == "ip"


def _spans(node: Like | Equals) -> list[tuple[str, str]]:
    """Between which values the wanted ones lie; the last is empty where there is no end."""
    if isinstance(node, Like):
        return [beginning(node.pattern)]
    return [(ip_term(first), ip_term(last)) for first, last in (span(str(value)) for value in node.values)]


def _wide(node: Equals | Like | Exists) -> tuple[str, list[Any]]:
    """The test of a term's value by all between two."""
    if isinstance(node, Exists):
        return "1", []
    spans = _spans(node)
    test = " OR ".join("(value >= ? AND value <= ?)" if high else "value >= ?" for _, high in spans)
    values: list[Any] = [end for low, high in spans for end in ((low, high) if high else (low,))]
    if isinstance(node, Like):
        return f"({test}) AND value GLOB ?", [*values, glob(node.pattern)]
    return f"({test})", values

"""How the embedded store answers a query: which of its indexes leads, and which only check.

SQLite can't know which of the conditions of a query is rare. So each is looked up as far as a bound, and the rarest
leads. Where none is rare, records are walked through in the order of time, and the first that fit make a page. All else
is checked for the records that are come to: by columns, by indexes, by lists of places that are made once, and where
nothing else helps by a record's data.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from slmtrail.core.fields import FIELDS
from slmtrail.indexer.store import schema
from slmtrail.indexer.store.columns import COLUMNS, TERMS, TIME, ip_term
from slmtrail.indexer.store.language.fits import pattern, span
from slmtrail.indexer.store.language.tree import And, Equals, Exists, Like, Node, Not, Or, Range, Test, Text, tests
from slmtrail.indexer.store.matching import holding
from slmtrail.indexer.store.query import Asked
from slmtrail.indexer.store.sqlite_audit import parsed
from slmtrail.indexer.store.sqlite_glob import beginning, glob

_RARE = 20_000
"""Records that a condition leads to, below which it is rare."""
_FEW = 2000
"""Where one condition leaves no more than these, no other is looked up: each record is checked."""
_VALUES = 500
"""A pattern or network is looked up as its values, where no more than these are to be looked at."""
_ANY = "SELECT 1 FROM term WHERE name = ? AND value = ? LIMIT 1"
_ON_TERMS = ("kind", "environment", "outcome", "collector")


@dataclass(frozen=True, slots=True)
class Plan:
    """The FROM and WHERE of a query; `r` has a record's place and its searched columns.

    led_by, checked_by: the values of tables, on which the times follow, and of conditions.
    rare: whether an index leads to few records. has_columns: whether `r` has all of a record's columns, or those of a
        term. in_order: whether records are come to in the order of time, so that asking for many spans of it costs what
        asking for all of it does. by_columns: whether besides no more than the columns of `r` is looked at.
    """

    tables: str
    where: str
    question: Asked
    led_by: tuple[Any, ...]
    checked_by: tuple[Any, ...]
    rare: bool
    has_columns: bool
    in_order: bool
    by_columns: bool

    @property
    def values(self) -> list[Any]:
        """The values of tables and conditions."""
        return self.during(self.question.since_ms, self.question.until_ms)

    def during(self, since_ms: int, until_ms: int) -> list[Any]:
        """The same for another time."""
        return [*self.led_by, since_ms, until_ms, *self.checked_by]

    def column(self, name: str) -> str:
        """A column of the record, wherever it stands."""
        return _column(name, self.has_columns)


@dataclass(frozen=True, slots=True)
class _Index:
    """A condition by an index: the places it leads to, and, where that is fast, the check of one place.

    exact: whether it is all of the condition, or holds for more records than that. term: rows of the index that hold
        columns and stand for the records themselves. ascending: whether places come in their order.
    """

    places: str
    values: list[Any]
    exact: bool = True
    check: str = ""
    check_values: tuple[Any, ...] = ()
    term: str = ""
    ascending: bool = False


@dataclass(slots=True)
class _List:
    """A table of the places of a condition: all of them, or the first."""

    name: str
    rows: int
    whole: bool


@dataclass(frozen=True, slots=True)
class _Lead:
    """timed: whether the tables ask for the times, as their last values."""

    tables: str
    values: list[Any]
    node: Node | None
    rows: int
    has_columns: bool = True
    timed: bool = False
    in_order: bool = False


class Planner:
    """Plans of one question, which hold until the transaction of `db` ends.

    places: between which all records of the question's time lie, where that is known.
    """

    def __init__(self, db: sqlite3.Connection, question: Asked, places: tuple[int, int] | None = None) -> None:
        self._db = db
        self._question = question
        self._places = places
        self._name = "near_" if places else ""
        self._times = [question.since_ms, question.until_ms]
        self._tree = question.tree
        self._functions = 0
        self._lists: dict[Node, _List] = {}
        self._few = False
        self._has_columns = True
        self._by_columns = True

    def plan(self, over: str = "", *, in_time: bool = True) -> Plan:
        """The fastest way to the records that are asked for.

        over: the name of terms that are gone through in any case; `r` then has their `value` too, once a term.
        in_time: whether it had better lead to them in the order of time.
        """
        texts = tuple(part for part in self._tree.parts if _match(part))
        nodes = [*([And(texts)] if texts else []), *(part for part in self._tree.parts if not _match(part))]
        lead = self._over(over) if over else self._lead(nodes, in_time=in_time)
        self._has_columns, self._few = lead.has_columns, lead.rows < _RARE
        self._by_columns = lead.in_order and not self._few
        conditions = [] if lead.timed else ["r.ts_ms >= ?", "r.ts_ms < ?"]
        values: list[Any] = []
        # Columns first, then indexes, then data: SQLite checks in this order.
        for node in sorted(nodes, key=self._cost):
            if node == lead.node and self._index_of(node).exact:
                continue
            check, given = self._check(node)
            conditions.append(check)
            values += given
        where = f"WHERE {' AND '.join(conditions) or '1'}"
        led_by, checked_by = tuple(lead.values), tuple(values)
        return Plan(
            f"FROM {lead.tables}",
            where,
            self._question,
            led_by,
            checked_by,
            self._few,
            self._has_columns,
            lead.in_order,
            self._by_columns,
        )

    def _lead(self, nodes: list[Node], *, in_time: bool) -> _Lead:
        """The rarest condition; where all are frequent, all records, or a term whose rows stand in order of time."""
        indexes = {node: index for node in nodes if (index := self._index(node))}
        rows = {node: self._count(index) for node, index in indexes.items() if index.term}
        text = next((node for node in indexes if _match(node)), None)
        along = {node: index for node in nodes if (index := self._along(node))}
        if min(rows.values(), default=_RARE) >= _FEW:
            rows |= {node: self._count(index) for node, index in along.items()}
        if min(rows.values(), default=_RARE) >= _FEW and (in_time or text is None):
            rows |= {node: self._listed(node).rows for node in indexes if node not in rows}
        rarest = min(rows, key=lambda node: rows[node], default=None)
        if rarest in along:
            if rows[rarest] < _RARE or (in_time and self._covered(rarest)):
                return _Lead(along[rarest].term, [], None, rows[rarest], in_order=True)
        elif rarest is not None and (rows[rarest] < _RARE or _in_time(indexes[rarest])):
            index = indexes[rarest]
            if index.term and (in_time or text is None or rows[rarest] < _RARE):
                # The times, which its values end with, are given with the plan.
                return _Lead(
                    index.term, index.values[:-2], rarest, rows[rarest], False, timed=True, in_order=_in_time(index)
                )
            if not index.term:
                places = self._listed(rarest).name
                return _Lead(f"{places} AS w CROSS JOIN record AS r ON r.place = w.place", [], rarest, rows[rarest])
        if text is not None and not in_time:
            return self._streamed(text)
        return _Lead("record AS r", [], None, _RARE, in_order=True)

    def _along(self, node: Node) -> _Index | None:
        """The condition by the index of a column, whose rows stand in the order of time."""
        match node:
            case Equals((name,), (value,)) if (column := COLUMNS.get(name)) in schema.ALONG:
                rows = f"record AS r INDEXED BY record_{column}"
                places = f"SELECT r.place FROM {rows} WHERE {column} = ? AND ts_ms >= ? AND ts_ms < ?"  # noqa: S608
                return _Index(places, [value, *self._times], term=rows)
        return None

    def _covered(self, node: Node) -> bool:
        """Whether the index of its column has all that is asked, and in the order that is asked for."""
        return (
            self._question.sort.endswith("time")
            and isinstance(node, Equals)
            and covers(COLUMNS[node.names[0]], self._tree)
        )

    def _streamed(self, text: Node) -> _Lead:
        """All that has a text, in no order and as it is found: nothing waits for the last of it."""
        tables = "words CROSS JOIN record AS r ON r.place = words.rowid AND words MATCH ?"
        return _Lead(tables, [_match(text)], text, _RARE)

    def _over(self, name: str) -> _Lead:
        columns = ", ".join(("value", "ts_ms", "place", *_ON_TERMS))
        rows = f"(SELECT {columns} FROM term WHERE name = ? AND ts_ms >= ? AND ts_ms < ?) AS r"  # noqa: S608
        return _Lead(rows, [name], None, _RARE, has_columns=False, timed=True)

    def _index_of(self, node: Node) -> _Index:
        index = self._index(node)
        assert index is not None  # noqa: S101 - it leads
        return index

    def _cost(self, node: Node) -> int:
        if all(isinstance(test, Test) and _has_columns(test) for test in tests(node)):
            return 0
        return 1 if self._index(node) else 2

    def _index(self, node: Node) -> _Index | None:
        """The condition by an index, where there is one for it."""
        if match := _match(node):
            if self._places and _begins(node):
                return None  # it would be looked up as a whole: the data of a few records is sooner looked at
            places, between = "SELECT rowid AS place FROM words WHERE words MATCH ?", [*(self._places or ())]
            places += " AND rowid BETWEEN ? AND ?" if between else ""
            at = "EXISTS (SELECT rowid FROM words WHERE words MATCH ? AND rowid = r.place)"
            check = "" if _begins(node) else at
            return _Index(places, [match, *between], check=check, check_values=(match,), ascending=True)
        match node:
            case Or():
                return self._union(node)
            case And():
                # Only what is within an `or` comes here: there, its rarest part stands for it.
                parts = [found for part in node.parts if (found := self._index(part))]
                rarest = min(parts, key=self._count, default=None)
                return rarest and _Index(rarest.places, rarest.values, exact=False)
            case Equals(("event.id",), ids):
                places = f"SELECT place FROM record WHERE id IN ({', '.join('?' * len(ids))})"  # noqa: S608
                return _Index(places, [*ids])
            case Equals() | Like() | Exists():
                return self._term(node)
        return None

    def _union(self, node: Or) -> _Index | None:
        parts = [self._index(part) for part in node.parts]
        found = [part for part in parts if part]
        if len(found) < len(parts):
            return None
        places = " UNION ALL ".join(f"SELECT place FROM ({part.places})" for part in found)  # noqa: S608
        values = [value for part in found for value in part.values]
        return _Index(places, values, all(part.exact for part in found))

    def _term(self, node: Equals | Like | Exists) -> _Index | None:
        name = next((name for name, names in TERMS.items() if set(node.names) <= set(names)), None)
        if name is None:
            return None
        found = self._wanted(name, node)
        if found is None and self._places:
            return None  # likewise
        test, wanted = _wide(node) if found is None else (f"value IN ({', '.join('?' * len(found))})", found)
        rows = f"FROM term WHERE name = ? AND {test} AND ts_ms >= ? AND ts_ms < ?"
        values, exact = [name, *wanted, *self._times], set(node.names) == set(TERMS[name])
        places = f"SELECT place {rows}"
        if found is None:
            # A check by a range of values would look through all of them for each record.
            return _Index(places, values, exact)
        check = f"EXISTS (SELECT 1 FROM term WHERE name = ? AND {test} AND ts_ms = r.ts_ms AND place = r.place)"  # noqa: S608
        # A record may have two of the values, and counts once.
        columns = f"{'DISTINCT ' if len(found) > 1 else ''}ts_ms, place, {', '.join(_ON_TERMS)}"
        return _Index(places, values, exact, check, (name, *wanted), f"(SELECT {columns} {rows}) AS r")

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
        if isinstance(node, Not):
            check, values = self._check(node.part)
            return f"NOT coalesce({check}, 0)", values
        if isinstance(node, Test) and _has_columns(node):
            return self._columns(node)
        index = self._index(node)
        if index and index.exact and (listed := self._checked(node, index)):
            return listed
        match node:
            case And() | Or() if not _match(node):
                checks = [self._check(one) for one in node.parts]
                both = " AND " if isinstance(node, And) else " OR "
                test = both.join(check for check, _ in checks) or "1"
                return f"({test})", [value for _, given in checks for value in given]
        check, values = self._data(node)
        if index and index.check:
            return f"({index.check} AND {check})", [*index.check_values, *values]
        return check, values

    def _checked(self, node: Node, index: _Index) -> tuple[str, list[Any]] | None:
        """The condition by its index, or by the list of its places; None where looking at `r` itself is faster."""
        self._by_columns = False
        listed = self._lists.get(node) if self._few else self._listed(node)
        if listed is not None and listed.rows < _RARE:
            return f"r.place IN {listed.name}", []
        if index.check and (self._few or index.term):
            return index.check, [*index.check_values]
        return None if self._few else (f"r.place IN {self._listed(node, whole=True).name}", [])

    def _columns(self, node: Test) -> tuple[str, list[Any]]:
        """The condition by columns."""
        checks, values = [], []
        for name in node.names:
            column = "ts_ms" if name == TIME else COLUMNS[name]
            self._by_columns = self._by_columns and (self._has_columns or column in ("ts_ms", *_ON_TERMS))
            check, given = _test(node, _column(column, self._has_columns))
            checks.append(check)
            values += given
        return f"({' OR '.join(checks)})", values

    def _data(self, node: Node) -> tuple[str, list[Any]]:
        """The condition by a record's data: a function, for no JSON path says all that a condition may ask."""
        self._by_columns = False
        name, fits = f"{self._name}fits_{self._functions}", holding(node)
        self._functions += 1
        self._db.create_function(name, 1, lambda data: fits(parsed(data or b"")), deterministic=True)
        # Nothing fits a field that does not stand there at all, which SQLite sees without reading the JSON.
        fields = [f'"{field}"'.encode() for field in node.names] if isinstance(node, Test) else []
        there = " OR ".join(["instr(data, ?)"] * len(fields)) or "1"
        return f"(SELECT CASE WHEN {there} THEN {name}(data) ELSE 0 END FROM payload WHERE place = r.place)", [*fields]  # noqa: S608

    def _listed(self, node: Node, *, whole: bool = False) -> _List:
        """The list of a condition's places: where there are many and not the whole of it is needed, of the first."""
        index = self._index_of(node)
        listed = self._lists.get(node)
        if listed is None:
            listed = self._lists[node] = _List(f"temp.{self._name}places_{len(self._lists)}", 0, whole=False)
            self._db.execute(f"CREATE TABLE {listed.name} (place INTEGER PRIMARY KEY)")
            first = f"SELECT DISTINCT place FROM ({index.places}) LIMIT {_RARE}"  # noqa: S608
            done = self._db.execute(f"INSERT INTO {listed.name} {first}", index.values)
            listed.rows, listed.whole = done.rowcount, done.rowcount < _RARE
        if whole and not listed.whole:
            order = "" if index.ascending else "ORDER BY place"
            rest = f"SELECT place FROM ({index.places}) {order}"  # noqa: S608
            self._db.execute(f"INSERT OR IGNORE INTO {listed.name} {rest}", index.values)
            listed.whole = True
        return listed

    def _count(self, index: _Index) -> int:
        counted = self._db.execute(f"SELECT count(*) FROM ({index.places} LIMIT {_RARE})", index.values)  # noqa: S608
        return int(counted.fetchone()[0])


def covers(column: str, tree: Node) -> bool:
    """Whether there is an index of this column, and all that is asked stands in it."""
    there = schema.ALONG.get(column, ())
    names = (test.names if not isinstance(test, Text) else ("",) for test in tests(tree))
    asked = {"ts_ms" if name == TIME else COLUMNS.get(name) for each in names for name in each}
    return bool(there) and asked <= {*there}


def _begins(node: Node) -> bool:
    """Whether it asks for words by their beginning, which the index of words looks up as a whole each time."""
    return any(isinstance(test, Text) and test.prefix for test in tests(node))


def _in_time(index: _Index) -> bool:
    """Whether its rows stand for records, each once, in the order of time."""
    return bool(index.term) and index.exact and "DISTINCT" not in index.term


def _column(name: str, has_columns: bool) -> str:
    if has_columns or name == "ts_ms" or name in _ON_TERMS:
        return f"r.{name}"
    return f"(SELECT {name} FROM record WHERE place = r.place)"  # noqa: S608


def _has_columns(node: Test) -> bool:
    return all(name == TIME or name in COLUMNS for name in node.names)


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

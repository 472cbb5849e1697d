"""The embedded store's ways to an answer: every one gives the same, and none goes on forever."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from contract import asked
from slmtrail.core.errors import QueryError
from slmtrail.core.ports import Query, Sealed
from slmtrail.indexer.store import sqlite_deadline, sqlite_facets, sqlite_page, sqlite_plan
from slmtrail.indexer.store.facets import FACETS
from slmtrail.indexer.store.language.fits import values as values_of
from slmtrail.indexer.store.language.parse import parse
from slmtrail.indexer.store.query import EVERY
from slmtrail.indexer.store.sqlite import SqliteStore

CORPUS = asked.records(seed=10, count=120)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path_factory.mktemp("plan") / "store.db", writable=True)
    assert opened.write(CORPUS) == []
    yield opened
    opened.close()


@pytest.mark.parametrize(("rare", "few", "values"), [(1, 0, 0), (1, 0, 500), (8, 2, 1), (40, 20, 3), (5000, 1000, 0)])
def test_each_way_finds_the_same(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, rare: int, few: int, values: int
) -> None:
    # As if these few records were many.
    monkeypatch.setattr(sqlite_plan, "_RARE", rare)
    monkeypatch.setattr(sqlite_plan, "_FEW", few)
    monkeypatch.setattr(sqlite_plan, "_VALUES", values)
    monkeypatch.setattr(sqlite_facets, "_FEW_STEPS", values)
    monkeypatch.setattr(sqlite_facets, "_FIRST", 1 + few)
    monkeypatch.setattr(sqlite_page, "NEAR", 10 + few)
    monkeypatch.setattr(sqlite_page, "NEAR_BY_WORDS", 5 + few)
    rng = random.Random(rare + values)
    for _ in range(80):
        where = asked.search(rng)
        page = store.search(Query(where=where, limit=1000))
        wanted = asked.expected(parse(where), CORPUS)
        assert {sealed.leaf for sealed in page.records} == wanted, where
        assert page.total == len(page.records)
        some = store.search(Query(where=where, limit=3, count_to=EVERY))
        assert (some.total, some.records) == (len(wanted), page.records[:3]), where
        assert _paged(store, where, "-time") == page.records, where
        assert _paged(store, where, "time") == page.records[::-1], where
        assert sum(store.histogram(Query(where=where), 20).counts.values()) == len(wanted)
        for field in ("kind", "user", "collector", "env", "outcome"):
            assert store.facet(Query(where=where), field, 9) == _tally(field, wanted), where


def _paged(store: SqliteStore, where: str, sort: str) -> list[Sealed]:
    """What is found page by page."""
    found, cursor = [], ""
    while True:
        page = store.search(Query(where=where, limit=7, sort=sort, after=cursor))
        found += page.records
        if not (cursor := page.cursor):
            return found


def _tally(field: str, leaves: set[int]) -> Counter[str]:
    records = [sealed.record for sealed in CORPUS if sealed.leaf in leaves]
    return Counter(value for one in records for value in {v for name in FACETS[field] for v in values_of(one, name)})


def test_what_fits_is_counted_as_far_as_it_is_asked_for(store: SqliteStore) -> None:
    first = store.search(Query(limit=10, count_to=50))
    assert (first.total, first.at_least) == (50, True)
    assert (exact := store.search(Query(limit=10, count_to=len(CORPUS)))).total == len(CORPUS)
    assert not exact.at_least
    assert store.search(Query(limit=10, count_to=0)).at_least


@pytest.mark.parametrize("where", ["host:*", "host:* kind:inference", "host:* model:phi-3"])
def test_over_time_each_record_is_read_once(store: SqliteStore, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    read: list[bytes] = []
    parsed = sqlite_plan.parsed
    monkeypatch.setattr(sqlite_plan, "_RARE", 1)
    monkeypatch.setattr(sqlite_plan, "parsed", lambda data: read.append(data) or parsed(data))
    counts = store.histogram(Query(where=where), 50).counts
    assert len(counts) > 3
    assert len(read) <= len(set(read)) + 2, "the first and the last tell where it begins and ends"


def test_a_search_that_takes_too_long_is_ended_and_the_next_one_answered(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_deadline, "_STEPS", 10)
    monkeypatch.setattr(sqlite_deadline, "LIMIT_S", -1.0)
    with pytest.raises(QueryError, match="narrow it"):
        store.search(Query(where="latency_ms>=0"))
    with pytest.raises(QueryError, match="narrow it"):
        store.search(Query(where="a*"))  # while a list is made
    monkeypatch.undo()
    assert store.search(Query(where="latency_ms>=0")).total


@pytest.mark.parametrize("where", ["user:*", "model:*3*", "re* or user:*", "not absent"])
@pytest.mark.parametrize("sort", ["-time", "time"])
def test_a_page_is_there_though_to_count_all_would_take_too_long(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, where: str, sort: str
) -> None:
    first = store.search(Query(where=where, limit=1000, sort=sort)).records[:3]
    monkeypatch.setattr(sqlite_page, "NEAR", 20)
    monkeypatch.setattr(sqlite_page, "NEAR_BY_WORDS", 20)
    monkeypatch.setattr(sqlite_deadline, "_STEPS", 1)
    monkeypatch.setattr(sqlite_facets, "COUNT_S", -1.0)
    page = store.search(Query(where=where, limit=3, sort=sort))
    assert (page.records, page.total, page.at_least) == (first, 3, True)


def test_kinds_collectors_and_outcomes_among_many_records_are_found_along_their_index(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheres = [
        f"{field}:{value} {more}"
        for field in ("kind", "collector", "outcome")
        for value in _tally(field, set(range(len(CORPUS))))
        for more in ("", "env:prod", "not env:prod", "since:2000-01-01", "outcome:failure", "kind:auth", "flag:*")
    ]
    for rare in (1, 5000):
        monkeypatch.setattr(sqlite_plan, "_RARE", rare)
        monkeypatch.setattr(sqlite_plan, "_FEW", 0 if rare == 1 else 1000)
        for where in wheres:
            wanted = asked.expected(parse(where), CORPUS)
            for sort in ("time", "-time", "latency_ms"):
                page = store.search(Query(where=where, limit=1000, sort=sort))
                assert {sealed.leaf for sealed in page.records} == wanted, where
            newest = store.search(Query(where=where, limit=5, count_to=EVERY))
            everything = store.search(Query(where=where, limit=1000))
            assert (newest.records, newest.total) == (everything.records[:5], len(wanted))
            for field in ("kind", "collector", "model", "env"):
                assert store.facet(Query(where=where), field, 99) == _tally(field, wanted), (where, field)

"""The embedded store's ways to an answer: every one gives the same, and none goes on forever."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from contract import asked
from slmtrail.core.errors import QueryError
from slmtrail.core.ports import Query
from slmtrail.indexer.store import sqlite_deadline, sqlite_plan
from slmtrail.indexer.store.language.parse import parse
from slmtrail.indexer.store.sqlite import SqliteStore

CORPUS = asked.records(seed=10, count=120)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path_factory.mktemp("plan") / "store.db", writable=True)
    assert opened.write(CORPUS) == []
    yield opened
    opened.close()


@pytest.mark.parametrize(("probed", "values"), [(1, 0), (1, 500), (8, 1), (40, 3), (5000, 0)])
def test_each_way_finds_the_same(store: SqliteStore, monkeypatch: pytest.MonkeyPatch, probed: int, values: int) -> None:
    # As if these few records were many.
    monkeypatch.setattr(sqlite_plan, "_PROBED", probed)
    monkeypatch.setattr(sqlite_plan, "_VALUES", values)
    rng = random.Random(probed + values)
    for _ in range(80):
        where = asked.search(rng)
        page = store.search(Query(where=where, limit=1000))
        assert {sealed.leaf for sealed in page.records} == asked.expected(parse(where), CORPUS), where
        assert page.total == len(page.records)


def test_a_search_that_takes_too_long_is_ended_and_the_next_one_answered(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_deadline, "_STEPS", 10)
    monkeypatch.setattr(sqlite_deadline, "INDEXED_S", -1.0)
    with pytest.raises(QueryError, match="narrow it"):
        store.search(Query(where="latency_ms>=0"))
    monkeypatch.undo()
    assert store.search(Query(where="latency_ms>=0")).total

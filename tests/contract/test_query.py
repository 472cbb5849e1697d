"""The query language finds the same on every store: what the plainest reading of each search finds."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from contract import asked
from slmtrail.core.errors import QueryError
from slmtrail.core.fields import FIELDS
from slmtrail.core.ports import Query, Store
from slmtrail.indexer.store.columns import TIME
from slmtrail.indexer.store.facets import FACETS
from slmtrail.indexer.store.language.fits import values
from slmtrail.indexer.store.language.parse import parse

CORPUS = asked.records(seed=9, count=150)
SEEDS = range(8)
SEARCHES_A_SEED = 50


@pytest.fixture(scope="module", params=["sqlite", pytest.param("elastic", marks=pytest.mark.servers)])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Each store there is, with the corpus."""
    yield from asked.holding_all(request, tmp_path_factory, CORPUS)


def found(store: Store, query: Query) -> set[int]:
    page = store.search(dataclasses.replace(query, limit=1000))
    assert page.total == len(page.records)
    return {sealed.leaf for sealed in page.records}


@pytest.mark.parametrize("seed", SEEDS)
def test_searches_find_what_they_say(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(SEARCHES_A_SEED):
        where = asked.search(rng)
        assert found(store, Query(where=where)) == asked.expected(parse(where), CORPUS), where


def test_each_search_in_the_page_of_the_language(store: Store) -> None:
    where = 'user:alice (model:phi-3* or env:prod) -kind:auth latency_ms>=0 flag:* (reset or "my password")'
    wanted = asked.expected(parse(where), CORPUS)
    assert wanted
    assert found(store, Query(where=where)) == wanted


def test_a_search_and_the_filters_beside_it_must_both_fit(store: Store) -> None:
    wanted = found(store, Query(where="reset latency_ms>99 kind:inference outcome:failure"))
    assert wanted
    assert found(store, Query("reset", kind="inference", outcome="failure", where="latency_ms>99")) == wanted
    assert found(store, Query(kind="auth", where="kind:inference")) == set()


def test_a_value_is_found_by_its_keyed_hash(store: Store) -> None:
    hashed = {"mallory": "h1:0a1b"}.get
    assert found(store, Query(where="user:mallory")) == set()
    query = Query(where="user:mallory", hashed=lambda value: hashed(value) or "h1:none")
    assert found(store, query) == found(store, Query(where='user:"h1:0a1b"')) != set()


@pytest.mark.parametrize("where", ["kind:inference", "user:(alice or bob)", "not env:prod", "host:* reset"])
def test_pages_of_a_search_are_whole_and_in_order(store: Store, where: str) -> None:
    query = Query(where=where, limit=7)
    pages = [store.search(query)]
    while pages[-1].cursor:
        pages.append(store.search(dataclasses.replace(query, after=pages[-1].cursor)))
    got = [record for page in pages for record in page.records]
    assert got == store.search(Query(where=where, limit=1000)).records
    assert {page.total for page in pages} == {len(got)}


def test_what_cant_be_understood_is_an_error(store: Store) -> None:
    with pytest.raises(QueryError, match="character 7: there is no field 'usr'; did you mean user"):
        store.search(Query(where="reset usr:alice"))


def test_what_searches_depend_on_is_whole(store: Store) -> None:
    assert store.faults() == []


SOME = ("", "env:prod or model:phi-3*", "latency_ms>99 reset", "host:* not kind:auth", "user:nobody", "since:1m")


@pytest.mark.parametrize("field", sorted(FACETS))
def test_records_are_counted_by_the_values_of_a_field(store: Store, field: str) -> None:
    for where in SOME:
        fitting = asked.expected(parse(where), CORPUS)
        records = [sealed.record for sealed in CORPUS if sealed.leaf in fitting]
        found = Counter(
            value for record in records for value in {str(v) for name in FACETS[field] for v in values(record, name)}
        )
        numbers = FIELDS[FACETS[field][0]].type == "integer"
        wanted = sorted(found.items(), key=lambda pair: (-pair[1], int(pair[0]) if numbers else pair[0].encode()))
        assert list(store.facet(Query(where=where), field, 5).items()) == wanted[:5], where
        assert sorted(store.values(Query(where=where), field, 1000)) == sorted(found), where
        assert len(store.values(Query(where=where), field, 2)) == min(2, len(found))


@pytest.mark.parametrize("bars", [2, 3, 20, 1000])
def test_records_are_counted_over_time(store: Store, bars: int) -> None:
    for where in SOME:
        fitting = asked.expected(parse(where), CORPUS)
        times = [time for sealed in CORPUS if sealed.leaf in fitting for time in values(sealed.record, TIME)]
        found = store.histogram(Query(where=where), bars)
        step = found.step_ms
        assert found.counts == Counter(time // step * step for time in times)
        assert list(found.counts) == sorted(found.counts)
        assert not times or max(times) // step - min(times) // step < bars


def test_what_cant_be_counted_is_an_error(store: Store) -> None:
    for field, size, said in (("modle", 5, "did you mean model"), ("ip", 5, "counted by 'ip'"), ("env", 0, "size: 0")):
        with pytest.raises(QueryError, match=said):
            store.facet(Query(), field, size)
    with pytest.raises(QueryError, match="bars: 1 "):
        store.histogram(Query(), 1)

"""What a reader may see, by every way there is to ask a store: nothing else comes out, however it is asked."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from contract import asked
from slmtrail.core.errors import NotAllowed
from slmtrail.core.fields import CONTENT
from slmtrail.core.ports import Query, Sealed, Store
from slmtrail.core.readers import ANY, EVERYTHING, NOTHING, Scope
from slmtrail.core.roles import matches
from slmtrail.indexer.store.columns import ENVIRONMENT, KIND, TEAMS, TIME
from slmtrail.indexer.store.cursor import SORTED, SORTS
from slmtrail.indexer.store.facets import FACETS
from slmtrail.indexer.store.language.fits import values
from slmtrail.indexer.store.language.parse import parse
from slmtrail.indexer.store.matching import matching
from slmtrail.indexer.store.query import asked as in_terms
from slmtrail.indexer.store.scoping import HIDDEN

CORPUS = asked.records(seed=11, count=120)
SEEDS = range(6)
SEARCHES_A_SEED = 20
NAMES = {
    "environments": ("prod", "Prod-EU", "dev", "pro?", "*d*", "PROD", "back\\slash*"),
    "kinds": ("inference", "auth", "alert", "in*", "system", "?uth"),
    "teams": ("payments", "help*", "desk", "p?yments", "nobody"),
}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("elastic", marks=pytest.mark.servers)])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Each store there is, with the corpus."""
    yield from asked.holding_all(request, tmp_path_factory, CORPUS)


def some_scope(rng: random.Random) -> Scope:
    """Often wide, sometimes nothing at all."""
    chosen = {
        dimension: ANY if rng.random() < 0.4 else tuple(rng.sample(names, rng.randint(0, 3)))
        for dimension, names in NAMES.items()
    }
    return Scope(**chosen, content=rng.random() < 0.6)


def visible(scope: Scope, record: dict[str, Any]) -> bool:
    """Whether the record is in scope, by the plainest reading of it."""
    teams = [value for name in TEAMS for value in values(record, name)]
    dimensions = (
        (scope.environments, [record.get(ENVIRONMENT, "")]),
        (scope.kinds, [record.get(KIND, "")]),
        (scope.teams, teams),
    )
    return all(
        "*" in allowed or any(value and matches(allowed, value) for value in found) for allowed, found in dimensions
    )


def reached(store: Store, query: Query) -> list[Sealed]:
    """All records that a question gives, page by page."""
    pages = [store.search(query)]
    while pages[-1].cursor:
        pages.append(store.search(dataclasses.replace(query, after=pages[-1].cursor)))
    found = [sealed for page in pages for sealed in page.records]
    assert {page.total for page in pages} == {len(found)}
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_beyond_a_scope_comes_out(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    reachable = 0
    for _ in range(SEARCHES_A_SEED):
        scope, where, sort = some_scope(rng), asked.search(rng), rng.choice(SORTS)
        query = Query(where=where, scope=scope, sort=sort, limit=rng.choice((7, 1000)))
        try:
            found = reached(store, query)
        except NotAllowed:
            assert not scope.content
            continue
        fitting = asked.expected(parse(where), CORPUS)
        wanted = [one for one in CORPUS if one.leaf in fitting and visible(scope, one.record)]
        assert {one.leaf for one in found} == {one.leaf for one in wanted}, (scope, where)
        assert [one for one in CORPUS if matching(in_terms(query))(one.record)] == wanted
        assert scope.content or not any(HIDDEN & one.record.keys() for one in found)
        reachable += len(found)

        field = rng.choice(sorted(FACETS))
        counted = Counter(
            value for one in wanted for value in {str(v) for name in FACETS[field] for v in values(one.record, name)}
        )
        assert store.facet(query, field, 1000) == counted, (scope, where, field)
        assert {*store.values(query, field, 1000)} == {*counted}, (scope, where, field)
        times = [time for one in wanted for time in values(one.record, TIME)]
        histogram = store.histogram(query, 20)
        assert histogram.counts == Counter(time // histogram.step_ms * histogram.step_ms for time in times)
    assert reachable, "some questions are answered"


def test_a_scope_of_nothing_finds_nothing(store: Store) -> None:
    for where in ("", "not kind:inference", "kind:* or not kind:*", f"id:{CORPUS[0].id}"):
        assert store.search(Query(where=where, scope=NOTHING)).total == 0
    assert store.facet(Query(scope=NOTHING), "kind", 10) == {}
    assert store.values(Query(scope=NOTHING), "model", 10) == []
    assert store.histogram(Query(scope=NOTHING), 10).counts == {}


@pytest.mark.parametrize(
    "where", ["reset", "not reset", '"my password"', "pass*", "kind:auth or (env:prod -reset)", "text-beside"]
)
def test_content_that_may_not_be_seen_may_not_be_searched(store: Store, where: str) -> None:
    scope = dataclasses.replace(EVERYTHING, content=False)
    with pytest.raises(NotAllowed, match="for investigators"):
        store.search(Query(where=where, scope=scope))
    with pytest.raises(NotAllowed, match="for investigators"):
        store.search(Query(text="reset", scope=scope))


def test_no_field_of_content_may_be_searched_by_its_name(store: Store) -> None:
    scope = dataclasses.replace(EVERYTHING, content=False)
    with pytest.raises(NotAllowed, match="for investigators"):
        store.search(Query(where="gen_ai.request.stop_sequences:x", scope=scope))
    assert not any(name in CONTENT for fields in FACETS.values() for name in fields)


@pytest.mark.parametrize("sort", SORTS)
def test_results_come_in_the_order_that_is_asked_for(store: Store, sort: str) -> None:
    name, downwards = sort.lstrip("-"), sort.startswith("-")
    found = reached(store, Query(where="kind:inference or kind:auth", sort=sort, limit=9))

    def place(one: Sealed) -> tuple[Any, ...]:
        number = next(values(one.record, FACETS.get(name, ("",))[0]), None) if name == "status" else None
        if name in SORTED and name != "status":
            number = one.record.get("slm.latency_ms" if name == "latency_ms" else f"gen_ai.usage.{name}")
        missing = number is None
        key = () if name == "time" else (missing != downwards, number or 0)
        return (*key, one.record[TIME], one.ledger, one.leaf, one.id)

    assert found == sorted(found, key=place, reverse=downwards)
    assert len(found) > 20

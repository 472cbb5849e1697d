"""What retention asks of every Store, over SQLite and over Elasticsearch."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.stored import LEDGER, START_MS, of, sealed
from slmtrail.core import commitment
from slmtrail.core.certificate import FIELD as CERTIFICATE
from slmtrail.core.ports import Query, Sealed, Store
from slmtrail.core.rollup import DAY_MS, HOUR_MS, Rollup, rolled_up, together
from slmtrail.indexer.store.connect import connect
from slmtrail.indexer.store.elastic import ElasticStore

OTHER = "other/1"


@pytest.fixture(params=["sqlite", pytest.param("elastic", marks=pytest.mark.servers)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each store there is, empty."""
    if request.param == "sqlite":
        opened = connect(f"sqlite:{tmp_path}/store.db", writable=True)
    else:
        opened = connect(request.getfixturevalue("elastic").url, writable=True, dataset=f"t{uuid.uuid4().hex}")
    yield opened
    opened.close()


def some(leaf: int, **more: Any) -> Sealed:
    given = {"user__id": "alice", "message": f"secret{leaf} words", "deployment__environment__name": "prod"}
    return sealed(leaf, **given, **more)


def written(store: Store, *records: Sealed) -> None:
    assert store.write(records) == []
    store.holding(LEDGER, [])


def state(store: Store, ledger: str = LEDGER) -> dict[int, str]:
    """Each leaf that is there, and whether it has its content."""
    return {one.leaf: "full" if one.record["slm.salts"] else "bare" for one in store.scan(ledger, 0, 10**6)}


def test_all_that_fits_is_selected_in_order_with_the_fields_asked_for(store: Store) -> None:
    assert list(store.select(Query())) == []
    audit = [some(leaf, slm__retention__class="audit") for leaf in range(0, 1200, 3)]
    others = [some(leaf, ts_ms=START_MS - leaf) for leaf in range(1, 1200, 3)]
    written(store, *reversed(others), *audit, some(2, slm__retention__class="standard"), sealed(7, ledger=OTHER))
    found = list(store.select(Query(where="retention:audit")))
    assert found == [(LEDGER, one.leaf, {}) for one in audit]
    standard = Query(where="(retention:standard or not retention:*) user:alice")
    assert [leaf for _, leaf, _ in store.select(standard)] == sorted([2, *(one.leaf for one in others)])
    (one,) = store.select(Query(where="id:" + others[0].id), ["slm.kind", "user.id", "rule.id"])
    assert one == (LEDGER, 1, {"slm.kind": "inference", "user.id": "alice"})
    assert [ledger for ledger, _, _ in store.select(Query(until_ms=START_MS + 10))][-1] == LEDGER
    assert (OTHER, 7, {}) in list(store.select(Query()))


def test_what_is_over_its_time_loses_its_content_or_is_gone_and_the_rest_is_as_it_was(store: Store) -> None:
    records = [some(leaf) for leaf in range(30)]
    beside = [sealed(leaf, ledger=OTHER, message="other words") for leaf in range(30)]
    written(store, *records, *beside)
    for _ in range(2):
        store.expire({LEDGER: [(10, 19)]}, {LEDGER: [(0, 4), (6, 9)], OTHER: [(0, 28)]})
        assert state(store) == {
            5: "full",
            **dict.fromkeys(range(10, 20), "bare"),
            **dict.fromkeys(range(20, 30), "full"),
        }
        assert state(store, OTHER) == {29: "full"}
    for one in store.scan(LEDGER, 0, 30):
        assert commitment.entry(one.record) == commitment.entry(records[one.leaf].record)
        assert one.leaf in range(10, 20) or one == records[one.leaf]
    assert [store.search(Query(f"secret{leaf}")).total for leaf in (3, 5, 15, 25)] == [0, 1, 0, 1]
    assert store.search(Query(users=("alice",))).total == 11
    assert store.get(records[3].id) is None
    assert store.faults() == []
    written(store, some(30))
    assert store.holding(LEDGER, range(40)) == {5, *range(10, 31)}


def test_by_whole_periods_and_a_few_late_ones(store: Store) -> None:
    # Three periods, of which the last is being written to; a certificate, and what came late.
    for period in range(3):
        written(store, *(some(leaf) for leaf in range(period * 20, period * 20 + 20)))
        store.rotate({"standard": 0, "audit": 0})
    certificate = of({**some(70).record, CERTIFICATE: "{}", "slm.kind": "system"}, 70)
    written(store, certificate, *(some(leaf) for leaf in range(60, 67)), some(67, slm__retention__class="audit"))
    store.expire({LEDGER: [(0, 19)]}, {})
    assert state(store) == {leaf: "bare" if leaf < 20 else "full" for leaf in (*range(68), 70)}
    store.expire({LEDGER: [(20, 39), (60, 60)]}, {LEDGER: [(0, 11), (13, 19), (61, 61)]})
    assert state(store) == {
        12: "bare",
        **dict.fromkeys(range(20, 40), "bare"),
        **dict.fromkeys(range(40, 60), "full"),
        60: "bare",
        **dict.fromkeys((*range(62, 68), 70), "full"),
    }
    store.expire({}, {LEDGER: [(12, 12), (20, 67)]})
    assert state(store) == {70: "full"}
    assert store.faults() == []
    written(store, some(71))
    assert state(store) == {70: "full", 71: "full"}


def test_hourly_statistics_take_the_place_of_those_before(store: Store) -> None:
    assert store.rollups(0, 10**15) == []
    records = [
        {"slm.kind": "inference", "gen_ai.request.model": f"m{n % 3}", "slm.latency_ms": n, "event.outcome": "failure"}
        for n in range(700)
    ]
    hours = {hour: rolled_up(hour * HOUR_MS, records[: 100 * hour]) for hour in range(1, 4)}
    for hour, made in hours.items():
        store.roll_up(hour * HOUR_MS, rolled_up(hour * HOUR_MS, [{"slm.kind": "auth"}]))
        store.roll_up(hour * HOUR_MS, made)
        store.roll_up(hour * HOUR_MS, made)
    assert store.rollups(0, 10**15) == [one for made in hours.values() for one in made]
    assert store.rollups(2 * HOUR_MS, 3 * HOUR_MS) == hours[2]
    bare = [replace(one, latency={}) for one in hours[2]]
    assert store.rollups(2 * HOUR_MS, 3 * HOUR_MS, latency=False) == bare
    auth = rolled_up(4 * HOUR_MS, [{"slm.kind": "auth"}])
    store.roll_up(4 * HOUR_MS, [*auth, *rolled_up(4 * HOUR_MS, records[:5])])
    assert store.rollups(2 * HOUR_MS, 10**15, kind="auth") == auth
    assert store.rollups(0, 10**15, DAY_MS, "auth") == together(auth, DAY_MS)
    store.roll_up(4 * HOUR_MS, [])
    store.forget_rollups(3 * HOUR_MS)
    assert store.rollups(0, 10**15) == hours[3]
    assert store.faults() == []


def test_statistics_of_days_are_those_of_the_hours_that_are_there(store: Store) -> None:
    def hour(number: int, *latencies_ms: int) -> list[Rollup]:
        records = [{"slm.kind": "inference", "slm.latency_ms": ms, "event.outcome": "failure"} for ms in latencies_ms]
        return rolled_up(number * HOUR_MS, records)

    for number, latencies_ms in {-30: (5,), -1: (7, 9), 0: (1,), 23: (1, 900), 24: (2,)}.items():
        store.roll_up(number * HOUR_MS, hour(number, *latencies_ms))
    store.roll_up(23 * HOUR_MS, hour(23, 1, 1, 800))
    days = store.rollups(-(10**15), 10**15, DAY_MS)
    assert [(one.hour_ms // DAY_MS, one.count, one.failures) for one in days] == [
        (-2, 1, 1),
        (-1, 2, 2),
        (0, 4, 4),
        (1, 1, 1),
    ]
    (now,) = rolled_up(0, [{"slm.latency_ms": ms} for ms in (1, 1, 1, 800)])
    assert days[2].latency == now.latency
    assert store.rollups(0, DAY_MS, DAY_MS) == days[2:3]
    store.forget_rollups(5 * HOUR_MS)
    assert [one.count for one in store.rollups(-(10**15), 10**15, DAY_MS)] == [3, 1]


@pytest.mark.servers
@pytest.mark.parametrize("path", ["/_bulk", "/_aliases", "DELETE"])
def test_a_crash_while_an_index_is_rewritten_loses_nothing(elastic: Any, path: str) -> None:
    store = ElasticStore(elastic.url, writable=True, dataset=f"t{uuid.uuid4().hex}")
    written(store, *(some(leaf) for leaf in range(20)))
    ask = store._keeper.ask

    def failing(method: str, asked: str, *args: Any, **named: Any) -> Any:
        if path in (asked, method) and not asked.startswith("/past-") and "_pit" not in asked:
            raise KeyboardInterrupt
        return ask(method, asked, *args, **named)

    store._keeper.ask = failing  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        store.expire({LEDGER: [(5, 19)]}, {LEDGER: [(0, 3)]})
    store._keeper.ask = ask  # type: ignore[method-assign]
    assert set(state(store)) == set(range(20)) if path != "DELETE" else set(range(20)) >= set(state(store))
    store.expire({LEDGER: [(5, 19)]}, {LEDGER: [(0, 3)]})
    assert state(store) == {4: "full", **dict.fromkeys(range(5, 20), "bare")}
    assert store.faults() == []
    written(store, some(20))
    store.close()

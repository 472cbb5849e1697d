"""A store is compared with a ledger by counts, filled up, and built anew: over SQLite and over Elasticsearch."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from contract.stored import LEDGER, of, sealed
from slmtrail.core.ports import Sealed, Store
from slmtrail.indexer.reconcile import holes
from slmtrail.indexer.store.connect import connect
from slmtrail.indexer.store.rebuild import Rebuild, rebuild


class Place:
    """Where a store is."""

    def __init__(self, url: str, dataset: str) -> None:
        self.url, self.dataset = url, dataset

    def open(self) -> Store:
        return connect(self.url, writable=True, dataset=self.dataset)

    def rebuild(self) -> Rebuild:
        return rebuild(self.url, dataset=self.dataset)


@pytest.fixture(params=["sqlite", pytest.param("elastic", marks=pytest.mark.servers)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each store there is, empty."""
    if request.param == "sqlite":
        yield Place(f"sqlite:{tmp_path}/store.db", "slm")
    else:
        yield Place(request.getfixturevalue("elastic").url, f"t{uuid.uuid4().hex}")


def many(leaves: Iterator[int] | range | list[int]) -> list[Sealed]:
    """Records in two environments."""
    return [sealed(leaf, deployment__environment__name="prod" if leaf % 2 else "dev") for leaf in leaves]


def test_counts_tell_which_leaves_are_missing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slmtrail.indexer.reconcile.SMALLEST", 16)
    gone = {0, 7, 8, 9, *range(100, 190), 299}
    with closing(place.open()) as store:
        assert list(holes(store, LEDGER, 0, 300)) == [(0, 299)]
        store.write(many([leaf for leaf in range(300) if leaf not in gone]))
        # A record beside another at its leaf is one more, and must not hide that one is missing.
        store.write([sealed(40, record_id="b" * 32)])
        assert store.tally(LEDGER, 0, 10) == (6, 1 + 2 + 3 + 4 + 5 + 6)
        assert store.tally("another", 0, 10) == (0, 0)
        assert list(holes(store, LEDGER, 0, 300)) == [(0, 0), (7, 9), (100, 189), (299, 299)]
        assert list(holes(store, LEDGER, 1, 7)) == []


def test_a_store_built_anew_takes_the_old_ones_place_at_once(place: Place) -> None:
    with closing(place.open()) as old:
        old.write([*many(range(10)), of({**sealed(3).record, "event.id": "c" * 32, "message": "stale"}, 77)])
    begun = place.rebuild()
    begun.store.write(many(range(5)))
    begun.store.close()

    again = place.rebuild()
    assert again.store.holding(LEDGER, range(20)) == set(range(5)), "what was built before is lost"
    again.store.write(many(range(5, 12)))
    with closing(place.open()) as old:
        assert old.holding(LEDGER, range(100)) == {*range(10), 77}, "the old store was touched"
    again.swap()

    with closing(place.open()) as new:
        assert list(new.scan(LEDGER, 0, 100)) == many(range(12))
        assert new.faults() == []
        new.write(many(range(12, 14)))
        assert new.ledgers() == {LEDGER: 14}
    assert place.rebuild().store.ledgers() == {}, "the next one does not begin empty"

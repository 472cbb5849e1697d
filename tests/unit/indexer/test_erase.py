"""Erasure: what a signed certificate names is gone from every page and word, goes on proving, and nothing else is."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from builders import LEDGER, SealedTrail, Stream, inference
from slmtrail.bus.sqlite import SqliteBus
from slmtrail.core import canonical, certificate
from slmtrail.core.certificate import COLLECTOR, Certificate
from slmtrail.core.errors import LedgerError
from slmtrail.core.keys import key_id
from slmtrail.core.ports import RECORDS, Message, Proved, Query, Rows, Sealed
from slmtrail.indexer.index import run
from slmtrail.indexer.seal import Sealer
from slmtrail.indexer.store.sqlite import SqliteStore
from slmtrail.indexer.topic import begin_anew
from slmtrail.indexer.verify.folder import LedgerFolder
from slmtrail.indexer.verify.trail import verify

CANARY = "xylophonist"
AUTHORITY, NEXT = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
DECIDES = certificate.by_id([AUTHORITY.public_key(), NEXT.public_key()])


class Place:
    """A bus, a ledger and a store in a folder, and the indexer between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trail = SealedTrail(folder)
        self.published: list[Message] = []

    def index(self, *messages: Message) -> None:
        asyncio.run(self._index(messages))

    async def _index(self, messages: Sequence[Message]) -> None:
        bus = SqliteBus(self.folder / "bus.sqlite", partitions=1)
        store = SqliteStore(self.trail.store_path, writable=True)
        sealer = Sealer(self.folder / "ledger", LEDGER, self.trail.key)
        await bus.ensure_topics()
        await bus.publish(RECORDS, messages)
        self.published += messages
        work = asyncio.create_task(run(bus, store, sealer, 0, 100, DECIDES))
        try:
            for _ in range(3000):
                if work.done() or (sealer.next_offset == len(self.published) and self.signed()):
                    break
                await asyncio.sleep(0.01)
            if work.done():
                await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            sealer.close()
            store.close()
            await bus.close()

    def begin_anew(self) -> None:
        """The bus is lost, and another one put in its place."""
        for path in self.folder.glob("bus.sqlite*"):
            path.unlink()
        self.published = []
        asyncio.run(self._begin_anew())
        self.index()

    async def _begin_anew(self) -> None:
        bus = SqliteBus(self.folder / "bus.sqlite", partitions=1)
        with (
            closing(SqliteStore(self.trail.store_path, writable=True)) as store,
            closing(Sealer(self.folder / "ledger", LEDGER, self.trail.key)) as sealer,
        ):
            await begin_anew(bus, store, sealer, 0, DECIDES)
        await bus.close()

    def signed(self) -> bool:
        """Whether the head covers all that is sealed."""
        folder = self.trail.ledger_folder
        try:
            return folder.checkpoint()[1].size == folder.sealed_size()
        except LedgerError:
            return False

    def check(self) -> Proved:
        key = self.trail.key.public_key()
        folder = LedgerFolder.of(self.folder / "ledger", LEDGER, key, authorities=DECIDES.values())
        with closing(SqliteStore(self.trail.store_path)) as store:
            return verify([folder], store)

    def records(self) -> list[Sealed]:
        with closing(SqliteStore(self.trail.store_path)) as store:
            return list(store.scan(LEDGER, 0, 2**62))

    def found(self, query: Query) -> int:
        with closing(SqliteStore(self.trail.store_path)) as store:
            return store.search(query).total

    def bytes_on_disk(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.folder.glob("store.sqlite*"))


def order(rows: Rows, signer: Ed25519PrivateKey = AUTHORITY, ledger: str = LEDGER) -> Message:
    told = Certificate("erased", 1_790_000_000_000, "admin@host", "ticket 7", "e1:00", ledger, tuple(rows), 0)
    return Message(COLLECTOR, canonical.dumps(certificate.record(told.sign(signer), "dev")), 0)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    stream = Stream(tmp_path)
    edge = stream.edge()
    events = [
        inference(f"{CANARY if n % 3 == 0 else 'bassoonist'} {n}", ["mallory-77", "bob", "carol"][n % 3])
        for n in range(60)
    ]
    made = stream.take(edge.frame(events[:30])).records + stream.take(edge.frame(events[30:])).records
    made += stream.take(edge.frame(kind="close")).records
    place = Place(tmp_path)
    place.index(*made)
    return place


def leaves_of(place: Place, user: str) -> list[int]:
    return [sealed.leaf for sealed in place.records() if sealed.record.get("user.id") == user]


def test_what_is_erased_is_gone_and_goes_on_proving(place: Place) -> None:
    leaves = leaves_of(place, "mallory-77")
    assert CANARY.encode() in place.bytes_on_disk()
    place.index(order(certificate.rows(leaves)))
    on_disk = place.bytes_on_disk()
    assert CANARY.encode() not in on_disk
    assert b"mallory-77" not in on_disk
    proved = place.check()
    assert (proved.faults, proved.losses) == ([], [])
    assert proved.erased == {f"{LEDGER}/{proved.ledgers[LEDGER] - 1}": len(leaves)}
    assert place.found(Query(CANARY)) == place.found(Query(users=("mallory-77",))) == 0
    assert place.found(Query("bassoonist")) == 40
    assert place.found(Query(users=("bob",))) == 20


def test_erasing_twice_changes_nothing(place: Place) -> None:
    rows = certificate.rows(leaves_of(place, "mallory-77"))
    place.index(order(rows))
    before = place.records()
    with closing(SqliteStore(place.trail.store_path, writable=True)) as store:
        assert store.erase(LEDGER, rows) == 0
    place.index(order(rows))
    assert place.records() == before, "the same certificate is sealed once"
    assert not place.check().faults


@pytest.mark.parametrize("forged", ["by another key", "changed", "of another ledger"])
def test_only_who_may_decide_is_obeyed(place: Place, forged: str) -> None:
    rows = certificate.rows(leaves_of(place, "mallory-77"))
    messages = {
        "by another key": order(rows, Ed25519PrivateKey.generate()),
        "changed": dataclasses.replace(order(rows[:1]), value=order(rows[:1]).value.replace(b"ticket 7", b"ticket 8")),
        "of another ledger": order(rows, ledger="other/0"),
    }
    place.index(messages[forged])
    assert place.found(Query(CANARY)) == 20
    assert {fault.kind for fault in place.check().faults} == (set() if "ledger" in forged else {"certificate"})


def test_a_control_key_is_obeyed_up_to_where_another_took_its_place(place: Place) -> None:
    first, second, third = ([(leaf, leaf)] for leaf in leaves_of(place, "mallory-77")[:3])
    subject = f"control:{key_id(AUTHORITY.public_key())}:{key_id(NEXT.public_key())}"
    told = Certificate("key_rotated", 1_790_000_000_000, "admin@host", "rotation", subject, LEDGER)
    rotated = Message(COLLECTOR, canonical.dumps(certificate.record(told.sign(NEXT), "dev")), 0)
    place.index(order(first), rotated)
    assert place.check().faults == []
    place.index(order(second), order(third, NEXT))
    proved = place.check()
    assert [fault.kind for fault in proved.faults] == ["certificate"]
    assert sum(proved.erased.values()) == 2
    assert place.records()[second[0][0]].record["user.id"] == "mallory-77"


def test_an_erasure_beyond_its_certificate_is_unlawful(place: Place) -> None:
    leaves = leaves_of(place, "mallory-77")
    place.index(order(certificate.rows(leaves[:5])))
    with closing(SqliteStore(place.trail.store_path, writable=True)) as store:
        assert store.erase(LEDGER, certificate.rows(leaves[5:7])) == 2
    faults = place.check().faults
    assert [(fault.kind, fault.leaf) for fault in faults] == [("unlawful_deletion", leaf) for leaf in leaves[5:7]]


def test_a_store_that_is_built_anew_obeys(place: Place) -> None:
    place.index(order(certificate.rows(leaves_of(place, "mallory-77"))))
    before = place.records()
    for path in (*place.folder.glob("store.sqlite*"), *place.folder.glob("ledger/state.sqlite*")):
        path.unlink()
    place.index()
    assert place.records() == before
    assert CANARY.encode() not in place.bytes_on_disk()
    assert not place.check().faults


def test_after_a_crash_before_the_content_is_gone_it_is_erased_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> int:
        raise KeyError("power cut")

    leaves = leaves_of(place, "mallory-77")
    with monkeypatch.context() as patched:
        patched.setattr(SqliteStore, "erase", crash)
        with pytest.raises(KeyError):
            place.index(order(certificate.rows(leaves)))
    assert place.found(Query(CANARY)) == 20
    place.index()
    assert place.found(Query(CANARY)) == 0
    assert not place.check().faults


def test_a_certificate_that_was_sealed_is_obeyed_though_its_topic_is_gone(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> int:
        raise KeyError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(SqliteStore, "erase", crash)
        with pytest.raises(KeyError):
            place.index(order(certificate.rows(leaves_of(place, "mallory-77"))))
    place.begin_anew()
    assert place.found(Query(CANARY)) == 0
    assert not place.check().faults


def test_rows_of_leaves() -> None:
    assert certificate.rows([]) == ()
    assert certificate.rows([3]) == ((3, 3),)
    assert certificate.rows([1, 2, 3, 7, 9, 10]) == ((1, 3), (7, 7), (9, 10))

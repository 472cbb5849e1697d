"""Sealing: one leaf a record, through duplicates, noise and a crash after every step."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import orjson
import pytest

from builders import LEDGER, SealedTrail, Stream, inference, on_records_topic
from slmtrail.core import commitment
from slmtrail.core.errors import LedgerError, StorageError
from slmtrail.core.ports import Delivery
from slmtrail.indexer.ledger.log import Log
from slmtrail.indexer.seal import Sealer


@pytest.fixture
def batch(tmp_path: Path) -> list[Delivery]:
    stream = Stream(tmp_path / "stream")
    edge = stream.edge()
    made = [message for n in range(4) for message in stream.take(edge.frame([inference(f"{n}")] * 5)).records]
    return on_records_topic(made)


@pytest.fixture
def trail(tmp_path: Path) -> SealedTrail:
    return SealedTrail(tmp_path / "trail")


def opened(trail: SealedTrail) -> Sealer:
    return Sealer(trail.folder / "ledger", LEDGER, trail.key)


def test_each_record_is_one_leaf_in_order(trail: SealedTrail, batch: list[Delivery]) -> None:
    sealer = opened(trail)
    sealed = sealer.seal(batch)
    assert [record.leaf for record in sealed.records] == list(range(len(batch)))
    assert not sealed.recovered
    log = Log.open(trail.folder / "ledger", len(batch))
    assert list(log.entries()) == [commitment.entry(record.record) for record in sealed.records]


def test_a_duplicate_on_the_topic_is_passed_over(trail: SealedTrail, batch: list[Delivery]) -> None:
    sealer = opened(trail)
    again = [Delivery(d.topic, d.partition, d.offset + len(batch), d.key, d.value, d.timestamp_ms) for d in batch]
    assert len(sealer.seal([*batch[:9], *again[3:7]][:9]).records) == 9
    assert sealer.seal(again[:9]).records == []
    assert len(sealer.seal(again[9:]).records) == len(batch) - 9


ODD = [None, True, -1, 1.5, 2**64 - 1, "", "x", [], [1], {}, {"a": 1}, "\x00"]
PLACED = "event.id slm.collector.id slm.collector.boot slm.collector.frame slm.collector.index slm.collector.part"


@pytest.mark.parametrize("field", PLACED.split())
def test_a_record_of_another_shape_is_set_aside_and_what_is_around_it_sealed(
    trail: SealedTrail, batch: list[Delivery], field: str
) -> None:
    bad = [orjson.dumps({**orjson.loads(batch[0].value), field: value}) for value in ODD]
    values = [batch[0].value, *bad, *(delivery.value for delivery in batch[1:])]
    sealer = opened(trail)
    sealed = sealer.seal([Delivery("slm.records", 0, number, "k", value, 0) for number, value in enumerate(values)])
    good = {delivery.value for delivery in batch}
    assert good <= {record.data for record in sealed.records}
    assert len(sealed.unusable) >= len(ODD) - 3  # some of the names are texts, and so a record's
    assert sealer.next_offset == 0


def test_noise_on_the_topic_costs_nothing_else(trail: SealedTrail, batch: list[Delivery]) -> None:
    noise = [b"", b"{", b"[]", b"null", b'{"slm.kind":"inference"}', b"\xff"]
    mixed = [
        Delivery("slm.records", 0, number, "k", value, 0)
        for number, value in enumerate([*noise[:3], *(d.value for d in batch), *noise[3:]])
    ]
    sealed = opened(trail).seal(mixed)
    assert len(sealed.unusable) == len(noise)
    assert [record.leaf for record in sealed.records] == list(range(len(batch)))


def test_after_a_crash_between_seal_and_store_the_same_leaves_come_again(
    trail: SealedTrail, batch: list[Delivery]
) -> None:
    first = opened(trail)
    before = first.seal(batch[:7]).records
    first.stored(batch[:7])
    sealed = first.seal(batch[7:]).records
    first.close()

    second = opened(trail)
    assert second.next_offset == 7
    again = second.seal(batch[7:])
    assert again.recovered
    assert [(r.leaf, r.data) for r in again.records] == [(r.leaf, r.data) for r in sealed]
    second.stored(batch[7:])
    assert second.next_offset == len(batch)
    assert len(before) + len(sealed) == len(batch)


def test_recovered_and_new_records_in_one_batch(trail: SealedTrail, batch: list[Delivery]) -> None:
    first = opened(trail)
    first.seal(batch[:10])
    first.close()
    sealed = opened(trail).seal(batch)
    assert [record.leaf for record in sealed.records] == list(range(len(batch)))
    assert sealed.recovered


def test_a_crash_after_the_tiles_and_before_the_state_leaves_no_trace(
    trail: SealedTrail, batch: list[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opened(trail)
    first.seal(batch[:6])
    first.stored(batch[:6])

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(first, "_commit", crash)
    with pytest.raises(KeyboardInterrupt):
        first.seal(batch[6:])
    first.close()
    second = opened(trail)
    assert [record.leaf for record in second.seal(batch[6:]).records] == list(range(6, len(batch)))


def test_a_topic_that_was_replaced_is_noticed(trail: SealedTrail, batch: list[Delivery]) -> None:
    first = opened(trail)
    first.seal(batch)
    first.close()
    swapped = [
        Delivery(d.topic, d.partition, o.offset, d.key, d.value, 0) for d, o in zip(batch[::-1], batch, strict=True)
    ]
    with pytest.raises(LedgerError, match="topic"):
        opened(trail).seal(swapped)


def test_a_record_that_was_never_sealed_is_not_passed_over_before_the_offset_sealed_up_to(
    trail: SealedTrail, batch: list[Delivery]
) -> None:
    noise = [Delivery(d.topic, d.partition, d.offset, d.key, b"{", 0) for d in batch[:3]]
    first = opened(trail)
    first.seal(noise)
    first.close()
    with pytest.raises(LedgerError, match="--new-topic"):
        opened(trail).seal(batch[:3])


def test_only_what_is_stored_is_signed_for(trail: SealedTrail, batch: list[Delivery]) -> None:
    sealer = opened(trail)
    sealer.seal(batch[:5])
    assert b"\n0\n" in (sealer.checkpoint() or b"")
    sealer.stored(batch[:5])
    signed = sealer.checkpoint()
    assert signed is not None
    assert signed.split(b"\n")[:2] == [LEDGER.encode(), b"5"]
    assert sealer.checkpoint() is None, "a head is signed once"


def test_two_heads_of_one_size_are_the_same_head(trail: SealedTrail, batch: list[Delivery]) -> None:
    sealer = opened(trail)
    sealer.seal(batch)
    sealer.stored(batch)
    first = sealer.checkpoint()
    sealer.close()
    assert opened(trail).checkpoint() == first


def test_a_ledger_has_one_owner(trail: SealedTrail) -> None:
    first = opened(trail)
    with pytest.raises(StorageError, match="owner"):
        opened(trail)
    first.close()
    opened(trail).close()


def test_a_damaged_state_file_is_a_clear_error(trail: SealedTrail, batch: list[Delivery]) -> None:
    sealer = opened(trail)
    sealer.seal(batch)
    sealer.close()
    (trail.folder / "ledger" / "state.sqlite").write_bytes(b"garbage" * 1000)
    for suffix in ("-wal", "-shm"):
        (trail.folder / "ledger" / f"state.sqlite{suffix}").unlink(missing_ok=True)
    with pytest.raises(StorageError, match=r"state\.sqlite"):
        opened(trail)


def test_a_missing_tile_is_a_clear_error(trail: SealedTrail, batch: list[Delivery]) -> None:
    sealer = opened(trail)
    sealer.seal(batch)
    sealer.close()
    for path in (trail.folder / "ledger" / "tile").rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(LedgerError):
        opened(trail)


def test_state_is_synchronous(trail: SealedTrail) -> None:
    sealer = opened(trail)
    db: sqlite3.Connection = sealer._db
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_tiles_of_another_ledger_are_refused_before_anything_is_signed(
    trail: SealedTrail, batch: list[Delivery], tmp_path: Path
) -> None:
    other = SealedTrail(tmp_path / "other")
    for made, deliveries in ((trail, batch), (other, batch[3:])):
        sealer = opened(made)
        sealer.seal([Delivery(d.topic, 0, n, d.key, d.value, 0) for n, d in enumerate(deliveries)][:3])
        sealer.close()
    shutil.rmtree(trail.folder / "ledger" / "tile")
    shutil.copytree(other.folder / "ledger" / "tile", trail.folder / "ledger" / "tile")
    with pytest.raises(LedgerError, match="another root"):
        opened(trail)

"""Records go back where the ledger has their entries, and what is gone lawfully stays gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from builders import LEDGER, NOW_MS, SealedTrail, sealed_trail
from slmtrail.core import canonical, certificate
from slmtrail.core.certificate import Certificate, by_id
from slmtrail.core.commitment import SALTS
from slmtrail.core.keys import key_id
from slmtrail.core.ports import Message, Sealed
from slmtrail.indexer.lawful import Lawful
from slmtrail.indexer.ledger.log import Log
from slmtrail.indexer.reconcile import holes
from slmtrail.indexer.restore import Wanted, restore, texts_of
from slmtrail.indexer.retain.certified import certified
from slmtrail.indexer.seal import certificates
from slmtrail.indexer.store.sqlite import SqliteStore
from slmtrail.indexer.verify.trail import verify


@pytest.fixture
def trail(tmp_path: Path) -> SealedTrail:
    return sealed_trail(tmp_path, 40)


@pytest.fixture
def texts(trail: SealedTrail) -> list[bytes]:
    with closing(SqliteStore(trail.store_path)) as store:
        return list(texts_of(store.scan(LEDGER, 0, 1000)))


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "fresh.sqlite", writable=True)) as store:
        yield store


def wanted(trail: SealedTrail, store: SqliteStore) -> Wanted:
    size = trail.ledger_folder.checkpoint()[1].size
    return Wanted(Log.open(trail.ledger_folder.folder, size), holes(store, LEDGER, 0, size))


def test_records_find_their_leaves_in_any_order_and_strangers_find_none(
    trail: SealedTrail, texts: list[bytes], fresh: SqliteStore
) -> None:
    changed = texts[7].replace(b"phi-3", b"phi-4")
    assert changed != texts[7]
    given = [b"no json", b"[1]", b"{}", changed, *reversed(texts[10:]), *texts[10:20], *texts[:7], *texts[8:10]]
    with closing(wanted(trail, fresh)) as asked:
        done = restore(fresh, LEDGER, asked, given, Lawful())
        assert (done.records, done.refusals) == (len(texts) - 1, [])
        assert list(asked.rows()) == [(7, 7)], "a changed record was taken, or one was lost"
    with closing(wanted(trail, fresh)) as asked:
        assert restore(fresh, LEDGER, asked, texts, Lawful()).records == 1
    assert verify([trail.ledger_folder], fresh).faults == []


def test_what_was_broken_off_goes_on(trail: SealedTrail, texts: list[bytes], fresh: SqliteStore) -> None:
    class Killed(BaseException):
        pass

    def cut_off() -> Iterator[bytes]:
        yield from texts[:25]
        raise Killed

    with closing(wanted(trail, fresh)) as asked, pytest.raises(Killed), pytest.MonkeyPatch.context() as patched:
        patched.setattr("slmtrail.indexer.restore.BATCH", 10)
        restore(fresh, LEDGER, asked, cut_off(), Lawful())
    with closing(wanted(trail, fresh)) as asked:
        assert asked.count == len(texts) - 20
        restore(fresh, LEDGER, asked, texts, Lawful())
    assert verify([trail.ledger_folder], fresh).faults == []


def test_what_a_certificate_names_is_erased_before_it_is_written(trail: SealedTrail, fresh: SqliteStore) -> None:
    with closing(SqliteStore(trail.store_path)) as store:
        before = list(texts_of(store.scan(LEDGER, 0, 1000)))
    leaf = next(n for n, text in enumerate(before) if b"question 3 of alice" in text)
    key = Ed25519PrivateKey.generate()
    told = Certificate("erased", NOW_MS, "dpo", "ticket 7", ledger=LEDGER, leaves=((leaf, leaf),))
    removed = Certificate("removed", NOW_MS, "retention", "its time is over", ledger=LEDGER, leaves=((1, 2),))
    forged = Certificate("erased", NOW_MS, "mallory", "none", ledger=LEDGER, leaves=((leaf + 1, leaf + 1),))
    signed = [told.sign(key), removed.sign(key), forged.sign(Ed25519PrivateKey.generate())]
    trail.add([Message("@control", canonical.dumps(certificate.record(text, "dev"))) for text in signed])

    kept = certificates(trail.ledger_folder.folder)
    assert len(kept) == 3, "the ledger's folder does not keep its certificates"
    lawful = Lawful.told(LEDGER, kept, by_id([key.public_key()]))
    with closing(wanted(trail, fresh)) as asked:
        done = restore(fresh, LEDGER, asked, [*before, *kept], lawful)
        assert (done.erased, asked.count) == (1, 0)
    assert lawful.removed.rows == [(1, 2)]
    (gone,) = fresh.scan(LEDGER, leaf, leaf + 1)
    assert gone.record[SALTS] == {}
    (beside,) = fresh.scan(LEDGER, leaf + 1, leaf + 2)
    assert beside.record[SALTS], "a forged certificate was obeyed"


def test_what_a_key_decides_behind_its_rotation_is_not_lawful() -> None:
    old, new = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    subject = f"control:{key_id(old.public_key())}:{key_id(new.public_key())}"

    def told(action: certificate.Action, key: Ed25519PrivateKey, leaf: int = 0) -> Sealed:
        rows = () if action == "key_rotated" else ((leaf, leaf),)
        made = Certificate(action, NOW_MS, "dpo", "a reason", subject if not rows else "", LEDGER, rows)
        return on_leaf(certificate.record(made.sign(key), "dev"))

    leaves = count(100)

    def on_leaf(record: dict[str, Any]) -> Sealed:
        return Sealed(LEDGER, next(leaves), record["event.id"], record, canonical.dumps(record))

    authorities = by_id([old.public_key(), new.public_key()])
    records = [
        told("removed", old, 1),
        told("summarised", old, 2),
        told("key_rotated", new),
        told("removed", old, 3),
        told("summarised", old, 4),
        told("removed", new, 5),
    ]
    lawful = Lawful.told(LEDGER, [sealed.data for sealed in records], authorities)
    assert (lawful.removed.rows, lawful.erased.rows) == ([(1, 1), (5, 5)], [(2, 2)])
    known = certified(records, authorities)
    assert (known.removed[LEDGER].rows, known.summarised[LEDGER].rows) == ([(1, 1), (5, 5)], [(2, 2)])

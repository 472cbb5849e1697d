"""Verification finds every change to a finished trail and says where; an untouched one it never doubts."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

import orjson
import pytest

from builders import LEDGER, SealedTrail, sealed_trail
from slmtrail.core.ports import Fault, Proved, Sealed
from slmtrail.indexer.store.sqlite import SqliteStore
from slmtrail.indexer.verify.prove import prove
from slmtrail.indexer.verify.trail import verify


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> SealedTrail:
    return sealed_trail(tmp_path_factory.mktemp("finished"), count=300)


@pytest.fixture
def trail(finished: SealedTrail, tmp_path: Path) -> SealedTrail:
    shutil.copytree(finished.folder, tmp_path, dirs_exist_ok=True)
    return SealedTrail(tmp_path, finished.key)


def check(trail: SealedTrail) -> Proved:
    store = SqliteStore(trail.store_path)
    try:
        return verify([trail.ledger_folder], store)
    finally:
        store.close()


def all_records(trail: SealedTrail) -> list[Sealed]:
    store = SqliteStore(trail.store_path)
    try:
        return list(store.scan(LEDGER, 0, 2**62))
    finally:
        store.close()


def tamper(trail: SealedTrail, statement: str, *values: object) -> None:
    db = sqlite3.connect(trail.store_path)
    with db:
        assert db.execute(statement, values).rowcount >= 1
    db.close()


def overwrite(trail: SealedTrail, data: bytes, leaf: int) -> None:
    tamper(trail, "UPDATE payload SET data = ? WHERE place = (SELECT place FROM record WHERE leaf = ?)", data, leaf)


def kinds(faults: list[Fault]) -> set[str]:
    return {fault.kind for fault in faults}


def test_an_untouched_trail_is_verified(trail: SealedTrail) -> None:
    proved = check(trail)
    assert proved.faults == []
    assert proved.records == proved.ledgers[LEDGER] > 300


def test_progress_ends_at_the_size(trail: SealedTrail) -> None:
    seen: list[tuple[int, int]] = []
    store = SqliteStore(trail.store_path)
    verify([trail.ledger_folder], store, lambda done, total: seen.append((done, total)))
    store.close()
    assert seen[-1][0] == seen[-1][1] == len(all_records(trail))


def test_a_changed_value_is_found_and_named(trail: SealedTrail) -> None:
    victim = all_records(trail)[17]
    changed = victim.data.replace(b"question", b"answers!", 1)
    assert changed != victim.data
    overwrite(trail, changed, victim.leaf)
    faults = [fault for fault in check(trail).faults if fault.kind == "changed"]
    assert [(fault.leaf, fault.record_id) for fault in faults] == [(victim.leaf, victim.id)]


@pytest.mark.parametrize("seed", range(4))
def test_any_flipped_byte_of_any_record_is_found(trail: SealedTrail, seed: int) -> None:
    rng = random.Random(seed)
    before = all_records(trail)
    for victim in rng.sample(before, 12):
        data = bytearray(victim.data)
        place = rng.randrange(len(data))
        data[place] ^= 1 << rng.randrange(8)
        overwrite(trail, bytes(data), victim.leaf)
        faults = check(trail).faults
        assert victim.leaf in {fault.leaf for fault in faults} or victim.id in {f.record_id for f in faults}, place
        overwrite(trail, victim.data, victim.leaf)
    assert check(trail).faults == []


def test_a_removed_record_is_found(trail: SealedTrail) -> None:
    victim = all_records(trail)[100]
    tamper(trail, "DELETE FROM record WHERE leaf = ?", victim.leaf)
    assert ("missing", victim.leaf) in {(fault.kind, fault.leaf) for fault in check(trail).faults}


def test_cutting_off_the_tail_is_found(trail: SealedTrail) -> None:
    last = all_records(trail)[-1]
    tamper(trail, "DELETE FROM record WHERE leaf > ?", last.leaf - 10)
    missing = [fault.leaf for fault in check(trail).faults if fault.kind == "missing"]
    assert missing == list(range(last.leaf - 9, last.leaf + 1))


def forged(sealed: Sealed, leaf: int) -> Sealed:
    record = {**sealed.record, "event.id": "f" * 32}
    return Sealed(sealed.ledger, leaf, "f" * 32, record, orjson.dumps(record, option=orjson.OPT_SORT_KEYS))


@pytest.mark.parametrize("leaf", ["behind the end", "far behind", "over another"])
def test_an_inserted_record_is_found(trail: SealedTrail, leaf: str) -> None:
    before = all_records(trail)
    place = {"behind the end": before[-1].leaf + 1, "far behind": 10**9, "over another": 5}[leaf]
    store = SqliteStore(trail.store_path, writable=True)
    store.write([forged(before[3], place)])
    store.close()
    faults = check(trail).faults
    assert "f" * 32 in {fault.record_id for fault in faults}
    assert kinds(faults) & {"inserted", "duplicated"}


@pytest.mark.parametrize("leaf", [-1, -(2**40), 2**62, 2**63 - 1])
def test_a_record_at_a_leaf_that_can_not_be_is_found(trail: SealedTrail, leaf: int) -> None:
    store = SqliteStore(trail.store_path, writable=True)
    store.write([forged(all_records(trail)[3], 10**9)])
    store.close()
    tamper(trail, "UPDATE record SET leaf = ? WHERE leaf = ?", leaf, 10**9)
    assert "inserted" in kinds(check(trail).faults)


def test_a_record_of_an_unknown_ledger_is_found(trail: SealedTrail) -> None:
    sealed = forged(all_records(trail)[3], 0)
    store = SqliteStore(trail.store_path, writable=True)
    store.write([Sealed("other/ledger", 0, sealed.id, sealed.record, sealed.data)])
    store.close()
    assert ("inserted", "f" * 32) in {(fault.kind, fault.record_id) for fault in check(trail).faults}


def test_swapped_records_are_found(trail: SealedTrail) -> None:
    first, second = all_records(trail)[40], all_records(trail)[41]
    tamper(trail, "UPDATE record SET leaf = -1 WHERE leaf = ?", first.leaf)
    tamper(trail, "UPDATE record SET leaf = ? WHERE leaf = ?", first.leaf, second.leaf)
    tamper(trail, "UPDATE record SET leaf = ? WHERE leaf = -1", second.leaf)
    faults = check(trail).faults
    assert {fault.leaf for fault in faults if fault.kind == "reordered"} == {first.leaf, second.leaf}
    assert "changed" not in kinds(faults)


def test_content_replaced_by_its_bare_commitment_is_found(trail: SealedTrail) -> None:
    from hashlib import sha256

    from slmtrail.core import canonical, commitment

    victim = next(sealed for sealed in all_records(trail) if "gen_ai.input.messages" in sealed.record)
    record = dict(victim.record)
    salts = dict(record[commitment.SALTS])
    value = canonical.dumps(record.pop("gen_ai.input.messages"))
    digest = sha256(bytes.fromhex(salts.pop("gen_ai.input.messages")) + value).hexdigest()
    record |= {commitment.SALTS: salts, commitment.COMMITMENTS: {"gen_ai.input.messages": digest}}
    assert commitment.entry(record) == commitment.entry(victim.record)
    overwrite(trail, canonical.dumps(record), victim.leaf)
    assert ("unlawful_deletion", victim.leaf) in {(fault.kind, fault.leaf) for fault in check(trail).faults}


def ledger_files(trail: SealedTrail) -> list[Path]:
    folder = trail.ledger_folder.folder
    checkpoint_size = int((folder / "checkpoint").read_text().split("\n")[1])
    widths = {checkpoint_size >> 8 * level & 255 for level in range(3)}

    def counts(path: Path) -> bool:
        # Partial tiles of earlier sizes are leftovers that prove nothing and are read by nobody.
        return not path.parent.name.endswith(".p") or int(path.name) in widths

    return [path for path in folder.rglob("*") if path.is_file() and "tile" in path.parts and counts(path)]


@pytest.mark.parametrize("seed", range(3))
def test_any_flipped_byte_of_a_tile_or_bundle_is_found(trail: SealedTrail, seed: int) -> None:
    rng = random.Random(seed)
    files = ledger_files(trail)
    assert len(files) >= 4
    for path in files:
        good = path.read_bytes()
        for _ in range(3):
            bad = bytearray(good)
            bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
            path.write_bytes(bad)
            assert check(trail).faults, path
        path.write_bytes(good)
    assert check(trail).faults == []


@pytest.mark.parametrize("place", range(0, 200, 7))
def test_any_flipped_byte_of_the_checkpoint_is_found(trail: SealedTrail, place: int) -> None:
    path = trail.ledger_folder.folder / "checkpoint"
    data = bytearray(path.read_bytes())
    if place >= len(data):
        pytest.skip("the checkpoint is shorter")
    data[place] ^= 4
    path.write_bytes(data)
    assert kinds(check(trail).faults) == {"checkpoint"}


def test_a_checkpoint_of_another_key_or_none_is_found(trail: SealedTrail, tmp_path: Path) -> None:
    stranger = sealed_trail(tmp_path / "stranger")
    shutil.copy(stranger.folder / "ledger" / "checkpoint", trail.ledger_folder.folder / "checkpoint")
    assert kinds(check(trail).faults) == {"checkpoint"}
    (trail.ledger_folder.folder / "checkpoint").unlink()
    assert kinds(check(trail).faults) == {"checkpoint"}


def test_a_changed_search_column_is_found(trail: SealedTrail) -> None:
    db = sqlite3.connect(trail.store_path)
    columns = {row[1]: row[2] for row in db.execute("PRAGMA table_info(record)")}
    values = dict(zip(columns, db.execute("SELECT * FROM record WHERE leaf = 9").fetchone(), strict=True))
    db.close()
    for name, type_ in columns.items():
        if name in ("place", "leaf", "ledger"):
            continue
        before = values[name]
        changed = (before or 0) + 1 if type_ == "INTEGER" else f"{before}x"
        tamper(trail, f"UPDATE record SET {name} = ? WHERE place = ?", changed, values["place"])
        assert check(trail).faults, name
        tamper(trail, f"UPDATE record SET {name} = ? WHERE place = ?", before, values["place"])
    assert check(trail).faults == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM term WHERE name = 'user' AND place = 9",
        "UPDATE term SET value = 'mallory' WHERE name = 'user' AND place = 9",
        "INSERT INTO term (name, value, ts_ms, place) VALUES ('flag', 'prompt-injection', 1, 9)",
        "DELETE FROM payload WHERE place = 9",
        "INSERT INTO words (words, rowid, text) VALUES ('delete', 9, 'question 7 of alice')",
        "INSERT INTO words (rowid, text) VALUES (9, 'planted words')",
    ],
)
def test_a_changed_index_is_found(trail: SealedTrail, statement: str) -> None:
    db = sqlite3.connect(trail.store_path)
    with db:
        db.execute(statement)
    db.close()
    assert check(trail).faults


def test_the_proof_of_one_record(trail: SealedTrail) -> None:
    sealed = all_records(trail)[7]
    state = prove(trail.ledger_folder, sealed)
    assert state.state == "proved"
    assert state.proof is not None
    assert state.proof.index == sealed.leaf
    changed = Sealed(sealed.ledger, sealed.leaf, sealed.id, {**sealed.record, "service.name": "x"}, sealed.data)
    assert prove(trail.ledger_folder, changed).state == "broken"
    newer = Sealed(sealed.ledger, 10**6, sealed.id, sealed.record, sealed.data)
    assert prove(trail.ledger_folder, newer).state == "pending"

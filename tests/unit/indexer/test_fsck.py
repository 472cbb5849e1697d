"""What fsck finds between a ledger's files and the store, and that a sound trail is never doubted."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from builders import LEDGER, SealedTrail, on_records_topic, sealed_trail
from slmtrail.core.ports import Message
from slmtrail.indexer.fsck import Trouble, check
from slmtrail.indexer.seal import Sealer
from slmtrail.indexer.store.sqlite import SqliteStore


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> SealedTrail:
    return sealed_trail(tmp_path_factory.mktemp("finished"), count=300)


@pytest.fixture
def trail(finished: SealedTrail, tmp_path: Path) -> SealedTrail:
    shutil.copytree(finished.folder, tmp_path, dirs_exist_ok=True)
    return SealedTrail(tmp_path, finished.key)


def looked(trail: SealedTrail) -> list[Trouble]:
    with closing(SqliteStore(trail.store_path)) as store:
        return list(check(trail.ledger_folder, store))


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        assert db.execute(statement).rowcount


def test_a_sound_trail_is_sound(trail: SealedTrail) -> None:
    assert looked(trail) == []


def test_what_is_sealed_and_not_stored_yet_is_no_trouble(trail: SealedTrail, finished: SealedTrail) -> None:
    with closing(SqliteStore(finished.store_path)) as store:
        some = [sealed.data.replace(b'"slm.collector.frame":', b'"slm.collector.frame":9') for sealed in
                store.scan(LEDGER, 0, 20)]  # fmt: skip
    offset = 10_000
    sealer = Sealer(trail.folder / "ledger", LEDGER, trail.key)
    sealed = sealer.seal(on_records_topic([Message("edge-1", data) for data in some], offset))
    sealer.close()
    assert len(sealed.records) == 20
    assert looked(trail) == []
    with closing(SqliteStore(trail.store_path, writable=True)) as store:
        store.write(sealed.records[:5])
    assert looked(trail) == []


def state(folder: Path) -> Path:
    return folder / "ledger" / "state.sqlite"


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "can't be read": lambda folder: state(folder).write_bytes(b"garbage" * 500) and None,
    "contradict each other": lambda folder: change(
        folder / "ledger/state.sqlite", "UPDATE head SET stored_size = 9999"
    ),
    "no checkpoint": lambda folder: (folder / "ledger" / "checkpoint").unlink(),
    "rolled back": lambda folder: change(
        folder / "ledger/state.sqlite", "UPDATE head SET size = 256, stored_size = 256"
    ),
    "does not hold the hashes": lambda folder: _flip(folder / "ledger" / "tile" / "0" / "000"),
    "do not give the signed root": lambda folder: _flip(folder / "ledger" / "tile" / "entries" / "000"),
    "it is missing": lambda folder: (folder / "ledger" / "tile" / "entries" / "000").unlink(),
    "it is torn": lambda folder: (folder / "ledger" / "tile" / "0" / "000").write_bytes(b"x" * 77) and None,
    "leaves are not in the store: 7 to 9": lambda folder: change(
        folder / "store.sqlite", "DELETE FROM record WHERE leaf BETWEEN 7 AND 9"
    ),
    "the store has leaf 5000": lambda folder: change(
        folder / "store.sqlite", "UPDATE record SET leaf = 5000 WHERE leaf = (SELECT max(leaf) FROM record)"
    ),
}


@pytest.mark.parametrize("named", DAMAGES)
def test_damage_is_named_with_what_repairs_it(trail: SealedTrail, named: str) -> None:
    DAMAGES[named](trail.folder)
    found = looked(trail)
    assert named in " ".join(trouble.what for trouble in found)
    assert all(trouble.repair and trouble.where for trouble in found)

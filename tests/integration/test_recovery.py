"""What was lost of a store comes back, as its user brings it back; what was erased does not."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trails import EmbeddedTrail, eventually

CANARY = "Xylophonic quartermaster"
COUNT = 60


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTrail]:
    """A trail that has ended: an export of it, then a person erased."""
    trail = EmbeddedTrail(tmp_path_factory.mktemp("recovery"))
    trail.start()
    events = [
        {
            "slm.kind": "inference",
            "user.id": "zoe" if n % 10 == 0 else "alice",
            "gen_ai.request.model": "phi-3",
            "gen_ai.input.messages": [{"role": "user", "content": f"{CANARY if n % 10 == 0 else 'plain'} {n}"}],
        }
        for n in range(COUNT)
    ]
    assert trail.post(events)[0] == 200
    eventually("all is stored", lambda: trail.read("search", "--kind", "inference")["total"] == COUNT)
    eventually("all is signed", lambda: trail.run("export", str(trail.folder / "export.ndjson")).returncode == 0)
    assert trail.run("erase", "--subject", "zoe", "--reason", "ticket 7", "--yes").returncode == 0
    trail.stop()
    yield trail


@pytest.fixture
def trail(finished: EmbeddedTrail, tmp_path: Path) -> EmbeddedTrail:
    """A copy of it, to be damaged."""
    copy = EmbeddedTrail(tmp_path)
    shutil.copytree(finished.data, copy.data)
    shutil.copy(finished.folder / "export.ndjson", tmp_path)
    return copy


def told(trail: EmbeddedTrail, *arguments: str, code: int = 0) -> Any:
    done = trail.run(*arguments, "--json")
    assert done.returncode == code, (done.stdout, done.stderr)
    return json.loads(done.stdout)


def lose(trail: EmbeddedTrail, first: int, last: int) -> None:
    """Takes records out of the store, as damage would."""
    db = sqlite3.connect(trail.data / "store.sqlite")
    places = [row[0] for row in db.execute("SELECT place FROM record WHERE leaf BETWEEN ? AND ?", (first, last))]
    with db:
        for table in ("record", "term", "payload"):
            db.executemany(f"DELETE FROM {table} WHERE place = ?", [(place,) for place in places])
    db.close()
    assert places


def drop_store(trail: EmbeddedTrail) -> None:
    for path in trail.data.glob("store.sqlite*"):
        path.unlink()


def stored_bytes(trail: EmbeddedTrail) -> bytes:
    return b"".join(path.read_bytes() for path in trail.data.glob("store.sqlite*"))


def whole(trail: EmbeddedTrail) -> None:
    """Nothing is missing, and what was erased did not come back."""
    verified = trail.verify()
    assert (verified["verified"], verified["faults"]) == (True, [])
    assert sum(verified["erased"].values()) >= COUNT // 10
    assert CANARY.encode() not in stored_bytes(trail)
    assert CANARY.split()[0].lower().encode() not in stored_bytes(trail)


def test_what_the_store_lacks_is_named_and_comes_back_from_the_topic(trail: EmbeddedTrail) -> None:
    assert told(trail, "reconcile")["whole"]
    lose(trail, 5, 30)
    lose(trail, 40, 40)
    (ledger,) = told(trail, "reconcile", "--dry-run", code=7)["ledgers"]
    assert (ledger["missing"], ledger["restored"], ledger["left"]) == (27, 0, [[5, 30], [40, 40]])
    done = told(trail, "reconcile")
    assert (done["whole"], done["ledgers"][0]["restored"]) == (True, 27)
    assert CANARY.encode() not in stored_bytes(trail)
    assert [fault for fault in trail.verify()["faults"] if fault["kind"] != "words"] == []


def test_a_lost_store_is_built_from_the_topic(trail: EmbeddedTrail) -> None:
    drop_store(trail)
    assert told(trail, "reindex")["swapped"]
    whole(trail)
    trail.start()
    assert trail.post([{"slm.kind": "inference", "user.id": "bob", "gen_ai.request.model": "phi-3"}])[0] == 200
    eventually("the pipeline goes on", lambda: trail.read("search", "--user", "bob")["total"] == 1)
    assert trail.run("reindex").returncode == 5, "the store was taken away under a running pipeline"
    trail.stop()


def test_an_export_from_before_an_erasure_brings_nothing_back(trail: EmbeddedTrail) -> None:
    assert CANARY in (trail.folder / "export.ndjson").read_text()
    drop_store(trail)
    bus = trail.data / "bus.sqlite"
    bus.rename(trail.folder / "bus.sqlite")
    answer = told(trail, "reindex", "--from", str(trail.folder / "export.ndjson"), code=7)
    (ledger,) = answer["ledgers"]
    assert not answer["swapped"], "a store that is not whole was put in place"
    assert ledger["missing"], "what came after the export is not named"
    (trail.folder / "bus.sqlite").rename(bus)
    assert told(trail, "reindex", "--from", "topic")["ledgers"][0]["records"] < ledger["leaves"] - ledger["records"] + 1
    whole(trail)


def test_a_damaged_store_is_replaced(trail: EmbeddedTrail) -> None:
    store = trail.data / "store.sqlite"
    data = bytearray(store.read_bytes())
    data[8192 * 3 : 8192 * 9] = bytes(8192 * 6)
    store.write_bytes(data)
    assert told(trail, "reindex")["swapped"]
    whole(trail)


def test_a_killed_rebuild_goes_on(trail: EmbeddedTrail) -> None:
    drop_store(trail)
    killed = trail.process("reindex", "reindex", "--from", "topic")
    killed.start()
    eventually("it has begun", lambda: (trail.data / "store.sqlite_fresh").exists() or not killed.alive)
    killed.kill()
    assert told(trail, "reindex", "--from", "topic")["swapped"]
    whole(trail)

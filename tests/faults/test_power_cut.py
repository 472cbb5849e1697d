"""The power is cut at any moment, on a disk that failed before: what was acknowledged is there, the rest whole or not.

SLMTRAIL_FAULT_ROUNDS: how often the power is cut in each run, of which there is one for ten cuts (`make faults` takes
30). SLMTRAIL_FAULT_SEED: the first of their seeds.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from builders import LEDGER, Stream, inference
from faults.disk import work
from faults.disk.disk import Cuts, run
from slmtrail.collectors.spool import Spool
from slmtrail.core import keys
from slmtrail.indexer import fsck
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.log import Log
from slmtrail.indexer.ledger.note import Note
from slmtrail.indexer.verify.folder import LedgerFolder
from slmtrail.indexer.verify.trail import verify

SEED = int(os.environ.get("SLMTRAIL_FAULT_SEED", "20261127"))
ROUNDS = int(os.environ.get("SLMTRAIL_FAULT_ROUNDS", "4"))
RUNS = 1 + ROUNDS // 10
FAULTS = {
    "sound": "",
    "flushes fail": "sync EIO 0.1",
    "full": "write ENOSPC 0.03;open ENOSPC 0.03",
    "read-only": "write EROFS 0.02;open EROFS 0.05;name EROFS 0.1",
    "short writes": "write SHORT 0.2",
    "all at once": "sync EIO 0.04;write EIO 0.02;write SHORT 0.1;open EIO 0.03;name EIO 0.05;sync SLOW 0.02",
}
COUNT = 60


def of_spool(folder: Path, told: list[str]) -> None:
    with closing(Spool(folder / "spool", work.ROOM)) as spool:
        frames = [frame.data for frame in spool.oldest(work.ROOM, 1 << 40)]
        notes = spool.notes("work/")
    numbers = [int(data[:8]) for data in frames]
    assert frames == [work.frame(number) for number in numbers], "a frame is not whole"
    assert numbers == sorted(set(numbers)), "frames are doubled or out of order"
    shipped = max((int(line.split()[1]) for line in told if line.startswith("shipped")), default=-1)
    accepted = {int(line) for line in told if line.isdecimal()}
    assert {number for number in accepted if number > shipped} <= set(numbers), "an accepted frame is lost"
    assert int(notes.get("work/last", b"-1")) >= max(accepted, default=-1), "a note is older than its frame"


def of_bus(folder: Path, told: list[str]) -> None:
    async def published() -> list[bytes]:
        bus = work.open_bus(folder)
        await bus.ensure_topics()
        found = []
        for partition in range(work.PARTITIONS):
            reader = await bus.read(work.TOPIC, partition, 0)
            found += [delivery.value for delivery in await reader.poll(work.ROOM, 0)]
        group = await bus.subscribe(work.TOPIC, work.GROUP)
        await group.poll(work.ROOM, 0)
        await bus.close()
        return found

    messages = asyncio.run(published())
    numbers = [int(data[:8]) for data in messages]
    assert messages == [work.frame(number) for number in numbers], "a message is not whole"
    assert len(numbers) == len(set(numbers)), "a message is doubled"
    assert {int(line) for line in told} <= set(numbers), "a published message is lost"


def of_index(folder: Path, told: list[str]) -> None:
    given = folder.parent / "given"
    indexer = work.Indexer(folder, given)
    with closing(indexer):
        stored = max((int(line.split()[1]) for line in told if line.startswith("stored")), default=0)
        assert indexer.store.holding(LEDGER, range(stored)) == set(range(stored)), "a stored record is lost"
        indexer.run()
        key = keys.signing_key(given / "ledger.pem").public_key()
        ledger = LedgerFolder.of(folder / "ledger", LEDGER, key)
        assert list(fsck.check(ledger, indexer.store)) == []
        assert verify([ledger], indexer.store).faults == []
    log = Log.open(folder / "ledger")
    assert log.size == COUNT, "a record is lost or doubled"
    for line in told:
        if line.startswith("signed"):
            head = Checkpoint.parse(Note.parse(bytes.fromhex(line.split()[1])).text)
            assert log.root(head.size) == head.root, "another head of this size was signed"


CHECKS = {"spool": of_spool, "bus": of_bus, "index": of_index}


def give(folder: Path) -> None:
    """Records for the indexer, and its key."""
    folder.mkdir()
    keys.signing_key(folder / "ledger.pem", create=True)
    stream = Stream(folder / "stream")
    edge = stream.edge()
    lines: list[bytes] = []
    while len(lines) < COUNT:
        lines += [message.value for message in stream.take(edge.frame([inference(f"question {len(lines)}")])).records]
    (folder / "records.ndjson").write_bytes(b"\n".join(lines[:COUNT]))


@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("faults", FAULTS if RUNS > 1 else ["all at once"])
def test_what_was_acknowledged_outlives_the_power(tmp_path: Path, name: str, faults: str) -> None:
    give(tmp_path / "given")
    for seed in range(SEED, SEED + RUNS):
        print(f"{name} on a disk that is {faults}: SLMTRAIL_FAULT_SEED={seed}", flush=True)
        disk = tmp_path / "disk"
        ops = run(name, disk, 0, COUNT, FAULTS[faults], seed)
        rng, cuts = random.Random(seed), Cuts(disk)
        moments = set(rng.sample(range(len(ops)), min(ROUNDS, len(ops))))
        for number, op in enumerate(ops):
            cuts.take(op)
            if number in moments or number == len(ops) - 1:
                cuts.cut(rng, left := tmp_path / "left")
                try:
                    CHECKS[name](left, cuts.acknowledged)
                except BaseException as error:
                    error.add_note(f"cut behind {number} of {len(ops)}")
                    raise
                shutil.rmtree(left)
        shutil.rmtree(disk)

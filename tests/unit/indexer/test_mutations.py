"""A finished trail, as tiles and an export, changed in hundreds of ways: each is found, and named."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from builders import LEDGER, SealedTrail, Stream, inference
from slmtrail.core import canonical, commitment
from slmtrail.core.errors import LedgerError
from slmtrail.core.ports import Proved
from slmtrail.indexer import export
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.log import Log
from slmtrail.indexer.store.sqlite import SqliteStore
from slmtrail.indexer.verify.folder import LedgerFolder
from slmtrail.indexer.verify.memory import Memory
from slmtrail.indexer.verify.trail import Scope, verify

EVENTS = 700
"""Enough for two full tiles and a partial one."""


@dataclass
class Copy:
    """A ledger's folder and an export, in a folder."""

    trail: SealedTrail
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "export.ndjson"

    @property
    def ledger(self) -> LedgerFolder:
        return LedgerFolder.of(self.folder / "ledger", LEDGER, self.trail.key.public_key())

    def lines(self) -> list[bytes]:
        return self.file.read_bytes().splitlines(keepends=True)

    def check(self, *heads: bytes, scope: Scope | None = None) -> Proved:
        folder = LedgerFolder.of(self.folder / "ledger", LEDGER, self.trail.key.public_key(), heads=heads)
        return verify([folder], export.Export(self.file), scope=scope)

    def kinds(self, *heads: bytes) -> set[str]:
        return {fault.kind for fault in self.check(*heads).faults}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    folder = tmp_path_factory.mktemp("finished")
    stream = Stream(folder)
    edges = [stream.edge("edge-1"), stream.edge("edge-2")]
    trail = SealedTrail(folder / "trail")
    for number in range(EVENTS // 100):
        events = [inference(f"question {number} {n}", **{"slm.latency_ms": n}) for n in range(100)]
        trail.add(stream.take(edges[number % 2].frame(events)).records)
    for edge in edges:
        trail.add(stream.take(edge.frame(kind="close")).records)
    copy = Copy(trail, folder)
    shutil.copytree(trail.folder / "ledger", folder / "ledger")
    store = SqliteStore(trail.store_path)
    with copy.file.open("wb") as file:
        assert export.write(store, {LEDGER: copy.ledger.checkpoint()[1].size}, file) > EVENTS
    store.close()
    return copy


@pytest.fixture
def copy(finished: Copy, tmp_path: Path) -> Copy:
    shutil.copytree(finished.folder / "ledger", tmp_path / "ledger")
    shutil.copy(finished.file, tmp_path)
    return Copy(finished.trail, tmp_path)


def test_an_untouched_trail_raises_nothing_and_says_what_it_holds(copy: Copy) -> None:
    proved = copy.check(copy.ledger.checkpoint()[0])
    assert (proved.faults, proved.losses, proved.uncovered) == ([], [], 0)
    assert proved.records == proved.ledgers[LEDGER] == len(copy.lines())
    assert proved.signed_for["events"] == EVENTS


def counting(copy: Copy) -> list[Path]:
    """The files of the ledger that its head needs."""
    size = copy.ledger.checkpoint()[1].size
    widths = {str(size >> 8 * level & 255) for level in range(3)}
    files = [path for path in (copy.folder / "ledger").rglob("*") if path.is_file() and "tile" in path.parts]
    return [path for path in files if not path.parent.name.endswith(".p") or path.name in widths]


@pytest.mark.parametrize("seed", range(4))
def test_any_changed_byte_is_found(copy: Copy, seed: int) -> None:
    rng = random.Random(seed)
    files = [*counting(copy), copy.folder / "ledger" / "checkpoint", copy.file, copy.file]
    for _ in range(50):
        path = rng.choice(files)
        good = path.read_bytes()
        place, bit = rng.randrange(len(good)), 1 << rng.randrange(8)
        path.write_bytes(good[:place] + bytes([good[place] ^ bit]) + good[place + 1 :])
        assert copy.check().faults, f"{path}: byte {place} of {len(good)}, bit {bit}"
        path.write_bytes(good)
    assert not copy.check().faults


Change = Callable[[random.Random, list[bytes]], str]


def removed(rng: random.Random, lines: list[bytes]) -> str:
    del lines[rng.randrange(len(lines))]
    return "missing"


def cut(rng: random.Random, lines: list[bytes]) -> str:
    del lines[-rng.randrange(1, len(lines)) :]
    return "missing"


def doubled(rng: random.Random, lines: list[bytes]) -> str:
    place = rng.randrange(len(lines))
    lines.insert(place, lines[place])
    return "duplicated"


def edited(rng: random.Random, lines: list[bytes]) -> str:
    place = rng.randrange(len(lines))
    record = orjson.loads(lines[place])
    name = rng.choice([name for name in record if not name.startswith("slm.ledger.")])
    record[name] = [1] if record[name] != [1] else [2]
    lines[place] = canonical.dumps(record) + b"\n"
    return ""


def placed(line: bytes, leaf: int) -> bytes:
    record = orjson.loads(line)
    del record["slm.ledger.id"], record["slm.ledger.leaf"]
    return (
        b'{"slm.ledger.id":"%s","slm.ledger.leaf":%d,' % (LEDGER.encode(), leaf) + canonical.dumps(record)[1:] + b"\n"
    )


def swapped(rng: random.Random, lines: list[bytes]) -> str:
    one, other = sorted(rng.sample(range(len(lines)), 2))
    lines[one], lines[other] = placed(lines[other], one), placed(lines[one], other)
    return "reordered"


def shifted(rng: random.Random, lines: list[bytes]) -> str:
    one = rng.randrange(len(lines) - 2)
    lines[one:] = [placed(line, leaf) for leaf, line in enumerate([*lines[one + 1 :], lines[one]], one)]
    return "reordered"


def appended(rng: random.Random, lines: list[bytes]) -> str:
    lines.append(placed(rng.choice(lines), len(lines) + rng.randrange(9)))
    return "inserted"


def erased(rng: random.Random, lines: list[bytes]) -> str:
    place = rng.choice([n for n, line in enumerate(lines) if b"gen_ai.input.messages" in line])
    lines[place] = placed(canonical.dumps(commitment.erased(orjson.loads(lines[place]))), place)
    return "unlawful_deletion"


def shadowed(rng: random.Random, lines: list[bytes]) -> str:
    """A field stands twice: some readers take the first, ours the last."""
    place = rng.randrange(len(lines))
    ledger, leaf, rest = lines[place].split(b",", 2)
    lines[place] = b",".join([ledger, leaf, b'"event.outcome":"forged"', rest])
    return "changed"


@pytest.mark.parametrize("change", [removed, cut, doubled, edited, swapped, shifted, appended, erased, shadowed])
def test_each_kind_of_change_to_records_is_found_and_named(copy: Copy, change: Change) -> None:
    lines = copy.lines()
    for seed in range(8):
        made = list(lines)
        wanted = change(random.Random(seed), made)
        copy.file.write_bytes(b"".join(made))
        kinds = copy.kinds()
        assert wanted in kinds or (not wanted and kinds), (wanted, kinds)


def test_a_head_from_before_is_a_beginning_of_the_ledger(copy: Copy) -> None:
    key, folder = copy.trail.key, copy.folder / "ledger"
    size = copy.ledger.checkpoint()[1].size
    log = Log.open(folder, size)
    before = [Checkpoint(LEDGER, n, log.root(n)).sign([key]) for n in (0, 1, 255, 256, 257, 512, 600, size - 1, size)]
    assert not copy.check(*before).faults
    assert not copy.check(*before, scope=Scope(since_ms=1)).faults
    forked = [Checkpoint(LEDGER, n, bytes([n % 256]) * 32).sign([key]) for n in (1, 256, 600, size)]
    for head in forked:
        assert copy.kinds(head) == {"forked"}


def test_a_ledger_that_was_rolled_back_is_found(copy: Copy) -> None:
    data, head = copy.ledger.checkpoint()
    partial = min((copy.folder / "ledger" / "tile" / "0" / "002.p").iterdir(), key=lambda path: int(path.name))
    size = 512 + int(partial.name)
    signed = Checkpoint(LEDGER, size, Log.open(copy.folder / "ledger", head.size).root(size)).sign([copy.trail.key])
    (copy.folder / "ledger" / "checkpoint").write_bytes(signed)
    copy.file.write_bytes(b"".join(copy.lines()[:size]))
    assert not copy.check().faults, "by itself an older trail is whole"
    assert copy.kinds(data) == {"rolled_back"}


def test_a_head_that_nobody_signed_is_no_head(copy: Copy) -> None:
    data, _ = copy.ledger.checkpoint()
    assert copy.kinds(data.replace(b"\n\n", b"\nmore\n\n")) == {"checkpoint"}


def test_what_was_verified_is_remembered_and_gone_on_from(finished: Copy, tmp_path: Path) -> None:
    stream = Stream(tmp_path)
    edge = stream.edge()
    trail = SealedTrail(tmp_path / "trail")

    def walk(*, since_last: bool = True) -> Proved:
        store = SqliteStore(trail.store_path)
        try:
            memory = Memory(tmp_path / "memory.json")
            return verify([trail.ledger_folder], store, memory=memory, since_last=since_last)
        finally:
            store.close()

    total = 0
    for number in range(4):
        made = stream.take(*(edge.frame([inference(f"{number} {n}")] * 25) for n in range(10))).records
        trail.add(made)
        total += len(made)
        proved = walk()
        assert not proved.faults, number
        assert proved.records <= len(made) + 256
        assert proved.ledgers[LEDGER] == total
    known = Memory(tmp_path / "memory.json").ledgers[LEDGER]
    assert known.leaves == total // 256 * 256

    db_state = (tmp_path / "trail" / "ledger" / "checkpoint").read_bytes()
    log = Log.open(tmp_path / "trail" / "ledger", total)
    forged = Checkpoint(LEDGER, total - 20, log.root(total - 20)).sign([trail.key])
    (tmp_path / "trail" / "ledger" / "checkpoint").write_bytes(forged)
    assert "rolled_back" in {fault.kind for fault in walk().faults}
    (tmp_path / "trail" / "ledger" / "checkpoint").write_bytes(db_state)
    assert not walk(since_last=False).faults


def test_a_verification_that_was_broken_off_goes_on(
    copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slmtrail.indexer.verify.trail.REMEMBER_TILES", 1)
    monkeypatch.setattr("slmtrail.indexer.verify.trail.PROGRESS_TILES", 1)

    def stop(done: int, _all: int) -> None:
        if done >= 512:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify([copy.ledger], export.Export(copy.file), stop, memory=Memory(tmp_path / "memory.json"))
    assert Memory(tmp_path / "memory.json").ledgers[LEDGER].leaves == 512
    memory = Memory(tmp_path / "memory.json")
    proved = verify([copy.ledger], export.Export(copy.file), memory=memory, since_last=True)
    assert (proved.faults, proved.records) == ([], len(copy.lines()) - 512)


def test_a_scope_is_checked_with_its_neighbours(copy: Copy) -> None:
    lines = copy.lines()
    of_second = [n for n, line in enumerate(lines) if b'"slm.collector.id":"edge-2"' in line]
    proved = copy.check(scope=Scope(collector="edge-2"))
    assert not proved.faults
    assert proved.records == len(lines) - of_second[0] // 256 * 256
    copy.file.write_bytes(b"".join(lines[:400] + lines[401:]))
    assert {fault.kind for fault in copy.check(scope=Scope(collector="edge-2")).faults} == {"missing"}
    assert not copy.check(scope=Scope(collector="edge-9")).faults


def test_a_memory_of_another_version_is_said_to_be_one(tmp_path: Path) -> None:
    for content in (b"{", b"[]", b"{}", b'{"version":1,"ledgers":{}}', b'{"ledger/0":{"checkpoint":""}}'):
        (tmp_path / "memory.json").write_bytes(content)
        with pytest.raises(LedgerError, match="move it away"):
            Memory(tmp_path / "memory.json")

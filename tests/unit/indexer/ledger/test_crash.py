"""Crashes: whatever is left on the disk, the committed size opens, and the ledger grows from there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.ledger import make_vectors as naive
from slmtrail.core import durable
from slmtrail.core.errors import LedgerError
from slmtrail.indexer.ledger import tiles
from slmtrail.indexer.ledger.log import Log

ENTRIES = [naive.entry(i) for i in range(70_000)]
OTHERS = [naive.entry(-i) for i in range(1, 1000)]


class Crash(BaseException):
    """The process is gone."""


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file in a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def restore(folder: Path, before: dict[Path, bytes]) -> None:
    """Puts a folder back as it was."""
    shutil.rmtree(folder)
    for path, data in before.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def crashing(patch: pytest.MonkeyPatch, after: int) -> Callable[[], int]:
    """Makes the process die in its step number `after` on the disk; a write dies half done."""
    steps = 0

    def step(*half: Callable[[], object]) -> None:
        nonlocal steps
        if steps >= after:
            if steps == after:
                for act in half:
                    act()
            steps += 1
            raise Crash
        steps += 1

    make, write, sync, replace, sync_folder = (
        durable.make_folder,
        Path.write_bytes,
        tiles._sync_file,
        Path.replace,
        durable.sync_folder,
    )

    def write_bytes(path: Path, data: bytes) -> int:
        step(lambda: write(path, data[: len(data) // 2]))
        return write(path, data)

    def stepped(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object) -> object:
            step()
            return real(*args)

        return call

    patch.setattr(durable, "make_folder", stepped(make))
    patch.setattr(Path, "write_bytes", write_bytes)
    patch.setattr(tiles, "_sync_file", stepped(sync))
    patch.setattr(Path, "replace", stepped(replace))
    patch.setattr(durable, "sync_folder", stepped(sync_folder))
    return lambda: steps


@pytest.mark.parametrize(("committed", "size"), [(0, 3), (3, 6), (250, 260), (256, 512), (300, 900)])
def test_killed_at_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, committed: int, size: int) -> None:
    log = Log.open(tmp_path / "ledger", 0)
    log.append(ENTRIES[:committed])
    before = contents(tmp_path)
    step = 0
    while True:
        with monkeypatch.context() as patch:
            crashing(patch, step)
            try:
                Log.open(log.folder, committed).append(OTHERS[: size - committed])
            except Crash:
                died = True
            else:
                died = False
        after = contents(tmp_path)
        assert {path: after.get(path) for path in before} == before
        reopened = Log.open(log.folder, committed)
        assert reopened.root() == naive.mth(ENTRIES[:committed])
        reopened.append(ENTRIES[committed:size])
        for found in (reopened, Log.open(log.folder, size)):
            assert found.root() == naive.mth(ENTRIES[:size])
            assert list(found.entries()) == ENTRIES[:size]
        if not died:
            break
        restore(tmp_path, before)
        step += 1
    assert step >= 8


@pytest.mark.parametrize(
    ("committed", "size"), [(0, 3), *(pytest.param(*each, marks=pytest.mark.slow) for each in [(3, 6), (255, 257)])]
)
def test_torn_at_every_byte_beyond_the_committed_size(tmp_path: Path, committed: int, size: int) -> None:
    Log.open(tmp_path, 0).append(ENTRIES[:committed])
    before = contents(tmp_path)
    Log.open(tmp_path, committed).append(OTHERS[: size - committed])
    written = {path: data for path, data in contents(tmp_path).items() if path not in before}
    assert len(written) >= 2
    for path, data in written.items():
        for end in range(0, len(data), 1 if len(data) < 500 else 97):
            path.write_bytes(data[:end])
            with pytest.raises(LedgerError, match=f"{path}: it is torn"):
                list(Log.open(tmp_path, size).entries())
                Log.open(tmp_path, size).inclusion_proof(0)
            log = Log.open(tmp_path, committed)
            assert log.root() == naive.mth(ENTRIES[:committed])
            log.append(ENTRIES[committed:size])
            assert Log.open(tmp_path, size).root() == naive.mth(ENTRIES[:size])
            for other, was in written.items():
                other.write_bytes(was)


def read_ends(log: Log) -> None:
    """Reads the first and the last tiles and bundles of a ledger."""
    for index in (0, max(0, log.size - log.size % 256 - 1), log.size - 1):
        log.entry(index)
        log.inclusion_proof(index)


@pytest.mark.parametrize("size", [3, 256, 259, 65_536, 65_540])
def test_a_file_that_the_committed_size_needs_is_named_when_torn(tmp_path: Path, size: int) -> None:
    log = Log.open(tmp_path, 0)
    log.append(ENTRIES[:size])
    needed = {
        path: data
        for path, data in contents(tmp_path).items()
        if path.parent.suffix == ".p" or (path.name in ("000", "255") and path.parent.name in ("0", "1", "entries"))
    }
    for path, data in needed.items():
        for end in range(0, len(data), 1 if len(data) < 500 else 191):
            path.write_bytes(data[:end])
            with pytest.raises(LedgerError, match=f"{path}: it is torn"):
                read_ends(Log.open(tmp_path, size))
        path.unlink()
        with pytest.raises(LedgerError, match=f"{path}: it is missing"):
            read_ends(Log.open(tmp_path, size))
        path.write_bytes(data)
    assert Log.open(tmp_path, size).root() == log.root()


@pytest.mark.parametrize("size", [3, 255, 256, 257, 300, 512])
def test_zeros_where_the_disk_lied_are_found_on_opening(tmp_path: Path, size: int) -> None:
    Log.open(tmp_path, 0).append(ENTRIES[:size])
    edge = (size - 1) // 256
    for path, data in contents(tmp_path).items():
        if f"/00{edge}" in str(path) or "/tile/1/" in str(path):
            path.write_bytes(bytes(len(data)))
            with pytest.raises(LedgerError, match=r"contradict each other|it is damaged"):
                Log.open(tmp_path, size)
            path.write_bytes(data)
    Log.open(tmp_path, size)


def test_every_byte_of_the_last_entries_is_checked_on_opening(tmp_path: Path) -> None:
    Log.open(tmp_path, 0).append(ENTRIES[:3])
    for path, data in contents(tmp_path).items():
        for place in range(len(data)):
            path.write_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
            with pytest.raises(LedgerError):
                Log.open(tmp_path, 3)
        path.write_bytes(data)
    Log.open(tmp_path, 3)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rounds=st.lists(
        st.tuples(st.integers(1, 400), st.booleans(), st.booleans(), st.integers(0, 2**32)), min_size=1, max_size=6
    )
)
def test_lost_appends_leave_no_trace(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[tuple[int, bool, bool, int]]
) -> None:
    """Appends that are never committed, torn anywhere, mixed with ones that are."""
    folder = tmp_path_factory.mktemp("ledger")
    size = 0
    for count, lost, prune, tear in rounds:
        log = Log.open(folder, size)
        if lost:
            before = contents(folder)
            log.append(OTHERS[:count])
            for path in sorted(set(contents(folder)) - set(before)):
                data = path.read_bytes()
                path.write_bytes(data[: tear % (2 * len(data))])
        else:
            log.append(ENTRIES[size : size + count])
            size += count
            if prune:
                log.prune(size)
    log = Log.open(folder, size)
    assert log.root() == naive.mth(ENTRIES[:size])
    assert list(log.entries()) == ENTRIES[:size]
    for index in range(0, size, 101):
        assert log.inclusion_proof(index) == naive.path(index, ENTRIES[:size])


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    """What was made, named and synced, in order, by inode."""
    events: list[tuple[str, int]] = []
    mkdir, replace = os.mkdir, os.replace

    def make(path: str, *args: object, **options: object) -> None:
        mkdir(path, *args, **options)  # type: ignore[arg-type]
        events.append(("made", Path(path).stat().st_ino))

    def rename(source: str, target: str) -> None:
        events.append(("renamed", Path(source).stat().st_ino))
        replace(source, target)

    monkeypatch.setattr(os, "mkdir", make)
    monkeypatch.setattr(os, "replace", rename)
    monkeypatch.setattr(os, "fsync", lambda fd: events.append(("synced", os.fstat(fd).st_ino)))
    yield events


def test_when_append_returns_all_is_on_disk(tmp_path: Path, recorded: list[tuple[str, int]]) -> None:
    folder = tmp_path / "new" / "ledger"
    log = Log.open(folder, 0)
    for size in (3, 255, 256, 257, 700):
        recorded.clear()
        before = set(contents(tmp_path))
        log.append(ENTRIES[log.size : size])
        new = [path for path in contents(tmp_path) if path not in before]
        assert new
        for path in new:
            named = recorded.index(("renamed", path.stat().st_ino))
            assert ("synced", path.stat().st_ino) in recorded[:named]
            assert ("synced", path.parent.stat().st_ino) in recorded[named:]
        for path in (path for path in tmp_path.rglob("*") if ("made", path.stat().st_ino) in recorded):
            made = recorded.index(("made", path.stat().st_ino))
            assert ("synced", path.parent.stat().st_ino) in recorded[made:]
        assert sum(kind == "renamed" for kind, _ in recorded) == len(new)

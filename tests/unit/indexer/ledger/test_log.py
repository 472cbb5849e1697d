"""A ledger in a folder: appended to in any batches, opened at any size, read back against the naive tree."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from data.ledger import make_vectors as naive
from slmtrail.core.errors import LedgerError, StorageError
from slmtrail.indexer.ledger import merkle
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.log import Log

ENTRIES = [naive.entry(i) for i in range(1200)]


def filled(folder: Path, *sizes: int) -> Log:
    """A ledger that was appended to until it had each of the sizes."""
    log = Log.open(folder, 0)
    for size in sizes:
        log.append(ENTRIES[log.size : size])
    return log


def files(folder: Path) -> dict[str, bytes]:
    """Every file in a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 300) | st.sampled_from([1, 255, 256, 257]), min_size=1, max_size=4),
    st.booleans(),
    st.booleans(),
    st.data(),
)
def test_it_is_the_tree_of_its_entries(batches: list[int], reopen: bool, prune: bool, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "ledger"
        log = Log.open(folder, 0)
        size = 0
        for batch in batches:
            assert log.append(ENTRIES[size : size + batch]) == range(size, size + batch)
            size += batch
            if prune:
                log.prune(size)
            if reopen:
                log = Log.open(folder, size)
            assert log.size == size
            assert log.root() == naive.mth(ENTRIES[:size])
        assert list(log.entries()) == ENTRIES[:size]
        start = data.draw(st.integers(0, size))
        end = data.draw(st.integers(start, size))
        assert list(log.entries(start, end)) == ENTRIES[start:end]
        assert log.root(end) == naive.mth(ENTRIES[:end])
        if start:
            assert log.consistency_proof(start, end) == naive.proof(start, ENTRIES[:end])
        if start < end:
            assert log.inclusion_proof(start, end) == naive.path(start, ENTRIES[:end])
            assert log.entry(start) == ENTRIES[start]
            assert log.leaf_hash(start) == merkle.leaf_hash(ENTRIES[start])


def test_without_a_size_the_proofs_are_those_of_all_leaves(tmp_path: Path) -> None:
    log = filled(tmp_path, 300)
    assert log.inclusion_proof(7) == log.inclusion_proof(7, 300)
    assert log.consistency_proof(7) == log.consistency_proof(7, 300)


def test_a_leaf_that_is_not_there_is_refused(tmp_path: Path) -> None:
    log = filled(tmp_path, 300)
    for size in (-1, 301, 2**63, 10**5000):
        for ask in (log.root, log.consistency_proof, lambda n: log.inclusion_proof(0, n), log.prune):
            with pytest.raises(LedgerError):
                ask(size)
    for index in (-1, 300, 2**63):
        for look in (log.entry, log.leaf_hash, log.inclusion_proof):
            with pytest.raises(LedgerError):
                look(index)
    for start, end in [(-1, 3), (3, 2), (0, 301)]:
        with pytest.raises(LedgerError):
            log.entries(start, end)
    with pytest.raises(LedgerError):
        log.consistency_proof(5, 4)
    assert list(log.entries(300, 300)) == []


@pytest.mark.parametrize("size", [-1, 2**63, pytest.param(10**5000, id="huge")])
def test_an_absurd_size_is_refused(tmp_path: Path, size: int) -> None:
    with pytest.raises(LedgerError, match=r"from 0 to 2\^63-1"):
        Log.open(tmp_path, size)


@pytest.mark.parametrize("size", [1, 256, 257, 10**6, 2**63 - 1])
def test_an_empty_folder_is_no_ledger_of_any_size(tmp_path: Path, size: int) -> None:
    with pytest.raises(LedgerError, match=r"tile/.*: it is missing"):
        Log.open(tmp_path, size)
    assert not list(tmp_path.iterdir())


def test_opening_and_appending_nothing_write_nothing(tmp_path: Path) -> None:
    log = Log.open(tmp_path / "ledger", 0)
    assert log.append([]) == range(0)
    assert log.root() == merkle.EMPTY_ROOT
    assert not list(tmp_path.iterdir())


def test_an_entry_of_a_wrong_length_appends_nothing(tmp_path: Path) -> None:
    log = filled(tmp_path, 5)
    before = files(tmp_path)
    with pytest.raises(LedgerError, match="entry 1 of 2 has 31 bytes"):
        log.append([ENTRIES[5], bytes(31)])
    assert log.size == 5
    assert files(tmp_path) == before


def test_without_a_size_the_checkpoint_says_it(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    assert Log.open(tmp_path).size == 0
    log = filled(tmp_path, 7, 300, 310)
    with pytest.raises(LedgerError, match="checkpoint: it is missing"):
        Log.open(tmp_path)
    checkpoint = tmp_path / "checkpoint"
    for size in (7, 300):
        checkpoint.write_bytes(Checkpoint("ledger.example", size, log.root(size)).sign([key]))
        assert Log.open(tmp_path).size == size
        assert Log.open(tmp_path).root() == log.root(size)
    data = checkpoint.read_bytes()
    for end in range(len(data)):
        checkpoint.write_bytes(data[:end])
        with pytest.raises(LedgerError, match="checkpoint: "):
            Log.open(tmp_path)
    checkpoint.unlink()
    checkpoint.mkdir()
    with pytest.raises(LedgerError, match="checkpoint: can't be read"):
        Log.open(tmp_path)


def test_a_full_tile_is_written_once(tmp_path: Path) -> None:
    log = filled(tmp_path, 100, 600)
    full = [tmp_path / f"tile/{n}" for n in ("0/000", "0/001", "entries/000", "entries/001")]
    before = [(path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()) for path in full]
    for size in (601, 900, 1100):
        log.append(ENTRIES[log.size : size])
        log = Log.open(tmp_path, size)
    assert [(path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()) for path in full] == before


def test_every_size_that_was_appended_to_stays_readable(tmp_path: Path) -> None:
    """As long as nothing is pruned, and after that through the full tiles."""
    sizes = [3, 200, 255, 256, 300, 512, 513]
    log = filled(tmp_path, *sizes)
    names = set(files(tmp_path))
    assert {"tile/0/000.p/3", "tile/0/000.p/200", "tile/0/000.p/255", "tile/1/000.p/1", "tile/1/000.p/2"} <= names
    for _ in range(2):
        for size in sizes:
            assert Log.open(tmp_path, size).root() == naive.mth(ENTRIES[:size])
        log.prune(512)


def test_pruning_leaves_what_the_committed_size_needs(tmp_path: Path) -> None:
    log = filled(tmp_path, 200, 300)
    before = files(tmp_path)
    log.prune(200)
    assert files(tmp_path) == before
    log.prune(300)
    gone = {"tile/0/000.p/200", "tile/entries/000.p/200"}
    assert files(tmp_path) == {name: data for name, data in before.items() if name not in gone}
    assert not (tmp_path / "tile/0/000.p").exists()


def test_pruning_goes_on_after_a_crash(tmp_path: Path) -> None:
    filled(tmp_path, 200, 300)
    log = Log.open(tmp_path, 300)
    log.prune(300)
    assert not (tmp_path / "tile/0/000.p").exists()
    assert not (tmp_path / "tile/entries/000.p").exists()


def test_the_number_of_files_stays_bounded(tmp_path: Path) -> None:
    log = Log.open(tmp_path, 0)
    for size in range(1, 600):
        log.append([ENTRIES[log.size]])
        log.prune(size)
    assert set(files(tmp_path)) == {
        *(f"tile/{where}/00{n}" for where in ("0", "entries") for n in (0, 1)),
        *(f"tile/{where}/002.p/{width}" for where in ("0", "entries") for width in range(1, 88)),
        *(f"tile/1/000.p/{width}" for width in (1, 2)),
    }


def test_repeated_entries_still_get_every_tile(tmp_path: Path) -> None:
    """Two tiles with the same hashes are two files."""
    log = Log.open(tmp_path, 0)
    for count in (3, 256, 256 * 256):
        log.append(ENTRIES[:1] * count)
        reopened = Log.open(tmp_path, log.size)
        assert reopened.root() == naive.mth(ENTRIES[:1] * log.size)
        assert reopened.entry(log.size - 1) == ENTRIES[0]


def test_a_failed_append_can_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = filled(tmp_path, 200)
    writes = 0

    def fails(path: Path, data: bytes) -> int:
        nonlocal writes
        writes += 1
        if writes == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, data)

    real = Path.write_bytes
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fails)
        with pytest.raises(StorageError, match="No space left"):
            log.append(ENTRIES[500:600])
    assert log.size == 200
    assert log.root() == naive.mth(ENTRIES[:200])
    assert log.append(ENTRIES[200:300]) == range(200, 300)
    assert log.root() == naive.mth(ENTRIES[:300])
    assert Log.open(tmp_path, 300).root() == naive.mth(ENTRIES[:300])


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "tile").write_text("in the way")
    log = Log.open(tmp_path, 0)
    with pytest.raises(StorageError, match="a file stands where a folder should be"):
        log.append(ENTRIES[:3])
    with pytest.raises(LedgerError, match=r"tile/0/000.p/3: can't be read"):
        Log.open(tmp_path, 3)


def test_a_damaged_tile_inside_is_named_or_breaks_the_proof(tmp_path: Path) -> None:
    log = filled(tmp_path, 1100)
    root = log.root()
    path = tmp_path / "tile/0/001"
    data = path.read_bytes()
    for wrong in (b"", data[:-1], data + b"x"):
        path.write_bytes(wrong)
        with pytest.raises(LedgerError, match="tile/0/001: it is torn"):
            Log.open(tmp_path, 1100).inclusion_proof(300)
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    damaged = Log.open(tmp_path, 1100)
    with pytest.raises(LedgerError, match="does not lead to the root"):
        merkle.verify_inclusion(damaged.leaf_hash(300), 300, 1100, damaged.inclusion_proof(300), root)
    path.unlink()
    with pytest.raises(LedgerError, match="tile/0/001: it is missing"):
        Log.open(tmp_path, 1100).leaf_hash(300)


def test_a_damaged_bundle_inside_is_named(tmp_path: Path) -> None:
    log = filled(tmp_path, 1100)
    path = tmp_path / "tile/entries/001"
    data = path.read_bytes()
    for wrong in (b"", data[:-1], data + b"x", b"\x01" + data[1:]):
        path.write_bytes(wrong)
        with pytest.raises(LedgerError, match=r"tile/entries/001: it is (torn|damaged)"):
            list(log.entries())
    assert list(log.entries(512)) == ENTRIES[512:1100]

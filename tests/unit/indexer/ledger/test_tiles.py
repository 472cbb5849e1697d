"""Paths, bundles and files of tlog-tiles."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.ledger.make_vectors import bundle, entry
from slmtrail.core.errors import LedgerError, StorageError
from slmtrail.indexer.ledger import tiles


@pytest.mark.parametrize(
    ("index", "path"),
    [
        (0, "000"),
        (7, "007"),
        (999, "999"),
        (1000, "x001/000"),
        (1_234_067, "x001/x234/067"),
        (10**9, "x001/x000/x000/000"),
    ],
)
def test_paths(index: int, path: str) -> None:
    assert tiles.tile_path(3, index) == f"tile/3/{path}"
    assert tiles.tile_path(0, index, 255) == f"tile/0/{path}.p/255"
    assert tiles.bundle_path(index) == f"tile/entries/{path}"
    assert tiles.bundle_path(index, 1) == f"tile/entries/{path}.p/1"


@given(st.integers(0, 2**55))
def test_a_path_tells_its_index(index: int) -> None:
    *groups, last = tiles.bundle_path(index).removeprefix("tile/entries/").split("/")
    assert all(len(group) == 4 and group[0] == "x" for group in groups)
    assert len(last) == 3
    assert int("".join(group[1:] for group in groups) + last) == index
    assert not groups or groups[0] != "x000"


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=256))
def test_a_bundle_gives_back_its_entries(entries: list[bytes]) -> None:
    data = tiles.encode_bundle(entries)
    assert data == bundle(0, entries)
    assert tiles.decode_bundle(data, "here") == entries


@pytest.mark.parametrize("length", [0, 31, 33, 70_000])
def test_an_entry_has_32_bytes(length: int) -> None:
    with pytest.raises(LedgerError, match=f"entry 1 of 2 has {length} bytes"):
        tiles.encode_bundle([entry(0), bytes(length)])


@given(st.binary(max_size=200))
def test_no_bytes_break_the_decoder(data: bytes) -> None:
    try:
        entries = tiles.decode_bundle(data, "here")
    except LedgerError as error:
        assert str(error).startswith("here: ")
    else:
        assert tiles.encode_bundle(entries) == data


def test_every_changed_length_byte_is_found() -> None:
    data = tiles.encode_bundle([entry(i) for i in range(3)])
    for place in (0, 1, 34, 35, 68, 69):
        with pytest.raises(LedgerError, match="here: it is damaged"):
            tiles.decode_bundle(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], "here")


def test_files_are_replaced_and_made_with_their_folders(tmp_path: Path) -> None:
    for contents in (b"first", b"second"):
        tiles.write_files(tmp_path / "ledger", {"tile/0/000": contents, "tile/0/001.p/3": b"x"})
        assert (tmp_path / "ledger/tile/0/000").read_bytes() == contents
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {"ledger/tile/0/000", "ledger/tile/0/001.p/3"}


def test_a_full_tile_stands_in_for_a_partial_one(tmp_path: Path) -> None:
    full = bytes(range(256)) * 32
    tiles.write_files(tmp_path, {tiles.tile_path(0, 0): full})
    assert tiles.read_tile(tmp_path, 0, 0, 3) == full[:96]
    tiles.write_files(tmp_path, {tiles.tile_path(0, 0, 3): bytes(96)})
    assert tiles.read_tile(tmp_path, 0, 0, 3) == bytes(96)
    (tmp_path / tiles.tile_path(0, 0, 3)).unlink()
    (tmp_path / tiles.tile_path(0, 0)).write_bytes(full[:-1])
    with pytest.raises(LedgerError, match="tile/0/000: it is torn: 8191 bytes instead of 8192"):
        tiles.read_tile(tmp_path, 0, 0, 3)


@pytest.mark.parametrize("width", [1, 255, 256])
def test_what_can_not_be_read_is_named(tmp_path: Path, width: int) -> None:
    path = tmp_path / tiles.bundle_path(5, width)
    with pytest.raises(LedgerError, match=f"{path}: it is missing"):
        tiles.read_bundle(tmp_path, 5, width)
    for wrong in (b"", bytes(34 * width - 1), bytes(34 * width + 1), bytes(10**6)):
        tiles.write_files(tmp_path, {tiles.bundle_path(5, width): wrong})
        with pytest.raises(LedgerError, match=f"{path}: it is torn"):
            tiles.read_bundle(tmp_path, 5, width)
    path.unlink()
    path.mkdir()
    with pytest.raises(LedgerError, match=f"{path}: can't be read"):
        tiles.read_bundle(tmp_path, 5, width)


def test_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_path: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="No space left on device; free space"):
        tiles.write_files(tmp_path, {"tile/0/000": b""})


def test_partials_are_removed_with_their_folder(tmp_path: Path) -> None:
    tiles.write_files(tmp_path, {"tile/0/000": b"full", "tile/0/000.p/3": b"x", "tile/0/000.p/.4.tmp": b"y"})
    for _ in range(2):
        tiles.remove_partials(tmp_path, "tile/0/000")
        assert [path.name for path in (tmp_path / "tile/0").iterdir()] == ["000"]
    (tmp_path / "tile/0/000.p").write_bytes(b"a file in the way")
    with pytest.raises(StorageError, match="can't be removed"):
        tiles.remove_partials(tmp_path, "tile/0/000")

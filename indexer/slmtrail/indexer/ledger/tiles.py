"""A ledger's files, laid out as C2SP tlog-tiles: where each is, what is in it, how it gets to the disk.

How it fails: each file is written beside its place, synced, and renamed into it, and its folder synced
after that. So after a crash a file is as it was before or as it should be, unless the disk itself lied;
a temporary file may stay until the next write of that name. Reading a file that is missing or has not
exactly the bytes it must have is a LedgerError that names it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from slmtrail.core import durable
from slmtrail.core.errors import LedgerError, StorageError
from slmtrail.indexer.ledger.frontier import TILE_WIDTH
from slmtrail.indexer.ledger.merkle import HASH_BYTES

CHECKPOINT = "checkpoint"
ENTRY_BYTES = 32
_SYNCING = ThreadPoolExecutor(16, "sync")
_LENGTH = ENTRY_BYTES.to_bytes(2, "big")
_RECORD_BYTES = len(_LENGTH) + ENTRY_BYTES


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Where a tile of hashes is, from the ledger's folder."""
    return f"tile/{level}/{_index_path(index)}{_partial(width)}"


def bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """Where a bundle of entries is, from the ledger's folder."""
    return f"tile/entries/{_index_path(index)}{_partial(width)}"


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """The bytes of a bundle: each entry after its length."""
    for number, entry in enumerate(entries):
        if len(entry) != ENTRY_BYTES:
            raise LedgerError(f"entry {number} of {len(entries)} has {len(entry)} bytes instead of {ENTRY_BYTES}")
    return b"".join([_LENGTH + entry for entry in entries])


def decode_bundle(data: bytes, name: str) -> list[bytes]:
    """The entries of a bundle; `name` is where it came from."""
    width = len(data) // _RECORD_BYTES
    if width * _RECORD_BYTES != len(data) or any(
        data[place::_RECORD_BYTES] != bytes([byte]) * width for place, byte in enumerate(_LENGTH)
    ):
        raise LedgerError(f"{name}: it is damaged: not a row of entries of {ENTRY_BYTES} bytes each")
    return [data[i + len(_LENGTH) : i + _RECORD_BYTES] for i in range(0, len(data), _RECORD_BYTES)]


def bundle_slice(bundles: bytes, number: int, width: int) -> bytes:
    """The first `width` entries of the bundle that stands at `number` in a row of encoded bundles."""
    start = number * TILE_WIDTH * _RECORD_BYTES
    return bundles[start : start + width * _RECORD_BYTES]


def read_tile(folder: Path, level: int, index: int, width: int = TILE_WIDTH) -> bytes:
    """The first `width` hashes of a tile."""
    paths = (tile_path(level, index, width), tile_path(level, index))
    return _read(folder, paths, width, HASH_BYTES)


def read_bundle(folder: Path, index: int, width: int = TILE_WIDTH) -> bytes:
    """The first `width` entries of a bundle, still encoded."""
    paths = (bundle_path(index, width), bundle_path(index))
    return _read(folder, paths, width, _RECORD_BYTES)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Puts each file (its path from `folder`: its contents) in place. Blocks until all are on disk."""
    paths = [folder / name for name in files]
    temporaries = [path.with_name(f".{path.name}.tmp") for path in paths]
    folders = {path.parent for path in paths}
    try:
        for parent in folders:
            durable.make_folder(parent)
        for temporary, data in zip(temporaries, files.values(), strict=True):
            temporary.write_bytes(data)
        # All at once: a file system takes what waits for it to the disk together, which is many times as fast.
        list(_SYNCING.map(_sync_file, temporaries))
        for temporary, path in zip(temporaries, paths, strict=True):
            temporary.replace(path)
        list(_SYNCING.map(durable.sync_folder, folders))
    except OSError as error:
        where = error.filename or folder
        raise StorageError(f"{where}: can't be written: {error.strerror}; {durable.advice(error)}") from error


def remove_partials(folder: Path, name: str) -> None:
    """Removes every partial file of the full tile or bundle at `name`. A crash may bring some back."""
    partials = folder / f"{name}.p"
    try:
        shutil.rmtree(partials)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"{partials}: can't be removed: {error.strerror}; {durable.advice(error)}") from error


def _sync_file(path: Path) -> None:
    fd = os.open(path, os.O_RDWR)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _index_path(index: int) -> str:
    groups = f"{index:,}".split(",")
    groups[0] = groups[0].zfill(3)
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


def _partial(width: int) -> str:
    return f".p/{width}" if width < TILE_WIDTH else ""


def _read(folder: Path, paths: tuple[str, str], width: int, unit_bytes: int) -> bytes:
    """The first `width` units of the partial file or, where it was cleared away, of the full one."""
    for name, expected in zip(paths, (width, TILE_WIDTH), strict=True):
        path = folder / name
        try:
            with path.open("rb") as file:
                data = file.read(expected * unit_bytes + 1)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise LedgerError(f"{path}: can't be read: {error.strerror}; {durable.advice(error)}") from error
        if len(data) != expected * unit_bytes:
            found = f"{len(data)} bytes" if len(data) < expected * unit_bytes else "more"
            raise LedgerError(f"{path}: it is torn: {found} instead of {expected * unit_bytes}")
        return data[: width * unit_bytes]
    raise LedgerError(f"{folder / paths[0]}: it is missing")

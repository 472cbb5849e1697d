"""A disk that fails on purpose under a process of its own, and what a power cut at any moment would leave of it.

`run` works below a folder with `faulty_disk.c` between it and its files. `Cuts` takes what that wrote down and makes
the folder as it may be after a power cut: all that was synced; of the rest any writes in any order, torn anywhere,
and names only as far as they got. Where a sync failed, what it was to flush is never there, as on a real kernel. Names
come in order, and a new file that was synced has its own, as on ext4, XFS and Btrfs; SQLite counts on it.
"""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

_OP = struct.Struct("<QQI4s")
_SOURCE = Path(__file__).with_name("faulty_disk.c")
_WORK = Path(__file__).with_name("work.py")
_TESTS = _SOURCE.parents[2]
ACKNOWLEDGED = "acknowledged"
"""The file of what was acknowledged, a line each; it counts from the moment it was written."""


@cache
def shim() -> Path:
    """The disk, compiled."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("a faulty disk takes Linux and a C compiler (Debian: gcc)")
    library = Path(mkdtemp(prefix="slmtrail-disk-")) / "faulty_disk.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, _SOURCE, "-ldl"], check=True)
    return library


def run(work: str, folder: Path, first: int, count: int, faults: str = "", seed: int = 0) -> list[Op]:
    """Does some work of `work.py` in `folder`; what of it reached the disk, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder.with_suffix(".log")
    log.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, _WORK, work, folder, str(seed), str(first), str(count)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(_TESTS), os.environ.get("PYTHONPATH", "")]),
            "LD_PRELOAD": str(shim()),
            "DISK_ROOT": str(folder),
            "DISK_LOG": str(log),
            "DISK_SEED": str(seed),
            "DISK_FAULTS": faults,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{work}, faults {faults!r}, seed {seed}:\n{done.stderr[-4000:]}"
    return list(_ops(log.read_bytes()))


@dataclass(frozen=True, slots=True)
class Op:
    """One thing that reached the disk."""

    kind: str
    handle: int
    offset: int
    data: bytes


def _ops(log: bytes) -> Iterator[Op]:
    place = 0
    while place < len(log):
        handle, offset, length, kind = _OP.unpack_from(log, place)
        place += _OP.size
        yield Op(kind.rstrip(b"\0").decode(), handle, offset, log[place : place + length])
        place += length


@dataclass(eq=False, slots=True)
class _File:
    """A file without a name: what is on the disk, and what is on its way."""

    durable: bytearray = field(default_factory=bytearray)
    waiting: list[Op] = field(default_factory=list)

    def settle(self) -> None:
        for op in self.waiting:
            _apply(self.durable, op)
        self.waiting.clear()

    def after(self, rng: random.Random) -> bytes:
        left = bytearray(self.durable)
        loses = rng.random()
        for op in self.waiting:
            if rng.random() < loses:
                continue
            torn = op.data[: rng.randrange(len(op.data) + 1)] if rng.random() < 0.3 else op.data
            _apply(left, Op(op.kind, op.handle, op.offset, torn))
        return bytes(left)


def _apply(content: bytearray, op: Op) -> None:
    if op.kind == "size":
        del content[op.offset :]
        content.extend(bytes(op.offset - len(content)))
    else:
        content.extend(bytes(max(0, op.offset - len(content))))
        content[op.offset : op.offset + len(op.data)] = op.data


@dataclass(frozen=True, slots=True)
class _Change:
    """Of the names of files."""

    kind: str
    name: str
    other: str = ""
    file: _File | None = None
    """What has the name afterwards; a folder has no file."""

    def apply(self, names: dict[str, _File | None]) -> None:
        if self.kind in ("gone", "move"):
            names.pop(self.name, None)
        if self.kind != "gone":
            names[self.other or self.name] = self.file

    def within(self, folder: str) -> bool:
        return folder in (str(Path(self.name).parent), str(Path(self.other).parent))


class Cuts:
    """A folder as it was written, op by op, and what a power cut would leave of it."""

    def __init__(self, folder: Path, before: Path | None = None) -> None:
        """`before` is what the disk had when the work began."""
        self._folder = str(folder)
        self._names: dict[str, _File | None] = {self._folder: None}
        for path in before.rglob("*") if before else ():
            file = None if path.is_dir() else _File(bytearray(path.read_bytes()))
            self._names[str(folder / path.relative_to(before or folder))] = file
        self._named = dict(self._names)
        """The names that are on the disk."""
        self._changes: list[_Change] = []
        """Those that are on their way."""
        self._opened: dict[int, tuple[str, _File | None]] = {}
        self.acknowledged: list[str] = []

    def take(self, op: Op) -> None:
        """The next thing that reached the disk."""
        if op.kind in ("open", "new"):
            self._open(op)
        elif op.handle:
            self._write(op, *self._opened[op.handle])
        else:
            name, _, other = op.data.decode().partition("\0")
            self._change(_Change(op.kind, name, other, self._names.get(name)))

    def cut(self, rng: random.Random, into: Path) -> None:
        """Puts into a folder what is there after a power cut now."""
        names = dict(self._named)
        for change in self._changes[: rng.randrange(len(self._changes) + 1)]:
            change.apply(names)
        into.mkdir(parents=True)
        for name in sorted(names):
            path = into / os.path.relpath(name, self._folder)
            if not path.parent.is_dir():
                continue  # a name in a folder that has none itself
            file = names[name]
            if file is None:
                path.mkdir(exist_ok=True)
            else:
                path.write_bytes(file.after(rng))

    def _open(self, op: Op) -> None:
        name = op.data.decode()
        if name not in self._names:
            self._change(_Change("file", name, file=_File()))
        file = self._names[name]
        self._opened[op.handle] = name, file
        if op.kind == "new" and file:
            file.waiting.append(Op("size", op.handle, 0, b""))

    def _write(self, op: Op, name: str, file: _File | None) -> None:
        if name.endswith(f"/{ACKNOWLEDGED}"):
            self.acknowledged += op.data.decode().splitlines()
        elif file is None:
            if op.kind == "sync":
                self._settle(lambda change: change.within(name))
        elif op.kind == "sync":
            file.settle()
            self._settle(lambda change: change.kind == "file" and change.file is file)
        elif op.kind == "lost":
            file.waiting.clear()
        else:
            file.waiting.append(op)

    def _settle(self, done: Callable[[_Change], bool]) -> None:
        end = max((number for number, change in enumerate(self._changes, 1) if done(change)), default=0)
        for change in self._changes[:end]:
            change.apply(self._named)
        del self._changes[:end]

    def _change(self, change: _Change) -> None:
        change.apply(self._names)
        self._changes.append(change)

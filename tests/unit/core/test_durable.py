"""Durable writes: the order that survives a power cut, and what a person is told when the disk refuses."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slmtrail.core import durable
from slmtrail.core.errors import StorageError


def _calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Every step towards the disk, with the name it is about."""
    seen: list[tuple[str, str]] = []
    real_write, real_fsync, real_replace, real_mkdir = os.write, os.fsync, Path.replace, Path.mkdir

    def name_of(fd: int) -> str:
        return Path(f"/proc/self/fd/{fd}").readlink().name

    def write(fd: int, data: Any) -> int:
        seen.append(("write", name_of(fd)))
        return real_write(fd, bytes(data[:3]))

    def fsync(fd: int) -> None:
        seen.append(("fsync", name_of(fd)))
        real_fsync(fd)

    def replace(self: Path, target: Path) -> Path:
        seen.append(("rename", target.name))
        return real_replace(self, target)

    def mkdir(self: Path, *args: Any, **kwargs: Any) -> None:
        seen.append(("mkdir", self.name))
        real_mkdir(self, *args, **kwargs)

    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(Path, "mkdir", mkdir)
    return seen


def test_a_file_is_on_disk_before_it_has_its_name_and_the_name_before_we_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    seen = _calls(monkeypatch)
    durable.write_file(folder / "f", b"abcdefgh", 0o640)
    steps = [*[("write", ".f.tmp")] * 3, ("fsync", ".f.tmp"), ("rename", "f"), ("fsync", "folder")]
    assert seen == steps
    assert (folder / "f").read_bytes() == b"abcdefgh"
    assert stat.S_IMODE((folder / "f").stat().st_mode) == 0o640
    assert [path.name for path in folder.iterdir()] == ["f"]


def test_each_new_folder_is_synced_into_its_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _calls(monkeypatch)
    durable.make_folder(tmp_path / "a" / "b", 0o700)
    assert seen == [("mkdir", "a"), ("fsync", tmp_path.name), ("mkdir", "b"), ("fsync", "a")]
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    seen.clear()
    durable.make_folder(tmp_path / "a" / "b")
    assert seen == []


def test_a_folder_that_could_not_be_synced_is_no_folder_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _fd: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
        with pytest.raises(StorageError, match="Input/output error; look at the disk"):
            durable.make_folder(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    seen = _calls(monkeypatch)
    durable.make_folder(tmp_path / "a" / "b")
    assert ("fsync", tmp_path.name) in seen


def test_what_a_crash_left_behind_is_no_obstacle_and_lends_no_permissions(tmp_path: Path) -> None:
    left = tmp_path / ".f.tmp"
    left.write_bytes(b"half of something longer")
    left.chmod(0o666)
    durable.write_file(tmp_path / "f", b"new", 0o600)
    assert (tmp_path / "f").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o600
    assert not left.exists()


@pytest.mark.parametrize("step", ["write", "fsync", "fchmod"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EACCES, errno.EIO])
def test_a_refused_write_leaves_the_old_file_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    durable.write_file(tmp_path / "f", b"old")

    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, step, refuse)
    with pytest.raises(StorageError) as caught:
        durable.write_file(tmp_path / "f", b"new")
    monkeypatch.undo()
    text = str(caught.value)
    assert text.startswith(f"{tmp_path / 'f'}: can't be written: {os.strerror(number)}; ")
    assert text.endswith(durable.advice(OSError(number, "")))
    assert (tmp_path / "f").read_bytes() == b"old"


def test_every_error_has_advice() -> None:
    known = {durable.advice(OSError(number, "")) for number in (errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EACCES)}
    assert len(known) == 4
    assert durable.advice(OSError()) == durable.advice(OSError(errno.EIO, "")) == "look at the disk"


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "below", tmp_path / "file" / "below" / "deeper"):
        with pytest.raises(StorageError, match="a file stands where a folder should be"):
            durable.make_folder(path)
    with pytest.raises(StorageError, match="can't be written"):
        durable.write_file(tmp_path / "file" / "f", b"")
    with pytest.raises(StorageError, match="no-such"):
        durable.write_file(tmp_path / "no-such" / "f", b"")
    with pytest.raises(StorageError, match="can't be used"), durable.locked(tmp_path / "file" / "f"):
        pass


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KB."""
    yield from _mounted(tmp_path / "disk", "size=64k")


def _mounted(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    durable.write_file(small_disk / "f", b"old")
    for _ in range(2):
        with pytest.raises(StorageError, match="free space on that disk"):
            durable.write_file(small_disk / "f", bytes(1024 * 1024))
        assert [path.name for path in small_disk.iterdir()] == ["f"]
    assert (small_disk / "f").read_bytes() == b"old"
    durable.write_file(small_disk / "f", b"new")
    assert (small_disk / "f").read_bytes() == b"new"


def test_a_read_only_folder(small_disk: Path) -> None:
    durable.write_file(small_disk / "f", b"old")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(StorageError, match="mounted read-only: remount it or move the data folder"):
        durable.write_file(small_disk / "f", b"new")
    with pytest.raises(StorageError, match="mounted read-only"):
        durable.make_folder(small_disk / "new")
    assert (small_disk / "f").read_bytes() == b"old"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(0o500)
    with pytest.raises(StorageError, match="give this user write permission"):
        durable.write_file(folder / "f", b"")
    with pytest.raises(StorageError, match="give this user write permission"):
        durable.make_folder(folder / "new")

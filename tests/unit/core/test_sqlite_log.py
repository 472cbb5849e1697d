"""SQLite's log is put on disk once more, whoever reads and waits to write meanwhile."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from slmtrail.core import sqlite_log
from slmtrail.core.errors import StorageError


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "file.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE number (value INTEGER)")
        db.execute("INSERT INTO number VALUES (1)")
        yield path


def test_all_of_the_log_is_written_again_before_it_is_flushed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = file.with_name("file.sqlite-wal")
    before, written, pwrite = log.read_bytes(), bytearray(), os.pwrite
    monkeypatch.setattr(sqlite_log, "_PIECE_BYTES", 1000)
    monkeypatch.setattr(
        os, "pwrite", lambda fd, data, place: written.extend(data[:700]) or pwrite(fd, data[:700], place)
    )
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda _fd: flushed.append(len(written)))
    with closing(sqlite3.connect(file)) as db:
        sqlite_log.settle(db, file)
        assert db.execute("SELECT value FROM number").fetchall() == [(1,)]
    assert bytes(written) == log.read_bytes() == before
    assert flushed == [len(before)]


def test_nobody_appends_meanwhile(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def append(_fd: int) -> None:
        with (
            closing(sqlite3.connect(file, timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("INSERT INTO number VALUES (2)")

    monkeypatch.setattr(os, "fsync", append)
    with closing(sqlite3.connect(file)) as db:
        sqlite_log.settle(db, file)
        db.execute("INSERT INTO number VALUES (3)")


def test_where_there_is_no_log_there_is_nothing_to_do(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "new.sqlite")) as db:
        sqlite_log.settle(db, tmp_path / "new.sqlite")


def test_a_disk_that_still_fails_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with closing(sqlite3.connect(file)) as db:
        with pytest.raises(
            StorageError, match=r"file\.sqlite-wal: can't be flushed: Input/output error; look at the disk"
        ):
            sqlite_log.settle(db, file)
        assert not db.in_transaction

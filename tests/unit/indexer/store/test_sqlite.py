"""The embedded store's file: what harms it, and how that is told."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from contract.stored import LEDGER, sealed, some_records
from slmtrail.core import commitment
from slmtrail.core.errors import StorageError, StoreError, TrailError
from slmtrail.core.ports import Fault, Query
from slmtrail.core.rollup import DAY_MS, HOUR_MS, Rollup, together
from slmtrail.indexer.store.sqlite import SqliteStore, wal_file


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with forty records."""
    path = tmp_path_factory.mktemp("whole") / "store.db"
    store = SqliteStore(path, writable=True)
    assert store.write(some_records(seed=3, count=40)) == []
    store.close()
    return path


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """The same, to be damaged."""
    return Path(shutil.copy(whole, tmp_path / "store.db"))


def faults(path: Path) -> list[Fault]:
    store = SqliteStore(path)
    found = store.faults()
    store.close()
    return found


def altered(path: Path, *statements: str) -> None:
    """Does what someone with the file in their hands can do."""
    db = sqlite3.connect(path)
    db.create_function("searched", 1, lambda data: "other words")
    for statement in statements:
        assert db.execute(statement).rowcount != 0, statement
    db.commit()
    db.close()


def test_a_store_that_is_whole_has_no_faults(whole: Path) -> None:
    assert faults(whole) == []


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE record SET kind = 'alert' WHERE place = 5", "column"),
        ("UPDATE record SET environment = 'elsewhere' WHERE place = 5", "column"),
        ("UPDATE record SET environment = NULL, outcome = NULL WHERE place = 5", "column"),
        ("UPDATE record SET outcome = 'odd' WHERE place = 5", "column"),
        ("UPDATE record SET collector = 'odd' WHERE place = 5", "column"),
        ("UPDATE record SET service = 'odd' WHERE place = 5", "column"),
        ("UPDATE record SET latency_ms = 1, input_tokens = 1, output_tokens = 1, status = 1 WHERE place = 5", "column"),
        ("UPDATE record SET ts_ms = ts_ms + 1 WHERE place = 5", "column"),
        ("UPDATE record SET id = 'odd' WHERE place = 5", "column"),
        ("UPDATE record SET id = CAST(x'ff' AS TEXT) WHERE place = 5", "column"),
        ("INSERT INTO term (name, value, ts_ms, place) VALUES ('user', 'mallory', 1, 5)", "column"),
        ("INSERT INTO term (name, value, ts_ms, place) VALUES ('flag', 'burst', 2, 5)", "column"),
        ("INSERT INTO term (name, value, ts_ms, place) VALUES ('session', 's', 2, 5)", "column"),
        ("UPDATE term SET kind = 'alert' WHERE place = 5", "column"),
        ("UPDATE term SET environment = 'odd', outcome = 'odd', collector = 'odd' WHERE place = 5", "column"),
        ("UPDATE payload SET data = CAST(substr(data, 2) AS BLOB) WHERE place = 5", "data"),
        ("UPDATE payload SET data = x'ff' WHERE place = 5", "data"),
        ("UPDATE payload SET data = CAST('[]' AS BLOB) WHERE place = 5", "data"),
        ("DELETE FROM payload WHERE place = 5", "data"),
        ("INSERT INTO words (rowid, text) VALUES (5, 'planted')", "words"),
    ],
)
def test_what_is_altered_is_named(copy: Path, statement: str, kind: str) -> None:
    fifth = next(record for record in some_records(seed=3, count=40) if record.leaf == 4)
    altered(copy, statement)
    found = [fault for fault in faults(copy) if fault.kind == kind]
    assert found
    assert {(fault.ledger, fault.leaf) for fault in found} == {(fifth.ledger, fifth.leaf)}


@pytest.mark.parametrize(
    ("statements", "kind"),
    [
        (["DELETE FROM record WHERE place = 5"], "data"),
        (["DELETE FROM term WHERE place = (SELECT max(place) FROM term)"], "column"),
        (["UPDATE term SET name = 'flag' WHERE name = 'user'"], "column"),
        (["INSERT INTO words (words) VALUES ('delete-all')"], "words"),
        (["DELETE FROM words_data WHERE id > 10"], "file"),
        (["DROP INDEX record_id"], "file"),
        (["CREATE TRIGGER t AFTER INSERT ON record BEGIN DELETE FROM payload; END"], "file"),
        (
            ["DROP VIEW searched_text", "CREATE VIEW searched_text (place, text) AS SELECT place, '' FROM payload"],
            "file",
        ),
        (["DROP TABLE term"], "file"),
        (
            [
                "CREATE TABLE kept AS SELECT * FROM payload WHERE place = 6",
                "UPDATE payload SET data = (SELECT data FROM payload WHERE place = 5) WHERE place = 6",
                "UPDATE payload SET data = (SELECT data FROM kept) WHERE place = 5",
                "DROP TABLE kept",
            ],
            "column",
        ),
    ],
)
def test_what_is_altered_is_found(copy: Path, statements: list[str], kind: str) -> None:
    altered(copy, *statements)
    assert kind in {fault.kind for fault in faults(copy)}


def test_a_flipped_bit_is_found_or_changes_nothing_that_is_read(copy: Path, whole: Path) -> None:
    rng = random.Random(4)
    data = whole.read_bytes()
    wanted, sealed_entries, found = contents(whole), entries(whole), 0
    for _ in range(150):
        place = rng.randrange(len(data))
        copy.write_bytes(data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :])
        for leftover in copy.parent.glob("store.db-*"):
            leftover.unlink()
        try:
            damaged = bool(faults(copy)) or entries(copy) != sealed_entries
        except TrailError:
            damaged = True
        found += damaged
        assert damaged or contents(copy) == wanted, f"byte {place}"
    assert found > 20


def entries(path: Path) -> list[tuple[str, int, bytes]]:
    """What the ledger compares with its leaves."""
    store = SqliteStore(path)
    found = [
        (record.ledger, record.leaf, commitment.entry(record.record))
        for ledger in sorted(store.ledgers())
        for record in store.scan(ledger, 0, 2**62)
    ]
    store.close()
    return found


def contents(path: Path) -> list[Any]:
    """All that a search or a scan reads."""
    store = SqliteStore(path)
    ledgers = store.ledgers()
    words = ("café", "password", "東", "email_1", "two", "ende", "absent")
    answers = [store.search(Query(text=word)) for word in words]
    everything = [record for ledger in sorted(ledgers) for record in store.scan(ledger, 0, 2**62)]
    store.close()
    return [ledgers, answers, everything]


def test_a_missing_store_is_told_and_not_made(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "none.db")
    for read in (lambda: store.search(Query()), store.ledgers, store.faults, lambda: list(store.scan(LEDGER, 0, 1))):
        with pytest.raises(StoreError, match=r"none\.db: there is no store here yet"):
            read()
    assert list(tmp_path.iterdir()) == []


def test_a_store_whose_tables_are_not_made_yet_is_none_yet(tmp_path: Path) -> None:
    (tmp_path / "begun.db").touch()
    with pytest.raises(StoreError, match=r"begun\.db: there is no store here yet"):
        SqliteStore(tmp_path / "begun.db").search(Query())


@pytest.mark.parametrize("writable", [False, True])
@pytest.mark.parametrize("content", ["text", "other database", "folder", "short", "newer"])
def test_what_is_no_store_is_told_and_left_alone(tmp_path: Path, whole: Path, content: str, writable: bool) -> None:
    path = tmp_path / "thing"
    match content:
        case "text":
            path.write_text("hello world " * 1000)
        case "other database":
            sqlite3.connect(path).execute("CREATE TABLE a (b)").connection.close()
        case "folder":
            path.mkdir()
        case "short":
            path.write_bytes(whole.read_bytes()[:5000])
        case "newer":
            shutil.copy(whole, path)
            sqlite3.connect(path).execute("PRAGMA user_version = 99").connection.close()
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(TrailError, match="thing"):
        SqliteStore(path, writable=writable).search(Query())
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_store_of_an_older_version_is_brought_up_to_date_by_who_writes(copy: Path) -> None:
    hours = [Rollup(hour * HOUR_MS, "phi-3", "prod", "inference", hour, latency={80: hour}) for hour in (1, 2, 30)]
    with closing(SqliteStore(copy, writable=True)) as store:
        for hour in hours:
            store.roll_up(hour.hour_ms, [hour])
    old = sqlite3.connect(copy)
    old.executescript(
        "DROP INDEX record_kind; DROP INDEX record_collector; DROP INDEX record_outcome; DROP TABLE rollup_day; "
        "PRAGMA user_version = 3"
    )
    old.close()
    with pytest.raises(StoreError, match=r"version 3, .*; start the pipeline once"):
        SqliteStore(copy).search(Query())
    with closing(SqliteStore(copy, writable=True)) as store:
        assert store.rollups(0, 10**15, DAY_MS) == together(hours, DAY_MS)
    assert faults(copy) == []


def test_a_full_disk_is_told_and_what_was_written_stays(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db", writable=True)
    store.write([sealed(0)])
    assert store._writer is not None
    (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
    store._writer.execute(f"PRAGMA max_page_count = {pages + 20}")
    big = [sealed(leaf, message="lorem ipsum " * 1000) for leaf in range(1, 50)]
    with pytest.raises(StorageError, match="the disk is full; free space"):
        store.write(big)
    assert store.holding(LEDGER, range(50)) == {0}
    store._writer.execute("PRAGMA max_page_count = 100000")
    assert store.write(big) == []
    assert store.holding(LEDGER, range(50)) == set(range(50))
    assert store.faults() == []
    store.close()


def test_a_second_writer_is_told_to_wait_for_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slmtrail.indexer.store.sqlite._BUSY_TIMEOUT_S", 0.1)
    first, second = (SqliteStore(tmp_path / "store.db", writable=True) for _ in range(2))
    assert first._writer is not None
    first._writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="another process is writing"):
        second.write([sealed(0)])
    first._writer.execute("ROLLBACK")
    assert second.write([sealed(0)]) == []
    first.close()
    second.close()


def test_a_copy_in_a_folder_that_can_not_be_written_is_read(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    before = sorted(copy.parent.iterdir())
    store = SqliteStore(copy)
    assert store.search(Query()).total == 40
    assert sorted(copy.parent.iterdir()) == before
    store.close()


def test_a_write_that_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(tmp_path / "store.db", writable=True)
    with monkeypatch.context() as broken:
        broken.setattr("slmtrail.indexer.store.sqlite.searched", lambda record: [])
        with pytest.raises(StorageError):
            store.write([sealed(0), sealed(1)])
    assert store.ledgers() == {}
    assert store.faults() == []
    store.close()


def test_many_read_and_verify_while_one_writes(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    writer = SqliteStore(path, writable=True)
    reader = SqliteStore(path)
    done = threading.Event()
    errors: list[BaseException] = []

    def read() -> None:
        seen = 0
        try:
            while not done.is_set():
                page = reader.search(Query(text="word", limit=1000))
                assert seen <= page.total == len(page.records)
                seen = page.total
                assert [found.leaf for found in reader.scan(LEDGER, 0, seen)] == list(range(seen))
                assert reader.faults() == []
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for leaf in range(100):
        writer.write([sealed(leaf, message="a word")])
    done.set()
    for thread in threads:
        thread.join()
    assert errors == []
    writer.close()
    reader.close()
    assert not wal_file(path).exists() or wal_file(path).stat().st_size == 0


def test_large_records_make_a_short_page(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(whole)
    (everything,) = [store.search(Query(limit=1000))]
    largest = max(len(one.data) for one in everything.records)
    monkeypatch.setattr("slmtrail.indexer.store.sqlite_page.MAX_PAGE_BYTES", 2 * largest)
    pages = [store.search(Query(limit=1000))]
    while pages[-1].cursor:
        pages.append(store.search(Query(limit=1000, after=pages[-1].cursor)))
    assert [one for page in pages for one in page.records] == everything.records
    assert len(pages) > 5
    assert all(sum(len(one.data) for one in page.records) <= 2 * largest for page in pages)
    assert {page.total for page in pages} == {40}
    store.close()

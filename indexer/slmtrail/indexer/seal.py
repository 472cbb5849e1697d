"""Seals records into one ledger: each becomes a leaf, once, and the head is signed when all of them are stored.

What belongs together changes together, in one SQLite transaction: the size of the tree, the next offset on
the bus and the digest of the message before it, each collector's mark, and the leaves that are not yet known
to be stored. The tiles are on disk before it, the signature comes after it. So a crash at any point leaves a
ledger that goes on where it stopped, and no two heads of one size are ever signed.

Certificates are kept here too: a store that was lost and is built anew must not bring back what they say is gone.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson

from slmtrail.core import commitment, durable, sqlite_log
from slmtrail.core.certificate import FIELD
from slmtrail.core.errors import LedgerError, StorageError
from slmtrail.core.identity import REPLAYED, Position, origin
from slmtrail.core.keys import Signer
from slmtrail.core.metrics import LEDGER_SIZE, RECORDS_DUPLICATE, RECORDS_SEALED
from slmtrail.core.ports import Delivery, Sealed
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.log import Log
from slmtrail.indexer.store.columns import time_ms

STATE_FILE = "state.sqlite"
CHECKPOINT_FILE = "checkpoint"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS head (
  one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, sealed_offset INTEGER NOT NULL,
  stored_offset INTEGER NOT NULL, stored_size INTEGER NOT NULL, root BLOB);
INSERT OR IGNORE INTO head VALUES (1, 0, 0, 0, 0, NULL);
CREATE TABLE IF NOT EXISTS marks (
  collector TEXT NOT NULL, boot TEXT NOT NULL, frame INTEGER NOT NULL, "index" INTEGER NOT NULL,
  part INTEGER NOT NULL, PRIMARY KEY (collector, boot)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (bus_offset INTEGER PRIMARY KEY, leaf INTEGER NOT NULL);
-- Not in head, which an earlier version could not open with another column.
CREATE TABLE IF NOT EXISTS last_message (
  one INTEGER PRIMARY KEY CHECK (one = 1), bus_offset INTEGER NOT NULL, sha256 BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS certificates (leaf INTEGER PRIMARY KEY, record BLOB NOT NULL);
"""


@dataclass(slots=True)
class Batch:
    """A batch of the topic, sealed."""

    records: list[Sealed] = field(default_factory=list)
    certificates: list[Sealed] = field(default_factory=list)
    """Those among them."""
    recovered: bool = False
    """Some were sealed before a crash and may be in the store already."""
    unusable: list[tuple[Delivery, str]] = field(default_factory=list)
    """What is no record at all, and why."""

    @property
    def oldest_ms(self) -> int | None:
        """When its first record happened, the longest ago; None where it has no usable time or there is none."""
        try:
            return time_ms(self.records[0].record)
        except (IndexError, ValueError):
            return None


def own(folder: Path) -> IO[str]:
    """Owns the ledger in `folder` until what this returns is closed. Raises StorageError where another does."""
    durable.make_folder(folder)
    try:
        held = (folder / "lock").open("w")
    except OSError as error:
        raise StorageError(f"{folder}: can't be used: {error.strerror}; {durable.advice(error)}") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        raise StorageError(f"{folder}: another indexer owns this ledger; one ledger has one owner") from None
    return held


def another_topic(ledger: str, topic: str, partition: int, offset: int) -> LedgerError:
    """What is said where there is not, at `offset`, the message that `ledger` was sealed from."""
    return LedgerError(
        f"{topic}, partition {partition}: does not have the message {offset} that {ledger} was sealed from, so it is "
        "another topic; use the bus and the folder of the ledger that belong together or, where the topic was made "
        "anew, go on with: slmtrail index --new-topic"
    )


def certificates(folder: Path) -> list[bytes]:
    """The records of the certificates that were sealed into the ledger in `folder`."""
    path = folder / STATE_FILE
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'certificates'").fetchone():
                return []  # an earlier version kept none
            return [record for (record,) in db.execute("SELECT record FROM certificates ORDER BY leaf")]
    except sqlite3.Error as error:
        raise StorageError(f"{path}: {error}; restore the ledger's folder from a copy") from None


def _nothing(_: Sealed) -> None: ...


class Sealer:
    """The ledger of one partition. One process owns it; call it from one thread at a time."""

    def __init__(self, folder: Path, ledger: str, key: Signer) -> None:
        self.ledger = ledger
        self._folder = folder
        self._key = key
        self._held = own(folder)
        try:
            self._db = sqlite3.connect(folder / STATE_FILE, check_same_thread=False)
            sqlite_log.settle(self._db, folder / STATE_FILE)
            self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _SCHEMA)
            head = self._db.execute("SELECT size, sealed_offset, stored_offset, stored_size, root FROM head").fetchone()
        except sqlite3.Error as error:
            self._held.close()
            raise StorageError(f"{folder / STATE_FILE}: {error}; rebuild this ledger from the topic") from None
        except StorageError:
            self._held.close()
            raise
        size: int = head[0]
        self._sealed_offset: int = head[1]
        self._stored_offset: int = head[2]
        self._stored_size: int = head[3]
        self._log = Log.open(folder, size)
        if size and self._log.root() != head[4]:
            raise LedgerError(f"{folder}: the tiles give another root than was sealed; restore them from a copy")
        self._signed_size = -1
        LEDGER_SIZE.labels(ledger).set(size)

    @property
    def next_offset(self) -> int:
        """Where to read the topic from: everything before it is sealed and stored."""
        return self._stored_offset

    @property
    def last_message(self) -> bytes | None:
        """The SHA-256 of the message before `next_offset`; None where it is not known."""
        row = self._db.execute(
            "SELECT sha256 FROM last_message WHERE bus_offset = ?", (self._stored_offset - 1,)
        ).fetchone()
        return row[0] if row else None

    @property
    def unstored(self) -> range:
        """The leaves that are not known to be stored."""
        return range(self._stored_size, self._log.size)

    def begin_anew(self, offset: int) -> None:
        """Goes on at `offset` of another topic. What is sealed stays so, and none of it is waited for to be stored."""
        with self._transaction():
            self._db.execute("DELETE FROM pending")
            self._db.execute("DELETE FROM last_message")
            self._db.execute("UPDATE head SET sealed_offset = ?1, stored_offset = ?1, stored_size = size", (offset,))
        self._sealed_offset = self._stored_offset = offset
        self._stored_size = self._log.size

    def seal(self, deliveries: Sequence[Delivery], extract: Callable[[Sealed], Any] = _nothing) -> Batch:
        """Makes leaves of what is new; finds again the leaves of what was sealed before a crash.

        extract: takes of each record what its store needs, so that it is parsed once.
        """
        batch, first = Batch(), self._log.size
        entries: list[bytes] = []
        offsets: list[int] = []
        marks: dict[tuple[str, str], Position] = {}
        for delivery in deliveries:
            try:
                record = orjson.loads(delivery.value)
                collector, boot, position = origin(record)
                entry = commitment.entry(record)
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, LedgerError) as error:
                batch.unusable.append((delivery, f"is not a record: {type(error).__name__}"))
                continue
            if record.get(REPLAYED):
                boot = record["event.id"]  # a replay is behind the mark of its boot: it has one of its own
            mark = marks.get((collector, boot)) or self._mark(collector, boot)
            known = mark is not None and position <= mark
            if delivery.offset < self._sealed_offset:
                leaf = self._found_again(delivery, entry, known)
                if leaf is None:
                    continue
                batch.recovered = True
            elif known:
                RECORDS_DUPLICATE.inc()
                continue
            else:
                leaf = first + len(entries)
                entries.append(entry)
                offsets.append(delivery.offset)
                marks[collector, boot] = position
            sealed = Sealed(self.ledger, leaf, record["event.id"], record, delivery.value)
            sealed.condense(extract)
            batch.records.append(sealed)
            if FIELD in record:
                batch.certificates.append(sealed)
        if deliveries and deliveries[-1].offset >= self._sealed_offset:
            if entries:
                self._log.append(entries)
            self._commit(deliveries[-1].offset + 1, first, offsets, batch.certificates, marks)
            RECORDS_SEALED.inc(len(entries))
        return batch

    def stored(self, deliveries: Sequence[Delivery]) -> None:
        """All of `deliveries` is in the store, on disk."""
        if not deliveries:
            return
        offset = deliveries[-1].offset + 1
        with self._transaction():
            self._db.execute("DELETE FROM pending WHERE bus_offset < ?", (offset,))
            row = self._db.execute("SELECT min(leaf) FROM pending").fetchone()
            size = self._log.size if row[0] is None else row[0]
            self._db.execute("UPDATE head SET stored_offset = ?, stored_size = ?", (offset, size))
            digest = hashlib.sha256(deliveries[-1].value).digest()
            self._db.execute("INSERT OR REPLACE INTO last_message VALUES (1, ?, ?)", (offset - 1, digest))
        self._stored_offset, self._stored_size = offset, size

    def certificates(self, end: int) -> list[bytes]:
        """The records of the certificates before the leaf `end`."""
        found = self._db.execute("SELECT record FROM certificates WHERE leaf < ? ORDER BY leaf", (end,))
        return [record for (record,) in found]

    def unobeyed(self) -> list[Sealed]:
        """The certificates among what is not known to be stored."""
        found = self._db.execute("SELECT leaf, record FROM certificates WHERE leaf >= ?", (self._stored_size,))
        return [Sealed(self.ledger, leaf, orjson.loads(data)["event.id"], None, data) for leaf, data in found]

    def checkpoint(self) -> bytes | None:
        """Signs the head over all stored leaves and puts it on disk; None where that is signed already."""
        if self._stored_size == self._signed_size:
            return None
        signed = Checkpoint(self.ledger, self._stored_size, self._log.root(self._stored_size)).sign([self._key])
        durable.write_file(self._folder / CHECKPOINT_FILE, signed)
        self._signed_size = self._stored_size
        self._log.prune(self._stored_size)
        LEDGER_SIZE.labels(self.ledger).set(self._stored_size)
        return signed

    def close(self) -> None:
        """Lets go of the ledger."""
        self._db.close()
        self._held.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """After an error in it this sealer is done for: open it again."""
        try:
            with self._db:
                yield
        except sqlite3.Error as error:
            raise StorageError(f"{self._folder / STATE_FILE}: {error}; look at the disk") from None

    def _mark(self, collector: str, boot: str) -> Position | None:
        row = self._db.execute(
            'SELECT frame, "index", part FROM marks WHERE collector = ? AND boot = ?', (collector, boot)
        ).fetchone()
        return Position(*row) if row else None

    def _found_again(self, delivery: Delivery, entry: bytes, known: bool) -> int | None:
        """The leaf of what was sealed before a crash; None where it was a duplicate, or is stored."""
        row = self._db.execute("SELECT leaf FROM pending WHERE bus_offset = ?", (delivery.offset,)).fetchone()
        if row is not None and self._log.entry(row[0]) == entry:
            return int(row[0])
        if row is not None or not known:
            raise another_topic(self.ledger, delivery.topic, delivery.partition, delivery.offset)
        return None

    def _commit(
        self,
        next_offset: int,
        first: int,
        offsets: list[int],
        certificates: list[Sealed],
        marks: dict[tuple[str, str], Position],
    ) -> None:
        """Commits leaves from `first` on, of the messages at `offsets`."""
        with self._transaction():
            self._db.executemany("INSERT INTO pending VALUES (?, ?)", zip(offsets, itertools.count(first)))
            self._db.executemany(
                "INSERT INTO certificates VALUES (?, ?)", [(s.leaf, s.data) for s in certificates if s.leaf >= first]
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?)",
                [(*who, mark.frame, mark.index, mark.part) for who, mark in marks.items()],
            )
            self._db.execute(
                "UPDATE head SET size = ?, sealed_offset = ?, root = ?", (self._log.size, next_offset, self._log.root())
            )
        self._sealed_offset = next_offset

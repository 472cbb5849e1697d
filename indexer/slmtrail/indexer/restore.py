"""Puts records back at leaves that a store lacks: each goes where the ledger has its entry, wherever it comes from.

So a source needs no order and no trust: what gives the entry of a wanted leaf is the record that was sealed there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import orjson

from slmtrail.core import commitment
from slmtrail.core.errors import LedgerError
from slmtrail.core.ports import Refusal, Sealed, Store
from slmtrail.indexer.erase import erased
from slmtrail.indexer.lawful import Lawful
from slmtrail.indexer.ledger.log import Log

BATCH = 500


class Wanted:
    """The leaves of a ledger that a store lacks, by their entries. Kept in a temporary file: there may be millions."""

    def __init__(self, log: Log, rows: Iterable[tuple[int, int]]) -> None:
        self._db = sqlite3.connect("")
        self._db.execute("CREATE TABLE wanted (entry BLOB PRIMARY KEY, leaf INTEGER NOT NULL) WITHOUT ROWID")
        for first, last in rows:
            entries = zip(log.entries(first, last + 1), range(first, last + 1), strict=True)
            self._db.executemany("INSERT INTO wanted VALUES (?, ?)", entries)
        (self.count,) = self._db.execute("SELECT count(*) FROM wanted").fetchone()
        """How many are still wanted."""

    def take(self, entry: bytes) -> int | None:
        """The leaf of this entry, which is wanted no more; None where none of them has it."""
        found = self._db.execute("DELETE FROM wanted WHERE entry = ? RETURNING leaf", (entry,)).fetchone()
        if found is None:
            return None
        self.count -= 1
        return int(found[0])

    def rows(self) -> Iterator[tuple[int, int]]:
        """The leaves still wanted, as the first and the last of each row."""
        first = last = -1
        for (leaf,) in self._db.execute("SELECT leaf FROM wanted ORDER BY leaf"):
            if leaf != last + 1 or first < 0:
                if first >= 0:
                    yield first, last
                first = leaf
            last = leaf
        if first >= 0:
            yield first, last

    def close(self) -> None:
        """Lets go of the file."""
        self._db.close()


@dataclass(slots=True)
class Restored:
    """What was put back into one ledger's part of a store."""

    records: int = 0
    erased: int = 0
    """Of these, how many without the content that a certificate says was erased."""
    refusals: list[Refusal] = field(default_factory=list)


def restore(
    store: Store,
    ledger: str,
    wanted: Wanted,
    texts: Iterable[bytes],
    lawful: Lawful,
    progress: Callable[[int], None] = lambda _count: None,
) -> Restored:
    """Stores, of the records in `texts`, those that are wanted. What was erased is erased before it is written."""
    done = Restored()
    batch: list[Sealed] = []
    for text in texts:
        if sealed := _placed(text, ledger, wanted):
            if sealed.leaf in lawful.erased and (made := erased(sealed.record)):
                sealed = Sealed(ledger, sealed.leaf, sealed.id, orjson.loads(made), made)
                done.erased += 1
            batch.append(sealed)
        if len(batch) == BATCH or (batch and not wanted.count):
            _write(store, batch, done)
            batch = []
            progress(done.records)
        if not wanted.count:
            break
    _write(store, batch, done)
    return done


def texts_of(records: Iterable[Sealed]) -> Iterator[bytes]:
    """The texts of records from a store or an export, as the stream wrote them."""
    for sealed in records:
        if sealed.record:
            yield orjson.dumps(sealed.record, option=orjson.OPT_SORT_KEYS)


def _placed(text: bytes, ledger: str, wanted: Wanted) -> Sealed | None:
    try:
        record = orjson.loads(text)
        leaf = wanted.take(commitment.entry(record))
        return None if leaf is None else Sealed(ledger, leaf, record["event.id"], record, text)
    except (ValueError, KeyError, TypeError, AttributeError, LedgerError):
        return None


def _write(store: Store, batch: list[Sealed], done: Restored) -> None:
    refusals = store.write(batch) if batch else []
    done.refusals += refusals
    done.records += len(batch) - len(refusals)

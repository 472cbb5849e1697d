"""Checks a ledger's own files against each other and against the store: state, tiles, checkpoint, leaves, erasures.

It looks for what a crash, a disk or a copy may have done, and says what repairs it; that nobody changed the trail is
for verification to say. It changes nothing, and may run beside an indexer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from slmtrail.core import certificate, commitment
from slmtrail.core.errors import ControlError, TrailError
from slmtrail.core.ports import Query, Store
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.frontier import TILE_WIDTH
from slmtrail.indexer.retain.leafset import LeafSet
from slmtrail.indexer.seal import STATE_FILE
from slmtrail.indexer.verify.folder import LedgerFolder
from slmtrail.indexer.verify.tally import Tally
from slmtrail.indexer.verify.tree import Tree

CHUNK = 10_000
MAX_TOLD = 20

RESTORE = "restore the ledger's folder from a copy, or move it away and index the topic anew"
REINDEX = "stop the pipeline and run slmtrail reindex"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is not as it should be, and what repairs it."""

    where: str
    what: str
    repair: str


@dataclass(frozen=True, slots=True)
class State:
    """What the indexer notes beside its tiles."""

    size: int
    sealed_offset: int
    stored_offset: int
    stored_size: int
    root: bytes
    pending: tuple[tuple[int, int], ...]
    """Offset and leaf of what is sealed and not known to be stored."""
    last_message: bytes | None
    """The SHA-256 of the message before `stored_offset`; None where it is not known."""

    @classmethod
    def read(cls, folder: Path) -> State:
        """The state in a ledger's folder, as of one moment. Raises sqlite3.Error where it can't be read."""
        db = sqlite3.connect(f"{(folder / STATE_FILE).absolute().as_uri()}?mode=ro", uri=True)
        try:
            db.execute("BEGIN")
            (fault,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if fault != "ok":
                raise sqlite3.DatabaseError(fault)
            head = db.execute("SELECT size, sealed_offset, stored_offset, stored_size, root FROM head").fetchone()
            pending = db.execute("SELECT bus_offset, leaf FROM pending ORDER BY bus_offset").fetchall()
            last = None
            if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'last_message'").fetchone():
                last = db.execute("SELECT sha256 FROM last_message WHERE bus_offset = ?", (head[2] - 1,)).fetchone()
            return cls(head[0], head[1], head[2], head[3], head[4] or b"", tuple(pending), last[0] if last else None)
        finally:
            db.close()


def check(folder: LedgerFolder, store: Store) -> Iterator[Trouble]:
    """What is wrong with one ledger and its part of the store."""
    name = folder.ledger
    try:
        state = State.read(folder.folder)
    except (sqlite3.Error, TypeError) as error:
        yield Trouble(name, f"{folder.folder / STATE_FILE}: can't be read: {error}", RESTORE)
        return
    yield from _numbers(name, state)
    yield from _head(folder, state)
    yield from _tiles(folder, state)
    yield from _stored(folder, state, store)
    yield from _erased(folder, store)


def _numbers(name: str, state: State) -> Iterator[Trouble]:
    """The state's own numbers."""
    leaves = [leaf for _, leaf in state.pending]
    fits = (
        0 <= state.stored_size <= state.size
        and 0 <= state.stored_offset <= state.sealed_offset
        and leaves == list(range(state.size - len(leaves), state.size))
        and state.stored_size <= state.size - len(leaves)
        and all(state.stored_offset <= offset < state.sealed_offset for offset, _ in state.pending)
    )
    if not fits:
        yield Trouble(name, "its sizes, offsets and pending leaves contradict each other", RESTORE)


def _head(folder: LedgerFolder, state: State) -> Iterator[Trouble]:
    if not state.size and not (folder.folder / "checkpoint").exists():
        return
    try:
        _, head = folder.checkpoint()
    except TrailError as error:
        repair = "start the indexer: it signs the head anew from its state" if state.size else RESTORE
        yield Trouble(folder.ledger, str(error), repair)
        return
    # A head that is behind is signed at the next start; one that is ahead was signed over what is not here.
    if head.size > state.size:
        what = f"its head is over {head.size} leaves and its state knows {state.size}: the folder was rolled back"
        yield Trouble(folder.ledger, what, RESTORE)


def _tiles(folder: LedgerFolder, state: State) -> Iterator[Trouble]:
    """All tiles and entries up to the size in the state, and up to the head."""
    if not state.size:
        return
    tally = Tally()
    tree = Tree(folder, Checkpoint(folder.ledger, state.size, state.root), 0, tally)
    try:
        _, head = folder.checkpoint()
        if head.size <= state.size:
            tree.expect(head.size, head.root)
    except TrailError:
        pass  # told already
    for start in range(0, state.size, TILE_WIDTH):
        entries = tree.bundle(start // TILE_WIDTH, min(TILE_WIDTH, state.size - start))
        tree.take([entry or b"" for entry in entries])
    tree.end()
    for fault in tally.faults[:MAX_TOLD]:
        yield Trouble(folder.ledger, fault.text, RESTORE)


def _stored(folder: LedgerFolder, state: State, store: Store) -> Iterator[Trouble]:
    """Whether the store has each leaf that was stored and not removed since, and none that was not sealed."""
    name, missing = folder.ledger, list[int]()
    for start in range(0, state.stored_size, CHUNK):
        chunk = range(start, min(start + CHUNK, state.stored_size))
        missing += sorted(set(chunk) - store.holding(name, chunk))
    removed = [row for told in certificates(folder, store) if told.action == "removed" for row in told.leaves]
    lost = LeafSet(certificate.rows(missing)) - LeafSet(removed)
    if lost.rows:
        shown = ", ".join(f"{first} to {last}" for first, last in lost.rows[:MAX_TOLD])
        what = f"{len(lost)} leaves are not in the store: {shown}"
        yield Trouble(name, what, "run slmtrail reconcile: it puts them back from the topic, or says why not")
    known = store.extent(Query()).get(name, range(0))
    if known.stop > max(state.size, State.read(folder.folder).size):  # an indexer may have gone on meanwhile
        yield Trouble(name, f"the store has leaf {known.stop - 1}, and only {state.size} were sealed", REINDEX)


def _erased(folder: LedgerFolder, store: Store) -> Iterator[Trouble]:
    """Leaves that a certificate says were erased, and that still have content."""
    for told in certificates(folder, store):
        if told.action != "erased":
            continue
        left = sum(
            bool(sealed.record.get(commitment.SALTS))
            for first, last in told.leaves
            for sealed in store.scan(folder.ledger, first, last + 1)
        )
        if left:
            what = f"{left} leaves still have the content that a certificate of {told.by} says was erased"
            yield Trouble(folder.ledger, what, "start the indexer; if it has nothing to do, run slmtrail erase again")


def certificates(folder: LedgerFolder, store: Store) -> Iterator[certificate.Certificate]:
    """The certificates in a ledger that someone of authority signed and that are about it, newest first."""
    query = Query(collector=certificate.COLLECTOR, limit=1000)
    while True:
        page = store.search(query)
        for sealed in page.records:
            with suppress(ControlError):  # that it is none is for verification to say
                found = certificate.read(sealed.record, folder.authorities)
                if sealed.ledger == found.ledger == folder.ledger:
                    yield found
        if not page.cursor:
            return
        query = replace(query, after=page.cursor)

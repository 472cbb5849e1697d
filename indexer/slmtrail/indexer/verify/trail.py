"""Verifies a trail: each ledger walked once, entries and records side by side, with little of it in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import islice

from slmtrail.core import commitment
from slmtrail.core.errors import LedgerError, TrailError
from slmtrail.core.ports import Fault, Proved, Query, Scanned, Sealed
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.frontier import TILE_WIDTH
from slmtrail.indexer.ledger.log import Log
from slmtrail.indexer.verify.coverage import Coverage
from slmtrail.indexer.verify.erasures import Erasures
from slmtrail.indexer.verify.folder import LedgerFolder
from slmtrail.indexer.verify.leaves import Leaves
from slmtrail.indexer.verify.memory import Known, Memory
from slmtrail.indexer.verify.tally import Tally
from slmtrail.indexer.verify.tree import Tree

REMEMBER_TILES = 400
"""How often a verification notes how far it came: every hundred thousand leaves."""

PROGRESS_TILES = 16

MAX_NEWER = 100_000
"""Records behind the head that are looked at: a running trail has a few thousand."""

END = 2**62
"""Behind every leaf."""

Progress = Callable[[int, int], None]
"""Called with the leaves done and all leaves."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which records are asked about; without any of these, all.

    All leaves from the first to the last of them are checked, and those next to them in time.
    """

    collector: str = ""
    since_ms: int | None = None
    until_ms: int | None = None

    @property
    def whole(self) -> bool:
        """Whether it is all."""
        return self == Scope()


def verify(
    folders: list[LedgerFolder],
    store: Scanned,
    progress: Progress = lambda _done, _all: None,
    scope: Scope | None = None,
    memory: Memory | None = None,
    *,
    since_last: bool = False,
) -> Proved:
    """Checks what is in `scope` of `store` against the ledgers; with `since_last`, what `memory` does not know yet.

    Signatures, heads and the root over all tiles are checked in any case. Only a check of everything looks at the
    store's own files and the columns it searches by.
    """
    scope = scope or Scope()
    everything = scope.whole and not since_last
    tally = Tally()
    tally.fault(*(store.faults() if everything else ()))
    counts = store.ledgers() if everything else {}
    if everything:
        known = {folder.ledger for folder in folders}
        for ledger in counts.keys() - known:
            for sealed in store.scan(ledger, 0, END):
                text = f"record {sealed.id} names the ledger {ledger!r}, which is not here"
                tally.fault(Fault("inserted", text, ledger, sealed.leaf, sealed.id))
    walks = [walk for folder in folders if (walk := _opened(folder, tally, memory))]
    rows = [_row(walk, store, scope, memory if since_last else None) for walk in walks]
    total, done = sum(row.stop - row.start for row in rows), 0
    proved = Proved(faults=tally.faults, losses=tally.losses, counted=tally.counted, signed_for=tally.signed_for)
    for walk, row in zip(walks, rows, strict=True):
        for leaves in walk.check(row, store, memory if scope.whole else None, since_last, proved):
            progress(done + leaves, total)
        done += len(row)
        newer = _beyond(walk.folder, walk.checkpoint.size, store, tally) if scope.whole else 0
        _nowhere(walk, newer, counts, tally)
        proved.ledgers[walk.folder.ledger] = walk.checkpoint.size
    return proved


@dataclass(slots=True)
class _Walk:
    """One ledger whose head is believed."""

    folder: LedgerFolder
    data: bytes
    checkpoint: Checkpoint
    heads: list[Checkpoint]
    tally: Tally
    seen: int | None = None
    """Records of the store that were looked at; None where the walk did not come to its end."""

    def check(
        self, row: range, store: Scanned, memory: Memory | None, since_last: bool, proved: Proved
    ) -> Iterator[int]:
        """Checks the leaves of `row`; yields now and then how many are done."""
        name, size, tally = self.folder.ledger, self.checkpoint.size, self.tally
        known = memory.ledgers.get(name) if memory and since_last else None
        try:
            tree = Tree(self.folder, self.checkpoint, row.start, tally)
            for head in self.heads:
                tree.expect(head.size, head.root)
            if known and known.leaves == row.start and tree.root().hex() != known.root:
                raise LedgerError(f"{name}: its first {known.leaves} leaves are not those that were verified before")
        except TrailError as error:
            tally.fault(Fault("forked" if known else "tile", str(error), name))
            return
        coverage = Coverage(name, tally, known.coverage if known else None, whole=not row.start or known is not None)
        erasures = Erasures(self.folder, tally, known.erasures if known else None)
        if not known:
            for sealed in _certificates(self.folder, store, 0, row.start):
                erasures.take_certificate(sealed.record, sealed.leaf)
        leaves = Leaves(name, store.scan(name, row.start, row.stop), tally, coverage, erasures)
        note: Known | None = None
        for number, start in enumerate(range(row.start, size, TILE_WIDTH), 1):
            width = min(TILE_WIDTH, size - start)
            if width < TILE_WIDTH and memory:
                note = self._note(start, tree, coverage, erasures)  # a partial tile is gone over again next time
            entries = tree.bundle(start // TILE_WIDTH, width)
            if start < row.stop:
                entries[: row.stop - start] = leaves.check(start, entries[: row.stop - start])
            tree.take([entry or b"" for entry in entries])
            if memory and width == TILE_WIDTH and (number % REMEMBER_TILES == 0 or start + width == size):
                note = self._note(start + width, tree, coverage, erasures)
                if not tally.faults and not coverage.disturbed:
                    memory.keep(name, note)
            if number % PROGRESS_TILES == 0:
                yield min(start + width, row.stop) - row.start
        leaves.end()
        tree.end()
        for sealed in _certificates(self.folder, store, row.stop, size):
            erasures.take_certificate(sealed.record, sealed.leaf)
        proved.uncovered += coverage.end()
        erasures.end()
        proved.records += leaves.checked
        self.seen = leaves.checked + leaves.doubled
        for (action, number), count in sorted(erasures.by_certificate.items()):
            getattr(proved, action)[f"{name}/{number}"] = count
        if memory and note and not tally.faults:
            memory.keep(name, note)
        yield len(row)

    def _note(self, leaves: int, tree: Tree, coverage: Coverage, erasures: Erasures) -> Known:
        known = Known(self.data.decode(), leaves, tree.root().hex(), coverage.state(), erasures.state())
        return deepcopy(known)


def _opened(folder: LedgerFolder, tally: Tally, memory: Memory | None) -> _Walk | None:
    """The ledger with its head and all other heads known of it; None where there is no head to believe."""
    name = folder.ledger
    known = dict.fromkeys(folder.heads)
    if memory and name in memory.ledgers:
        known[memory.ledgers[name].checkpoint.encode()] = None
    heads = []
    for data in known:
        try:
            heads.append(folder.open(data))
        except LedgerError as error:
            tally.fault(Fault("checkpoint", f"a head of {name} that is kept elsewhere: {error}", name))
    if heads and not folder.folder.exists():
        size = max(head.size for head in heads)
        text = f"{name} is not here ({folder.folder}), and a head over {size} leaves was signed before"
        tally.fault(Fault("rolled_back", text, name))
        return None
    try:
        data, checkpoint = folder.checkpoint()
    except LedgerError as error:
        tally.fault(Fault("checkpoint", str(error), name))
        return None
    for head in heads:
        if head.size > checkpoint.size:
            text = (
                f"{name} has {checkpoint.size} leaves, and a head over {head.size} was signed before: its end is gone"
            )
            tally.fault(Fault("rolled_back", text, name))
    return _Walk(folder, data, checkpoint, [head for head in heads if head.size <= checkpoint.size], tally)


def _row(walk: _Walk, store: Scanned, scope: Scope, memory: Memory | None) -> range:
    """The leaves to be checked of a ledger, from the beginning of a tile on."""
    name, size = walk.folder.ledger, walk.checkpoint.size
    if memory:
        known = memory.ledgers.get(name)
        return range(min(known.leaves, size) if known else 0, size)
    if scope.whole:
        return range(size)
    found = _extent(store, scope, name)
    starts = [found.start] if found else []
    stops = [found.stop] if found else []
    # The neighbours in time as well, so that a record that is missing between them is missed.
    if scope.since_ms is not None:
        before = _extent(store, Scope(until_ms=scope.since_ms), name)
        starts.append(before.stop - 1 if before else 0)
    if scope.until_ms is not None:
        after = _extent(store, Scope(since_ms=scope.until_ms), name)
        stops.append(after.start + 1 if after else size)
    if not scope.collector:
        starts += [0] if scope.since_ms is None else []
        stops += [size] if scope.until_ms is None else []
    if not starts or not stops:
        return range(0)
    start = min(starts) // TILE_WIDTH * TILE_WIDTH
    return range(start, max(start, min(max(stops), size)))


def _extent(store: Scanned, scope: Scope, ledger: str) -> range:
    query = Query(collector=scope.collector, since_ms=scope.since_ms, until_ms=scope.until_ms)
    return store.extent(query).get(ledger, range(0))


def _certificates(folder: LedgerFolder, store: Scanned, start: int, end: int) -> Iterator[Sealed]:
    """The certificates sealed outside of what is walked: they may be about what is."""
    if start >= end:
        return
    log = Log.open(folder.folder, folder.checkpoint()[1].size)
    for sealed in store.certificates(folder.ledger):
        if start <= sealed.leaf < end and log.entry(sealed.leaf) == commitment.entry(sealed.record):
            yield sealed


def _nowhere(walk: _Walk, newer: int, counts: Mapping[str, int], tally: Tally) -> None:
    """Records that the store counts and that stand at no leaf which can be: a negative one, or one behind all."""
    name = walk.folder.ledger
    if walk.seen is None or newer == MAX_NEWER:
        return
    hidden = counts.get(name, 0) - walk.seen - newer
    if hidden > 0:
        text = f"{hidden} records of {name} claim leaves that no ledger can have"
        tally.fault(Fault("inserted", text, name))


def _beyond(folder: LedgerFolder, size: int, store: Scanned, tally: Tally) -> int:
    """Records behind the checkpoint: newly sealed ones have an entry already, inserted ones have none. Returns how
    many they are."""
    newer = list(islice(store.scan(folder.ledger, size, END), MAX_NEWER))
    if not newer:
        return 0
    sealed_size = folder.sealed_size()
    try:
        log = Log.open(folder.folder, sealed_size) if sealed_size > size else None
    except TrailError as error:
        tally.fault(Fault("bundle", str(error), folder.ledger))
        log = None
    for sealed in newer:
        try:
            if log and sealed.leaf < sealed_size and log.entry(sealed.leaf) == commitment.entry(sealed.record):
                continue
        except (TrailError, ValueError, KeyError, TypeError, AttributeError):
            pass
        text = f"record {sealed.id} claims leaf {sealed.leaf} of {folder.ledger}, where nothing was sealed"
        tally.fault(Fault("inserted", text, folder.ledger, sealed.leaf, sealed.id))
    return len(newer)

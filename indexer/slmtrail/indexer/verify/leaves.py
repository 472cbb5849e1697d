"""The records of a ledger, leaf by leaf, against its entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slmtrail.core import canonical, certificate, commitment
from slmtrail.core.errors import TrailError
from slmtrail.core.identity import origin, record_id
from slmtrail.core.ports import Fault, Sealed
from slmtrail.indexer.verify.coverage import Coverage
from slmtrail.indexer.verify.erasures import Erasures
from slmtrail.indexer.verify.tally import Tally

MAX_PUZZLES = 10_000
"""Entries and records that do not fit, kept to see whether they fit each other: then they were reordered."""
_UNREADABLE = (TrailError, ValueError, KeyError, TypeError, AttributeError)


class Leaves:
    """Takes a ledger's entries in order, and the records that a store has for them."""

    def __init__(
        self, ledger: str, records: Iterator[Sealed], tally: Tally, coverage: Coverage, erasures: Erasures
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._tally = tally
        self._coverage = coverage
        self._erasures = erasures
        self._next = next(records, None)
        self._wanted: dict[bytes, int] = {}
        self._odd: list[tuple[bytes, Fault]] = []
        self.checked = 0
        self.doubled = 0

    def check(self, start: int, entries: Sequence[bytes | None]) -> list[bytes]:
        """Holds the records of these leaves against their entries; returns the entries, from the records where there
        was none."""
        made: list[bytes] = []
        for leaf, entry in enumerate(entries, start):
            sealed = self._next
            if sealed is None or sealed.leaf > leaf:
                self._missing(leaf, entry)
                made.append(entry or b"")
                continue
            made.append(self._check(leaf, entry, sealed))
            self._next = sealed = next(self._records, None)
            while sealed is not None and sealed.leaf <= leaf:
                text = f"leaf {leaf} is stored again as record {sealed.id}"
                self._tally.fault(Fault("duplicated", text, self._ledger, leaf, sealed.id))
                self.doubled += 1
                self._next = sealed = next(self._records, None)
        return made

    def end(self) -> None:
        """Tells of the records whose entry is not their leaf's: reordered where it is another's, else changed."""
        for entry, fault in self._odd:
            place = self._wanted.get(entry)
            if place is not None:
                text = f"record {fault.record_id} stands at leaf {fault.leaf} and was sealed at leaf {place}"
                fault = Fault("reordered", text, fault.ledger, fault.leaf, fault.record_id)
            self._tally.fault(fault)

    def _check(self, leaf: int, entry: bytes | None, sealed: Sealed) -> bytes:
        self.checked += 1
        record = sealed.record
        made = b""
        try:
            made = commitment.entry(record)
            if made == entry or entry is None:
                if sealed.data != canonical.dumps(record):
                    self._odd_one(leaf, sealed, b"", "its text is not canonical: a field may stand twice")
                if record["event.id"] != sealed.id or record_id(*origin(record)) != sealed.id:
                    self._odd_one(leaf, sealed, b"", "its id is not the one that follows from its origin")
                if commitment.COMMITMENTS in record:
                    self._erasures.take_erased(leaf)
                if certificate.FIELD in record:
                    self._erasures.take_certificate(record, leaf)
                self._coverage.take(record, leaf)
                return made
            problem = "its content is not what was sealed"
        except _UNREADABLE as error:
            problem = f"can't be read as a record ({type(error).__name__})"
        self._odd_one(leaf, sealed, made, problem)
        self._want(leaf, entry)
        return entry or made

    def _odd_one(self, leaf: int, sealed: Sealed, made: bytes, problem: str) -> None:
        self._coverage.disturbed = True
        text = f"record {sealed.id} at leaf {leaf}: {problem}"
        fault = Fault("changed", text, self._ledger, leaf, sealed.id)
        if made and len(self._odd) < MAX_PUZZLES:
            self._odd.append((made, fault))
        else:
            self._tally.fault(fault)

    def _missing(self, leaf: int, entry: bytes | None) -> None:
        self._coverage.miss(leaf)
        self._erasures.take_missing(leaf)
        self._want(leaf, entry)

    def _want(self, leaf: int, entry: bytes | None) -> None:
        if entry and len(self._wanted) < MAX_PUZZLES:
            self._wanted[entry] = leaf

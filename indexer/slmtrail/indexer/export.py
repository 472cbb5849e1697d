"""An export: the records under a ledger's checkpoints, one JSON object a line, ledger by ledger in order of leaf.

Each line is the record's own text with its place put in front. Together with a copy of the ledger's folder it is all
that a verifier needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import orjson

from slmtrail.core import certificate
from slmtrail.core.errors import StoreError
from slmtrail.core.events import timestamp_ms
from slmtrail.core.ports import Fault, Query, Scanned, Sealed

LEDGER, LEAF = "slm.ledger.id", "slm.ledger.leaf"
_PLACE = re.compile(rb'\{"slm\.ledger\.id":"([^"\\]{1,300})","slm\.ledger\.leaf":([0-9]{1,18}),')
MAX_LINE_BYTES = 64 * 1024 * 1024


def write(store: Scanned, sizes: dict[str, int], to: BinaryIO) -> int:
    """Writes the first `sizes[ledger]` leaves of each ledger; returns how many records that are."""
    count = 0
    for ledger in sorted(sizes):
        for sealed in store.scan(ledger, 0, sizes[ledger]):
            to.write(line(sealed))
            count += 1
    return count


def line(sealed: Sealed) -> bytes:
    """A record as it stands in an export."""
    place = b'{"%s":%s,"%s":%d,' % (LEDGER.encode(), orjson.dumps(sealed.ledger), LEAF.encode(), sealed.leaf)
    return place + sealed.data.strip()[1:].replace(b"\n", b" ") + b"\n"


@dataclass(slots=True)
class _Part:
    """The lines of one ledger: where they begin, how many they are, and the last leaf among them."""

    offset: int
    records: int = 0
    last: int = -1

    def take(self, leaf: int) -> None:
        self.records += 1
        self.last = max(self.last, leaf)


class Export:
    """An export as a verifier reads it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._faults: list[Fault] = []
        self._begins: dict[str, _Part] = {}
        self._index()

    def scan(self, ledger: str, start: int, end: int) -> Iterator[Sealed]:
        """All records of leaves start ≤ leaf < end, in the order of the file."""
        part = self._begins.get(ledger)
        if part is None or start > part.last:
            return
        for sealed in islice(self._lines(part.offset), part.records):
            if start <= sealed.leaf < end:
                yield sealed

    def certificates(self, ledger: str) -> Iterator[Sealed]:
        """The records of a ledger that say they hold a certificate, in the order of the file."""
        return (sealed for sealed in self.scan(ledger, 0, 2**62) if certificate.FIELD in sealed.record)

    def ledgers(self) -> dict[str, int]:
        """The ledgers that records name, and how many records each has."""
        return {ledger: part.records for ledger, part in self._begins.items()}

    def extent(self, query: Query) -> dict[str, range]:
        """For each ledger with records that fit, the leaves from the first to the last of them."""
        found: dict[str, range] = {}
        for sealed in self._lines(0):
            record = sealed.record
            if query.collector and record.get("slm.collector.id") != query.collector:
                continue
            moment_ms = timestamp_ms(record["@timestamp"])
            if query.since_ms is not None and moment_ms < query.since_ms:
                continue
            if query.until_ms is not None and moment_ms >= query.until_ms:
                continue
            first = found[sealed.ledger].start if sealed.ledger in found else sealed.leaf
            found[sealed.ledger] = range(first, sealed.leaf + 1)
        return found

    def faults(self) -> list[Fault]:
        """Lines that are out of order."""
        return self._faults

    def _index(self) -> None:
        """Finds where ledgers begin, by the beginning of each line: no line is parsed twice."""
        offset, within, last = 0, b"", -1
        with self._open() as file:
            for text in file:
                found = _PLACE.match(text)
                ledger, leaf = (found[1], int(found[2])) if found else (b"", -1)
                name = ledger.decode(errors="replace")
                if not found:
                    self._faults.append(Fault("changed", f"{self._path}: what stands at byte {offset} is no record"))
                elif ledger != within and name in self._begins:
                    self._faults.append(Fault("reordered", f"{self._path}: {name} is taken up again at {offset}", name))
                elif ledger != within:
                    self._begins[name] = _Part(offset)
                elif leaf < last:
                    told = f"{self._path}: leaf {leaf} stands behind leaf {last}"
                    self._faults.append(Fault("reordered", told, name, leaf))
                if name in self._begins:
                    self._begins[name].take(leaf)
                offset, within, last = offset + len(text), ledger, leaf

    def _lines(self, offset: int) -> Iterator[Sealed]:
        with self._open() as file:
            file.seek(offset)
            for text in file:
                if len(text) > MAX_LINE_BYTES:
                    raise StoreError(f"{self._path}: a line has more than {MAX_LINE_BYTES} bytes: not an export")
                if sealed := _parsed(text):
                    yield sealed

    def _open(self) -> BinaryIO:
        try:
            return self._path.open("rb", buffering=1024 * 1024)
        except OSError as error:
            raise StoreError(f"{self._path}: can't be read: {error.strerror}") from None


def _parsed(text: bytes) -> Sealed | None:
    """A record; an empty one where the line can't be parsed, so that its leaf is named as changed."""
    found = _PLACE.match(text)
    if not found:
        return None
    ledger, leaf = found[1].decode(errors="replace"), int(found[2])
    try:
        record = orjson.loads(text)
        if record.pop(LEDGER) != ledger or record.pop(LEAF) != leaf:
            record = {}  # its place is given twice
    except (ValueError, KeyError):
        record = {}
    return Sealed(ledger, leaf, str(record.get("event.id", "")), record, b"{" + text[found.end() :].rstrip(b"\n"))

"""Whether what is gone went lawfully: each such leaf must stand in a signed certificate in the same ledger."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from typing import Any

from slmtrail.core import certificate
from slmtrail.core.errors import ControlError
from slmtrail.core.ports import Fault
from slmtrail.indexer.verify.folder import LedgerFolder
from slmtrail.indexer.verify.tally import Tally

_STATE = ("erased", "missing", "content", "records", "ended")


class Erasures:
    """Takes the leaves without content or record, and the certificates of a ledger, in order of leaf."""

    def __init__(self, folder: LedgerFolder, tally: Tally, state: dict[str, Any] | None = None) -> None:
        given = {name: [] for name in _STATE} | (state or {})
        self._folder = folder
        self._tally = tally
        self._erased: list[list[int]] = given["erased"]
        self._missing: list[list[int]] = given["missing"]
        """Rows of leaves, first and last."""
        self._content: list[list[int]] = given["content"]
        self._records: list[list[int]] = given["records"]
        """First, last and the leaf of the certificate, which says that their content, or the records, went."""
        self._ended: list[str] = given["ended"]
        """Ids of control keys in whose place others were put: what they sign from there on does not count."""
        self._actions: dict[int, str] = {}
        self.by_certificate: Counter[tuple[str, int]] = Counter()
        """How many leaves are `erased`, `summarised` or `removed` under which certificate."""

    def state(self) -> dict[str, Any]:
        """What to go on from, as JSON."""
        return {name: getattr(self, f"_{name}") for name in _STATE}

    def take_erased(self, leaf: int) -> None:
        """The record at `leaf` lacks what it committed to."""
        _grow(self._erased, leaf)

    def take_missing(self, leaf: int) -> None:
        """There is no record at `leaf`."""
        _grow(self._missing, leaf)

    def take_certificate(self, record: dict[str, Any], leaf: int) -> None:
        """A record with a certificate in it; one that nobody of authority signed is a fault itself."""
        decides = {key: public for key, public in self._folder.authorities.items() if key not in self._ended}
        try:
            found = certificate.read(record, decides)
        except ControlError as error:
            if self._folder.authorities:
                self._tally.fault(Fault("certificate", f"leaf {leaf}: {error}", self._folder.ledger, leaf))
            return
        if ended := certificate.hands_over(found):
            self._ended.append(ended)
        if found.ledger == self._folder.ledger:
            self._actions[leaf] = found.action
            rows = [[first, last, leaf] for first, last in found.leaves]
            if found.action in certificate.CONTENT_GONE:
                self._content += rows
            elif found.action == "removed":
                self._records += rows

    def end(self) -> None:
        """Tells of what no certificate covers."""
        name = self._folder.ledger
        for leaf in self._unlawful(self._erased, self._content):
            text = f"leaf {leaf} of {name} was erased, and no certificate says so"
            self._tally.fault(Fault("unlawful_deletion", text, name, leaf))
        for leaf in self._unlawful(self._missing, self._records):
            text = f"leaf {leaf} of {name} has no record in the store, and no certificate says that it was removed"
            self._tally.fault(Fault("missing", text, name, leaf))

    def _unlawful(self, gone: list[list[int]], lawful: list[list[int]]) -> Iterator[int]:
        """The leaves that no certificate covers; counts the others."""
        rows = sorted(lawful)
        starts = [row[0] for row in rows]
        reach: list[list[int]] = []
        for _, last, number in rows:  # the row that reaches furthest, of all that begin no later
            reach.append([last, number] if not reach or last > reach[-1][0] else reach[-1])
        for first, end in gone:
            for leaf in range(first, end + 1):
                place = bisect_right(starts, leaf) - 1
                if place >= 0 and reach[place][0] >= leaf:
                    number = reach[place][1]
                    self.by_certificate[self._actions.get(number, "removed"), number] += 1
                else:
                    yield leaf


def _grow(rows: list[list[int]], leaf: int) -> None:
    if rows and rows[-1][1] == leaf - 1:
        rows[-1][1] = leaf
    else:
        rows.append([leaf, leaf])

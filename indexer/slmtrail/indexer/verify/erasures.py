"""Whether what was erased was erased lawfully: each such leaf must stand in a signed certificate in the same ledger."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from slmtrail.core import certificate
from slmtrail.core.errors import ControlError
from slmtrail.core.ports import Fault
from slmtrail.indexer.verify.folder import LedgerFolder
from slmtrail.indexer.verify.tally import Tally


class Erasures:
    """Takes the erased leaves and the certificates of a ledger, in order of leaf."""

    def __init__(self, folder: LedgerFolder, tally: Tally, state: dict[str, Any] | None = None) -> None:
        state = state or {"erased": [], "lawful": [], "ended": []}
        self._folder = folder
        self._tally = tally
        self._erased: list[list[int]] = state["erased"]
        """Rows of leaves, first and last."""
        self._lawful: list[list[int]] = state["lawful"]
        """First, last and the leaf of the certificate."""
        self._ended: list[str] = state["ended"]
        """Ids of control keys in whose place others were put: what they sign from there on does not count."""
        self.by_certificate: dict[int, int] = {}

    def state(self) -> dict[str, Any]:
        """What to go on from, as JSON."""
        return {"erased": self._erased, "lawful": self._lawful, "ended": self._ended}

    def take_erased(self, leaf: int) -> None:
        """The record at `leaf` lacks what it committed to."""
        if self._erased and self._erased[-1][1] == leaf - 1:
            self._erased[-1][1] = leaf
        else:
            self._erased.append([leaf, leaf])

    def take_certificate(self, record: dict[str, Any], leaf: int) -> None:
        """A record with a certificate in it; one that nobody of authority signed is a fault itself."""
        decides = {key: public for key, public in self._folder.authorities.items() if key not in self._ended}
        try:
            found = certificate.read(record, decides)
        except ControlError as error:
            if self._folder.authorities:
                self._tally.fault(Fault("certificate", f"leaf {leaf}: {error}", self._folder.ledger, leaf))
            return
        if found.action == "key_rotated" and found.subject.startswith("control:"):
            self._ended.append(found.subject.split(":")[1])
        if found.action == "erased" and found.ledger == self._folder.ledger:
            self._lawful += [[first, last, leaf] for first, last in found.leaves]

    def end(self) -> None:
        """Tells of what no certificate covers."""
        rows = sorted(self._lawful)
        starts = [row[0] for row in rows]
        reach: list[list[int]] = []
        for _, last, number in rows:  # the row that reaches furthest, of all that begin no later
            reach.append([last, number] if not reach or last > reach[-1][0] else reach[-1])
        for first, end in self._erased:
            for leaf in range(first, end + 1):
                place = bisect_right(starts, leaf) - 1
                if place >= 0 and reach[place][0] >= leaf:
                    number = reach[place][1]
                    self.by_certificate[number] = self.by_certificate.get(number, 0) + 1
                else:
                    text = f"leaf {leaf} of {self._folder.ledger} was erased, and no certificate says so"
                    self._tally.fault(Fault("unlawful_deletion", text, self._folder.ledger, leaf))

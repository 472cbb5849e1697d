"""What the certificates in a store say: which leaves are gone lawfully, and what is held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slmtrail.core import certificate
from slmtrail.core.certificate import Authority
from slmtrail.core.errors import ControlError
from slmtrail.core.ports import Sealed
from slmtrail.indexer.retain.leafset import LeafSet


@dataclass(frozen=True, slots=True)
class Hold:
    """Records that nothing is to happen to: those that a query finds, until a time (0: until it is released)."""

    id: str
    query: str
    reason: str
    by: str
    at_ms: int
    until_ms: int = 0


@dataclass(slots=True)
class Certified:
    """The certificates that someone of authority signed."""

    summarised: dict[str, LeafSet] = field(default_factory=dict)
    """By ledger, the leaves whose content is gone, or is to go."""
    removed: dict[str, LeafSet] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    """All that were ever placed and not released, by id."""
    last: dict[str, int] = field(default_factory=dict)
    """By ledger, the leaf of the newest certificate."""

    def in_force(self, at_ms: int) -> list[Hold]:
        """The holds at a time."""
        return [hold for hold in self.holds.values() if not 0 < hold.until_ms <= at_ms]


def certified(
    records: Iterable[Sealed], authorities: Mapping[str, Ed25519PublicKey], after: Mapping[str, int] | None = None
) -> Certified:
    """What these records certify, those of each ledger in order; of what is gone, those behind the leaves in `after` by
    ledger alone."""
    made = Certified()
    authority: defaultdict[str, Authority] = defaultdict(lambda: Authority(authorities))
    rows: dict[str, dict[str, list[tuple[int, int]]]] = {"summarised": defaultdict(list), "removed": defaultdict(list)}
    released = set()
    for sealed in records:
        made.last[sealed.ledger] = sealed.leaf
        try:
            told = authority[sealed.ledger].read(sealed.record)
        except ControlError:
            continue  # verification names it
        if told.action == "held":
            hold = Hold(sealed.id, told.query, told.reason, told.by, told.at_ms, told.until_ms)
            made.holds[hold.id] = hold
        elif told.action == "released":
            released.add(told.subject)
        elif told.ledger == sealed.ledger and sealed.leaf > (after or {}).get(sealed.ledger, -1):
            if told.action in certificate.CONTENT_GONE:
                rows["summarised"][told.ledger] += told.leaves
            elif told.action == "removed":
                rows["removed"][told.ledger] += told.leaves
    made.summarised = {ledger: LeafSet(found) for ledger, found in rows["summarised"].items()}
    made.removed = {ledger: LeafSet(found) for ledger, found in rows["removed"].items()}
    made.holds = {name: hold for name, hold in made.holds.items() if name not in released}
    return made

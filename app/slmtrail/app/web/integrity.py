"""The integrity of the trail at a glance: signed heads, what collectors signed for, what is missing."""

from __future__ import annotations

from dataclasses import dataclass

from slmtrail.app.reading import Asked, Reading
from slmtrail.app.web import view
from slmtrail.core.errors import LedgerError
from slmtrail.core.ports import Sealed
from slmtrail.indexer.reading.walk import walk

COVERAGES, LOSSES = 2000, 100
_LOST = (
    "kind:system outcome:failure action:(gap or dropped or boot_not_closed or chain_broken or frame_after_close or "
    "clock_jump or events_refused or record_refused or key_refused)"
)


@dataclass(frozen=True, slots=True)
class Head:
    """A ledger, and its newest signed head."""

    ledger: str
    size: int
    root: str
    stored: int
    fault: str


@dataclass(slots=True)
class Covered:
    """What a collector has signed for, as far as is looked at."""

    collector: str
    events: int = 0
    dropped: int = 0
    sampled_out: int = 0
    refused: int = 0
    boots: int = 0
    last: str = ""


@dataclass(frozen=True, slots=True)
class Integrity:
    """All that the page shows."""

    heads: list[Head]
    covered: list[Covered]
    losses: list[view.Row]
    more: bool
    """Whether there is older coverage than was looked at."""


def integrity(reading: Reading) -> Integrity:
    """The state of the trail."""
    stored = reading.ends()
    heads = []
    for folder in reading.folders():
        try:
            head = folder.checkpoint()[1]
            heads.append(Head(folder.ledger, head.size, head.root.hex(), stored.get(folder.ledger, 0), ""))
        except LedgerError as error:
            heads.append(Head(folder.ledger, 0, "", stored.get(folder.ledger, 0), str(error)))
    coverage = list(walk(reading.ask, reading.query(Asked("kind:system action:covered")), COVERAGES))
    losses = reading.search(Asked(_LOST, limit=LOSSES)).records
    return Integrity(heads, _covered(coverage), [view.row(one) for one in losses], len(coverage) == COVERAGES)


def _covered(coverage: list[Sealed]) -> list[Covered]:
    found: dict[str, Covered] = {}
    boots: dict[str, set[str]] = {}
    for sealed in coverage:
        record = sealed.record
        name = str(record.get("slm.trail.collector", ""))
        one = found.setdefault(name, Covered(name))
        boots.setdefault(name, set()).add(str(record.get("slm.trail.boot", "")))
        one.last = max(one.last, str(record["@timestamp"]))
        for part in ("events", "dropped", "sampled_out", "refused"):
            value = record.get(f"slm.trail.{part}", 0)
            setattr(one, part, getattr(one, part) + (value if isinstance(value, int) else 0))
        one.boots = len(boots[name])
    return sorted(found.values(), key=lambda one: one.collector)

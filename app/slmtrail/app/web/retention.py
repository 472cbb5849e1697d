"""What is kept how long, what is held, and what went under which certificate."""

from __future__ import annotations

import time
from dataclasses import dataclass

from slmtrail.app.reading import Asked, Reading
from slmtrail.app.web import view
from slmtrail.core.certificate import COLLECTOR
from slmtrail.indexer.reading.walk import quoted, walk
from slmtrail.indexer.retain.certified import Hold, certified

CERTIFICATES, SHOWN, CLASSES = 5000, 50, 100


@dataclass(frozen=True, slots=True)
class Kept:
    """A class of records."""

    name: str
    content: str
    keep: str
    count: int


@dataclass(frozen=True, slots=True)
class Retained:
    """All that the page shows."""

    classes: list[Kept]
    unknown: list[Kept]
    """Classes that records have and the policy does not: they are kept."""
    holds: list[Hold]
    certificates: list[view.Row]


def retained(reading: Reading) -> Retained:
    """What the policy says, and what happened under it."""
    counts = reading.facet(Asked(), "retention", CLASSES)
    named = reading.policy().retention.classes
    query = reading.query(Asked(f"collector:{quoted(COLLECTOR)}"))
    found = list(walk(reading.ask, query, CERTIFICATES))
    holds = certified(reversed(found), reading.authorities()).in_force(time.time_ns() // 1_000_000)
    return Retained(
        [Kept(name, kept.content, kept.keep, counts.get(name, 0)) for name, kept in named.items()],
        [Kept(name, "", "", count) for name, count in counts.items() if name not in named],
        holds,
        [view.row(sealed) for sealed in found[:SHOWN]],
    )

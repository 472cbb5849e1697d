"""What is over its time: a function of the policy, a time, the records there are, and what is certified and held."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from slmtrail.core.retaining import Retention
from slmtrail.indexer.retain.certified import Certified
from slmtrail.indexer.retain.leafset import LeafSet

NOTHING = LeafSet()

Leaves = Mapping[str, LeafSet]
"""Leaves by ledger."""
Older = Callable[[str, int], Leaves]
"""The leaves of a retention class whose records are from before a time."""


@dataclass(frozen=True, slots=True)
class Due:
    """Leaves of one ledger and class that are over their time."""

    action: Literal["summarised", "removed"]
    retention_class: str
    before_ms: int
    ledger: str
    leaves: LeafSet


def plan(retention: Retention, at_ms: int, older: Older, known: Certified, held: Leaves) -> Iterator[Due]:
    """What is due at a time and not certified yet. What is held is not; what is removed is not summarised first."""
    for name, kept in retention.classes.items():
        last = older(name, kept.kept_before_ms(at_ms))
        for ledger, leaves in last.items():
            left = leaves - held.get(ledger, NOTHING) - known.removed.get(ledger, NOTHING)
            if left.rows:
                yield Due("removed", name, kept.kept_before_ms(at_ms), ledger, left)
        for ledger, leaves in older(name, kept.content_before_ms(at_ms)).items():
            left = leaves - last.get(ledger, NOTHING) - held.get(ledger, NOTHING)
            left = left - known.summarised.get(ledger, NOTHING) - known.removed.get(ledger, NOTHING)
            if left.rows:
                yield Due("summarised", name, kept.content_before_ms(at_ms), ledger, left)

"""What a verification finds, kept within bounds: all of it is counted, the first thousand of each kind are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from slmtrail.core.ports import Fault

MAX_TOLD = 1000


@dataclass(slots=True)
class Tally:
    """Faults (somebody changed the trail), and losses (its own account of what did not reach it)."""

    faults: list[Fault] = field(default_factory=list)
    losses: list[Fault] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    signed_for: Counter[str] = field(default_factory=Counter)
    """Of the edges: events, dropped, sampled_out, refused; and how many of the last were replayed."""

    def fault(self, *found: Fault) -> None:
        """Takes faults."""
        self._take(self.faults, found)

    def loss(self, *found: Fault) -> None:
        """Takes losses."""
        self._take(self.losses, found)

    def _take(self, told: list[Fault], found: Iterable[Fault]) -> None:
        for one in found:
            self.counted[one.kind] += 1
            if self.counted[one.kind] <= MAX_TOLD:
                told.append(one)

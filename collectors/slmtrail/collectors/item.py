"""What a collector is given at once, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from slmtrail.collectors.batches import Batch, Place
from slmtrail.collectors.missing import NONE, Missing
from slmtrail.collectors.screen import Screen
from slmtrail.core.identity import Position, record_id


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of the events of one `submit`: frame and index of those on disk, and how many were not kept.

    None stands for one that the policy left out.
    """

    places: Sequence[Place | None]
    dropped: int = 0
    collector: str = ""
    boot: str = ""

    @property
    def ids(self) -> list[str | None]:
        """The ids that the events have as records. Made when asked for: many callers never do."""
        return [place and record_id(self.collector, self.boot, Position(*place, 0)) for place in self.places]

    @property
    def left_out(self) -> int:
        """How many the policy left out."""
        return self.places.count(None)


@dataclass(slots=True)
class Item:
    """Lines to be committed together; without a future nobody waits for them. `missing`: what is lost beside them."""

    lines: list[bytes]
    at_ms: int
    future: Future[Accepted] | None = None
    notes: Mapping[str, bytes] = field(default_factory=dict)
    batch: Batch | None = None
    missing: Missing = NONE
    screened: bool = False
    size: int = field(init=False)
    _kept: list[int] | None = None
    _given: int = 0

    def __post_init__(self) -> None:
        self.size = sum(map(len, self.lines))

    def screen(self, screen: Screen) -> None:
        """Leaves the lines that the policy keeps. Done once, however often the item is tried.

        Someone who waits for a health check is told that it is on disk, so that is not gathered into a summary.
        """
        if not self.screened:
            self.screened = True
            screened = screen.lines(self.lines, summarise=self.future is None)
            self._given, self._kept, self.lines = len(self.lines), screened.kept, screened.lines
            self.missing += Missing(0, screened.sampled_out)

    def accepted(self, places: Sequence[Place], collector: str, boot: str) -> Accepted:
        """The answer: the lines got `places`, or none because they were dropped."""
        if len(places) < len(self.lines):
            return Accepted([], len(self.lines), collector, boot)
        if self._kept is None or len(self._kept) == self._given:
            return Accepted(places, 0, collector, boot)
        spread: list[Place | None] = [None] * self._given
        for index, place in zip(self._kept, places, strict=True):
            spread[index] = place
        return Accepted(spread, 0, collector, boot)

"""The windows of the shards that a worker holds: a function of the signals' topic alone, whoever holds them.

Each shard is kept on the bus in one piece, with the place it stands at. Who takes it over goes on from there: what it
sees again up to that place is passed over, and what comes after it gives the same alerts under the same ids.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

import orjson

from slmtrail.stream.job.repartition import ITSELF, SHARDS, Place, SignalFrame
from slmtrail.stream.judge.alerts import Alert
from slmtrail.stream.judge.judge import Judge
from slmtrail.stream.judge.windows import Windows

log = logging.getLogger(__name__)


class Shard:
    """One shard, as it stands after the signal frame at `offset`."""

    def __init__(self, judge: Judge) -> None:
        self.offset = -1
        self.moved = False
        """Whether there is something to be kept that is not on the bus yet."""
        self._marks: dict[int, Place] = {}
        self._clocks: dict[int, int] = {}
        self._windows = Windows(judge, max(1, judge.policy.windows.max_subjects // SHARDS))

    def take(self, offset: int, frame: SignalFrame) -> list[Alert]:
        """The alerts that signals open or change; those seen before do nothing."""
        if offset <= self.offset:
            return []
        self.offset = offset
        mark = self._marks.get(frame.source, (-1, -1))
        fresh = [signals for place, signals in frame.signals if place > mark]
        if not fresh:
            return []
        self._marks[frame.source] = frame.signals[-1][0]
        alerts = self._windows.take(fresh)
        self.moved |= self._windows.moved()
        return alerts

    def tick(self, offset: int, clocks: Mapping[int, int], sources: int) -> list[Alert]:
        """Time has passed in some partitions of the frames; it is as late as in the one furthest behind."""
        if offset <= self.offset:
            return []
        self.offset = offset
        self._clocks |= clocks
        if len(self._clocks) < sources:
            return []
        alerts = self._windows.tick(min(self._clocks.values()))
        self.moved |= self._windows.moved()
        return alerts

    def forget(self, offset: int, person: Collection[str]) -> None:
        """Forgets a person who was erased."""
        if offset > self.offset:
            self.offset = offset
            self._windows.forget(person)
            self.moved |= self._windows.moved()

    def begin_anew(self) -> None:
        """Goes on, with all it remembers, at the beginning of other topics."""
        self.offset = -1
        self.moved = True
        self._marks.clear()
        self._clocks.clear()

    def fits(self, end: int, sources: Mapping[int, int]) -> bool:
        """Whether the topics reach to what it has seen of them: signals to `end`, and each partition of the frames."""
        return self.offset < end and all(
            mark[0] < sources.get(source, 0) for source, mark in self._marks.items() if source != ITSELF
        )

    def encode(self) -> bytes:
        """The shard as it is kept on the bus."""
        head = {
            "offset": self.offset,
            "marks": {str(source): mark for source, mark in self._marks.items()},
            "clocks": {str(source): clock_ms for source, clock_ms in self._clocks.items()},
        }
        return orjson.dumps(head) + b"\n" + self._windows.snapshot()

    @classmethod
    def decode(cls, data: bytes, judge: Judge) -> Shard:
        """The shard that `encode` wrote."""
        shard = cls(judge)
        head, _, snapshot = data.partition(b"\n")
        given = orjson.loads(head)
        shard.offset = given["offset"]
        shard._marks = {int(source): (mark[0], mark[1]) for source, mark in given["marks"].items()}
        shard._clocks = {int(source): clock_ms for source, clock_ms in given["clocks"].items()}
        shard._windows.restore(snapshot)
        return shard


class Shards:
    """The shards of the partitions that a worker was given."""

    def __init__(self, judge: Judge, partitions: int) -> None:
        self._judge = judge
        self._partitions = partitions
        self._held: dict[int, Shard] = {}

    def hold(self, ends: Mapping[int, int], kept: Mapping[int, bytes], sources: Mapping[int, int]) -> None:
        """Goes on with the shards of the partitions in `ends`, and no others, from what the bus has kept of them.

        `ends` and `sources`: where the partitions of signals and of frames end. A topic that ends before what a shard
        has seen of it was made anew, and the shard begins with it: else it would pass over what comes.
        """
        self._held = {
            number: Shard.decode(kept[number], self._judge) if number in kept else Shard(self._judge)
            for number in range(SHARDS)
            if number % self._partitions in ends
        }
        for number, shard in self._held.items():
            if not shard.fits(ends[number % self._partitions], sources):
                log.warning("shard %d begins anew: its topics end before what it has seen of them", number)
                shard.begin_anew()

    def take(self, partition: int, offset: int, frame: SignalFrame) -> list[Alert]:
        """The alerts that a frame of signals opens or changes."""
        if frame.forget:
            for shard in self._of(partition):
                shard.forget(offset, frame.forget)
            return []
        if frame.clocks:
            return [
                alert for shard in self._of(partition) for alert in shard.tick(offset, frame.clocks, self._partitions)
            ]
        return self._held[frame.shard].take(offset, frame)

    def _of(self, partition: int) -> list[Shard]:
        return [shard for number, shard in self._held.items() if number % self._partitions == partition]

    def moved(self) -> dict[int, bytes]:
        """Those with something to be kept; asked once."""
        made = {number: shard.encode() for number, shard in self._held.items() if shard.moved}
        for number in made:
            self._held[number].moved = False
        return made

"""Follows the chains of collectors: each frame names the one before it, so a gap, a repeat and a fork differ.

What was followed is sealed as *coverage*: a record that says of a row of frames how many events their collector
signed for, and the digest of the last. Coverage and gaps follow each other without a hole, so a verifier who
counts the records in between knows that none is missing. It comes with the next frame behind that row.

What never came, and what came and could not be used, is remembered as *open*: a replay may bring it, once. Everything
else that stands behind is known, or is refused as a replay.

State is plain data, one small value a collector, kept on the bus beside the offset it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from typing import Any

import orjson

from slmtrail.core.errors import FrameError
from slmtrail.core.frames import FIRST_PREVIOUS, SHIP_WINDOW_FRAMES, Frame, Header

MAX_BOOTS = 1000
"""Boots remembered of one collector; a frame of an older one is refused as a replay by its age."""

MAX_AGE_MS = 8 * 24 * 3600 * 1000
"""A frame of an unknown boot that is older than this, by the bus's clock, can only be a replay."""

COVER_FRAMES = 64
COVER_MS = 60_000
"""Coverage is sealed after so many frames, or so long after the first frame with events; and at every edge."""

CLOCK_BACK_MS = 1000
CLOCK_AHEAD_MS = 60_000
"""A collector's clock that goes back, or runs ahead of the bus, by more than this has jumped."""

MAX_OPEN = 1000
"""Rows of one boot that are remembered as open; the oldest are forgotten, and can't be replayed."""

_SHORT = 16

UNKNOWN = -1
"""The partition in a state that an earlier version kept."""


@dataclass(slots=True)
class Span:
    """Frames followed since the last coverage: the first of them, and what their collector signed for."""

    first: int = 0
    since_ms: int = 0
    events: int = 0
    dropped: int = 0
    sampled_out: int = 0
    refused: int = 0
    """Of the events, those that lie in the dead letters."""

    def add(self, header: Header) -> None:
        """Takes in the next frame."""
        if header.events and not self.events:
            self.since_ms = header.first_ms
        self.events += header.events
        self.dropped += header.dropped
        self.sampled_out += header.sampled_out


@dataclass(frozen=True, slots=True)
class Open:
    """Frames that never came, or one of which events could not be used.

    before, behind: the digests (shortened) of the frame before the first, and of the last. came: it did come, and its
    collector's counts are covered. events: those that are open; all of them where none is named.
    """

    first: int
    last: int
    before: str
    behind: str
    came: bool = False
    events: tuple[int, ...] = ()

    def check(self, frame: Frame) -> None:
        """Raises FrameError where `frame` is not the one that belongs here."""
        sequence, previous = frame.header.sequence, frame.header.previous[:_SHORT]
        if sequence == self.first and previous != self.before:
            raise FrameError(f"{frame.where}: does not follow from the one before it: the chain is forked", "forked")
        if sequence == self.last and frame.digest[:_SHORT] != self.behind:
            raise FrameError(f"{frame.where}: another frame stands in its place: the chain is forked", "forked")

    def without(self, frame: Frame, left: tuple[int, ...], whole: int) -> list[Open]:
        """What is open when of `frame`, which holds `whole` events, those in `left` still are."""
        sequence, previous, digest = frame.header.sequence, frame.header.previous[:_SHORT], frame.digest[:_SHORT]
        rows = []
        if self.first < sequence:
            rows.append(Open(self.first, sequence - 1, self.before, previous))
        if left:
            rows.append(Open(sequence, sequence, previous, digest, True, left if len(left) < whole else ()))
        if sequence < self.last:
            rows.append(Open(sequence + 1, self.last, digest, self.behind))
        return rows


@dataclass(slots=True)
class Boot:
    """What is known of one run of a collector."""

    next: int
    previous: str
    closed: bool = False
    last_ms: int = 0
    ahead: bool = False
    span: Span = field(default_factory=Span)
    recent: dict[int, str] = field(default_factory=dict)
    """The digests (shortened) of the frames that may still be redelivered."""
    open: list[Open] = field(default_factory=list)

    def copy(self) -> Boot:
        """One that can be changed without changing this one."""
        return replace(self, span=replace(self.span), recent=self.recent.copy(), open=self.open.copy())

    def leave_open(self, row: Open) -> None:
        """Remembers what a replay may bring."""
        self.open = [*self.open, row][-MAX_OPEN:]


@dataclass(slots=True)
class Chain:
    """What is known of one collector, up to and including the frame at `offset` of its partition."""

    offset: int = -1
    boots: dict[str, Boot] = field(default_factory=dict)
    partition: int = UNKNOWN

    def encode(self) -> bytes:
        """The chain as it is kept on the bus."""
        boots = {
            name: {
                "next": boot.next,
                "previous": boot.previous,
                "closed": boot.closed,
                "last_ms": boot.last_ms,
                "ahead": boot.ahead,
                "span": astuple(boot.span),
                "recent": {str(number): digest for number, digest in boot.recent.items()},
                "open": [astuple(row) for row in boot.open],
            }
            for name, boot in self.boots.items()
        }
        return orjson.dumps({"offset": self.offset, "partition": self.partition, "boots": boots})

    @classmethod
    def decode(cls, data: bytes) -> Chain:
        """The chain that `encode` wrote."""
        given = orjson.loads(data)
        boots = {
            name: Boot(
                boot["next"],
                boot["previous"],
                boot["closed"],
                boot["last_ms"],
                boot["ahead"],
                Span(*boot["span"]),
                {int(number): digest for number, digest in boot["recent"].items()},
                [
                    Open(first, last, before, behind, came, tuple(events))
                    for first, last, before, behind, came, events in boot.get("open", ())
                ],
            )
            for name, boot in given["boots"].items()
        }
        return cls(given["offset"], boots, given.get("partition", UNKNOWN))

    def before(self, header: Header) -> Chain:
        """A chain that can take the frame of this header without changing this one; they share the other boots."""
        boots = self.boots.copy()
        for name in boots.keys() & {header.boot, header.prior_boot}:
            boots[name] = boots[name].copy()
        return Chain(self.offset, boots, self.partition)

    def has_seen(self, partition: int, offset: int) -> bool:
        """Whether the message there was looked at before."""
        return self.partition in (partition, UNKNOWN) and offset <= self.offset

    def fits(self, ends: Mapping[int, int]) -> bool:
        """Whether the topic, whose partitions end there, reaches to what was seen of it."""
        end = max(ends.values(), default=0) if self.partition == UNKNOWN else ends.get(self.partition, 0)
        return self.offset < end

    def follow(self, frame: Frame, bus_ms: int) -> list[dict[str, Any]] | None:
        """Takes `frame` as the next of its boot and returns the system events it gives rise to.

        None: it is a redelivery, its events are known. Raises FrameError for a replay or a fork.
        """
        header = frame.header
        boot = self.boots.get(header.boot)
        notes: list[dict[str, Any]] = []
        if boot is None:
            if bus_ms - header.last_ms > MAX_AGE_MS:
                raise FrameError(f"{frame.where}: is older than the bus keeps frames: a replay", "replayed")
            boot = self.boots[header.boot] = Boot(0, FIRST_PREVIOUS)
            notes += self._begun(frame)
        elif header.sequence < boot.next:
            return self._repeated(frame, boot)
        elif boot.closed:
            notes.append(_note("frame_after_close", frame, first=header.sequence))
        notes += _clock(frame, boot, bus_ms)
        if header.sequence > boot.next or _due(boot, header.last_ms):
            notes += _covered(frame, header.boot, boot)
        if header.sequence > boot.next:
            notes.append(_note("gap", frame, first=boot.next, last=header.sequence - 1))
            before, behind = boot.previous[:_SHORT], header.previous[:_SHORT]
            boot.leave_open(Open(boot.next, header.sequence - 1, before, behind))
            boot.span.first = header.sequence
        elif header.previous != boot.previous:
            notes.append(_note("chain_broken", frame, first=header.sequence))
        if header.dropped:
            notes.append(_note("dropped", frame, count=header.dropped))
        if header.sampled_out:
            notes.append(_note("sampled_out", frame, outcome="success", count=header.sampled_out))
        boot.next, boot.previous, boot.closed = header.sequence + 1, frame.digest, header.kind == "close"
        boot.span.add(header)
        if boot.closed:
            notes.append(_note("collector_closed", frame, outcome="success"))
            notes += _covered(frame, header.boot, boot)
        boot.recent[header.sequence] = frame.digest[:_SHORT]
        boot.recent.pop(header.sequence - SHIP_WINDOW_FRAMES, None)
        return notes

    def refuse(self, frame: Frame, events: Sequence[int]) -> None:
        """Notes of the frame just followed that these of its events lie in the dead letters."""
        header, boot = frame.header, self.boots[frame.header.boot]
        boot.span.refused += len(events)
        if events:
            named = tuple(events) if len(events) < header.events else ()
            place = header.sequence, header.sequence, header.previous[:_SHORT], frame.digest[:_SHORT]
            boot.leave_open(Open(*place, True, named))

    def passed(self, header: Header) -> bool:
        """Whether the chain has gone on behind this frame: if it came, it came, and if not, it is open or lost."""
        boot = self.boots.get(header.boot)
        return boot is not None and header.sequence < boot.next

    def awaits(self, header: Header) -> Open | None:
        """The open row that a frame lies in, if any."""
        boot = self.boots.get(header.boot)
        rows = boot.open if boot else ()
        return next((row for row in rows if row.first <= header.sequence <= row.last), None)

    def admit(self, frame: Frame, row: Open, admitted: int, left: tuple[int, ...]) -> dict[str, Any]:
        """Takes a frame of an open row: so many of its events become records, those in `left` stay open. Returns the
        system event about it."""
        header, boot = frame.header, self.boots[frame.header.boot]
        place = boot.open.index(row)
        boot.open[place : place + 1] = row.without(frame, left, header.events)
        note = _note("frame_replayed", frame, outcome="success", first=header.sequence, count=admitted)
        if row.came:
            return note
        counts = {"events": header.events, "dropped": header.dropped, "sampled_out": header.sampled_out}
        return note | {f"slm.trail.{key}": count for key, count in (counts | {"refused": len(left)}).items()}

    def _begun(self, frame: Frame) -> list[dict[str, Any]]:
        prior = self.boots.get(frame.header.prior_boot)
        notes = [_note("collector_started", frame, outcome="success")]
        if prior and not prior.closed:
            notes += _covered(frame, frame.header.prior_boot, prior)
            notes.append(_note("boot_not_closed", frame, first=prior.next, boot=frame.header.prior_boot))
        if prior:
            prior.recent = {number: prior.recent[number] for number in list(prior.recent)[-SHIP_WINDOW_FRAMES:]}
        for name in list(self.boots)[:-MAX_BOOTS]:
            del self.boots[name]
        return notes

    @staticmethod
    def _repeated(frame: Frame, boot: Boot) -> None:
        known = boot.recent.get(frame.header.sequence)
        if known is None:
            raise FrameError(f"{frame.where}: came before, or too late to be placed: a replay", "replayed")
        if known != frame.digest[:_SHORT]:
            raise FrameError(f"{frame.where}: another frame stands in its place: the chain is forked", "forked")


def _clock(frame: Frame, boot: Boot, bus_ms: int) -> list[dict[str, Any]]:
    """Notes a jump of the collector's clock, by how many milliseconds; one that stays ahead is noted once."""
    last_ms, ahead_ms = frame.header.last_ms, frame.header.last_ms - bus_ms
    was_ahead, boot.ahead = boot.ahead, ahead_ms > CLOCK_AHEAD_MS
    back_ms, boot.last_ms = boot.last_ms - last_ms, last_ms
    if boot.next and back_ms > CLOCK_BACK_MS:
        return [_note("clock_jump", frame, first=frame.header.sequence, count=-back_ms)]
    if boot.ahead and not was_ahead:
        return [_note("clock_jump", frame, first=frame.header.sequence, count=ahead_ms)]
    return []


def _due(boot: Boot, now_ms: int) -> bool:
    """Whether coverage is to be sealed; not even an hour of heartbeats is worth more than a few records."""
    span = boot.span
    return boot.next - span.first >= COVER_FRAMES or bool(span.events and now_ms - span.since_ms >= COVER_MS)


def _covered(frame: Frame, name: str, boot: Boot) -> list[dict[str, Any]]:
    """Seals what is followed of a boot so far, and begins anew; nothing where there is nothing."""
    span, boot.span = boot.span, Span(boot.next)
    if span.first == boot.next:
        return []
    note = _note("covered", frame, outcome="success", boot=name, first=span.first, last=boot.next - 1)
    counts = {"events": span.events, "dropped": span.dropped, "sampled_out": span.sampled_out, "refused": span.refused}
    return [note | {"slm.trail.head": boot.previous} | {f"slm.trail.{key}": count for key, count in counts.items()}]


def _note(
    action: str,
    frame: Frame,
    *,
    outcome: str = "failure",
    boot: str = "",
    first: int | None = None,
    last: int | None = None,
    count: int | None = None,
) -> dict[str, Any]:
    """A system event about a chain."""
    event: dict[str, Any] = {
        "slm.kind": "system",
        "event.action": action,
        "event.outcome": outcome,
        "slm.trail.collector": frame.header.collector,
        "slm.trail.boot": boot or frame.header.boot,
    }
    numbers = {"slm.trail.first": first, "slm.trail.last": last, "slm.trail.count": count}
    return event | {name: value for name, value in numbers.items() if value is not None}

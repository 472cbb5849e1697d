"""What frames themselves tell the windows: that a collector lives, how its clock goes, what was late or refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from slmtrail.core.events import timestamp_ms
from slmtrail.core.frames import Frame
from slmtrail.core.identity import Position, record_id
from slmtrail.core.ports import Delivery
from slmtrail.stream.judge.folds import LATENESS_MS
from slmtrail.stream.judge.hit import Hit
from slmtrail.stream.judge.signal import MAX_SEEN_AHEAD_MS, Saying, Signals, saying
from slmtrail.stream.judge.windows import SILENT

CLOCK = "clock-jump"
LATE = "late-events"
REFUSED = "frame-refused"
UNKNOWN = "unknown"


class Heard(NamedTuple):
    """What one good frame says of its collector."""

    collector: str
    kind: str
    boot: str
    last_ms: int
    earliest_ms: int
    """When the first of its events happened, as they say."""
    latest_ms: int
    """And the last."""
    environment: str


def seen(frame: Frame, delivery: Delivery, times: Sequence[str], *, noted: bool) -> Signals:
    """Of a frame that is good. times: those that its events say; `noted` where a record of the frame itself can be
    named."""
    header = frame.header
    place = record_id(header.collector, header.boot, Position(header.sequence, 0, 0)) if noted else ""
    earliest_ms, latest_ms = (timestamp_ms(end(times)) if times else header.last_ms for end in (min, max))
    heard = Heard(
        header.collector, header.kind, header.boot, header.last_ms, earliest_ms, latest_ms, header.environment
    )
    return signals(heard, delivery.timestamp_ms, place, frame.digest)


def signals(heard: Heard, bus_ms: int, place: str, digest: str) -> Signals:
    """What the windows are to see of it. place: the record of the frame, if there is one."""
    ahead = [heard.latest_ms] if heard.latest_ms - bus_ms > MAX_SEEN_AHEAD_MS else []
    each: list[Saying] = [(SILENT, heard.kind), (CLOCK, [heard.boot, bus_ms, *ahead])]
    if bus_ms - heard.earliest_ms > LATENESS_MS:
        each.append((LATE, bus_ms - heard.earliest_ms))
    carried = {"deployment.environment.name": heard.environment}
    return Signals(_subject(heard.collector), heard.last_ms, bus_ms, place, digest, carried=carried, sayings=each)


def refused(frame: Frame | None, delivery: Delivery, text: str) -> Signals:
    """Of a frame that went to the dead letters. The collector is the one it claims to be from."""
    return turned_away(frame.header.collector if frame else UNKNOWN, delivery.timestamp_ms, delivery.offset, text)


def turned_away(collector: str, at_ms: int, offset: int, text: str) -> Signals:
    """The same, of whatever told of it."""
    return Signals(_subject(collector), at_ms, at_ms, "", f"{offset}", sayings=[saying(REFUSED, Hit(text[:300]))])


def _subject(collector: str) -> str:
    return f"slm.trail.collector:{collector}"

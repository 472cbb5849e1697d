"""What frames themselves tell the windows: that a collector lives, how its clock goes, and what was refused."""

from __future__ import annotations

from slmtrail.core.frames import Frame
from slmtrail.core.identity import Position, record_id
from slmtrail.core.ports import Delivery
from slmtrail.stream.judge.signal import Signal
from slmtrail.stream.judge.windows import SILENT

CLOCK = "clock-jump"
REFUSED = "frame-refused"
UNKNOWN = "unknown"


def seen(frame: Frame, delivery: Delivery, *, noted: bool) -> list[Signal]:
    """Of a frame that is good; `noted` where a record of the frame itself can be named."""
    header = frame.header
    subject = f"slm.trail.collector:{header.collector}"
    place = record_id(header.collector, header.boot, Position(header.sequence, 0, 0)) if noted else ""
    carried = {"deployment.environment.name": header.environment}
    return [
        Signal(rule, subject, header.last_ms, delivery.timestamp_ms, place, frame.digest, value=value, carried=carried)
        for rule, value in ((SILENT, header.kind), (CLOCK, [header.boot, delivery.timestamp_ms]))
    ]


def refused(frame: Frame | None, delivery: Delivery, text: str) -> Signal:
    """Of a frame that went to the dead letters. The collector is the one it claims to be from."""
    name = frame.header.collector if frame else UNKNOWN
    at_ms = delivery.timestamp_ms
    return Signal(REFUSED, f"slm.trail.collector:{name}", at_ms, at_ms, "", f"{delivery.offset}", why=text[:300])

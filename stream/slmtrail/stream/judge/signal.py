"""What the judge of one record tells the windows: a rule fired, or has something for its window to see."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import orjson

MAX_SEEN_AHEAD_MS = 60_000
"""An event of the future is taken as one of so much later than the stream's clock."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Plain data, so that it can travel to whoever keeps the windows of its subject."""

    rule: str
    subject: str
    at_ms: int
    """The event's time."""
    clock_ms: int
    """The stream's clock when it was seen: the time of the frame, never of the machine."""
    record_id: str = ""
    seed: str = ""
    """What the salts of an alert are made from."""
    role: str = ""
    risk: str = ""
    why: str = ""
    excerpt: str = ""
    observed: float | str | None = None
    baseline: float | str | None = None
    value: Any = None
    carried: dict[str, Any] = field(default_factory=dict)
    """What an alert repeats of the record."""

    def encode(self) -> bytes:
        """As it travels."""
        return orjson.dumps({name: value for name in _NAMES if (value := getattr(self, name)) not in _EMPTY})

    @classmethod
    def decode(cls, data: bytes) -> Signal:
        """The signal that `encode` wrote."""
        return cls(**orjson.loads(data))


_NAMES = tuple(each.name for each in fields(Signal))
_EMPTY: tuple[object, ...] = ("", None, {})

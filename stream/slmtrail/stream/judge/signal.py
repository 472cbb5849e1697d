"""What the judge of one record tells the windows: a rule fired, or has something for its window to see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

MAX_SEEN_AHEAD_MS = 60_000
"""An event of the future is taken as one of so much later than the stream's clock."""


class Signal(NamedTuple):
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
    carried: dict[str, Any] = {}  # noqa: RUF012
    """What an alert repeats of the record."""


Row = list[Any]
"""Signals in a row that share what they say of a record and its subject, as they travel."""


def rows(signals: Iterable[Signal]) -> Iterator[tuple[str, Row]]:
    """Signals as JSON, in order: the subject of each row, and the row, which begins with the number of its first."""
    shared: Any = None
    row: Row = []
    for number, signal in enumerate(signals):
        rule, *about, why, excerpt, observed, baseline, value, carried = signal
        if [*about, carried] != shared:
            if row:
                yield shared[0], row
            shared = [*about, carried]
            row = [number, *shared]
        said = [rule, value]
        if why or excerpt or observed is not None or baseline is not None:
            said += [why, excerpt, observed, baseline]
        row.append(said)
    if row:
        yield shared[0], row


def signals_in(row: Row) -> list[tuple[int, Signal]]:
    """The signals of a row, each with its number."""
    first, subject, at_ms, clock_ms, record_id, seed, role, risk, carried, *each = row
    made = []
    for number, (rule, value, *more) in enumerate(each, first):
        why, excerpt, observed, baseline = more or ("", "", None, None)
        about = (why, excerpt, observed, baseline, value, carried)
        made.append((number, Signal(rule, subject, at_ms, clock_ms, record_id, seed, role, risk, *about)))
    return made

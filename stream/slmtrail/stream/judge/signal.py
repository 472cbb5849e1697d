"""What the judge of one record tells the windows: rules that fired, or have something for their windows to see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from slmtrail.stream.judge.hit import Hit

MAX_SEEN_AHEAD_MS = 60_000
"""An event of the future is taken as one of so much later than the stream's clock."""

Saying = Sequence[Any]
"""What one rule says: its id, and the value for its window; where there is more, also why, an excerpt, what was
observed, and against what."""

Row = list[Any]
"""Signals as they travel: the number of the first, what they share, and what each says."""


class Signals(NamedTuple):
    """What rules say of one record to the windows of one subject. Plain data, so that it can travel to whoever keeps
    these."""

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
    carried: dict[str, Any] = {}  # noqa: RUF012
    """What an alert repeats of the record."""
    sayings: Sequence[Saying] = ()

    def row(self, first: int) -> Row:
        """The signals, the first of which has this number in its frame, as they travel."""
        *shared, sayings = self
        return [first, *shared, *sayings]


def signals_in(row: Row) -> tuple[int, Signals]:
    """The signals of a row, and the number of the first."""
    first, subject, at_ms, clock_ms, record_id, seed, role, risk, carried, *sayings = row
    return first, Signals(subject, at_ms, clock_ms, record_id, seed, role, risk, carried, sayings)


def saying(rule: str, hit: Hit) -> Saying:
    """What a rule says that answered with `hit`."""
    why, excerpt, observed, baseline = hit.why, hit.excerpt, hit.observed, hit.baseline
    if why or excerpt or observed is not None or baseline is not None:
        return rule, hit.value, why, excerpt, observed, baseline
    return rule, hit.value


def hit_of(one: Saying) -> Hit:
    """The answer that `saying` told of."""
    _, value, *more = one
    why, excerpt, observed, baseline = more or ("", "", None, None)
    return Hit(why, excerpt, observed, baseline, value)

"""Times as people write them."""

from __future__ import annotations

import contextlib
import re
import time

from slmtrail.core import spans
from slmtrail.core.errors import QueryError
from slmtrail.core.events import timestamp_ms

DAY_MS = 86_400_000
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def moment_ms(text: str, now_ms: int | None = None) -> int:
    """A time as people write it: `90s`, `15m`, `2h`, `7d`, `4w` ago, `now`, a day (its start in UTC) or RFC 3339."""
    text = text.strip()
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    if text == "now":
        return now_ms
    with contextlib.suppress(ValueError):
        return now_ms - spans.span_ms(text)
    try:
        return timestamp_ms(f"{text}T00:00:00Z" if is_day(text) else text)
    except (ValueError, OverflowError):
        raise QueryError(f"{text!r} is not a time: write 15m, 2h, 7d (ago) or 2026-01-31T09:00:00Z") from None


def span_ms(text: str) -> int:
    """How long `90s`, `15m`, `2h`, `7d` or `4w` is."""
    try:
        return spans.span_ms(text)
    except ValueError as error:
        raise QueryError(str(error)) from None


def is_day(text: str) -> bool:
    """Whether `text` says a day and no time of it."""
    return _DAY.fullmatch(text) is not None

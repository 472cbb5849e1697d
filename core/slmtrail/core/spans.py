"""Spans of time as people write them: 90s, 15m, 2h, 7d, 4w."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_WRITTEN = re.compile(r"([0-9]{1,7})([smhdw])")
_UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def span_ms(text: object) -> int:
    """A span in milliseconds. Raises ValueError for what is none."""
    found = _WRITTEN.fullmatch(str(text).strip())
    if found is None:
        raise ValueError(f"{str(text)[:40]!r} is no span of time: write 90s, 15m, 2h, 7d or 4w")
    return int(found[1]) * _UNIT_MS[found[2]]


def _some(text: str) -> str:
    if span_ms(text) == 0:
        raise ValueError("should be longer than nothing")
    return text


Span = Annotated[str, AfterValidator(_some)]
"""One that is longer than nothing, in a policy."""

"""The times that a collector's frames and events name. The stream tells of every frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.hit import About, Hit

_MAX_BOOTS = 4


def judge(_: dict[str, Any], __: About) -> None:
    """No record by itself says how a clock goes."""


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires on a frame before the one before it, or after now. `value`: its boot, the bus's time, and, where one of its
    events says a time of the future, that time."""
    boot, bus_ms, *latest_ms = value
    boots: dict[str, int] = state.setdefault("boots", {})
    last = boots.pop(boot, at_ms)
    boots[boot] = at_ms
    while len(boots) > _MAX_BOOTS:
        del boots[next(iter(boots))]
    if last - at_ms > p["back_s"] * 1000:
        return Hit(f"its clock went back by {(last - at_ms) // 1000} s", observed=f"-{(last - at_ms) // 1000}s")
    if at_ms - bus_ms > p["ahead_s"] * 1000:
        return Hit(f"its clock is {(at_ms - bus_ms) // 1000} s ahead", observed=f"+{(at_ms - bus_ms) // 1000}s")
    if latest_ms and latest_ms[0] - bus_ms > p["ahead_s"] * 1000:
        ahead_s = (latest_ms[0] - bus_ms) // 1000
        return Hit(f"an event of it says a time {ahead_s} s ahead", observed=f"+{ahead_s}s")
    return None

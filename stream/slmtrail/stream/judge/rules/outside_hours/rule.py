"""When somebody works: by the hours of the role, or else by habit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from slmtrail.stream.judge.folds import DAY_MS, HOUR_MS, count
from slmtrail.stream.judge.hit import About, Hit

_AROUND_HOURS = 2
_WITHIN = {"within_ms": HOUR_MS}
_MAX_DAYS = 60
_STAYS_MS = 2 * HOUR_MS
"""Who has been at work until so shortly before has stayed, or travels: nobody woke up for it."""


def judge(_: dict[str, Any], __: About) -> Hit | None:
    """The time is all that counts."""
    return Hit()


def fold(state: dict[str, Any], at_ms: int, _: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires outside of the policy's hours at once; outside of a habit once it is no single request."""
    if p["hours"]:
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        first, last = (int(part) for part in p["hours"].split("-"))
        monday, sunday = (int(part) for part in p["weekdays"].split("-"))
        within = first <= at.hour < last if first <= last else at.hour >= first or at.hour < last
        if within and monday <= at.isoweekday() <= sunday:
            return None
        return Hit(
            f"at {at:%H:%M} on a {at:%A}, outside of {p['hours']} h", observed=f"{at:%H:%M}", baseline=p["hours"]
        )
    hours: list[int] = state.setdefault("hours", [0] * 24)
    days: list[int] = state.setdefault("days", [])
    day, hour = at_ms // DAY_MS, at_ms // HOUR_MS % 24
    known = len(days) >= p["learn_days"] and sum(hours) >= p["learn_events"]
    begun, state["on"] = state.get("on"), at_ms
    stayed = begun is not None and 0 <= at_ms - begun <= _STAYS_MS
    strange = (
        known and not stayed and not any(hours[(hour + off) % 24] for off in range(-_AROUND_HOURS, _AROUND_HOURS + 1))
    )
    if strange:
        state["on"] = begun
        # It becomes a habit only where nobody objects: after the day is over.
        pending: list[int] = state.setdefault("pending", [])
        pending.append(at_ms)
        del pending[:-200]
    else:
        hours[hour] += 1
    for past in [past for past in state.get("pending", ()) if day - past // DAY_MS >= 1]:
        state["pending"].remove(past)
        hours[past // HOUR_MS % 24] += 1
    if day not in days:
        days.append(day)
        days.sort()
        del days[:-_MAX_DAYS]
    if not strange:
        return None
    seen = count(state.setdefault("strange", {}), at_ms, None, {**_WITHIN, "at_least": p["at_least"]})
    if seen is None:
        return None
    busy = ", ".join(str(hour) for hour in range(24) if hours[hour])
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return Hit(
        f"at {at:%H:%M}, where this user has only been at the hours {busy}", observed=f"{at:%H:%M}", baseline=busy
    )

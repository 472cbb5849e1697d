"""The networks in which a key is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.folds import DAY_MS, distinct
from slmtrail.stream.judge.hit import About, Hit
from slmtrail.stream.judge.networks import place

_SOME = 3
_TIMES_THE_USUAL = 3
_HABIT_DAYS = 35


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """Where a key was used from, for the window."""
    where = place(record)
    return Hit(value=where) if where and "slm.key.hash" in record else None


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires where it is used from too many networks, and many more than on days before. On its first day, when it may
    be of a service that runs in many, it takes twice as much."""
    day = at_ms // DAY_MS
    first: int = state.setdefault("first", at_ms)
    found = distinct(state, at_ms, value, {**p, "at_least": _SOME})
    if found is None or not isinstance(found.observed, int):
        return None
    days: list[list[int]] = state.setdefault("days", [])
    usual = max((most for on, most in days if 0 < day - on <= _HABIT_DAYS), default=0)
    limit = max(p["at_least"] * (2 if at_ms - first < DAY_MS else 1), _TIMES_THE_USUAL * usual)
    if not days or days[-1][0] < day:
        days.append([day, 0])
        del days[:-_HABIT_DAYS]
    days[-1][1] = max(days[-1][1], found.observed)
    if found.observed < limit:
        return None
    why = f"it was used from {found.observed} networks within {p['within']}"
    return Hit(f"{why}, and from at most {usual} before" if usual else why, observed=found.observed, baseline=limit)

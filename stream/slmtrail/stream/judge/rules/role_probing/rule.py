"""The doors that somebody tries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.folds import DAY_MS, count, latest, short
from slmtrail.stream.judge.hit import About, Hit

_NAMES = ("event.reason", "gen_ai.request.model")
_MAX_DOORS = 64
_SEVERAL = 3


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """What was refused, and whether it is named, for the window."""
    names = [str(record[name]) for name in _NAMES if name in record]
    return Hit(value=[short([record["slm.guard.reasons"], names]), bool(names)])


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires on too many refusals in a short time, of which, as far as they are named, several differ: a client with a
    wrong name asks for one thing over and over. Or on too many different ones in a day."""
    door, named = value
    doors: dict[str, Any] = state.setdefault("doors", {})
    latest(doors, door, _MAX_DOORS)["at"] = at_ms
    tried = [at_ms - one["at"] for one in doors.values()]
    if found := count(state, at_ms, None, p):
        several = sum(1 for since_ms in tried if abs(since_ms) <= p["within_ms"])
        if several >= _SEVERAL or not named:
            why = f"{found.observed} refusals by role within {p['within']}"
            return Hit(why, observed=found.observed, baseline=found.baseline)
    patient = sum(1 for since_ms in tried if abs(since_ms) <= DAY_MS)
    if patient >= p["patient"]:
        return Hit(f"{patient} different things refused by role within a day", observed=patient, baseline=p["patient"])
    return None

"""Rights given, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.core.roles import matches
from slmtrail.stream.judge.folds import DAY_MS, latest, short
from slmtrail.stream.judge.hit import About, Hit

_NONE = tuple(
    "*revok* *remov* *lock* *drop* *denied* *login* *assume* *unassign* *demot* *delet* *expir* "
    "access*granted session*granted token*granted *consent* *oauth* *authorization* "
    "*list *list_* *list-* *listed *view* *check* *select* *request* *review* *read*".split()
)
"""Rights taken away, only looked at or asked for, and what every login says."""
_HABIT_DAYS = 35
_TIMES = 2
_MAX_ACTIONS = 8


def judge(record: dict[str, Any], about: About) -> Hit | None:
    """Whether rights were given, or a model used, for the window."""
    if record["slm.kind"] == "inference":
        return Hit(value="")
    action = record["event.action"].casefold()
    given = matches(about.parameters["actions"], action) and not matches(_NONE, action)
    return Hit(value=action[:80]) if given and record["event.outcome"] == "success" else None


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires on the first use soon after rights were given, unless the same is given on one day after the other."""
    if value:
        state |= {"at": at_ms, "action": value}
        return None
    given = state.pop("at", None) if "at" in state and at_ms - state["at"] >= 0 else None
    if given is None or at_ms - given > p["within_ms"]:
        return None
    day = at_ms // DAY_MS
    days: list[int] = latest(state.setdefault("days", {}), short(state["action"]), _MAX_ACTIONS).setdefault("told", [])
    habit = sum(1 for other in days if 0 < day - other <= _HABIT_DAYS)
    if day not in days:
        days.append(day)
        del days[:-_TIMES]
    if habit >= _TIMES:
        return None
    minutes = (at_ms - given) // 60_000
    return Hit(
        f"{state['action']}, and {minutes} minutes later a model was used", observed=f"{minutes}m", baseline=p["within"]
    )

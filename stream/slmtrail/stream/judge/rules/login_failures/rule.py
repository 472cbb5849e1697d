"""Failed logins of one account: many in a short time, or at a pace that stays below that for hours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.folds import HOUR_MS, count
from slmtrail.stream.judge.hit import About, Hit

_HOURS = 3


def judge(_: dict[str, Any], __: About) -> Hit | None:
    """The time is all that counts."""
    return Hit()


def fold(state: dict[str, Any], at_ms: int, _: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires where too many failed within the time given, or many more within hours."""
    patient = {"within_ms": _HOURS * HOUR_MS, "at_least": p["patient"]}
    slow = count(state.setdefault("patient", {}), at_ms, None, patient)
    if fast := count(state, at_ms, None, p):
        return Hit(
            f"{fast.observed} failed logins within {p['within']}", observed=fast.observed, baseline=fast.baseline
        )
    if slow:
        return Hit(f"{slow.observed} failed logins within {_HOURS}h", observed=slow.observed, baseline=slow.baseline)
    return None

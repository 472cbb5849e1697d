"""Failed logins of one account: many in a short time, at a pace that stays below that for hours, or from everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.folds import DAY_MS, HOUR_MS, count, distinct, latest, short
from slmtrail.stream.judge.hit import About, Hit
from slmtrail.stream.judge.networks import address, place

_HOURS = 3
_MAX_HOMES = 16


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """Whether it succeeded, and from where it came, for the window."""
    return Hit(value=[record["event.outcome"] == "success", short(address(record) or ""), short(place(record) or "")])


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires where too many failed within the time given, many more within hours, or from too many networks in a day.

    From an address from which the account got in before, it is mostly its owner, or a client with an old password: it
    takes twice as many in a short time, and the slow ones do not count.
    """
    succeeded, where, network = value
    homes: dict[str, Any] = state.setdefault("homes", {})
    if succeeded:
        latest(homes, where, _MAX_HOMES)
        return None
    if where in homes:
        found = count(state.setdefault("home", {}), at_ms, None, {**p, "at_least": 2 * p["at_least"]})
        return _told(found, p["within"], "from an address from which it got in before")
    patient = {"within_ms": _HOURS * HOUR_MS, "at_least": p["patient"]}
    slow = count(state.setdefault("patient", {}), at_ms, None, patient)
    networks = {"within_ms": DAY_MS, "at_least": p["networks"], "at_most": 2 * p["networks"]}
    wide = distinct(state.setdefault("from", {}), at_ms, network, networks)
    if fast := count(state, at_ms, None, p):
        return _told(fast, p["within"])
    if slow:
        return _told(slow, f"{_HOURS}h")
    return wide and Hit(
        f"failed logins from {wide.observed} networks within a day", observed=wide.observed, baseline=wide.baseline
    )


def _told(found: Hit | None, within: str, where: str = "") -> Hit | None:
    if found is None:
        return None
    why = f"{found.observed} failed logins within {within} {where}".rstrip()
    return Hit(why, observed=found.observed, baseline=found.baseline)

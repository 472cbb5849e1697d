"""Two networks in turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.folds import DAY_MS, HOUR_MS, latest, short
from slmtrail.stream.judge.hit import About, Hit
from slmtrail.stream.judge.networks import network

_MAX_NETWORKS = 32
_AT_HOME_MS = 12 * HOUR_MS


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """Where from, for the window."""
    where = network(record)
    return Hit("", value=where) if where else None


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires when the network switched too often in too short a time, unless both have been in use for a day.

    Of two networks it is told for an hour: by then somebody knows, or it is how this person works.

    A stranger beside somebody at home shows soon. Where nothing is known, or a machine has addresses of both kinds,
    it takes twice as much: an office and its VPN, or Wi-Fi and a phone, look the same on the first day.
    """
    last, switches = state.get("last"), state.setdefault("switches", [])
    state["last"] = value
    since: dict[str, int] = latest(state.setdefault("networks", {}), short(value), _MAX_NETWORKS)
    since["since"] = min(at_ms, since.get("since", at_ms))
    if last is None or last == value:
        return None
    pair = short("|".join(sorted((last, value))))
    switches.append([at_ms, pair])
    del switches[:-32]
    known_ms = sorted(at_ms - state["networks"][short(one)]["since"] for one in (last, value))
    if known_ms[0] > DAY_MS:
        return None
    alike = known_ms[1] < _AT_HOME_MS or (":" in last) != (":" in value)
    at_least = p["switches"] * (2 if alike else 1)
    recent = sum(1 for at, other in switches if other == pair and abs(at_ms - at) <= p["within_ms"])
    if recent < at_least:
        return None
    if at_ms - latest(state.setdefault("told", {}), pair, _MAX_NETWORKS).setdefault("since", at_ms) > HOUR_MS:
        return None
    return Hit(f"{recent} switches between {last} and {value} within {p['within']}", observed=recent, baseline=at_least)

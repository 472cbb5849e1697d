"""Two networks in turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.folds import DAY_MS, short
from slmtrail.stream.judge.hit import About, Hit
from slmtrail.stream.judge.networks import network

_MAX_PAIRS = 16


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """Where from, for the window."""
    where = network(record)
    return Hit("", value=where) if where else None


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires when the network switched too often in too short a time, unless the two did so the day before."""
    last, switches = state.get("last"), state.setdefault("switches", [])
    state["last"] = value
    if last is None or last == value:
        return None
    pair = short("|".join(sorted((last, value))))
    switches.append([at_ms, pair])
    del switches[:-32]
    recent = sum(1 for at, other in switches if other == pair and abs(at_ms - at) <= p["within_ms"])
    if recent < p["switches"]:
        return None
    pairs: dict[str, int] = state.setdefault("since", {})
    since = pairs.setdefault(pair, at_ms)
    while len(pairs) > _MAX_PAIRS:
        del pairs[min(pairs, key=lambda name: (pairs[name], name))]
    if at_ms - since > DAY_MS:
        return None
    return Hit(
        f"{recent} switches between {last} and {value} within {p['within']}", observed=recent, baseline=p["switches"]
    )

"""The networks of a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.folds import DAY_MS, short
from slmtrail.stream.judge.hit import About, Hit
from slmtrail.stream.judge.networks import network


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """Where a key was used from, for the window."""
    where = network(record)
    return Hit("", value=where) if where and "slm.key.hash" in record else None


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires on a network that is new to a key which knows few, has for days, and was just now in use there."""
    networks: list[str] = state.setdefault("networks", [])
    first = state.setdefault("first", at_ms)
    state["n"] = state.get("n", 0) + 1
    since_last_ms, state["last"] = at_ms - state.get("last", at_ms), max(at_ms, state.get("last", at_ms))
    if short(value) in networks:
        return None
    settled = at_ms - first >= p["learn_days"] * DAY_MS and state["n"] >= p["learn_events"]
    known = len(networks)
    networks.append(short(value))
    del networks[:-32]
    # Who moves with the key leaves a night between: one that is in use here and there is in two hands.
    if not settled or known > p["max_networks"] or since_last_ms > p["within_ms"]:
        return None
    return Hit(
        f"it comes from {value}; for {(at_ms - first) // DAY_MS} days it came from {known} other networks only",
        observed=value,
    )

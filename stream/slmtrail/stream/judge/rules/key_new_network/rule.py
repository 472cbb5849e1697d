"""The networks of a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.folds import DAY_MS, short
from slmtrail.stream.judge.hit import About, Hit
from slmtrail.stream.judge.networks import place

_SOON_MS = 15 * 60_000
"""Nobody goes somewhere and comes back in less."""


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """Where a key was used from, and whether by a person, for the window."""
    where = place(record)
    return Hit("", value=[where, "user.id" in record]) if where and "slm.key.hash" in record else None


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires on a network that is new to a key which knows few, has learnt none for days, and was just now in use there.

    A service stays where it is, so its first use elsewhere is enough. People take their keys along: one of theirs has
    to be in use at home soon before and soon after.
    """
    where, personal = value
    name = short(where)
    networks: list[str] = state.setdefault("networks", [])
    first = state.setdefault("first", at_ms)
    grown = state.setdefault("grown", first)
    last, last_name = state.get("last", at_ms), state.get("where", name)
    state |= {"n": state.get("n", 0) + 1, "last": max(at_ms, last), "where": name}
    visit: dict[str, Any] | None = state.get("visit")
    if name in networks:
        if visit is None:
            return None
        soon = at_ms - last <= _SOON_MS and name != last_name
        if at_ms - visit["since"] > DAY_MS:
            del state["visit"]
        elif name == visit["name"]:
            visit["soon"] = soon or (visit["soon"] and name == last_name)
        elif soon and last_name == visit["name"] and visit["soon"]:
            del state["visit"]
            return _told(visit["where"], len(networks) - 1, first, at_ms)
        return None
    known = len(networks)
    networks.append(name)
    del networks[:-32]
    settled = at_ms - grown >= p["learn_days"] * DAY_MS and state["n"] > p["learn_events"]
    state["grown"] = at_ms
    # Who moves with the key leaves a night between: one that is in use here and there is in two hands.
    if not settled or known > p["max_networks"] or at_ms - last > p["within_ms"]:
        return None
    if personal:
        state["visit"] = {"name": name, "where": where, "since": at_ms, "soon": at_ms - last <= _SOON_MS}
        return None
    return _told(where, known, first, at_ms)


def _told(where: str, known: int, first: int, at_ms: int) -> Hit:
    days = (at_ms - first) // DAY_MS
    return Hit(f"it comes from {where}; for {days} days it came from {known} other networks only", observed=where)

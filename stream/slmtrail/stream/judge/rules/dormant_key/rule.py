"""How long a key was not used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.folds import DAY_MS
from slmtrail.stream.judge.hit import About, Hit


def judge(_: dict[str, Any], __: About) -> Hit | None:
    """The time is all that counts."""
    return Hit()


def fold(state: dict[str, Any], at_ms: int, _: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires on the first use after a long time of none, unless it sleeps about as long between all of its uses."""
    last, seen = state.get("last", at_ms), state.get("n", 0)
    state |= {"last": max(last, at_ms), "n": seen + 1}
    days = (at_ms - last) // DAY_MS
    if days < p["days"] or seen < p["learn_events"]:
        return None
    longest, state["longest"] = state.get("longest", 0), max(days, state.get("longest", 0))
    if 4 * days <= 5 * longest:
        return None
    return Hit(f"not used for {days} days, and now it is", observed=f"{days}d", baseline=f"{p['days']}d")

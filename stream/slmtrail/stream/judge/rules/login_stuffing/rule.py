"""Accounts that fail from addresses from which nobody gets in, against those that get in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.folds import LATENESS_MS, MAX_DISTINCT, latest, short
from slmtrail.stream.judge.hit import About, Hit
from slmtrail.stream.judge.logins import account
from slmtrail.stream.judge.networks import address


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """Whose login it was, whether it succeeded, and from which address, for the window."""
    who, where = account(record), address(record)
    if who is None or where is None:
        return None
    return Hit(value=[short(who), record["event.outcome"] == "success", short(where)])


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires where too many accounts failed from too many strange addresses, beside those that got in."""
    who, succeeded, where = value
    homes: dict[str, Any] = state.setdefault("homes", {})
    entered: dict[str, Any] = state.setdefault("in", {})
    failed: dict[str, list[Any]] = state.setdefault("failed", {})
    if succeeded:
        latest(homes, where, MAX_DISTINCT)
        latest(entered, who, MAX_DISTINCT)["at"] = at_ms
        failed.pop(who, None)
        return None
    if where in homes:
        return None
    failed.pop(who, None)
    failed[who] = [at_ms, where]
    while len(failed) > MAX_DISTINCT or failed[next(iter(failed))][0] < at_ms - p["within_ms"] - LATENESS_MS:
        del failed[next(iter(failed))]
    if len(failed) < p["at_least"]:
        return None
    near = [at for last, at in failed.values() if abs(at_ms - last) <= p["within_ms"] and at not in homes]
    got_in = sum(1 for one in entered.values() if abs(at_ms - one["at"]) <= p["within_ms"])
    addresses = len(set(near))
    if len(near) < max(p["at_least"], p["share"] * got_in) or 2 * addresses < len(near):
        return None
    why = f"failed logins of {len(near)} accounts from {addresses} addresses from which nobody got in"
    return Hit(f"{why}, within {p['within']}; {got_in} got in from others", observed=len(near), baseline=p["at_least"])

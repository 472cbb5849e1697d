"""Accounts that fail from addresses from which nobody gets in, against those that get in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.folds import LATENESS_MS, MAX_DISTINCT, latest, short
from slmtrail.stream.judge.hit import About, Hit

_ACCOUNT = ("user.id", "user.name", "user.email", "slm.claimed.user.id", "slm.key.prefix")


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """Whose login it was, whether it succeeded, and from which address, for the window."""
    account = next((record[name] for name in _ACCOUNT if name in record), None)
    address = record.get("network.forwarded_ip") or record.get("source.ip")
    if account is None or address is None:
        return None
    return Hit(value=[short(account), record["event.outcome"] == "success", short(address)])


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires where too many accounts failed from too many strange addresses, beside those that got in."""
    account, succeeded, address = value
    homes: dict[str, Any] = state.setdefault("homes", {})
    entered: dict[str, Any] = state.setdefault("in", {})
    failed: dict[str, list[Any]] = state.setdefault("failed", {})
    if succeeded:
        latest(homes, address, MAX_DISTINCT)
        latest(entered, account, MAX_DISTINCT)["at"] = at_ms
        failed.pop(account, None)
        return None
    if address in homes:
        return None
    failed.pop(account, None)
    failed[account] = [at_ms, address]
    while len(failed) > MAX_DISTINCT or failed[next(iter(failed))][0] < at_ms - p["within_ms"] - LATENESS_MS:
        del failed[next(iter(failed))]
    if len(failed) < p["at_least"]:
        return None
    near = [where for last, where in failed.values() if abs(at_ms - last) <= p["within_ms"] and where not in homes]
    got_in = sum(1 for one in entered.values() if abs(at_ms - one["at"]) <= p["within_ms"])
    addresses = len(set(near))
    if len(near) < max(p["at_least"], p["share"] * got_in) or 2 * addresses < len(near):
        return None
    why = f"failed logins of {len(near)} accounts from {addresses} addresses from which nobody got in"
    return Hit(f"{why}, within {p['within']}; {got_in} got in from others", observed=len(near), baseline=p["at_least"])

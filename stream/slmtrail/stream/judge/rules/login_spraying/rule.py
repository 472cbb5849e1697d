"""Which account was tried from where, and whether it got in: who mistypes soon does, who guesses does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.folds import LATENESS_MS, MAX_DISTINCT, latest, short
from slmtrail.stream.judge.hit import About, Hit

_ACCOUNT = ("user.id", "user.name", "user.email", "slm.claimed.user.id", "slm.key.prefix")
_MOST_AT_HOME = 0.75
"""Where more than this part of those who log in from an address fail together, it is not people who mistype."""


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """Whose login it was and whether it succeeded, for the window."""
    account = next((record[name] for name in _ACCOUNT if name in record), None)
    return Hit(value=[short(account), record["event.outcome"] == "success"]) if account else None


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires where too many accounts failed that have never got in from this address, or nearly all that do."""
    account, succeeded = value
    home: dict[str, Any] = state.setdefault("home", {})
    failed: dict[str, int] = state.setdefault("failed", {})
    if succeeded:
        latest(home, account, MAX_DISTINCT)
        failed.pop(account, None)
        return None
    failed[account] = max(failed.get(account, 0), at_ms)
    newest = max(failed.values())
    for known in [known for known, last in failed.items() if last < newest - p["within_ms"] - LATENESS_MS]:
        del failed[known]
    while len(failed) > MAX_DISTINCT:
        del failed[min(failed, key=lambda known: (failed[known], known))]
    near = [known for known, last in failed.items() if at_ms - p["within_ms"] < last <= at_ms + p["within_ms"]]
    strangers = sum(1 for known in near if known not in home)
    if strangers < p["at_least"] and len(near) < max(p["at_least"], _MOST_AT_HOME * len(home)):
        return None
    return Hit(
        f"failed logins of {len(near)} accounts from one address within {p['within']}",
        observed=len(near),
        baseline=p["at_least"],
    )

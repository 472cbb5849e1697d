"""Which account was tried from where, and whether it got in: who mistypes soon does, who guesses does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.folds import DAY_MS, LATENESS_MS, MAX_DISTINCT, distinct, latest, short
from slmtrail.stream.judge.hit import About, Hit
from slmtrail.stream.judge.logins import account
from slmtrail.stream.judge.networks import NETWORK

_MOST_AT_HOME = 0.75
"""Where more than this part of those who log in from an address fail together, it is not people who mistype."""


def judge(record: dict[str, Any], about: About) -> Hit | None:
    """Whose login it was, whether it succeeded, and of a network from which address, for the window."""
    who = account(record)
    if who is None:
        return None
    of_network = about.subject.endswith(NETWORK)
    address = short(record[about.subject.removesuffix(NETWORK)]) if of_network else ""
    return Hit(value=[short(who), record["event.outcome"] == "success", address])


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires where too many accounts failed from one address, or from several of one network; or patiently, in a day."""
    who, succeeded, address = value
    home: dict[str, Any] = state.setdefault("home", {})
    failed: dict[str, int] = state.setdefault("failed", {})
    if succeeded:
        latest(home, who, MAX_DISTINCT)
        failed.pop(who, None)
        return None
    failed[who] = max(failed.get(who, 0), at_ms)
    newest = max(failed.values())
    for known in [known for known, last in failed.items() if last < newest - DAY_MS - LATENESS_MS]:
        del failed[known]
    while len(failed) > MAX_DISTINCT:
        del failed[min(failed, key=lambda known: (failed[known], known))]
    where, at_least = "one address", p["at_least"]
    if address:
        # Each address has its people, who mistype.
        at_least += p["addresses"] - 1
        found = distinct(state.setdefault("from", {}), at_ms, address, {**p, "at_least": p["addresses"]})
        if found is None:
            return None
        where = f"{found.observed} addresses of one network"
    near = [known for known, last in failed.items() if abs(at_ms - last) <= p["within_ms"]]
    strangers = sum(1 for known in near if known not in home)
    if strangers >= at_least or len(near) >= max(at_least, _MOST_AT_HOME * len(home)):
        why = f"failed logins of {len(near)} accounts from {where} within {p['within']}"
        return Hit(why, observed=len(near), baseline=p["at_least"])
    patient = 0 if address else sum(1 for known in failed if known not in home)
    if patient >= max(p["patient"], len(home)):
        why = f"failed logins of {patient} accounts, none of which ever got in from there, within a day"
        return Hit(why, observed=patient, baseline=p["patient"])
    return None

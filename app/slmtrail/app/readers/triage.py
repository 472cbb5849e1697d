"""What became of an alert: each time someone acknowledges or closes one is a record, and the newest counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from slmtrail.core.ports import Page, Query, Sealed
from slmtrail.indexer.reading.walk import quoted, walk

Status = Literal["open", "acknowledged", "closed", "suppressed"]
ACTIONS: dict[str, Status] = {"acknowledge": "acknowledged", "close": "closed"}
MAX_ASKED = 90
"""Alerts asked about at once; a search takes a hundred conditions."""

MAX_DECISIONS = 5000


@dataclass(frozen=True, slots=True)
class State:
    """How an alert stands: who said so, when and why, as far as anyone did."""

    status: Status
    by: str = ""
    at: str = ""
    reason: str = ""


def alert_id(sealed: Sealed) -> str:
    """What all revisions of an alert have in common."""
    return str(sealed.record.get("slm.alert.id", sealed.id))


def states(search: Callable[[Query], Page], alerts: list[Sealed]) -> list[State]:
    """How each alert stands. `search` sees all: who sees an alert sees what became of it."""
    decided: dict[str, dict[str, Any]] = {}
    wanted = list(dict.fromkeys(map(alert_id, alerts)))
    for start in range(0, len(wanted), MAX_ASKED):
        among = " or ".join(map(quoted, wanted[start : start + MAX_ASKED]))
        for sealed in walk(search, Query(where=f"alert:({among})", kind="access"), MAX_DECISIONS):
            decided.setdefault(str(sealed.record.get("slm.alert.id")), sealed.record)
    return [_state(alert, decided.get(alert_id(alert))) for alert in alerts]


def _state(alert: Sealed, decided: dict[str, Any] | None) -> State:
    status = alert.record.get("slm.alert.status", "open")
    if decided is None or status == "suppressed":
        return State("suppressed" if status == "suppressed" else "open")
    # An alert that goes on after it was closed is open again.
    if decided.get("slm.alert.status") == "closed" and decided["@timestamp"] < alert.record["@timestamp"]:
        return State("open")
    said: Status = "closed" if decided.get("slm.alert.status") == "closed" else "acknowledged"
    return State(said, decided.get("user.id", ""), decided["@timestamp"], decided.get("message", ""))

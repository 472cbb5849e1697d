"""Alerts as they grow: one a rule and subject, until it has been quiet for a while; told again when it matters.

An alert's id follows from rule, subject and the window it began in, so the same signals give the same ids.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson

from slmtrail.core import canonical
from slmtrail.core.events import timestamp_text
from slmtrail.core.judging import Severity
from slmtrail.stream.judge.hit import Hit
from slmtrail.stream.judge.manifest import Manifest
from slmtrail.stream.judge.rule import filled
from slmtrail.stream.judge.signal import Signals

MAX_EVIDENCE = 20
"""Records named in one alert: the first and the newest."""
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Alert:
    """One revision of an alert. `event` is the whole of it, without an origin."""

    id: str
    revision: int
    event: dict[str, Any]
    seed: bytes


def alert_id(rule: str, subject: str, since_ms: int, quiet_ms: int) -> str:
    """The id of the alert of `rule` about `subject` that began then. Two never begin within the same window."""
    text = f"slmtrail alert v1\n{rule}\n{subject}\n{since_ms // quiet_ms}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def opened(rule: str, signals: Signals, recent: list[str], severity: Severity, quiet_ms: int) -> dict[str, Any]:
    """The state of an alert that begins, before its first firing is counted."""
    return {
        "id": alert_id(rule, signals.subject, signals.at_ms, quiet_ms),
        "revision": 0,
        "since": signals.at_ms,
        "until": signals.at_ms,
        "count": 0,
        "told": 0,
        "severity": severity,
        "evidence": list(dict.fromkeys(recent))[-MAX_EVIDENCE // 2 :],
    }


def grown(state: dict[str, Any], signals: Signals, found: Hit, severity: Severity) -> bool:
    """Counts a firing; whether it is to be told now: the first, the 2nd, 5th, 10th, 20th … and what is worse."""
    state["since"] = min(state["since"], signals.at_ms)
    state["until"] = max(state["until"], signals.at_ms)
    state["count"] += 1
    state["touched"] = signals.clock_ms
    state["seed"] = signals.seed
    evidence: list[str] = state["evidence"]
    if signals.record_id and signals.record_id not in evidence:
        evidence.append(signals.record_id)
        if len(evidence) > MAX_EVIDENCE:
            del evidence[MAX_EVIDENCE // 2]
    worse = SEVERITIES.index(severity) > SEVERITIES.index(state["severity"])
    if worse:
        state["severity"] = severity
    if signals.at_ms >= state["until"]:
        state |= {"role": signals.role, "risk": signals.risk}
        state |= {"why": found.why, "observed": found.observed, "baseline": found.baseline, "carried": signals.carried}
        state["excerpt"] = found.excerpt  # of whom the alert names now, so that erasing that person finds it
    return worse or state["count"] in (1, 2, 5) or _round(state["count"])


def _round(number: int) -> bool:
    while number >= 10 and number % 10 == 0:
        number //= 10
    return number in (1, 2, 5)


def told(state: dict[str, Any], manifest: Manifest, subject: str, parameters: dict[str, Any], suppressed: str) -> Alert:
    """The next revision."""
    state["revision"] += 1
    state["told"] = state["count"]
    shown = {name: value for name, value in parameters.items() if not name.endswith("_ms")}
    why = {"rule": manifest.detects, "parameters": shown, "firings": state["count"]}
    for name in ("observed", "baseline"):
        if state.get(name) is not None:
            why[name] = state[name]
    if suppressed:
        why["suppressed"] = suppressed
    known = {**parameters, **{name: state[name] for name in ("observed", "baseline") if state.get(name) is not None}}
    evidence = state["evidence"]
    event = {
        **state["carried"],
        "@timestamp": timestamp_text(state["until"]),
        "slm.kind": "alert",
        "event.action": manifest.id,
        "event.outcome": "unknown",
        "rule.id": manifest.id,
        "rule.name": manifest.name,
        "message": canonical.text(filled(state["why"], known)),
        "slm.alert.id": state["id"],
        "slm.alert.revision": state["revision"],
        "slm.alert.severity": state["severity"],
        "slm.alert.status": "suppressed" if suppressed else "open",
        "slm.alert.subject": subject[:1024],
        "slm.alert.since": timestamp_text(state["since"]),
        "slm.alert.until": timestamp_text(state["until"]),
        "slm.alert.count": state["count"],
        "slm.alert.why": orjson.dumps(why, option=orjson.OPT_SORT_KEYS).decode(),
        "slm.alert.response": manifest.response[:1024],
        "slm.alert.evidence": list(evidence),
    }
    if evidence:
        event["slm.alert.link"] = f"/record/{evidence[-1]}"
    if state.get("excerpt"):
        event["slm.alert.excerpt"] = canonical.text(state["excerpt"])
    seed = hashlib.sha256(f"{state['seed']}\n{state['id']}\n{state['revision']}".encode()).digest()
    return Alert(state["id"], state["revision"], event, seed)

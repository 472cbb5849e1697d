"""Versions of a model beside each other: how often they fail, refuse and leak, and how long they take."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from slmtrail.core.said import refused
from slmtrail.stream.judge.findings import IMPERSONAL, findings
from slmtrail.stream.judge.folds import short
from slmtrail.stream.judge.hit import About, Hit

_RATES = ("fails", "refuses", "leaks")
_MAX_VERSIONS = 4
_MAX_SEEN = 2000
"""After so many the older count half, so that yesterday's version is held against today's."""


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """How one answer went, for the window."""
    version = record.get("slm.model.version") or record.get("slm.model.digest")
    if version is None:
        return None
    leaks = bool({f["type"] for f in findings(record, "gen_ai.output.messages")} - IMPERSONAL)
    went = [record["event.outcome"] == "failure", refused(record), leaks]
    return Hit(value=[short(version), str(version)[:60], [int(one) for one in went], record.get("slm.latency_ms")])


def fold(state: dict[str, Any], _: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires once the newer of two versions is surely worse, and once only."""
    name, shown, went, latency_ms = value
    versions: dict[str, Any] = state.setdefault("versions", {})
    own = versions.setdefault(name, {"n": 0, "counts": [0, 0, 0], "timed": 0, "log": 0.0, "square": 0.0, "told": False})
    while len(versions) > _MAX_VERSIONS:
        del versions[next(iter(versions))]
    own["n"] += 1
    own["counts"] = [before + now for before, now in zip(own["counts"], went, strict=True)]
    if isinstance(latency_ms, int) and latency_ms > 0 and not went[0]:
        log = math.log(latency_ms)
        own |= {"timed": own["timed"] + 1, "log": own["log"] + log, "square": own["square"] + log * log}
    if own["n"] > _MAX_SEEN:
        own["counts"] = [count / 2 for count in own["counts"]]
        own |= {field: own[field] / 2 for field in ("n", "timed", "log", "square")}
    order = list(versions)
    at = order.index(name)
    if at == 0 or own["told"] or own["n"] < p["at_least"] or own["n"] % 10:
        return None
    before = versions[order[at - 1]]
    worse = _worse(own, before, p) if before["n"] >= p["at_least"] else ""
    if not worse:
        return None
    own["told"] = True
    return Hit(f"version {shown} {worse}", observed=worse)


def _worse(own: dict[str, Any], before: dict[str, Any], p: Mapping[str, Any]) -> str:
    for number, what in enumerate(_RATES):
        new, old = own["counts"][number] / own["n"], before["counts"][number] / before["n"]
        both = (own["counts"][number] + before["counts"][number]) / (own["n"] + before["n"])
        error = math.sqrt(max(both * (1 - both), 1e-9) * (1 / own["n"] + 1 / before["n"]))
        if new > p["ratio"] * old and new - old > 0.02 and (new - old) / error > p["sure"]:
            return f"{what} in {new:.1%} of its answers, the one before in {old:.1%}"
    if min(own["timed"], before["timed"]) >= p["at_least"]:
        (new, wide), (old, narrow) = _spread(own), _spread(before)
        error = math.sqrt(wide / own["timed"] + narrow / before["timed"]) or 1e-9
        if new - old > math.log(p["ratio"]) * 0.8 and (new - old) / error > p["sure"]:
            return f"takes {math.exp(new - old):.1f} times as long as the one before"
    return ""


def _spread(one: dict[str, Any]) -> tuple[float, float]:
    mean = one["log"] / one["timed"]
    return mean, max(one["square"] / one["timed"] - mean * mean, 0.01)

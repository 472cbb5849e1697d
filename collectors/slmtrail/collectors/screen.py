"""What of an event is kept, by the policy: applied to every event of a collector, wherever it came from.

Sampled-out events are counted and signed for. Health checks are gathered into summaries. A caller may ask, in
`slm.capture.level`, for less to be kept of its own event than the policy says; never for more.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import repeat
from operator import contains
from typing import Any

import orjson

from slmtrail.core import canonical, personal
from slmtrail.core.capturing import STRICTNESS, Capture, stricter
from slmtrail.core.events import CaptureLevel, timestamp_ms
from slmtrail.core.fields import CONTENT, FIELDS
from slmtrail.core.secrets.matcher import SecretMatcher

LEVEL = "slm.capture.level"
HEALTH_PATHS = frozenset(
    "/health /healthz /livez /readyz /live /ready /ping /metrics /api/version /version /v1/models /models /".split()
)
MAX_SUMMARIES = 1000
_UPSTREAM = b'"slm.kind":"upstream"'
_ASKED = f'"{LEVEL}"'.encode()
_TOLD_APART = ("server.address", "server.port", "service.name", "user_agent.original", "http.response.status_code")
_SECRETS = SecretMatcher()


@dataclass(slots=True)
class Screened:
    """What is left of some lines. `kept`: the indexes of those that stay; of the others `sampled_out` are gone, and
    the rest are in summaries that come later."""

    lines: list[bytes]
    kept: list[int]
    sampled_out: int = 0


@dataclass(slots=True)
class _Checks:
    """Health checks of one kind that came within one window: the first of them, and how long each took."""

    first: dict[str, Any]
    until_ms: int
    last_ms: int
    latencies_ms: list[int] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """The one event that stands for all of them."""
        taken = sorted(self.latencies_ms)
        if len(taken) < 2:
            return self.first
        return self.first | {
            "slm.summary.count": len(taken),
            "slm.summary.window_ms": self.last_ms - timestamp_ms(self.first["@timestamp"]),
            "slm.latency_ms": taken[len(taken) // 2],
        }


class Screen:
    """The capture policy of one collector. Safe to use from several threads."""

    def __init__(self, capture: Capture, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._lock = threading.Lock()
        self._checks: dict[tuple[Any, ...], _Checks] = {}
        self.use(capture)

    def use(self, capture: Capture) -> None:
        """Another policy is in force from now on."""
        self._capture = capture

    def lines(self, lines: list[bytes], *, summarise: bool = True) -> Screened:
        """What is kept of `lines`, each the canonical line of an event. `summarise`: health checks may come later."""
        capture = self._capture
        if not summarise and capture.health_summary_s:
            capture = capture.model_copy(update={"health_summary_s": 0})
        if capture.level != "full" or capture.levels or capture.sample:
            concerned = [True] * len(lines)
        elif capture.health_summary_s:
            concerned = [_ASKED in line or _UPSTREAM in line for line in lines]
        else:
            concerned = list(map(contains, lines, repeat(_ASKED)))
        if True not in concerned:
            return Screened(lines, list(range(len(lines))))
        screened = Screened([], [])
        for index, line in enumerate(lines):
            kept = self._line(orjson.loads(line), capture, screened) if concerned[index] else line
            if kept is not None:
                screened.kept.append(index)
                screened.lines.append(kept)
        return screened

    def due(self, now_ms: int | None = None) -> list[bytes]:
        """The summaries whose time has come; all of them without a time."""
        if not self._checks:
            return []
        with self._lock:
            done = [key for key, checks in self._checks.items() if now_ms is None or checks.until_ms <= now_ms]
            return [_as_policy_says(self._checks.pop(key).summary(), self._capture) for key in done]

    def _line(self, event: dict[str, Any], capture: Capture, screened: Screened) -> bytes | None:
        kind = event["slm.kind"]
        if kind == "upstream" and self._summarised(event, capture.health_summary_s * 1000):
            return None
        rate = capture.sample.get(kind)
        if rate is not None and not _failed(event):
            if _lot(event, self._chance) >= rate:
                screened.sampled_out += 1
                return None
            event["slm.sample.rate"] = canonical.decimal(rate, "slm.sample.rate")
        return _as_policy_says(event, capture)

    def _summarised(self, event: dict[str, Any], window_ms: int) -> bool:
        """Takes a health check that went well into its summary; whether it is one."""
        path = _path(event)
        if not window_ms or path not in HEALTH_PATHS or event.get("event.action") != "get" or _failed(event):
            return False
        key = (*(event.get(name) for name in _TOLD_APART), path)
        at_ms = timestamp_ms(event["@timestamp"])
        with self._lock:
            checks = self._checks.get(key)
            if checks is None:
                if len(self._checks) >= MAX_SUMMARIES:
                    return False
                checks = self._checks[key] = _Checks(event, at_ms + window_ms, at_ms)
            checks.last_ms = max(checks.last_ms, at_ms)
            checks.latencies_ms.append(event.get("slm.latency_ms", 0))
        return True


def _as_policy_says(event: dict[str, Any], capture: Capture) -> bytes:
    asked = event.get(LEVEL, "full")
    level = stricter(capture.level_of(event["slm.kind"]), asked if asked in STRICTNESS else "full")
    return canonical.dumps(reduced(event, level))


def reduced(event: dict[str, Any], level: CaptureLevel) -> dict[str, Any]:
    """What `level` leaves of an event."""
    if level == "full":
        return event
    if level == "metadata":
        event = {name: value for name, value in event.items() if name not in CONTENT}
    else:
        event = {name: _redacted(name, value) if name in CONTENT else value for name, value in event.items()}
    return event | {LEVEL: level}


def _redacted(name: str, value: Any) -> Any:
    """A content field without what a fast look finds in it."""
    if FIELDS[name].type == "json" and isinstance(value, str):
        try:
            return orjson.dumps(_walked(orjson.loads(value))).decode()
        except (orjson.JSONDecodeError, TypeError, RecursionError):  # then it is a text like others
            pass
    return _walked(value)


def _walked(value: Any) -> Any:
    if isinstance(value, str):
        return _without_findings(value)
    if isinstance(value, dict):
        return {name: _walked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_walked(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
        return value if _without_findings(text) == text else _without_findings(text)
    return value


def _without_findings(text: str) -> str:
    found = [(start, end, type_) for type_, start, end in personal.find(text)]
    found += [(secret.start, secret.end, secret.rule.type) for secret in _SECRETS.find(text)]
    pieces, done = [], 0
    for start, end, type_ in sorted(found):
        if start >= done:
            pieces += [text[done:start], f"<{type_}>"]
        done = max(done, end)
    return "".join([*pieces, text[done:]]) if found else text


def _path(event: dict[str, Any]) -> str:
    try:
        about = orjson.loads(event.get("slm.attributes", "{}"))
    except orjson.JSONDecodeError:
        return ""
    path = about.get("path") if isinstance(about, dict) else None
    return path if isinstance(path, str) else ""


def _failed(event: dict[str, Any]) -> bool:
    return event.get("event.outcome") == "failure" or "error.type" in event


def _lot(event: dict[str, Any], chance: Callable[[], float]) -> float:
    """A number from 0 to 1, the same for all events of a trace, so that a trace is kept whole or not at all."""
    trace = event.get("trace.id")
    if not trace:
        return chance()
    return int.from_bytes(hashlib.sha256(trace.encode()).digest()[:6], "big") / (1 << 48)

"""The same step again and again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from slmtrail.stream.judge.folds import count, latest, short
from slmtrail.stream.judge.hit import About, Hit

_MAX_STEPS = 24
_COUNTER = re.compile(
    r'\\?"(?:attempt\w*|retr(?:y|ies)\w*|try|tries|nonce|timestamp|request_?id)\\?"\s*:\s*(?:\\?"[^"]*"|[\d.]+)'
)
_WAITS = re.compile(r"(?i)status|poll|wait|progress|health|(?:^|[^a-z])(?:ping|watch|sleep|time)")
_PATIENCE = 3
"""So many times as often a tool may be called by whose name it looks how far something is."""


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """What a step was, so that it can be told from others, and how often it may come, for the window."""
    if record["slm.kind"] == "process":
        if "gen_ai.tool.name" not in record:
            return None
        name = record["gen_ai.tool.name"]
        arguments = _COUNTER.sub("", str(record.get("gen_ai.tool.call.arguments", "")))
        times = _PATIENCE if _WAITS.search(name) else 1
        return Hit(f"the tool {name[:60]}", value=[short(f"{name}\n{arguments}"), times])
    messages = record.get("gen_ai.input.messages")
    if not messages or record.get("event.outcome") == "failure":
        # What was not answered is tried again by any client.
        return None
    # All that was sent: in a conversation that goes on, it grows.
    return Hit("the same question", value=[short(orjson.dumps(messages).decode()), 0])


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires where one step came too often with no other new call of a tool between: there the run goes on."""
    name, times = value
    steps: dict[str, Any] = state.setdefault("steps", {})
    if times and name not in steps:
        state["news"] = state.get("news", 0) + 1
    step = latest(steps, name, _MAX_STEPS)
    news = state.get("news", 0)
    if times and step.get("news", news) != news:
        step.clear()
    step["news"] = news
    found = count(step, at_ms, None, {**p, "at_least": p["at_least"] * max(1, times)})
    if found is None:
        return None
    why = f"the same step {found.observed} times within {p['within']}"
    return Hit(why, observed=found.observed, baseline=found.baseline)

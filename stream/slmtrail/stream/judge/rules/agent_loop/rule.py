"""The same step again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from slmtrail.stream.judge.folds import count, latest, short
from slmtrail.stream.judge.hit import About, Hit

_MAX_STEPS = 24


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """What a step was, so that it can be told from others, for the window."""
    if record["slm.kind"] == "process":
        if "gen_ai.tool.name" not in record:
            return None
        name = record["gen_ai.tool.name"]
        return Hit(f"the tool {name[:60]}", value=short(f"{name}\n{record.get('gen_ai.tool.call.arguments', '')}"))
    messages = record.get("gen_ai.input.messages")
    # All that was sent: in a conversation that goes on, it grows.
    return Hit("the same question", value=short(orjson.dumps(messages).decode())) if messages else None


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires where one step came too often."""
    step = latest(state.setdefault("steps", {}), value, _MAX_STEPS)
    found = count(step, at_ms, None, p)
    if found is None:
        return None
    why = f"the same step {found.observed} times within {p['within']}"
    return Hit(why, observed=found.observed, baseline=p["at_least"])

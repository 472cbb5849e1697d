"""Verdicts of the guard about one user, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.hit import About, Hit

_NOT_OF_WORDS = frozenset(
    "prompt-bytes messages prompt-tokens requests-a-minute tokens-a-day cost-a-day identity-required "
    "unreadable-request model-not-allowed operation-not-allowed tool-not-allowed parameter-not-allowed "
    "system-prompt-not-pinned".split()
)


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """Whether words were blocked or a request allowed, for the window."""
    if record["slm.verdict"] == "block":
        reasons = record.get("slm.guard.reasons")
        return None if reasons and _NOT_OF_WORDS.issuperset(reasons) else Hit(value="block")
    return Hit(value="allow") if record.get("slm.guard.point") != "answer" else None


def fold(state: dict[str, Any], at_ms: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires on what passes after too many were blocked."""
    blocks: list[int] = state.setdefault("blocks", [])
    if value == "block":
        blocks.append(at_ms)
        del blocks[:-50]
        return None
    recent = [at for at in blocks if abs(at_ms - at) <= p["within_ms"]]
    if len(recent) < p["blocks"]:
        return None
    state["blocks"] = []
    return Hit(f"{len(recent)} requests were blocked within {p['within']}, and then one passed", observed=len(recent))

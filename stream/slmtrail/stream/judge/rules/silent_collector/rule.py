"""When each collector was last heard of. The stream tells of every frame; the windows' clock does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.hit import About, Hit


def judge(_: dict[str, Any], __: About) -> None:
    """No record by itself says that nothing comes."""


def fold(state: dict[str, Any], at_ms: int, value: Any, _: Mapping[str, Any]) -> Hit | None:
    """Notes a frame; `value` is its kind."""
    state |= {"last": max(at_ms, state.get("last", 0)), "closed": value == "close", "told": False}
    return None

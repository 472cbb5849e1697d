"""How long after they happened the events of a frame came. The stream tells of every frame that the windows missed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmtrail.stream.judge.hit import About, Hit

HOUR_MS = 3_600_000


def judge(_: dict[str, Any], __: About) -> None:
    """No record by itself says when it came."""


def fold(_: dict[str, Any], __: int, value: Any, p: Mapping[str, Any]) -> Hit | None:
    """Fires on a frame whose first event is too old. `value`: by how much, in milliseconds."""
    if value < p["after_ms"]:
        return None
    shown = f"{value / HOUR_MS:.1f}h"
    return Hit(f"events of it came up to {shown} after the time they say", observed=shown, baseline=p["after"])

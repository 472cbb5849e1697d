"""Whatever breaks the line of a collector's frames."""

from __future__ import annotations

from typing import Any

from slmtrail.stream.judge.hit import About

_WHY = {
    "gap": "frames {first} to {last} never arrived",
    "chain_broken": "frame {first} names another frame before it than the one that came",
    "dropped": "{count} events were dropped at the edge, and signed for",
    "boot_not_closed": "a run ended without a close; what it held after frame {first} is unknown",
    "frame_after_close": "frame {first} came after the run had been closed",
    "events_refused": "{count} events of frame {first} could not be used and lie in the dead letters",
    "key_refused": "frames in its name came under key {key}, which is not believed ({reason})",
}


def judge(record: dict[str, Any], _: About) -> str | None:
    """Why the trail has a gap here, or None."""
    why = _WHY.get(record["event.action"])
    if why is None:
        return None
    told = {name: record.get(f"slm.trail.{name}", "?") for name in ("first", "last", "count", "key")}
    return why.format(**told, reason=record.get("event.reason", "?"))

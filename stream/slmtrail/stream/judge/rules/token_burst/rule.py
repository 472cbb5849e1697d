"""The tokens of a request, both ways."""

from __future__ import annotations

from typing import Any

from slmtrail.stream.judge.hit import About, Hit

_WHY = "{observed} tokens within the hour, against {baseline} (the usual, or the limit while there is no habit)"


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """How many it took, for the window."""
    used = record.get("gen_ai.usage.input_tokens", 0) + record.get("gen_ai.usage.output_tokens", 0)
    return Hit(_WHY, value=used) if used else None

"""Secrets that redaction found in what was sent to the model."""

from __future__ import annotations

from typing import Any

from slmtrail.stream.judge.findings import SECRETS, findings
from slmtrail.stream.judge.hit import About

_SENT = ("gen_ai.input.messages", "gen_ai.system_instructions", "gen_ai.tool.call.arguments")


def judge(record: dict[str, Any], _: About) -> str | None:
    """Which kinds of credentials the prompt held, or None."""
    types = sorted({finding["type"] for finding in findings(record, *_SENT)} & SECRETS)
    return f"the prompt held {', '.join(types)}" if types else None

"""Secrets that redaction found in an answer and not in what was sent."""

from __future__ import annotations

from typing import Any

from slmtrail.stream.judge.findings import SECRETS, findings
from slmtrail.stream.judge.hit import About


def judge(record: dict[str, Any], _: About) -> str | None:
    """Which kinds of credentials the answer brought in, or None."""
    answered = {finding["type"] for finding in findings(record, "gen_ai.output.messages")} & SECRETS
    if not answered:
        return None
    new = answered - {finding["type"] for finding in findings(record, "gen_ai.input.messages")}
    return f"the answer held {', '.join(sorted(new))}, the question did not" if new else None

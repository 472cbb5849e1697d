"""Texts that redaction had to give up on."""

from __future__ import annotations

from typing import Any

from slmtrail.stream.judge.findings import WITHHELD, findings
from slmtrail.stream.judge.hit import About


def judge(record: dict[str, Any], _: About) -> str | None:
    """Where content was withheld because it could not be searched, or None."""
    lost = [f for f in findings(record) if f["type"] == WITHHELD and f["rule"] != "blob"]
    return f"{lost[0]['path']} was withheld ({lost[0]['rule']})" if lost else None

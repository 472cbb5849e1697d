"""Types of findings in answers against what the role may see."""

from __future__ import annotations

from typing import Any

from slmtrail.core.roles import matches
from slmtrail.stream.judge.findings import WITHHELD, findings
from slmtrail.stream.judge.hit import About


def judge(record: dict[str, Any], about: About) -> str | None:
    """Which types the role may not see, or None."""
    if about.role is None or about.role.allow.data == ("*",) or "slm.findings" not in record:
        return None
    types = {finding["type"] for finding in findings(record, "gen_ai.output.messages")} - {WITHHELD}
    closed = sorted(type_ for type_ in types if not matches(about.role.allow.data, type_))
    return f"the answer held {', '.join(closed)}, which the role {record['slm.role']} may not see" if closed else None

"""What rules ask about a record's findings."""

from __future__ import annotations

from typing import Any

import orjson

from slmtrail.core.secrets.catalogue import RULES

SECRETS = frozenset(rule.type for rule in RULES)
WITHHELD = "WITHHELD"
IMPERSONAL = SECRETS | {WITHHELD, "DATE_TIME", "URL", "UUID", "IP_ADDRESS", "MAC_ADDRESS"}
"""Types that say nothing of a person by themselves."""


def findings(record: dict[str, Any], *prefixes: str) -> list[dict[str, Any]]:
    """The findings of a record whose path begins with one of `prefixes`; all, where none is given."""
    if "slm.findings" not in record:
        return []
    found: list[dict[str, Any]] = orjson.loads(record["slm.findings"])
    return [finding for finding in found if not prefixes or finding["path"].startswith(prefixes)]

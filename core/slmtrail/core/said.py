"""What an exchange was about, as the record of an inference holds it."""

from __future__ import annotations

import re
from typing import Any

BLOCKED = "blocked_by_policy"
"""What a sidecar says of an exchange that its guard ended."""

_REFUSES = re.compile(
    r"\W*(?:(?:i(?:'m| am) )?(?:very |so )?sorry\b|i(?:'m| am) (?:unable|not able|not allowed)|"
    r"i (?:can(?:no|['\u2019])t|won['\u2019]t|must decline)|as an ai\b|unfortunately,? i can)",
    re.IGNORECASE,
)
_FILTERED = frozenset({"content_filter", "refusal", "safety"})

OPERATOR = frozenset({"system", "developer"})
"""The roles in which whoever runs the application speaks."""

TOOL = frozenset({"tool", "function"})
"""The roles of what no person present has said."""

_OTHERS = OPERATOR | TOOL | {"assistant"}


def model_of(record: dict[str, Any]) -> str:
    """The model that answered, or else the one that was asked."""
    return str(record.get("gen_ai.response.model") or record.get("gen_ai.request.model") or "")


def version_of(record: dict[str, Any]) -> str:
    """The model and, where it is known, its version."""
    version = record.get("slm.model.version") or record.get("slm.model.digest")
    return f"{model_of(record)}@{version}" if version else model_of(record)


def prompt(record: dict[str, Any]) -> str:
    """What a person asked in the newest turn."""
    for message in reversed(record.get("gen_ai.input.messages", ())):
        if message["role"] not in _OTHERS:
            return "\n".join(part["content"] for part in message["parts"] if "content" in part)
    return ""


def answer(record: dict[str, Any]) -> str:
    """What the model answered, without what it thought."""
    return "\n".join(
        part[name]
        for message in record.get("gen_ai.output.messages", ())
        for part in message["parts"]
        if part["type"] not in ("reasoning", "thinking")
        for name in ("content", "arguments")
        if name in part
    )


def blocked(record: dict[str, Any]) -> bool:
    """Whether a guard ended the exchange."""
    return record.get("error.type") == BLOCKED


def refused(record: dict[str, Any], said: str | None = None) -> bool:
    """Whether the model declined to answer; `said` is the answer, where it is known already."""
    reasons = _FILTERED.intersection(record.get("gen_ai.response.finish_reasons", ()))
    return bool(reasons) or bool(_REFUSES.match((answer(record) if said is None else said)[:200]))

"""What rules ask of logins."""

from __future__ import annotations

from typing import Any

_ACCOUNT = ("user.id", "user.name", "user.email", "slm.claimed.user.id", "slm.key.prefix")


def account(record: dict[str, Any]) -> str | None:
    """Whose login it was, or claimed to be."""
    return next((record[name] for name in _ACCOUNT if name in record), None)

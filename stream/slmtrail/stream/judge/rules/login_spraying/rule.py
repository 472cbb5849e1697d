"""The account of a login that failed, by whichever name it has."""

from __future__ import annotations

from typing import Any

from slmtrail.stream.judge.hit import About, Hit

_ACCOUNT = ("user.id", "user.name", "user.email", "slm.claimed.user.id", "slm.key.prefix")
_WHY = "failed logins of {observed} accounts from one address within {within}"


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """Whose login failed, for the window."""
    account = next((record[name] for name in _ACCOUNT if name in record), None)
    return Hit(_WHY, value=account) if account else None

"""Which requests are logins: the first of someone in a while, and each that showed what did not hold."""

from __future__ import annotations

import time

LOGIN_AGAIN_S = 3600.0
"""One who goes on with the same credential is a new login after this long."""

MAX_LOGINS = 100_000


class Logins:
    """Who was seen, and when."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, str], float] = {}

    def begins(self, method: str, who: str) -> bool:
        """Whether this is the first of someone in a while."""
        now_s, key = time.monotonic(), (method, who)
        if now_s < self._until.get(key, 0.0):
            return False
        if len(self._until) >= MAX_LOGINS:
            self._until.clear()
        self._until[key] = now_s + LOGIN_AGAIN_S
        return True

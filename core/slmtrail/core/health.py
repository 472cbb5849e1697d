"""What is wrong with this process at the moment, in words: its parts tell, and `/health/ready` shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LOOP_S = 5.0
"""An event loop that does not come round for so long is stuck."""


class Health:
    """Of each part that has something to say, what that is. Safe to use from any thread."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}
        self._asked: dict[str, Callable[[], str]] = {}
        self.loop: asyncio.AbstractEventLoop | None = None
        """The loop that has to go on for this process to live."""

    def tell(self, part: str, reason: str = "") -> None:
        """What is wrong with `part`; without a reason, nothing is."""
        if reason:
            self._told[part] = reason
        else:
            self._told.pop(part, None)

    def ask(self, part: str, question: Callable[[], str]) -> None:
        """Asks `question` each time what is wrong with `part`; an empty answer means nothing is."""
        self._asked[part] = question

    def reasons(self) -> dict[str, str]:
        """Why this process is not ready, by part; empty where it is."""
        asked = {part: answer for part, question in list(self._asked.items()) if (answer := question())}
        return {**self._told, **asked}

    def turns(self) -> bool:
        """Whether the event loop comes round. To be called from another thread; waits up to LOOP_S."""
        loop = self.loop
        if loop is None or loop.is_closed():
            return True
        came = asyncio.run_coroutine_threadsafe(_nothing(), loop)
        try:
            came.result(LOOP_S)
        except TimeoutError:
            came.cancel()
            return False
        return True


async def _nothing() -> None:
    pass


HEALTH = Health()
"""This process's."""

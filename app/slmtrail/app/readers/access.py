"""The record that someone looked, was refused, or came in: without a word of what they saw."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from slmtrail.collectors.guard.logins import Logins
from slmtrail.core.ports import Emitter
from slmtrail.core.readers import Reader

REFUSED_EVERY_S = 60.0
MAX_REFUSALS = 10_000


class Access:
    """Tells of readers in events of kind access."""

    def __init__(self, emitter: Emitter | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._emitter = emitter
        self._clock = clock
        self._logins = Logins()
        self._refused: dict[tuple[str, str], tuple[float, int]] = {}

    def tell(
        self,
        reader: Reader,
        action: str,
        peer: str = "",
        *,
        record: str = "",
        count: int | None = None,
        fields: Sequence[str] = (),
        more: dict[str, Any] | None = None,
    ) -> None:
        """That a reader did this.

        record: the one that was looked at; count: how many records were given out; fields: by what was searched.
        """
        self._emit(
            {
                **self._who(reader, peer),
                "event.action": action,
                "event.outcome": "success",
                "slm.access.record": record or None,
                "slm.access.count": count,
                "slm.access.fields": list(fields) or None,
                **(more or {}),
            }
        )

    def came(self, reader: Reader, peer: str) -> None:
        """That a reader is here, where that is the first of them in a while."""
        if self._logins.begins(reader.method, reader.name):
            self.tell(reader, "login", peer)

    def refuse(self, reader: Reader | None, action: str, reason: str, peer: str) -> None:
        """That someone was refused: of each address and reason one a minute, with how many were since the last."""
        key, now = (peer, reason), self._clock()
        told_at, unsaid = self._refused.get(key, (now - REFUSED_EVERY_S, 0))
        if now - told_at < REFUSED_EVERY_S:
            self._refused[key] = (told_at, unsaid + 1)
            return
        if len(self._refused) >= MAX_REFUSALS:
            self._refused.clear()
        self._refused[key] = (now, 0)
        who = self._who(reader, peer) if reader else {"source.ip": peer or None}
        more = {"slm.attributes": {"more_since_last": unsaid}} if unsaid else {}
        self._emit({**who, "event.action": action, "event.outcome": "failure", "event.reason": reason, **more})

    def _who(self, reader: Reader, peer: str) -> dict[str, Any]:
        return {
            "user.id": reader.name,
            "slm.role": reader.role or None,
            "slm.identity.method": reader.method,
            "slm.identity.verified": reader.method != "none",
            "source.ip": peer or None,
        }

    def _emit(self, event: dict[str, Any]) -> None:
        if self._emitter is not None:
            self._emitter.emit({"slm.kind": "access", **{k: v for k, v in event.items() if v is not None}})

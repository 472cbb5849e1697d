"""One request and its answer, on the way through."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from slmtrail.collectors.sidecar.heads import IDEMPOTENT, RequestHead, ResponseHead

if TYPE_CHECKING:
    from slmtrail.collectors.sidecar.client import Client
    from slmtrail.collectors.sidecar.guarded import Guarded
    from slmtrail.collectors.sidecar.upstream import Upstream

MAX_REPLAY_BYTES = 64 * 1024


class Exchange:
    """What the two connections know of the exchange they share, and what of it is to be recorded."""

    __slots__ = (
        "answered",
        "answered_at",
        "asked",
        "at_ms",
        "began",
        "body_start",
        "client",
        "confirm",
        "ended",
        "error",
        "guarded",
        "head_bytes",
        "head_start",
        "number",
        "over",
        "recorded",
        "replay",
        "request",
        "request_bytes",
        "request_cut",
        "request_done",
        "response",
        "response_bytes",
        "response_cut",
        "status",
        "unsent",
        "upstream",
        "waiting_bytes",
    )

    def __init__(self, number: int, client: Client, request: RequestHead | None, head_bytes: int, began: float) -> None:
        self.number = number
        self.client = client
        self.request = request
        """None for what could not be read as a request."""
        self.head_bytes = head_bytes
        self.began = began
        self.at_ms = time.time_ns() // 1_000_000
        self.ended = 0.0
        self.upstream: Upstream | None = None
        self.response: ResponseHead | None = None
        self.head_start = self.body_start = 0
        """Where, in what was answered, the final head and the body begin."""
        self.status = 0
        self.error = ""
        self.request_done = False
        self.request_bytes = 0
        self.response_bytes = 0
        self.over = False
        self.unsent: list[bytes] = []
        """Waits for an upstream connection."""
        self.replay: list[bytes] | None = None
        """What was sent on a connection that may prove stale, where sending it twice does no harm."""
        self.guarded: Guarded | None = None
        """The guard's part in it, where there is a guard."""
        self.confirm: Callable[[bool], None] | None = None
        """Told whether its event was committed, where somebody waits for that."""
        self.recorded = True
        self.asked: list[bytes] = []
        self.answered: list[bytes] = []
        self.answered_at: list[float] = []
        """Bytes of either side that are recorded, and when those of the answer came."""
        self.request_cut = self.response_cut = False
        self.waiting_bytes = 0
        """What it takes of the bound of all that waits to be recorded."""

    def send(self, data: bytes) -> None:
        """Hands bytes of the request to the upstream, at once or when it is connected."""
        upstream = self.upstream
        if upstream is None:
            self.unsent.append(data)
            return
        if self.replay is not None:
            self.replay.append(data)
            if self.request_bytes > MAX_REPLAY_BYTES:
                self.replay = None
        upstream.write(data)

    def attach(self, upstream: Upstream, *, reused: bool) -> None:
        """Sends what waits on `upstream`, from now on this exchange's own."""
        self.upstream = upstream
        again = reused and self.request is not None and self.request.method in IDEMPOTENT
        self.replay = [] if again else None
        unsent, self.unsent = self.unsent, []
        for data in unsent:
            self.send(data)

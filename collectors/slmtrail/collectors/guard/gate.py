"""The gate: who asks, by which role, and what the policy in force says of it. What a sidecar asks, and nothing more."""

from __future__ import annotations

import time
from collections.abc import Mapping

from slmtrail.collectors.guard.asked import Asked
from slmtrail.collectors.guard.caller import Caller
from slmtrail.collectors.guard.guard import NOBODY_CLOSED, Closed, Guard, Ruled
from slmtrail.collectors.guard.identity import Identifier
from slmtrail.collectors.guard.in_force import InForce
from slmtrail.collectors.guard.verdict import Decision
from slmtrail.core.control import Decisions
from slmtrail.core.policy import Policy


class Gate(InForce):
    """The guard at work. For one event loop."""

    def __init__(self, own: Policy, identifier: Identifier, decisions: Decisions | None = None) -> None:
        super().__init__(own, decisions)
        self.identifier = identifier
        self.guard = Guard(own)
        self.obey()

    @property
    def idle(self) -> bool:
        """Whether there is nothing to decide, nobody shut out and no token to check."""
        return self.guard.idle and self.guard.closed == NOBODY_CLOSED and not self.identifier.checks_tokens

    def caller(self, head: Mapping[str, str], peer_ip: str, certificate: str) -> Caller | None:
        """Who sends a request; None where the keys of tokens have to be fetched first (`identifier.refresh`)."""
        return self.identifier.caller(head, peer_ip, certificate, time.time())

    def on_head(self, caller: Caller, operation: str | None) -> tuple[Ruled, Decision]:
        """The role of a caller, and the decision as far as the head allows one."""
        ruled = self.guard.ruled(caller)
        return ruled, ruled.decision(self.guard.on_head(caller, ruled, operation, time.time()))

    def on_body(self, ruled: Ruled, asked: Asked, so_far: Decision) -> Decision:
        """The decision once the body is known."""
        return ruled.decision([*so_far.reasons, *ruled.on_body(asked)])

    def obey(self) -> None:
        """Takes up the decisions as they are now: when they change, and now and then for those that end."""
        now_ms = time.time_ns() // 1_000_000
        if self.decisions:
            self.guard.closed = Closed(*(self.decisions.closed(what, now_ms) for what in ("key", "user", "role")))
        super().obey()
        if self.guard.policy is not self.policy:
            self.guard.use(self.policy)

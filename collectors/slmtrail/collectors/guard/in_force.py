"""The policy in force: that of the file, unless a signed decision put another in force at all collectors."""

from __future__ import annotations

import logging
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from slmtrail.core import policy
from slmtrail.core.control import Decisions
from slmtrail.core.errors import SettingsError
from slmtrail.core.policy import Policy

log = logging.getLogger(__name__)


class InForce:
    """A policy that follows its file and the decisions. For one event loop."""

    def __init__(self, own: Policy, decisions: Decisions | None = None) -> None:
        self.own = own
        self.policy = own
        self.decisions = decisions
        self.on_policy: Callable[[Policy, str], None] = lambda _policy, _fault: None
        """Called with the policy that came into force, or stays so, and what was wrong with the one that did not."""
        self.on_recipient: Callable[[X25519PublicKey], None] = lambda _key: None
        """Called with the stream's key once another is put in its place."""
        self._ordered = ""

    def use(self, own: Policy) -> None:
        """The file holds another policy."""
        self.own = own
        self.obey()

    def obey(self) -> None:
        """Takes up the decisions as they are now: when they change, and now and then for those that end."""
        if self.decisions and (recipient := self.decisions.recipient):
            self.on_recipient(recipient)
        wanted = self.own
        ordered = self.decisions.policy if self.decisions else ""
        if ordered:
            try:
                wanted = policy.parse(ordered, "the policy put in force by decision")
            except SettingsError as error:
                if self._ordered != ordered:
                    log.error("a policy put in force by decision is not followed: %s", error)
                    self.on_policy(self.policy, str(error))
        self._ordered = ordered
        if wanted.digest != self.policy.digest:
            self.policy = wanted
            log.info("the policy %s %s is in force", wanted.version, wanted.digest[:16])
            self.on_policy(wanted, "")

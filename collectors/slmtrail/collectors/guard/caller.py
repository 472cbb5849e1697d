"""Who is behind a request: what is verified of them, and what is only claimed, apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Method = Literal["none", "api_key", "token", "certificate", "proxy"]


@dataclass(frozen=True, slots=True)
class Caller:
    """What a request says of its sender. Empty is what it does not say.

    method: what it showed. verified: whether that was checked and held; then `user`, `groups` and the rest are facts,
        else nothing but `claimed_user` may hold a name.
    """

    method: Method = "none"
    verified: bool = False
    user: str = ""
    name: str = ""
    email: str = ""
    groups: tuple[str, ...] = ()
    issuer: str = ""
    certificate: str = ""
    key_hash: str = ""
    key_prefix: str = ""
    claimed_user: str = ""
    source_ip: str = ""
    forwarded_ip: str = ""
    """The address that a proxy names which is not trusted to."""
    session: str = ""
    fault: str = ""
    """Why what it showed did not hold, as a stable word; empty where it held or nothing was shown."""

    @property
    def who(self) -> str:
        """Whose limits this request counts against."""
        return self.user or self.key_hash or self.certificate or self.source_ip

    def fields(self) -> dict[str, Any]:
        """The fields of an event."""
        given: dict[str, Any] = {
            "slm.identity.method": self.method,
            "slm.identity.verified": self.verified,
            "slm.identity.issuer": self.issuer,
            "slm.identity.groups": list(self.groups),
            "user.id": self.user,
            "user.name": self.name,
            "user.email": self.email,
            "slm.key.hash": self.key_hash,
            "slm.key.prefix": self.key_prefix,
            "slm.claimed.user.id": self.claimed_user,
            "source.ip": self.source_ip,
            "network.forwarded_ip": self.forwarded_ip,
            "session.id": self.session,
        }
        return {name: value for name, value in given.items() if value not in ("", [])}

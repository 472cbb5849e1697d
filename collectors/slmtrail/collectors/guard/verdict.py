"""What the guard decided, and how a client is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from slmtrail.core.events import Risk
from slmtrail.core.guards import Verdict

FLAG_FIELD = b"slm-verdict"


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that fired. `status` is the answer where it blocks."""

    rule: str
    text: str
    verdict: Verdict = "block"
    status: int = 403
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on a request or its answer."""

    policy: str
    role: str
    risk: Risk
    reasons: tuple[Reason, ...] = ()
    enforced: bool = True
    point: str = "request"
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """The strictest of all reasons; what is not enforced is flagged."""
        if any(reason.verdict == "block" for reason in self.reasons) and self.enforced:
            return "block"
        return "flag" if self.reasons else "allow"

    @property
    def first(self) -> Reason:
        """The reason that the client is told: the first that blocks, else the first."""
        return next((reason for reason in self.reasons if reason.verdict == "block"), self.reasons[0])

    def fields(self) -> dict[str, Any]:
        """The fields of the event of kind policy that says so."""
        given: dict[str, Any] = {
            "slm.kind": "policy",
            "event.action": f"guard_{self.point}",
            "event.outcome": "failure" if self.verdict == "block" else "success",
            "slm.verdict": self.verdict,
            "slm.guard.point": self.point,
            "slm.guard.policy": self.policy,
            "slm.guardrail.name": "slmtrail",
            "slm.role": self.role,
            "slm.risk": self.risk,
        }
        if self.reasons:
            given |= {
                "rule.id": self.first.rule,
                "event.reason": self.first.text,
                "slm.guard.reasons": list(dict.fromkeys(reason.rule for reason in self.reasons)),
            }
        if self.verdict == "block":
            given["http.response.status_code"] = self.first.status
        return given

    def header(self) -> bytes:
        """The field that tells a client of a flag."""
        rules = ",".join(dict.fromkeys(reason.rule for reason in self.reasons))
        return b"%b: flag; rules=%b\r\n" % (FLAG_FIELD, rules.encode("ascii", "replace"))


_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    413: "request_too_large",
    429: "rate_limit_error",
}


def told(reason: Reason, provider: str) -> bytes:
    """The body of a refusal, in the shape of errors that the API's clients know."""
    kind = _KINDS.get(reason.status, "permission_error" if reason.status < 500 else "server_error")
    message = f"blocked by policy ({reason.rule}): {reason.text}"
    error: Any = {"message": message, "type": kind, "param": None, "code": reason.rule}
    if provider == "anthropic":
        return orjson.dumps({"type": "error", "error": {"type": kind, "message": message}}) + b"\n"
    return orjson.dumps({"error": message if provider == "ollama" else error}) + b"\n"

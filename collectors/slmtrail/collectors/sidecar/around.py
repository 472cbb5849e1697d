"""All events of one exchange: its own, with who is behind it, and those beside it: logins, and the guard's verdicts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import orjson

from slmtrail.collectors.guard import external
from slmtrail.collectors.guard.identity import Identifier, IdentityOptions
from slmtrail.collectors.guard.logins import Logins
from slmtrail.collectors.sidecar import record
from slmtrail.collectors.sidecar.apis.api import Json
from slmtrail.collectors.sidecar.transcript import Transcript
from slmtrail.core.capturing import STRICTNESS, stricter
from slmtrail.core.errors import EventError
from slmtrail.core.events import CaptureLevel

CAPTURE = b"slm-capture"
"""The field in which a client asks for less to be kept of its request: redacted or metadata."""

_REFUSED = "refused by the model server"
_OF_PEOPLE = ("identity-required", "key-disabled", "user-disabled", "role-disabled")
"""Rules of the guard that say who may not, whatever they ask."""

_LLAMA_GUARD = re.compile(rb'"gen_ai\.re(?:quest|sponse)\.model":"[^"]{0,200}(?i:llama-?guard)')
"""An exchange with a model whose answers are verdicts."""

_MODEL = ("gen_ai.request.model", "gen_ai.operation.name")

MAX_KNOWN = 1024
"""Senders remembered, so that who sends again is not worked out again."""

_Credential = tuple[str, str, str]
"""What kind it is, whose, and why it does not hold."""

Used = tuple[str, int, int]
"""A model, and the tokens that went in and came out."""


class Around:
    """Makes the events of exchanges before one server."""

    def __init__(self, place: record.Place, identity: IdentityOptions | None) -> None:
        self._place = place
        self._identifier = Identifier(identity) if identity else None
        names = "|".join(map(re.escape, self._identifier.fields)) if self._identifier else "-"
        self._of_people = re.compile(rf"\n(?:{names}):[^\r]*".encode())
        self._known: dict[tuple[str, str, tuple[bytes, ...]], tuple[Json, _Credential]] = {}
        self._logins = Logins()

    @classmethod
    def heard(cls, told: dict[str, Any]) -> Around:
        """As the proxy says at the start."""
        identity = told.pop("identity")
        return cls(record.Place(**told), IdentityOptions.heard(identity) if identity else None)

    def lines(self, seen: Transcript) -> tuple[bytes, Used | None]:
        """The events' lines, joined by line ends; and what is to be counted of it, if anything."""
        guarded = seen.facts.guarded
        beside, credential = self._caller(seen, guarded)
        level: CaptureLevel = guarded.get("level", "full") if guarded else "full"
        asked = seen.asked[CAPTURE].lower()
        if asked in STRICTNESS:
            level = stricter(level, asked)
        if level != "full":
            beside["slm.capture.level"] = level
        line = record.to_line(seen, self._place, beside)
        lines, used = [line], None
        decisions = guarded["decisions"] if guarded else []
        others = [*(_verdict(line) if _LLAMA_GUARD.search(line) else ()), *self._login(seen, credential, decisions)]
        spends = guarded is not None and guarded.get("spends", False)
        event = orjson.loads(line) if decisions or spends else {}
        if decisions or others:
            shared = record.shared(seen, self._place) | beside
            about = shared | {name: event[name] for name in _MODEL if name in event}
            lines += [record.line(about | decision) for decision in decisions]
            lines += [record.line(shared | other) for other in others]
        if spends:
            used = _used(event)
        return b"\n".join(lines), used

    def _caller(self, seen: Transcript, guarded: Json | None) -> tuple[Json, _Credential]:
        """Fields that say who asked, and what was shown for it."""
        if guarded is not None:
            method, who, fault = guarded["credential"]
            return guarded["caller"] | guarded.get("role", {}), (method, who, fault)
        if self._identifier is None or not seen.method:
            return {}, ("none", "", "")
        facts = seen.facts
        shown = (facts.source_ip, facts.certificate, seen.asked.lines(self._of_people))
        known = self._known.get(shown)
        if known is None:
            caller = self._identifier.caller(seen.asked.fields(), facts.source_ip, facts.certificate, 0.0)
            assert caller is not None  # noqa: S101 (only checked tokens take waiting)
            fault = caller.fault if caller.fault != "token_not_checked" else ""
            known = caller.fields(), (caller.method, caller.who, fault)
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[shown] = known
        return known[0].copy(), known[1]

    def _login(self, seen: Transcript, credential: _Credential, decisions: list[Json]) -> Iterator[Json]:
        method, who, fault = credential
        barred = next((one for one in decisions if one.get("rule.id") in _OF_PEOPLE), None)
        reason = fault or (barred["rule.id"] if barred else "")
        if not reason and method != "none" and not _blocked(decisions) and seen.facts.status in (401, 403):
            reason = _REFUSED
        login = {"slm.kind": "auth", "event.action": "login"}
        if reason:
            yield login | {"event.outcome": "failure", "event.reason": reason}
        elif method != "none" and self._logins.begins(method, who):
            yield login | {"event.outcome": "success"}


def _blocked(decisions: list[Json]) -> bool:
    """Whether it was the guard that refused."""
    return any(decision["slm.verdict"] == "block" for decision in decisions)


def _verdict(line: bytes) -> Iterator[Json]:
    """What a model that is a guardrail said, if it said something of the kind."""
    messages = orjson.loads(line).get("gen_ai.output.messages", [])
    for part in (part for message in messages[:1] for part in message["parts"][:1]):
        with suppress(EventError):
            yield external.llama_guard(part.get("content"))


def _used(event: Json) -> Used | None:
    model = event.get("gen_ai.request.model") or event.get("gen_ai.response.model")
    if not model:
        return None
    return model, event.get("gen_ai.usage.input_tokens", 0), event.get("gen_ai.usage.output_tokens", 0)

"""Where the application is just now: who asks, in which session, conversation and trace, with how much privacy.

It follows the flow of the program, also into async tasks. A new thread begins with nothing, as with all context
variables, unless it is started through `contextvars.copy_context().run`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any

from slmtrail.collectors.sdk.quiet import warn

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

LEVELS = ("full", "redacted", "metadata")
"""How much of an event is kept, from most to least."""

CAPTURE = "slm.capture.level"
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?", re.ASCII)
_NOTHING: Mapping[str, Any] = {}

here: ContextVar[Mapping[str, Any]] = ContextVar("slmtrail", default=_NOTHING)
"""The fields that events made here share. The mapping is never changed, only replaced."""


def stricter(first: object, second: object) -> str | None:
    """The level that keeps less; None stands for no wish. A word that is no level keeps the least."""
    wished = [_rank(level) for level in (first, second) if level is not None]
    return LEVELS[max(wished)] if wished else None


def _rank(level: object) -> int:
    if level not in LEVELS:
        warn("a capture level is one of %s; another word is taken as metadata", ", ".join(LEVELS))
        return len(LEVELS) - 1
    return LEVELS.index(level)


def merged(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """`inner` over `outer`; of two capture levels the one that keeps less."""
    both = {**outer, **inner}
    if CAPTURE in inner and CAPTURE in outer:
        both[CAPTURE] = stricter(outer[CAPTURE], inner[CAPTURE])
    return both


def traced(traceparent: object) -> dict[str, str]:
    """The fields of a W3C `traceparent`, none where it is not one."""
    found = _TRACEPARENT.fullmatch(traceparent.strip()) if isinstance(traceparent, str) else None
    return {"trace.id": found[1], "parent.id": found[2]} if found else {}


def ip(value: object) -> IPv4Address | IPv6Address | None:
    """The address in a text, which proxies write with a port or in brackets."""
    import ipaddress

    try:
        text = str(value).strip()
        if text.startswith("["):
            text = text[1:].partition("]")[0]
        elif text.count(":") == 1:
            text = text.partition(":")[0]
        found = ipaddress.ip_address(text.partition("%")[0])
    except Exception:  # whatever `value` is
        return None
    return getattr(found, "ipv4_mapped", None) or found


def address(value: object) -> dict[str, str]:
    """The source of a request, nothing where it is no IP address."""
    found = ip(value)
    return {} if found is None else {"source.ip": str(found)}


class Context:
    """Fields that hold for what happens inside `with`."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields
        self._entered: list[tuple[Mapping[str, Any], Token[Mapping[str, Any]]]] = []

    def __enter__(self) -> None:
        outer = here.get()
        self._entered.append((outer, here.set(merged(outer, self._fields))))

    def __exit__(self, *_: object) -> None:
        leave(*self._entered.pop())


def leave(outer: Mapping[str, Any], token: Token[Mapping[str, Any]]) -> None:
    """Back to `outer`, also where the block is left in another context than it was entered (async generators)."""
    try:
        here.reset(token)
    except (ValueError, RuntimeError):
        here.set(outer)

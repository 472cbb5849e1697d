"""From messages to events: our own as JSON, fields as structured data, and whatever else programs write."""

from __future__ import annotations

from typing import Any

from slmtrail.collectors.receive.otlp.related import about_models
from slmtrail.collectors.receive.otlp.shape import kind_of, line, told_by
from slmtrail.collectors.receive.otlp.spans import step_fields
from slmtrail.collectors.receive.otlp.told import Told
from slmtrail.collectors.receive.syslog.message import Message, parse
from slmtrail.collectors.tail.formats.values import dig, integer, known
from slmtrail.core import canonical, events
from slmtrail.core.errors import EventError

OURS = "slm"
"""The name of the structured data whose parameters are fields; a number of an enterprise may stand behind an @."""

AUTH_FACILITIES = (4, 10)
_TAKEN = ("slm.kind", "event.outcome", "message", "trace.id", "span.id", "parent.id")
"""Fields that structured data may set though attributes of OTLP may not."""


def event_of(data: bytes, sender: dict[str, Any], peer: str, max_bytes: int, now_ms: int) -> bytes:
    """The canonical line of a message's event.

    sender: the fields of who sends it. peer: the address it came from. Raises EventError for what is no message, or
    one that holds an event of ours that does not fit.
    """
    message = parse(data)
    head = known(
        {
            "host.name": message.host or None,
            "service.name": message.app or None,
            "process.pid": integer(message.process),
        }
    )
    body = _object(message.text)
    if body is not None and ("slm.kind" in body or dig(body, "slm", "kind") is not None):
        return _own(body, message, head, sender, max_bytes, now_ms)
    said = {name: value for one, values in message.data.items() if _is_ours(one) for name, value in values.items()}
    attributes = {**(body or {}), **{name: value for name, value in said.items() if name not in _TAKEN}}
    told = told_by(attributes)
    about = {
        "facility": message.facility,
        "severity": message.severity,
        "id": message.id or None,
        "peer": peer or None,
        "data": {one: values for one, values in message.data.items() if not _is_ours(one)} or None,
    }
    event = {
        "@timestamp": message.time or None,
        "event.outcome": "unknown",
        "message": message.text if body is None else None,
        **head,
        **_kind_fields(message, attributes, told),
        **told.fields,
        **{name: said[name] for name in _TAKEN if name in said},
        **sender,
    }
    if event["slm.kind"] not in events.COLLECTED_KINDS:
        raise EventError(f"slm.kind: should be one of {', '.join(sorted(events.COLLECTED_KINDS))}", "unknown_kind")
    return line(known(event), told.rest, {"syslog": known(about)}, max_bytes, now_ms)


def _kind_fields(message: Message, attributes: dict[str, Any], told: Told) -> dict[str, Any]:
    """The kind of event that a message is unless it says so itself, and what events of each kind are called."""
    called = message.id or message.app or "message"
    names = {"event.action": called, "slm.upstream.name": called, "slm.step.name": called}
    if not about_models(attributes):
        return names | {"slm.kind": "auth" if message.facility in AUTH_FACILITIES else "process"}
    kind, step = kind_of(told)
    return names | (step_fields(told, step, called) if kind == "process" else {}) | {"slm.kind": kind}


def _own(
    body: dict[str, Any], message: Message, head: dict[str, Any], sender: dict[str, Any], max_bytes: int, now_ms: int
) -> bytes:
    try:
        at_ms = events.timestamp_ms(message.time) if message.time else now_ms
    except (ValueError, OverflowError):
        raise EventError("the time in the header is none of RFC 3339", "not_rfc5424") from None
    made = canonical.dumps(head | events.parse(body, at_ms) | sender)
    if len(made) > max_bytes:
        raise EventError(f"the event is {len(made)} bytes, over {max_bytes}", "oversized")
    return made


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is, with or without the cookie of CEE before it."""
    text = text.removeprefix("@cee:").strip()
    if not text.startswith("{"):
        return None
    try:
        found = events.load(text)
    except EventError:
        return None
    return found if isinstance(found, dict) else None


def _is_ours(element: str) -> bool:
    return element.partition("@")[0] == OURS

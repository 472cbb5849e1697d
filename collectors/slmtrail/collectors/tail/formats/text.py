"""Plain text: a regular expression whose named groups are an event's fields, and values that always hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from slmtrail.collectors.tail.formats.values import integer, number
from slmtrail.core.errors import EventError, SettingsError
from slmtrail.core.fields import FIELDS, STREAM_OWNED

_GROUPS = {name.lstrip("@").replace(".", "_"): name for name in FIELDS if name not in STREAM_OWNED}
"""What a group is called: a field's name with underscores, for a group's name can hold no dot."""


def reader(pattern: str, fixed: Mapping[str, str], time_format: str = "") -> Callable[[bytes], list[dict[str, Any]]]:
    """Reads entries that `pattern` matches from their beginning. A group that names no field becomes a label."""
    try:
        expression = re.compile(pattern, re.DOTALL)
    except re.error as error:
        raise SettingsError(f"the pattern is no regular expression: {error}") from None
    if not expression.groupindex:
        raise SettingsError("the pattern has no named group: name what it finds, as (?P<user_id>\\S+)")
    for name in fixed:
        if name not in FIELDS or name in STREAM_OWNED:
            raise SettingsError(f"{name}: no such field; see the reference")
    if "slm.kind" not in fixed and "slm_kind" not in expression.groupindex:
        raise SettingsError("nothing says which kind of event a line is: set slm.kind, or name a group slm_kind")

    def read(entry: bytes) -> list[dict[str, Any]]:
        try:
            found = expression.match(entry.decode().rstrip("\r\n"))
        except UnicodeDecodeError:
            raise EventError("not UTF-8: convert the file", "not_utf8") from None
        if not found:
            raise EventError("does not match the pattern", "no_match")
        event = {name: _typed(name, value) for name, value in fixed.items()}
        labels: dict[str, str] = {}
        for group, value in found.groupdict().items():
            if value is None:
                continue
            if name := _GROUPS.get(group):
                event[name] = _time(value, time_format) if name == "@timestamp" and time_format else _typed(name, value)
            else:
                labels[group] = value
        return [event | ({"labels": labels} if labels else {})]

    return read


def _typed(name: str, value: str) -> Any:
    """A text as its field's type; what does not fit is left for the check of the event to name."""
    kind = FIELDS[name].type
    if kind == "integer":
        found = integer(value)
        return value if found is None else found
    if kind == "decimal":
        score = number(value)
        return value if score is None else score
    if kind == "boolean":
        return {"true": True, "false": False}.get(value.lower(), value)
    return value.split(",") if kind == "keywords" else value


def _time(value: str, time_format: str) -> str:
    try:
        moment = datetime.strptime(value, time_format)  # noqa: DTZ007 - a time without a zone is taken as UTC
    except ValueError:
        raise EventError(f"@timestamp: is not a time in the form {time_format}", "bad_time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat(timespec="milliseconds")

"""A message of RFC 5424, or of the older form of RFC 3164, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from slmtrail.core.errors import EventError

MAX_PRIORITY = 191
_HEAD = re.compile(r"<(\d{1,3})>1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) ", re.ASCII)
_OLD = re.compile(
    r"<(\d{1,3})>(?:([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)|(\d{4}-\d\d-\d\dT\S{1,52})) (\S{1,255}) "
    r"(?:([^\s:\[\]]{1,48})(?:\[([^\s\]]{1,128})\])?: ?)?",
    re.ASCII,
)
"""Of many devices, and of rsyslog where no template is set, which writes whole times."""

OLD_TIME = "rfc3164"
"""The name under which a time without year and zone, which says little, stands among the structured data."""

_ELEMENT = re.compile(r"\[([^\s=\]\"]{1,64})")
_PARAMETER = re.compile(r" ([^\s=\]\"]{1,64})=\"([^\"\\]*(?:\\.[^\"\\]*)*)\"", re.DOTALL)
_ESCAPED = re.compile(r"\\([\"\\\]])")


@dataclass(frozen=True, slots=True)
class Message:
    """What a message says; empty is what it leaves open."""

    facility: int
    severity: int
    time: str
    host: str
    app: str
    process: str
    id: str
    data: dict[str, dict[str, str]]
    text: str


def parse(message: bytes) -> Message:
    """Takes a message apart. Raises EventError where it is none."""
    text = message.decode("utf-8", "replace")
    head = _HEAD.match(text) or _OLD.match(text)
    if head is None or int(head[1]) > MAX_PRIORITY:
        forms = "<priority>1 time host app process id, or <priority>time host app: "
        raise EventError(f"should begin as RFC 5424 or RFC 3164 has it: {forms}", "not_rfc5424")
    if head.re is _OLD:
        return _old(text, head)
    data, end = _data(text, head.end())
    priority = int(head[1])
    time, host, app, process, name = ("" if value == "-" else value for value in head.groups()[1:])
    rest = text[end + 1 :].removeprefix("\ufeff")
    return Message(priority >> 3, priority & 7, time, host, app, process, name, data, rest)


def _old(text: str, head: re.Match[str]) -> Message:
    priority = int(head[1])
    data = {OLD_TIME: {"time": head[2]}} if head[2] else {}
    host, app, process = (value or "" for value in head.group(4, 5, 6))
    return Message(
        priority >> 3,
        priority & 7,
        head[3] or "",
        host,
        app,
        process,
        "",
        data,
        text[head.end() :].removeprefix("\ufeff"),
    )


def _data(text: str, at: int) -> tuple[dict[str, dict[str, str]], int]:
    """The structured data that begins at a place, and where it ends."""
    data: dict[str, dict[str, str]] = {}
    if text.startswith("-", at):
        at += 1
    else:
        while element := _ELEMENT.match(text, at):
            at = element.end()
            values = data.setdefault(element[1], {})
            while parameter := _PARAMETER.match(text, at):
                at = parameter.end()
                values[parameter[1]] = _ESCAPED.sub(r"\1", parameter[2])
            if not text.startswith("]", at):
                raise EventError(f"the structured data does not go on at character {at + 1}", "not_rfc5424")
            at += 1
        if not data:
            raise EventError("behind the header should stand structured data, or -", "not_rfc5424")
    if at < len(text) and text[at] != " ":
        raise EventError(f"a space should stand at character {at + 1}", "not_rfc5424")
    return data, at

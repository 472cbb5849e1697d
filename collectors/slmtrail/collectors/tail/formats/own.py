"""slmtrail's own events, one JSON object a line.

Most were written by a program, flat and complete. Those are checked against the types of their fields and go on
as they are, since the stream validates every event again anyway; all others take the long way through `parse`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import repeat
from operator import contains, length_hint
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, UnsetType
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from slmtrail.collectors.tail.formats.format import EachEntry, Taken
from slmtrail.core import events
from slmtrail.core.fields import ACCESS_OWNED, FIELDS, IMPORTED, MAX_KEYWORD_CHARS, Type
from slmtrail.core.messages import Message, Part

_TIME = (
    r"^[12][0-9][0-9][0-9]-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?Z\Z"
)
"""Each month has 28 days; the rarer spellings take the long way."""


_LEFT_TO_PARSE = {"slm.kind", IMPORTED, "slm.capture.level", *ACCESS_OWNED}
"""The kind is a tag; `parse` says who may set the others, and who asks for less to be kept has that read further on."""


class OwnFormat:
    """JSON lines of events."""

    def __init__(self, max_event_bytes: int) -> None:
        self._slowly = EachEntry(lambda entry: [_loaded(entry)], max_event_bytes)
        self._max_event_bytes = max_event_bytes
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(_flat_event()).decode

    def events(self, entries: list[bytes], now_ms: int) -> Taken:
        """As `Format` says."""
        taken = Taken()
        begun = 0
        for index in self._irregular(entries):
            slow = self._slowly.events([entries[index]], now_ms)
            taken.lines += entries[begun:index] + slow.lines
            taken.refused += [(index, error) for _, error in slow.refused]
            begun = index + 1
        taken.lines += entries[begun:]
        return taken

    def _irregular(self, entries: list[bytes]) -> list[int]:
        """The indexes of those that are not to go on as they are."""
        found: set[int] = set()
        rest = iter(entries)
        while length_hint(rest):
            try:
                deque(map(self._decode, rest), maxlen=0)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                found.add(len(entries) - length_hint(rest) - 1)
        most = self._max_event_bytes
        if max(map(len, entries), default=0) > most or any(map(contains, entries, repeat(b"\n"))):
            # A frame holds one event a line.
            found |= {index for index, entry in enumerate(entries) if len(entry) > most or b"\n" in entry}
        return sorted(found)


def _loaded(entry: bytes) -> dict[str, Any]:
    value = events.load(entry)
    # `parse` says best what is wrong with anything else.
    return value if isinstance(value, dict) else events.parse(entry, 0)


def _flat_event() -> Any:
    """The type of what needs no repair: known names, of the right type, with what its kind demands and a time."""
    kinds: Any = None
    for kind in sorted(events.COLLECTED_KINDS):
        made = _struct(events.KINDS[kind], _value, "gen_ai.request.model" if kind == "inference" else "", kind)
        kinds = made if kinds is None else kinds | made
    return kinds


def _struct(
    model: type[BaseModel], value: Callable[[str, FieldInfo], Any], needed: str = "", kind: str | None = None
) -> Any:
    """What has the fields of a model and no others, each with the type that `value` says."""
    fields: list[Any] = []
    names = {}
    for attribute, field in model.model_fields.items():
        name = names[attribute] = field.alias or attribute
        if name in _LEFT_TO_PARSE:
            continue
        required = field.is_required() or name == needed
        made = value(name, field)
        fields.append((attribute, made) if required else (attribute, made | UnsetType, UNSET))
    return msgspec.defstruct(
        model.__name__,
        fields,
        kw_only=True,
        gc=False,
        rename=names,
        forbid_unknown_fields=True,
        tag_field="slm.kind" if kind else None,
        tag=kind,
    )


_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_SHORT = Annotated[str, Meta(max_length=64)]
_TEXT = Annotated[str, Meta(max_length=events.MAX_TEXT_CHARS)]
_KEYWORD = Annotated[str, Meta(max_length=MAX_KEYWORD_CHARS)]
_KEY_HASH = Annotated[str, Meta(pattern=r"^e[0-9]{1,4}:[0-9a-f]{24}$")]
_LABEL = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.\-]{1,64}\Z")]


def _said(name: str, field: FieldInfo) -> Any:
    if name == "parts":
        return Annotated[list[_struct(Part, _said)], Meta(max_length=10_000)]  # type: ignore[misc]
    return _SHORT if field.is_required() else _TEXT


_TYPES: dict[Type, Any] = {
    "keyword": _KEYWORD,
    "keywords": Annotated[list[_KEYWORD], Meta(max_length=256)],
    "text": _TEXT,
    "integer": Annotated[int, Meta(gt=-(2**53), lt=2**53)],
    "decimal": Annotated[float, Meta(gt=-1e15, lt=1e15)],
    "date": _SHORT,
    "ip": Annotated[str, Meta(pattern=rf"^({_OCTET}\.){{3}}{_OCTET}\Z")],
    "boolean": bool,
    "json": _TEXT,
    "labels": Annotated[dict[_LABEL, _KEYWORD], Meta(max_length=64)],
    "messages": Annotated[list[_struct(Message, _said)], Meta(max_length=10_000)],  # type: ignore[misc]
}


def _value(name: str, field: FieldInfo) -> Any:
    if name == "@timestamp":
        return Annotated[str, Meta(pattern=_TIME)]
    if name == "slm.repairs":
        return list[Literal["lone_surrogates"]]
    if name == "slm.key.hash":
        return _KEY_HASH
    for part in (field.annotation, *get_args(field.annotation)):
        if get_origin(part) is Literal:
            return part
    return _TYPES[FIELDS[name].type]

"""What strangers send, made to fit the fields of an event: nothing that was seen is refused for its shape."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any, cast

import orjson

from slmtrail.core import canonical
from slmtrail.core.fields import FIELDS, MAX_KEYWORD_CHARS
from slmtrail.core.shapes import MESSAGE_FIELDS, PART_FIELDS, normalise_messages

MIN_BLOB_CHARS = 256
MAX_KEYWORDS = 256
MAX_MESSAGES = 10_000
MAX_NAME_CHARS = 64
"""Of a role, or the type of a part."""

_NONE = "-" * (MAX_NAME_CHARS + 1)
MIN_CUT_CHARS = 64

_DATA_URL = re.compile(r"data:([\w.+\-/]{0,100})[^,]{0,200}?;base64,", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]+={0,2}")
_BLOB_KEYS = frozenset(("data", "url", "image_url", "file_data", "images", "b64_json", "bytes"))
_JSON_PARTS = frozenset(("arguments", "result", "extra"))


def without_blobs(value: Any, key: str = "") -> Any:
    """`value` with images, sound and files as their digest: they are no text, and too large for an event."""
    if isinstance(value, dict):
        return {name: without_blobs(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [without_blobs(item, key) for item in value]
    if not isinstance(value, str) or len(value) < MIN_BLOB_CHARS or key not in _BLOB_KEYS:
        return value
    url = _DATA_URL.match(value)
    if url is None and not _BASE64.fullmatch(value):
        return value
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return f"data:{url[1] if url else ''};chars={len(value)};sha256={digest}"


def fitting(fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Those of `fields` that their types take, made canonical, and the others."""
    fit, rest = {}, {}
    for name, value in fields.items():
        made = _FITS[name](value)
        if made is not None:
            fit[name] = made
        elif value is not None and value not in ([], ""):
            rest[name] = value
    return fit, rest


def _keyword(value: Any) -> Any:
    made = value if type(value) is str else _text(value)
    return made[:MAX_KEYWORD_CHARS] or None if made else None


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return value or None
    if isinstance(value, int | dict | list) and not isinstance(value, bool) and value:
        return json_text(without_blobs(value))
    return None


def _keywords(value: Any) -> Any:
    each = value if isinstance(value, list) else [value]
    return [one[:MAX_KEYWORD_CHARS] for one in each if isinstance(one, str)][:MAX_KEYWORDS] or None


def _json(value: Any) -> Any:
    return None if value is None else json_text(without_blobs(value))


def _boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else None


def _integer(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not value.is_integer():
        return None
    return int(value) if abs(value) <= canonical.MAX_INTEGER else None


def _decimal(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return canonical.decimal(value, "it") if abs(value) < canonical.MAX_DECIMAL else None


def _messages(value: Any) -> Any:
    return [_message(one) for one in value[-MAX_MESSAGES:]] or None if isinstance(value, list) else None


def _message(given: Any) -> dict[str, Any]:
    """A message in the shape of events; what has none is kept as JSON text."""
    if isinstance(given, dict):
        # Nearly all are one of these two, and need no long look.
        role, content = given.get("role"), given.get("content")
        if len(given) == 2 and type(role) is str and type(content) is str and len(role) <= MAX_NAME_CHARS:
            return {"role": role, "parts": [{"type": "text", "content": content}]}
        if _is_shaped(given):
            return given
        given = without_blobs(given)
        (made,) = cast("list[dict[str, Any]]", normalise_messages([given]))
        for part in made["parts"]:
            for name in _JSON_PARTS & part.keys():
                part[name] = json_text(part[name])
        if _is_shaped(made):
            return made
    return {"role": "unknown", "parts": [{"type": "extra", "extra": json_text(without_blobs(given))}]}


def _is_shaped(given: dict[str, Any]) -> bool:
    """Whether a message is in the shape of events already."""
    parts = given.get("parts")
    if type(parts) is not list or len(parts) > MAX_MESSAGES:
        return False
    for name, value in given.items():
        if name not in MESSAGE_FIELDS or (type(value) is not str and value is not parts):
            return False
    for part in parts:
        if type(part) is not dict:
            return False
        for name, value in part.items():
            if type(value) is not str or name not in PART_FIELDS:
                return False
        if len(part.get("type", _NONE)) > MAX_NAME_CHARS:
            return False
    return len(given.get("role", _NONE)) <= MAX_NAME_CHARS


_OF_TYPE: dict[str, Callable[[Any], Any]] = {
    "keyword": _keyword,
    "keywords": _keywords,
    "text": _text,
    "json": _json,
    "boolean": _boolean,
    "integer": _integer,
    "decimal": _decimal,
    "messages": _messages,
}
_FITS = {name: _OF_TYPE[field.type] for name, field in FIELDS.items() if field.type in _OF_TYPE}


def json_text(value: Any) -> str:
    """`value` as JSON text."""
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # an integer of more than 64 bits
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def cut_to(event: dict[str, Any], max_bytes: int) -> bytes:
    """The canonical bytes of `event`, with its longest texts cut until they are at most `max_bytes`."""
    whole = line = canonical.dumps(event)
    longest, turns = max_bytes, MAX_MESSAGES
    while len(line) > max_bytes:
        longest //= 4
        if longest < MIN_CUT_CHARS:  # it is many that are too much: the last ones stay
            turns //= 4
        cut = orjson.loads(whole)
        for name in ("gen_ai.input.messages", "gen_ai.output.messages"):
            if name in cut:
                cut[name] = cut[name][-turns:] if turns else []
            for part in (part for message in cut.get(name, []) for part in message["parts"]):
                _cut_values(part, longest)
        _cut_values(cut, longest)
        line = canonical.dumps(cut)
        if not turns:
            break
    return line


def _cut_values(given: dict[str, Any], longest: int) -> None:
    for name, value in given.items():
        if isinstance(value, str) and len(value) > max(longest, MIN_CUT_CHARS):
            cut = {"cut": True, "chars": len(value)}
            is_json = name in ("slm.attributes", "gen_ai.tool.definitions", "arguments", "result", "extra")
            given[name] = json_text(cut) if is_json else f"{value[:longest]} [cut: {len(value)} characters]"

"""Walks the value of a field to its texts: messages, parts, tool arguments, JSON in strings in JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from slmtrail.stream.redact import jsontext, pairs
from slmtrail.stream.redact.jsontext import Kind
from slmtrail.stream.redact.operators import WITHHELD, KeyedHash

MAX_NESTING = 8
"""JSON text inside JSON text: what is wrapped deeper is withheld."""

_ROLES = ("system", "user", "assistant", "tool", "developer", "function")
_PARTS = ("text", "reasoning", "tool_call", "tool_call_response", "blob", "uri", "file", "extra")
_REASONS = ("stop", "length", "content_filter", "error", "tool_calls")
_MEDIA = ("image", "audio", "video", "document", "image/png", "image/jpeg")
_KNOWN_WORDS = frozenset((*_ROLES, *_PARTS, *_REASONS, *_MEDIA))
_PICTURES = frozenset({"blob"})
_BASE64_URI = re.compile(r"data:[\w.+\-/;=]{0,200};base64,", re.IGNORECASE)
_MARKER = re.compile(r"[<>]")
# A chunk that is JSON by chance: a string or a bracket or two, cut out of what the chunks say together.
_CUT_OUT = re.compile(r'\s*"|\W*\Z')
_NOT_LABEL = re.compile(r"[^A-Za-z0-9_.\-]")


class Leaf(NamedTuple):
    """One text of a field.

    key: the key of the object it stands under, which is context. run: equal for chunks of one stream.
    blob: binary data, which can't be looked at.
    """

    path: str
    text: str
    treatment: str = "replace"
    key: str = ""
    run: str = ""
    blob: bool = False


Visit = Callable[[Leaf], str]


def walk(name: str, type_: str, treatment: str, value: Any, visit: Visit) -> Any:
    """`value` with each of its texts as `visit` answers it, in an order that depends on the value alone."""
    walker = _Walker(treatment, visit)
    if type_ == "messages":
        return walker.messages(name, value)
    if type_ == "labels":
        return walker.labels(name, value)
    if type_ == "keywords":
        return [walker.text(f"{name}/{place}", item) for place, item in enumerate(value)]
    if type_ == "json":
        return walker.json_field(name, value)
    return walker.text(name, value)


def withheld(name: str, type_: str) -> dict[str, Any]:
    """The field with all of its value withheld, still of its type; without it where no marker is of the type."""
    values: dict[str, Any] = {
        "text": WITHHELD,
        "keyword": WITHHELD,
        "keywords": [WITHHELD],
        "json": f'"{WITHHELD}"',
        "messages": [_message(WITHHELD)],
    }
    return {name: values[type_]} if type_ in values else {}


def hashed(type_: str, value: Any, keyed: KeyedHash) -> Any:
    """The whole value as a keyed hash, still of its type."""
    if type_ == "ip":
        return keyed.ip(value)
    if type_ == "keywords":
        return [keyed.text(item) for item in value]
    if type_ == "labels":
        return {key: keyed.text(item) for key, item in value.items()}
    text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    if type_ == "messages":
        return [_message(keyed.text(text))]
    return f'"{keyed.text(text)}"' if type_ == "json" else keyed.text(text)


def _message(content: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"type": "text", "content": content}]}


class _Walker:
    def __init__(self, treatment: str, visit: Visit) -> None:
        self._treatment = treatment
        self._visit = visit

    def text(
        self, path: str, text: str, key: str = "", run: str = "", depth: int = 0, *, is_chunk: bool = False
    ) -> str:
        """One string: as JSON where it is JSON, as text otherwise."""
        is_cut_out = is_chunk and _CUT_OUT.match(text) is not None
        if self._treatment == "replace" and not is_cut_out and jsontext.is_json(text):
            if depth == MAX_NESTING:
                return self._visit(Leaf(path, text, blob=True))
            return self._json(path, text, depth + 1, key)
        head = _BASE64_URI.match(text) if text[:1] in "dD" else None
        if head:
            return head.group() + self._visit(Leaf(path, text[head.end() :], blob=True))
        return self._visit(Leaf(path, text, self._treatment, key, run))

    def _json(self, path: str, text: str, depth: int, outer_key: str = "") -> str:
        secrets = jsontext.kubernetes_secrets(text)

        def visit(path: str, key: str, kind: Kind, old: str) -> str:
            if kind == "string" and old in secrets:
                return self._visit(Leaf(path, old, blob=True))
            if kind == "string":
                return self.text(path, old, key, depth=depth)
            return self._visit(Leaf(path, old, key=key))

        return jsontext.rewrite(text, path, visit, outer_key, pairs.names(text))

    def json_field(self, path: str, text: str) -> str:
        """A field of type json: what is not JSON becomes a JSON string."""
        if jsontext.is_json(text):
            return self.text(path, text)
        new = self._visit(Leaf(path, text))
        return text if new == text else orjson.dumps(new).decode()

    def labels(self, path: str, labels: dict[str, str]) -> dict[str, str]:
        """Labels: keys too, in the alphabet that keys of labels have."""
        redacted = {}
        for key, value in labels.items():
            new_key = self._visit(Leaf(path, key))
            if new_key != key:
                new_key = _NOT_LABEL.sub("_", _MARKER.sub("", new_key)) or "removed"
            redacted[new_key] = self.text(f"{path}/{new_key}", value, key)
        return redacted

    def messages(self, path: str, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Chat messages: every string of every part."""
        return [self._message(f"{path}/{place}", message) for place, message in enumerate(messages)]

    def _message(self, path: str, message: dict[str, Any]) -> dict[str, Any]:
        redacted: dict[str, Any] = {}
        for name, value in message.items():
            if name == "parts":
                runs = [f"{message.get('role', '')}/{part.get('type')}" for part in value]
                redacted[name] = [
                    self._part(f"{path}/parts/{place}", part, runs[place], runs[place] in _beside(runs, place))
                    for place, part in enumerate(value)
                ]
            else:
                redacted[name] = self._word(f"{path}/{name}", value)
        return redacted

    def _part(self, path: str, part: dict[str, Any], run: str, is_chunk: bool) -> dict[str, Any]:
        redacted: dict[str, Any] = {}
        for name, value in part.items():
            here = f"{path}/{name}"
            if name == "content" and part.get("type") in _PICTURES and isinstance(value, str):
                redacted[name] = self._visit(Leaf(here, value, blob=True))
            elif name == "content" and isinstance(value, str):
                redacted[name] = self.text(here, value, run=run, is_chunk=is_chunk)
            elif name == "id" and isinstance(value, str):
                redacted[name] = self._visit(Leaf(here, value, "pseudonym"))
            elif name in ("arguments", "result", "extra", "uri") and isinstance(value, str):
                redacted[name] = self.text(here, value)
            else:
                redacted[name] = self._word(here, value)
        return redacted

    def _word(self, path: str, value: Any) -> Any:
        if isinstance(value, str):
            return value if value in _KNOWN_WORDS else self.text(path, value)
        if value is None or isinstance(value, bool):
            return value
        # A shape the schema doesn't know: as the JSON it would be.
        return orjson.loads(self._json(path, orjson.dumps(value).decode(), 0))


def _beside(runs: list[str], place: int) -> list[str]:
    return runs[max(0, place - 1) : place] + runs[place + 1 : place + 2]

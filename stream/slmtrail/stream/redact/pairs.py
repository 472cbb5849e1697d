"""Values in JSON that something else than their key names: `{"name": …, "value": …}`, `["--password", …]`."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Literal

import re2

from slmtrail.core.secrets.rules.expressions import KEY_ANCHORS, KEY_WORDS, WHICH
from slmtrail.stream.redact.jsontext import Kind, decoded, rewrite

_MAX_NAME_CHARS = 128
_MAX_BROKEN = 32
_MAX_NESTING = 8
# How a key ends, behind its quote.
_VALUES = ("value", "values", '"val', '"v', '"default', "#text", "$text", "_text", "$t", '"s')
_NAMES = (
    *("name", "key", "variable", '"var', '"k', '"n', '"label', '"title', '"field', '"header', '"attribute'),
    *('"property', '"param', '"parameter', '"option', '"setting', '"path'),
)
_HAS_VALUES = re2.compile(rf'(?i)(?:{"|".join(map(re2.escape, _VALUES))})"\s*:|\\[^":]*"\s*:')
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_MEMBER = re.compile(rf"([{{}}])|({_STRING})\s*:\s*({_STRING})?+|{_STRING}", re.DOTALL)
_OPENING = re.compile(r'[\[{](?=\s*["\[{])')
_DECODER = json.JSONDecoder(strict=False, parse_int=len, parse_float=len)
_SECRET_NAME = re.compile(rf"(?:{KEY_WORDS}{WHICH}|[Aa]uthorization|AUTHORIZATION)\Z")
_SAYS_SECRET = re2.compile(rf"(?i)(?:{'|'.join((*KEY_ANCHORS, 'authorization'))})[^\"]{{0,20}}\"")
_HAS_NAMED = re2.compile(_SAYS_SECRET.pattern + r'\s*,\s*"')
# Nothing but a string in an array, and another behind it. In the text of a JSON string no quote stands so.
_IN_ARRAY = re.compile(rf'(?P<before>[\[,])\s*"(?P<name>[^"\\]{{1,{_MAX_NAME_CHARS}}})"(?=\s*,\s*(?P<value>"))')
_LAST = re.compile(rf"{_STRING}\s*\]", re.DOTALL)
_ALWAYS_NAME = re.compile(r"--?\w|(?:proxy-)?authorization\Z|x-", re.IGNORECASE)


def names(text: str) -> dict[int, str]:
    """Where in `text`, which `is_json`, a value stands that its key doesn't name, and its name.

    The name is empty where it is the one that the object of the value has.
    """
    searched = text.encode(errors="replace")
    found = _in_arrays(text) if _HAS_NAMED.search(searched) else {}
    if _HAS_VALUES.search(searched):
        found.update(_in_objects(text))
    return found


def in_text(text: str) -> list[tuple[str, str]]:
    """The values in JSON that stands somewhere in `text`, that are named as secrets, each behind its name."""
    found: dict[tuple[str, str], None] = {}
    _collect(text, "", found, _MAX_NESTING)
    return list(found)


def _collect(text: str, outer_name: str, found: dict[tuple[str, str], None], depth: int) -> None:
    def visit(_path: str, name: str, _kind: Kind, value: str) -> str:
        if _is_secret(name):
            found[name, value] = None
        if depth:
            _collect(value, name, found, depth - 1)
        return value

    if (
        '"' not in text
        or ("{" not in text and "[" not in text)
        or not (outer_name or _SAYS_SECRET.search(text.encode(errors="replace")))
    ):
        return
    place = broken = 0
    while broken < _MAX_BROKEN and (opening := _OPENING.search(text, place)):
        place = opening.start()
        try:
            _, end = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            broken += 1
            place += 1
        else:
            said = text[place:end]
            rewrite(said, "", visit, outer_name, names(said))
            place = end


def _in_arrays(text: str) -> dict[int, str]:
    """Two strings by themselves, options and headers: only where the first names a secret, for it may be a value."""
    return {
        match.start("value"): match["name"]
        for match in _IN_ARRAY.finditer(text)
        if _is_secret(match["name"])
        and (
            _ALWAYS_NAME.match(match["name"])
            or (match["before"] == "[" and _LAST.match(text, match.start("value")) is not None)
        )
    }


def _in_objects(text: str) -> dict[int, str]:
    found: dict[int, str] = {}
    # One entry an open object: its names, and where its values stand.
    stack: list[tuple[list[str], list[int]]] = []
    for match in _MEMBER.finditer(text):
        mark, key, literal = match.groups()
        if key:
            says = _says(key) if len(key) <= _MAX_NAME_CHARS else ""
            if says == "value":
                stack[-1][1].append(match.start(3) if literal else match.end())
            elif says == "name" and literal and len(literal) <= _MAX_NAME_CHARS:
                stack[-1][0].append(decoded(literal))
        elif mark == "{":
            stack.append(([], []))
        elif mark:
            names, values = stack.pop()
            if values:
                name = _best(names)
                for value in values:
                    found[value] = name
    return found


@lru_cache(4096)
def _says(key: str) -> Literal["name", "value", ""]:
    end = f'"{decoded(key).lower()}'
    return "value" if end.endswith(_VALUES) else "name" if end.endswith(_NAMES) else ""


@lru_cache(4096)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _best(names: list[str]) -> str:
    if len(names) > 1:
        return next((name for name in names if _is_secret(name)), names[0])
    return names[0] if names else ""

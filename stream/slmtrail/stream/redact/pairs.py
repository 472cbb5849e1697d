"""Values in JSON that something else than their key names: names and options beside them, heads of columns above."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from typing import Literal, NamedTuple

import re2

from slmtrail.core.secrets.checks import is_coined
from slmtrail.core.secrets.matcher import SecretMatcher
from slmtrail.core.secrets.rules import commands
from slmtrail.core.secrets.rules.expressions import KEY_ANCHORS, KEY_WORDS, WHICH
from slmtrail.core.secrets.tables import cells_in_rows
from slmtrail.stream.redact.jsontext import TOKEN, Kind, decoded, rewrite

_MAX_NAME_CHARS = 128
_MAX_BROKEN = 32
_MAX_NESTING = 8
# How a key ends, behind its quote.
_VALUES = ("value", "values", '"val', '"v', '"default', "#text", "$text", "_text", "$t", '"s')
_NAMES = (
    *("name", "key", "variable", '"var', '"k', '"n', '"label', '"title', '"field', '"header', '"attribute'),
    *('"property', '"param', '"parameter', '"option', '"setting', '"path'),
)
# Where the name is one of a secret, a value that is no word may stand beside it under any of these.
_NAMES_OF_SECRETS = frozenset(("type", "kind", "id", "column", "selector", "ref", "element", "locator", "question"))
_VALUES_OF_SECRETS = frozenset(
    [
        *("secret", "content", "contents", "data", "text", "answer", "plain", "input", "entered", "match"),
        *("credential", "argument", "new", "old", "from", "to", "current", "previous"),
    ]
)
_NAMED_SECRET = "password"  # noqa: S105
_HAS_VALUES = re2.compile(
    rf'(?i)(?:{"|".join(map(re2.escape, _VALUES))})"\s*:|"(?:{"|".join(sorted(_VALUES_OF_SECRETS))})"\s*:|'
    r'\\[^":]*"\s*:'
)
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_MEMBER = re.compile(rf"([{{}}])|({_STRING})\s*:\s*({_STRING})?+|{_STRING}", re.DOTALL)
_OPENING = re.compile(r'[\[{](?=\s*["\[{])')
_DECODER = json.JSONDecoder(strict=False, parse_int=len, parse_float=len)
_SECRET_NAME = re.compile(rf"(?:{KEY_WORDS}{WHICH}|[Aa]uthorization|AUTHORIZATION)\Z")
_HINT = re.compile(rf"(?:{KEY_WORDS}{WHICH})(?:[\])\"'?:]{{0,3}}| (?:field|input|box))\Z")
_COLON = re.compile(r"\s*:")
_SAYS_SECRET = re2.compile(rf"(?i)(?:{'|'.join((*KEY_ANCHORS, 'authorization'))})[^\"]{{0,20}}\"")
_HAS_NAMED = re2.compile(_SAYS_SECRET.pattern + r'\s*,\s*"')
# Nothing but a string in an array, and another behind it. In the text of a JSON string no quote stands so.
_IN_ARRAY = re.compile(rf'(?P<before>[\[,])\s*"(?P<name>[^"\\]{{1,{_MAX_NAME_CHARS}}})"(?=\s*,\s*(?P<value>"))')
_HEAD = re.compile(rf'"([^"\\]{{1,{_MAX_NAME_CHARS}}})"(?=\s*[,\]}}])')
_CONTAINER = re.compile(rf'"([^"\\]{{1,{_MAX_NAME_CHARS}}}?)(s?)"\s*:\s*(?=[{{\[])')
_HAS_OPTION = re2.compile(r"[\[,]\s*[\"'][-/]|sqlplus")
_WORD = r"(?:\"[^\"\\\n]*(?:\\.[^\"\\\n]*)*\"|'[^'\\\n]*')"
_COMMAND = re.compile(rf"(?<=\[)\s*{_WORD}(?:\s*,\s*{_WORD})*|{_WORD}(?:\s*,\s*{_WORD})+")
_EACH_WORD = re.compile(_WORD)
# The program of which an array beside it has the arguments.
_PROGRAM = re.compile(r':\s*\[?\s*"(?:[^"\\\s]{0,80}[/\\])?([A-Za-z0-9_.+\-]{2,24})"\s*[\],}]')
_BESIDE_CHARS = 300
_COMMANDS = SecretMatcher(commands.RULES)
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
    if _SAYS_SECRET.search(searched):
        found.update((place, _NAMED_SECRET) for place in (*_in_columns(text), *_in_containers(text)))
    if _HAS_OPTION.search(searched):
        found.update((place, _NAMED_SECRET) for place, _ in _in_commands(text))
    return found


def in_text(text: str) -> list[tuple[str, str]]:
    """The values in JSON that stands somewhere in `text`, that are named as secrets, each behind its name."""
    found: dict[tuple[str, str], None] = {}
    _collect(text, "", found, _MAX_NESTING)
    if _HAS_OPTION.search(text.encode(errors="replace")):
        found.update(((_NAMED_SECRET, word), None) for _, word in _in_commands(text))
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


def _in_columns(text: str) -> Iterator[int]:
    """What stands below the name of a secret: `{"columns": ["user", "password"], "rows": [["bob", …]]}`."""
    for head in _HEAD.finditer(text):
        if _is_secret(head[1]):
            for start, _ in cells_in_rows(text, *head.span(1)):
                yield start


def _in_containers(text: str) -> Iterator[int]:
    """What is no word and stands somewhere within what is named as a secret: `{"passwords": {"bob": …}}`."""
    for container in _CONTAINER.finditer(text):
        name, several = container.groups()
        if _is_secret(name) and not (several and name.lower().endswith("token") and text[container.end()] == "["):
            yield from _coined_within(text, container.end())


def _coined_within(text: str, start: int) -> Iterator[int]:
    """The strings in the value at `start` that are secrets by what they look like, or are said to be."""
    depth = 0
    for token in TOKEN.finditer(text, start):
        literal = token.group()
        if literal[0] in "{[":
            depth += 1
        elif literal[0] in "}]":
            depth -= 1
        elif literal[0] == '"' and not _COLON.match(text, token.end()) and is_coined(decoded(literal)):
            yield token.start()
        if depth <= 0:
            return


def _in_commands(text: str) -> Iterator[tuple[int, str]]:
    """The words of a command, each a string by itself, that give a secret away: `["mysql", "-p…"]`."""
    for command in _COMMAND.finditer(text):
        words = [(word.start(), word.group()[1:-1]) for word in _EACH_WORD.finditer(text, *command.span())]
        line = " ".join(word for _, word in words)
        ends = list(accumulate(len(word) + 1 for _, word in words))
        for program in ("", *_programs_beside(text, *command.span())):
            before = len(program) + 1 if program else 0
            for secret in _COMMANDS.find(f"{program} {line}" if program else line):
                if secret.start >= before:
                    yield words[bisect_right(ends, secret.start - before)]


def _programs_beside(text: str, start: int, end: int) -> dict[str, None]:
    """What may be the program of the arguments from `start` to `end`: `{"command": "mysql", "args": [...]}`."""
    around = (
        *_PROGRAM.finditer(text, max(0, start - _BESIDE_CHARS), start),
        *_PROGRAM.finditer(text, end, end + _BESIDE_CHARS),
    )
    return dict.fromkeys(match[1] for match in around)


def _in_objects(text: str) -> dict[int, str]:
    found: dict[int, str] = {}
    # One entry an open object: its names, where its values stand, and the same of what counts for secrets alone.
    stack: list[_Open] = []
    for match in _MEMBER.finditer(text):
        mark, key, literal = match.groups()
        if key:
            says = _says(key) if len(key) <= _MAX_NAME_CHARS else ""
            place = match.start(3) if literal else match.end()
            if says.startswith("value"):
                (stack[-1].values if says == "value" else stack[-1].values_of_secrets).append(place)
            elif says and literal and len(literal) <= _MAX_NAME_CHARS:
                (stack[-1].names if says == "name" else stack[-1].names_of_secrets).append(decoded(literal))
        elif mark == "{":
            stack.append(_Open([], [], [], []))
        elif mark:
            done = stack.pop()
            if done.values:
                name = _best(done.names)
                for value in done.values:
                    found[value] = name
            if any(map(_hints_secret, (*done.names, *done.names_of_secrets))):
                for value in (*done.values, *done.values_of_secrets):
                    found.update((place, _NAMED_SECRET) for place in _coined_within(text, value))
    return found


class _Open(NamedTuple):
    names: list[str]
    values: list[int]
    names_of_secrets: list[str]
    values_of_secrets: list[int]


@lru_cache(4096)
def _says(key: str) -> Literal["name", "value", "name of a secret", "value of a secret", ""]:
    end = f'"{decoded(key).lower()}'
    if end.endswith(_VALUES):
        return "value"
    if end.endswith(_NAMES):
        return "name"
    if end[1:] in _NAMES_OF_SECRETS:
        return "name of a secret"
    return "value of a secret" if end[1:] in _VALUES_OF_SECRETS else ""


@lru_cache(4096)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


@lru_cache(4096)
def _hints_secret(name: str) -> bool:
    """It is the name of a secret, or of the place where one is entered: `#password`, `Password field`."""
    return _HINT.search(name) is not None


def _best(names: list[str]) -> str:
    if len(names) > 1:
        return next((name for name in names if _is_secret(name)), names[0])
    return names[0] if names else ""

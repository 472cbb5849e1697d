"""Rewrites the strings, numbers and keys of a JSON text in place: every other byte stays as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Literal

import orjson

Kind = Literal["key", "string", "number"]
Visit = Callable[[str, str, Kind, str], str]
"""(path of the enclosing value or of the value itself, nearest key, kind, decoded text) -> the new text."""

TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|-?[0-9][0-9.eE+\-]*', re.DOTALL)


def is_json(text: str) -> bool:
    """Whether `text` is a JSON object, array or string (a bare number or word is text like any other)."""
    if text.lstrip(" \t\r\n")[:1] not in ("{", "[", '"'):
        return False
    try:
        json.loads(text, strict=False, parse_int=len, parse_float=len)
    except (ValueError, RecursionError):
        return False
    return True


def kubernetes_secrets(text: str) -> frozenset[str]:
    """The values that Kubernetes Secrets hold in `text`, which `is_json`."""
    found: set[str] = set()

    def read(pairs: list[tuple[str, object]]) -> tuple[tuple[str, object], ...]:
        if ("kind", "Secret") in pairs:
            for name, values in pairs:
                if name in ("data", "stringData") and isinstance(values, tuple):
                    found.update(value for _, value in values if isinstance(value, str) and value)
        return tuple(pairs)

    if '"Secret"' in text:
        json.loads(text, strict=False, parse_int=len, parse_float=len, object_pairs_hook=read)
    return frozenset(found)


def rewrite(text: str, path: str, visit: Visit, outer_key: str = "", names: Mapping[int, str] | None = None) -> str:
    """`text`, which `is_json`, with every string, number and key as `visit` answers it.

    outer_key: the key that `text` stands under. names: of values that their keys don't name, by where they stand;
    empty for the one that the object of the value has.
    """
    pieces: list[str] = []
    done = 0
    # One entry an open container: its path, the key it stands under, and, in an array, the next index.
    stack: list[tuple[str, str]] = []
    here, under, index = path, outer_key, -1
    indexes: list[int] = []
    key_next = False
    for token in TOKEN.finditer(text):
        literal = token.group()
        mark = literal[0]
        if names and token.start() in names:
            under = names[token.start()] or stack[-1][1] or under
        if mark in "{[":
            stack.append((here, under))
            indexes.append(index)
            index = 0 if mark == "[" else -1
            key_next = mark == "{"
            if index == 0:
                here = f"{stack[-1][0]}/0"
        elif mark in "}]":
            here, under = stack.pop()
            index = indexes.pop()
            key_next = False
        elif mark == ",":
            if index >= 0:
                index += 1
                here, under = f"{stack[-1][0]}/{index}", stack[-1][1]
            else:
                key_next = True
        elif mark == ":":
            key_next = False
        else:
            old = decoded(literal) if mark == '"' else literal
            if key_next:
                new = visit(stack[-1][0], "", "key", old)
                under = old or stack[-1][1]
                here = f"{stack[-1][0]}/{new.replace('~', '~0').replace('/', '~1')}"
            else:
                new = visit(here, under, "string" if mark == '"' else "number", old)
            if new != old:
                pieces += text[done : token.start()], _encoded(new)
                done = token.end()
    return "".join([*pieces, text[done:]]) if pieces else text


def decoded(literal: str) -> str:
    """What the literal of a string says."""
    return str(json.loads(literal, strict=False)) if "\\" in literal else literal[1:-1]


def _encoded(text: str) -> str:
    try:
        return orjson.dumps(text).decode()
    except TypeError:  # a lone surrogate, which only an escape can carry
        return json.dumps(text)

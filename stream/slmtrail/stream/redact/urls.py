"""URLs: the four patterns of Presidio's recogniser, tried only where a match can begin.

The patterns name some 670 top-level domains one after the other and are tried at every character of a host
name; on a row of dots they take minutes. A match needs a dot that a top-level domain follows, no more than
253 characters into the host, so every place where one can begin is known from the dots that the gate saw.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import regex  # type: ignore[import-untyped]
from presidio_analyzer.predefined_recognizers import UrlRecognizer

from slmtrail.stream.redact.expression import Expression, read

_BASE = UrlRecognizer.BASE_URL_REGEX
_HOST_AND_DOT = r"((www\d{0,3}[.])?[a-z0-9.\-]{1,253}[.](?:"
_PATH = r")(?:/[^\s()<>\"']*)?)"
_MAX_HOST_CHARS = 253
_MAX_WWW_CHARS = 7

STANDARD, BARE, QUOTED_STANDARD, QUOTED_BARE = (pattern.regex for pattern in UrlRecognizer.PATTERNS)


def is_known() -> bool:
    """Whether the installed Presidio has the patterns this module was written for."""
    return bool(
        _BASE.startswith(_HOST_AND_DOT)
        and _BASE.endswith(_PATH)
        and re.fullmatch(r"\(\?:[a-z]+\)(\|\(\?:[a-z]+\))*", _domains())
        and (f"(?i)(?:https?://){_BASE}", f"(?i){_BASE}") == (STANDARD, BARE)
        and rf"""(?i)["\'](https?://{_BASE})["\']""" == QUOTED_STANDARD
        and rf"""(?i)["\']({_BASE})["\']""" == QUOTED_BARE
    )


def _domains() -> str:
    return _BASE[len(_HOST_AND_DOT) : -len(_PATH)]


def _names() -> list[str]:
    return [name.strip("()?:") for name in _domains().split("|")]


def _by_letter(names: Sequence[str]) -> str:
    """An expression that tries these names in their order, with those that begin alike put together."""
    arms: list[tuple[str, list[str]]] = []
    # An arm that is empty matches whatever follows: names are only moved up to it.
    here: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        if not name:
            arms.append(("", []))
            here = {}
        elif name[0] in here:
            here[name[0]].append(name[1:])
        else:
            here[name[0]] = [name[1:]]
            arms.append((name[0], here[name[0]]))
    tried = [letter + _by_letter(rests) if letter else "" for letter, rests in arms]
    return tried[0] if len(tried) == 1 else f"(?:{'|'.join(tried)})"


def gate_expression(flags: int) -> Expression:
    """What every match of the four has: a host character, a dot and a top-level domain."""
    names = set(_names())
    shortest = sorted(n for n in names if not any(n[:length] in names for length in range(1, len(n))))
    return read(rf"[a-z0-9.\-][.](?:{'|'.join(shortest)})", flags)


class UrlFinder:
    """The matches of the four patterns in a text."""

    def __init__(self, flags: int) -> None:
        domains = _by_letter(_names())
        base = f"{_HOST_AND_DOT}{domains}{_PATH}"
        flags |= regex.I
        self._standard = regex.compile(f"(?:https?://){base}", flags)
        self._bare = regex.compile(base, flags)
        self._quoted_standard = regex.compile(rf"""["'](https?://{base})["']""", flags)
        self._quoted_bare = regex.compile(rf"""["']({base})["']""", flags)
        self._domain = re.compile(rf"[.]{domains}", re.IGNORECASE)
        self._not_host_left = regex.compile(r"(?r)[^a-z0-9.\-]", flags)
        self._host = regex.compile(r"[a-z0-9.\-]*+", flags)
        self._www = regex.compile(r"www\d{0,3}[.]", flags)

    def matches(self, text: str, ends: Sequence[int]) -> dict[str, list[tuple[int, int]]]:
        """Of each of the four patterns the spans that `finditer` would give."""
        found: dict[str, list[tuple[int, int]]] = {STANDARD: [], BARE: [], QUOTED_STANDARD: [], QUOTED_BARE: []}
        dots = sorted({text.rfind(".", 0, end) for end in ends})
        dots = [dot for dot in dots if self._domain.match(text, dot)]
        place = 0
        while place < len(dots):
            outside = self._not_host_left.search(text, 0, dots[place])
            start = outside.end() if outside else 0
            end = self._host.match(text, start).end()
            first = place
            while place < len(dots) and dots[place] < end:
                place += 1
            self._host_run(text, start, dots[first:place], found)
        return found

    def _host_run(self, text: str, start: int, dots: list[int], found: dict[str, list[tuple[int, int]]]) -> None:
        self._bare_matches(text, start, dots, found[BARE])
        if not any(start < dot <= start + _MAX_HOST_CHARS + _MAX_WWW_CHARS for dot in dots):
            return
        before = text[start - 1 : start]
        if before in ('"', "'") and before:
            self._match_at(self._quoted_bare, text, start - 1, found[QUOTED_BARE])
        elif before == "/":
            for scheme_start in (start - 8, start - 7):
                if scheme_start < 0:
                    continue
                self._match_at(self._standard, text, scheme_start, found[STANDARD])
                if scheme_start > 0 and text[scheme_start - 1] in "\"'":
                    self._match_at(self._quoted_standard, text, scheme_start - 1, found[QUOTED_STANDARD])

    def _match_at(self, pattern: Any, text: str, start: int, spans: list[tuple[int, int]]) -> None:
        if spans and start < spans[-1][1]:
            return
        match = pattern.match(text, start)
        if match:
            spans.append(match.span())

    def _bare_matches(self, text: str, start: int, dots: list[int], spans: list[tuple[int, int]]) -> None:
        position = max(start, spans[-1][1]) if spans else start
        for dot in dots:
            while position < dot:
                begin = max(position, dot - _MAX_HOST_CHARS)
                if begin > position:
                    begin = self._www_start(text, position, begin, dot)
                match = self._bare.match(text, begin)
                if match is None:
                    break
                spans.append(match.span())
                position = match.end()

    def _www_start(self, text: str, position: int, begin: int, dot: int) -> int:
        """A `www.` further left from which the host still reaches the dot, or else `begin`."""
        for www in self._www.finditer(text, max(position, begin - _MAX_WWW_CHARS - 1), begin + _MAX_WWW_CHARS):
            if www.start() < begin and dot - www.end() <= _MAX_HOST_CHARS and www.end() < dot:
                return int(www.start())
        return begin

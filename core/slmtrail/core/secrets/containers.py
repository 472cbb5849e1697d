"""Values in what a name opens: lists and maps in brackets, the rest of a line, lines further in, as in YAML."""

from __future__ import annotations

import re

Span = tuple[int, int]

_MAX_CHARS = 8_000
_MAX_VALUE_CHARS = 1_000
_OPENING, _CLOSING = "[({", "])}"
_PART = re.compile(
    r"\"(?P<double>(?:[^\"\\\n]|\\.)*)\"?|'(?P<single>(?:[^'\\\n]|\\.)*)'?|`(?P<back>[^`\n]*)`?|"
    r"[\[({]|[\])}]|(?P<bare>[^\s\[\](){},;\"'`]+)|\s+|[,;]"
)
_IS_NAME = re.compile(r"\s*(?:=>|[:=](?![:=]))")
_LINE = re.compile(r"[^\n]*\n?")
_ITEM = re.compile(r"[ \t]*(?:[-*\u2022][ \t]+|[0-9]{1,2}[.)][ \t]+)")
_IN_LINE = re.compile(
    r"[ \t]*(?:(?:[-*\u2022]|[0-9]{1,2}[.)])[ \t]+)?(?:[\"']?[^\s:\"']{1,100}[\"']?[ \t]*(?::[ \t]+|=[ \t]*))?"
    r"(?:[&!][\w\-]{1,40}[ \t]+)?(?P<quote>[\"'`]?)(?P<value>[^\s\"'`{}\[\]]{1,1000})(?P=quote)[ \t\r]*(?:#[^\n]*)?\Z"
)
_WORD = re.compile(
    r"[\"'`\u201c\u201e\u00ab(]*(?P<value>[^\s\"'`\u201c\u201d\u00ab\u00bb,;()]+?)(?=[.:?]?(?:[\s\"'`,;)\u201d\u00bb]|\Z))"
)


def values_within(text: str, start: int, end: int) -> tuple[list[Span], int]:
    """Where the values are that a name, with what opens them, from `start` to `end`, holds, and where all that ends."""
    last = text[end - 1]
    if last in _OPENING:
        return _in_brackets(text, end, with_words=text[end - 2] in ": w")
    return _in_block(text, start, end) if last == "\n" else _in_sentence(text, end)


def _in_brackets(text: str, end: int, *, with_words: bool) -> tuple[list[Span], int]:
    """Strings that are no names; words, too, where they can be values (YAML, `%w[…]`)."""
    spans: list[Span] = []
    depth = 1
    place = end
    for part in _PART.finditer(text, end, end + _MAX_CHARS):
        mark, place = part[0], part.end()
        if mark in _OPENING:
            depth += 1
        elif mark in _CLOSING:
            depth -= 1
        elif part.lastgroup and (with_words or part.lastgroup != "bare") and not _is_name(text, part):
            spans.append(part.span(part.lastgroup))
        if not depth:
            break
    return [span for span in spans if span[1] - span[0] <= _MAX_VALUE_CHARS], place


def _is_name(text: str, part: re.Match[str]) -> bool:
    return part[0].endswith((":", "=")) or _IS_NAME.match(text, part.end()) is not None


def _in_block(text: str, start: int, end: int) -> tuple[list[Span], int]:
    """What stands at the end of each line that is further in than the name, or an item of a list below it."""
    begin = text.rfind("\n", max(0, start - _MAX_CHARS), start) + 1
    outer = _indent(text, begin)
    spans: list[Span] = []
    place = end
    for line in _LINE.finditer(text, end, end + _MAX_CHARS):
        said = line[0].strip()
        if said and _indent(text, line.start()) <= outer and not _ITEM.match(line[0]):
            break
        place = line.end()
        value = _IN_LINE.match(line[0].rstrip("\n"))
        if value:
            left, right = value.span("value")
            spans.append((line.start() + left, line.start() + right))
        elif said:
            within, _ = _in_brackets(line[0], 0, with_words=True)
            spans += [(line.start() + left, line.start() + right) for left, right in within]
    return spans, place


def _indent(text: str, begin: int) -> int:
    place = begin
    while place < len(text) and text[place] in " \t":
        place += 1
    return place - begin


def _in_sentence(text: str, end: int) -> tuple[list[Span], int]:
    over = text.find("\n", end, end + _MAX_CHARS)
    over = over if over >= 0 else min(len(text), end + _MAX_CHARS)
    return [word.span("value") for word in _WORD.finditer(text, end, over)], over

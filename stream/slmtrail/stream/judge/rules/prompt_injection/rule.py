"""Prompt injection, by what it wants, after disguises are taken off."""

# ruff: noqa: RUF001

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from slmtrail.core.guards import compiled, together
from slmtrail.stream.judge.disguise import readings
from slmtrail.stream.judge.hit import About, Hit, around
from slmtrail.stream.judge.rules.prompt_injection import grammar, intents
from slmtrail.stream.judge.texts import said

_LETTERS = re.compile(r"[^a-z]+")
_SINGLES = re.compile(r"(?:\b\w\b\W{1,4}){8}")
_LONG = re.compile(r"(?<![^\s])[^\s/]{25,400}(?![^\s])")
_PERHAPS_SPREAD = compiled(r"(?:[\pL\pN_][^\pL\pN_]{1,4}){8}|[^\s/]{25}")
"""What a text holds at least of which one of these two is true: seen in a tenth of the time."""
_QUOTED = re.compile(
    r"(?<!=)[\"“”«»„「『`][^\"“”«»„「」『』`]{2,400}[\"“”«»」』`]|(?<!\w)['‘’](?:[^'‘’]|(?<=\w)['’](?=\w)){2,400}['’](?!\w)|"
    r"<\|\w+\|>|\[/?inst\]|<</?sys>>|</?system>"
)
"""Words of somebody else, and marks of templates that are spoken of."""
_MIN_CHARS = 8
_MIN_INITIALS = 16
_CACHED_CHARS = 4096


_ANY = together((f"(?m){intent.pattern.pattern}" for intent in intents.INTENTS), max_mb=256)


def judge(record: dict[str, Any], _: About) -> Hit | None:
    """Why this looks like an injection, or None. The operator's system prompt and the model's words are not asked."""
    for speaker, text in said(record):
        if speaker in ("user", "content") and len(text) >= _MIN_CHARS:
            # A conversation is sent whole with every turn, so most texts come many times.
            asks = _wants if len(text) <= _CACHED_CHARS else wants
            found = asks(text, content=speaker == "content")
            if found:
                return found
    return None


def wants(text: str, *, content: bool = False) -> Hit | None:
    """What `text` wants of the model, if that is to leave its instructions."""
    ways = readings(text, intents.WORDS)
    # Most texts want nothing: one pass over all ways to read them, a line each, says so.
    joined = "\n".join(ways)
    likely = frozenset(_ANY.Match(joined.encode("utf-8", "replace")) or ())
    possible = grammar.possible(joined, content)
    for number, reading in enumerate(ways if likely or possible else ()):
        found = _one(reading, content, likely)
        if found:
            note = "" if number == 0 else "; it was written in a disguise"
            return Hit(f"{found.why}{note}", found.excerpt)
    # The text itself, and it without look-alikes, if it may have any: what spreads letters does not hide them as well.
    hidden = [_LETTERS.sub("", reading) for reading in ways[: 1 if text.isascii() else 2] if _looks_spread(reading)]
    hidden += _initials(text)
    if hidden and (match := intents.SQUEEZED.search(" ".join(hidden))):
        return Hit("it asks to set the instructions aside; it was written in a disguise", match.group())
    return None


def _initials(text: str) -> Iterator[str]:
    """The first letters of the words, and those of the lines, if there are enough for a wish."""
    for parts in (text.split(), [line.lstrip() for line in text.splitlines()]):
        if len(parts) >= _MIN_INITIALS:
            yield _LETTERS.sub("", "".join([part[:1] for part in parts]).lower())


def _looks_spread(text: str) -> bool:
    """Whether many words are single letters, or one is a sentence."""
    if not _PERHAPS_SPREAD.search(text):
        return False
    return _SINGLES.search(text) is not None or _LONG.search(text) is not None


def _one(text: str, content: bool, likely: frozenset[int]) -> Hit | None:
    """What one reading wants: one clear sign, or two that are not. `likely`: see `_signs`."""
    weak: list[_Sign] = []
    for sign in _signs(_unquoted(text), content, likely):
        if sign.strong:
            return Hit(sign.why, around(text, sign.start, sign.end))
        for first in weak:
            if first.why != sign.why and not first.meets(sign):
                return Hit(f"{first.why}, and {sign.why}", around(text, first.start, first.end))
        weak.append(sign)
    return None


class _Sign(NamedTuple):
    why: str
    strong: bool
    start: int
    end: int

    def meets(self, other: _Sign) -> bool:
        """Whether both were read from the same words, which then say one thing only."""
        return self.start < other.end and other.start < self.end


def _signs(text: str, content: bool, likely: frozenset[int]) -> Iterator[_Sign]:
    """What in one reading tells of a wish; `likely` are the numbers of the patterns that stand in any of them."""
    for number, intent in enumerate(intents.INTENTS):
        if number in likely and (content or not intent.content):
            for match in intent.pattern.finditer(text):
                if not grammar.of_others(text, match.start()):
                    yield _Sign(intent.why, intent.strong, *match.span())
    for found in grammar.wishes(text, content=content):
        yield _Sign(found.wish.why, found.wish.strong, found.start, found.end)


def _unquoted(text: str) -> str:
    """`text` with blanks for what stands in quotation marks, where the rest speaks of such words."""
    outside = _QUOTED.sub(lambda found: " " * len(found[0]), text)
    return outside if intents.TALK.search(outside) and not intents.CARRY_OUT.search(outside) else text


_wants = lru_cache(4096)(wants)

"""Prompt injection, by what it wants, after disguises are taken off."""

# ruff: noqa: RUF001

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import re2

from slmtrail.stream.judge.disguise import readings
from slmtrail.stream.judge.hit import About, Hit, around
from slmtrail.stream.judge.rules.prompt_injection import intents, languages
from slmtrail.stream.judge.texts import said

_LETTERS = re.compile(r"[^a-z]+")
_SINGLES = re.compile(r"(?:\b\w\b\W{1,3}){8}")
_LONG = re.compile(r"(?<![^\s])[^\s/]{25,400}(?![^\s])")
_MIN_CHARS = 8
_CACHED_CHARS = 4096
_ASIDE = "it asks to set the instructions aside"


def _all() -> re2.Set:
    options = re2.Options()
    options.max_mem = 256 << 20
    patterns = re2.Set.SearchSet(options)
    for pattern in (*intents.ENGLISH, *(one for one, _ in languages.ELSEWHERE.values()), languages.REVEAL_ELSEWHERE):
        patterns.Add(pattern.pattern)
    patterns.Compile()
    return patterns


_ANY = _all()


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
    # Most texts want nothing: one pass over all ways to read them says so. A full stop ends what can be one wish.
    likely = frozenset(_ANY.Match(" . ".join(ways).encode("utf-8", "replace")) or ())
    for number, reading in enumerate(ways if likely else ()):
        found = _one(reading, content, likely)
        if found:
            note = "" if number == 0 else "; it was written in a disguise"
            return Hit(f"{found.why}{note}", found.excerpt)
    # The text itself, and it without look-alikes: what spreads letters does not hide them as well.
    for reading in ways[:2]:
        if _looks_spread(reading) and (match := intents.SQUEEZED.search(_LETTERS.sub("", reading))):
            return Hit("it asks to set the instructions aside; it was written in a disguise", match.group())
    return None


def _looks_spread(text: str) -> bool:
    """Whether many words are single letters, or one is a sentence."""
    return _SINGLES.search(text) is not None or _LONG.search(text) is not None


def _one(text: str, content: bool, likely: frozenset[int]) -> Hit | None:
    """What one reading wants; `likely` are the numbers of the patterns that stand in any of them."""
    weak: dict[str, tuple[str, int, int]] = {}
    if likely & {0, 1, 2}:
        score, start, end = intents.set_aside(text)
        if score >= intents.PERHAPS and not _talked_of(text, start, end):
            if score >= intents.SURE:
                return Hit(_ASIDE, around(text, start, end))
            weak["aside"] = (_ASIDE, start, end)
    for number, intent in enumerate(intents.INTENTS, 3):
        if number not in likely or (intent.content and not content):
            continue
        for match in intent.pattern.finditer(text):
            start, end = match.span()
            if _talked_of(text, start, end):
                continue
            if intent.strong:
                return Hit(intent.why, around(text, start, end))
            weak.setdefault(intent.name, (intent.why, start, end))
            break
    if len(weak) >= 2:
        (first, start, end), (second, _, _), *_ = weak.values()
        return Hit(f"{first}, and {second}", around(text, start, end))
    for number, (pattern, whose) in enumerate(languages.ELSEWHERE.values(), len(intents.ENGLISH)):
        for match in pattern.finditer(text) if number in likely else ():
            start, end = match.span()
            if whose.search(text[max(0, start - 12) : end + 12]) and not _talked_of(text, start, end):
                return Hit(_ASIDE, around(text, start, end))
    match = languages.REVEAL_ELSEWHERE.search(text)
    if match and not _talked_of(text, *match.span()):
        return Hit("it asks for the system prompt", around(text, *match.span()))
    return None


def _talked_of(text: str, start: int, end: int) -> bool:
    """Whether the words stand in quotation marks in a text that speaks of such words."""
    before, after = text[max(0, start - 200) : start + 1], text[end : end + 200]
    opens = max((_last(before, mark) for mark in intents.QUOTES), default=-1)
    if opens < 0 or not any(mark in after for mark in intents.QUOTES):
        return False
    outside = text[: max(0, start + 1 - len(before) + opens)] + " " + after
    return intents.TALK.search(outside) is not None


def _last(text: str, mark: str) -> int:
    """Where a quotation mark last stands; an apostrophe within a word is none."""
    at = text.rfind(mark)
    while at > 0 and mark in "'’" and text[at - 1].isalnum() and text[at + 1 : at + 2].isalnum():
        at = text.rfind(mark, 0, at)
    return at


_wants = lru_cache(4096)(wants)

"""Reads a recogniser's pattern: what every match must contain, and which characters a match is made of.

From a pattern in the syntax of `re` or `regex` come a plain expression over single bytes (no lookaround, no
backreferences) which occurs wherever the pattern matches, and maybe elsewhere too, and the alphabet of its
matches. Texts are seen as one byte a character: ASCII as it is, 0xFF for a digit of another script, an ASCII letter
for one beyond ASCII that matches it when case is ignored, and 0x80 to 0xFE for any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import regex  # type: ignore[import-untyped]

from slmtrail.stream.redact.text import AS_ASCII, LETTERS_FOR_OTHERS, OTHER_DIGIT

Chars = frozenset[int]

HIGH: Chars = frozenset(range(0x80, 0x100))
EVERY: Chars = frozenset(range(0x100))
_BEYOND_ASCII = HIGH | frozenset(map(ord, LETTERS_FOR_OTHERS))
_OTHER_DIGITS: Chars = frozenset(OTHER_DIGIT)
_DIGITS = frozenset(range(0x30, 0x3A)) | _OTHER_DIGITS
_SPACES = frozenset(b"\t\n\v\f\r \x1c\x1d\x1e\x1f") | HIGH
_ASCII_WORDS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_WORDS = _ASCII_WORDS | HIGH
_CATEGORIES: dict[Any, Chars] = {
    sre.CATEGORY_DIGIT: _DIGITS,
    sre.CATEGORY_NOT_DIGIT: EVERY - _DIGITS | HIGH,
    sre.CATEGORY_SPACE: _SPACES,
    sre.CATEGORY_NOT_SPACE: EVERY - _SPACES | HIGH,
    sre.CATEGORY_WORD: _WORDS,
    sre.CATEGORY_NOT_WORD: EVERY - _WORDS | HIGH,
}
_BOUNDARY = (sre.AT, sre.AT_BOUNDARY)
_MAX_LOOK_CHARS = 64
_MAX_LEAD_CHARS = 64
_MAX_EXPRESSION_CHARS = 12_000
# Larger counts make automata too large; fewer repeats are still in every match.
_MAX_REPEAT = 64
_MAX_COLUMNS = 16


class Unreadable(Exception):
    """The pattern can't be gated: it runs on every text."""


@dataclass(frozen=True, slots=True)
class Expression:
    """What is known of a pattern.

    bounded: for texts without digits of other scripts, with the word boundaries that bytes then show; loose: for any.
    alphabet: the bytes its matches are made of. look_chars: how far right of a match it looks; None where
    it has to see the end of the text. lead_chars: how far left of the end of what occurs a match begins at most; None
    where that is not known. needs_digit: every match has one, or stands beside one.
    """

    bounded: bytes
    loose: bytes
    alphabet: Chars
    look_chars: int | None = None
    lead_chars: int | None = None
    needs_digit: bool = False


def read(pattern: str, flags: int) -> Expression:
    """What is known of `pattern` under `regex` flags. Raises Unreadable."""
    if flags & ~(regex.I | regex.M | regex.S | regex.V0 | regex.U):
        raise Unreadable("flags that change the syntax")
    try:
        tree = _parser.parse(
            pattern, int(flags) & (sre.SRE_FLAG_IGNORECASE | sre.SRE_FLAG_MULTILINE | sre.SRE_FLAG_DOTALL)
        )
    except Exception as error:
        raise Unreadable(str(error)) from None
    least, _ = tree.getwidth()
    if least == 0:
        raise Unreadable("it can match nothing at all")
    reader = _Reader(tree.state.flags)
    reader.survey(tree)
    loose, bounded = (reader.sequence(tree, bounded=some, cut_left=True, cut_right=True) for some in (False, True))
    is_uncut = loose == reader.sequence(tree, bounded=False, cut_left=False, cut_right=True)
    most_chars = max(_parser.parse(each).getwidth()[1] for each in (loose, bounded))
    if max(len(loose), len(bounded)) > _MAX_EXPRESSION_CHARS:
        raise Unreadable("it is too long")
    return Expression(
        bounded=bounded.encode(),
        loose=loose.encode(),
        alphabet=frozenset(reader.alphabet),
        look_chars=reader.look_chars,
        lead_chars=most_chars if is_uncut and most_chars <= _MAX_LEAD_CHARS else None,
        needs_digit=reader.needs_digit(tree),
    )


def char_class(chars: Iterable[int]) -> str:
    """A class of bytes, in a form that every regex engine reads."""
    places = sorted(chars)
    if not places:
        raise Unreadable("an empty class")
    ranges: list[list[int]] = []
    for place in places:
        if ranges and ranges[-1][1] == place - 1:
            ranges[-1][1] = place
        else:
            ranges.append([place, place])
    inner = "".join(_byte(a) if a == b else f"{_byte(a)}-{_byte(b)}" for a, b in ranges)
    return inner if len(places) == 1 else f"[{inner}]"


def _byte(code: int) -> str:
    return chr(code) if code < 0x80 and chr(code).isalnum() else f"\\x{code:02x}"


def text_class(chars: Chars, *, negated: bool = False) -> str:
    """A class of the characters of a text that these bytes stand for."""
    low = char_class(chars - HIGH) if chars - HIGH else ""
    inner = low[1:-1] if low.startswith("[") else low
    if chars & HIGH:
        inner += r"\u0080-\U0010ffff"
    elif chars & frozenset(map(ord, LETTERS_FOR_OTHERS)):
        inner += "".join(AS_ASCII)
    return f"[{'^' if negated else ''}{inner}]"


class _Reader:
    def __init__(self, flags: int) -> None:
        self.alphabet: set[int] = set()
        self.look_chars: int | None = 1
        self._ignore_case = bool(flags & sre.SRE_FLAG_IGNORECASE)
        self._multiline = bool(flags & sre.SRE_FLAG_MULTILINE)
        self._dot_all = bool(flags & sre.SRE_FLAG_DOTALL)
        self._groups: dict[int, Any] = {}

    def sequence(self, items: Any, *, bounded: bool, cut_left: bool, cut_right: bool) -> str:
        """The expression for a sequence; cut: a part of the outermost repeats is enough on that side."""
        parts = list(items)
        parts = [
            part
            for place, part in enumerate(parts)
            if part != _BOUNDARY or self._bytes_show(parts[:place], parts[place + 1 :], bounded)
        ]
        needed = [place for place, part in enumerate(parts) if self._needed(part)]
        if cut_right and needed:
            del parts[needed[-1] + 1 :]
        if cut_left and needed:
            del parts[: needed[0]]
        last = len(parts) - 1
        return "".join(
            self._piece(part, bounded, cut_left and place == 0, cut_right and place == last)
            for place, part in enumerate(parts)
        )

    @staticmethod
    def _needed(part: Any) -> bool:
        """Whether every match has something of this part, so that it can't be left out at an end."""
        kind, value = part
        if kind is sre.AT:
            return bool(part == _BOUNDARY)
        if kind in (sre.ASSERT, sre.ASSERT_NOT):
            return False
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            return bool(value[0] > 0)
        if kind is sre.SUBPATTERN:
            return bool(value[3].getwidth()[0] > 0) or _BOUNDARY in list(value[3])
        return True

    def _bytes_show(self, before: list[Any], after: list[Any], bounded: bool) -> bool:
        """Whether bytes show the word boundary between these: only of ASCII do they tell what is a word character."""
        plain = _ASCII_WORDS | _OTHER_DIGITS if bounded else _ASCII_WORDS
        return self._edge(before, last=True) <= plain or self._edge(after, last=False) <= plain

    def _edge(self, items: Any, *, last: bool) -> Chars:
        """The first characters that a sequence can have, or the last ones; every character if it can be empty."""
        chars: Chars = frozenset()
        for kind, value in reversed(items) if last else items:
            if kind in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
                continue
            if kind in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
                return chars | self._chars((kind, value))
            if kind is sre.SUBPATTERN:
                return chars | self._edge(value[3], last=last)
            if kind is sre.BRANCH:
                return chars.union(*[self._edge(arm, last=last) for arm in value[1]])
            if kind not in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
                break
            chars |= self._edge(value[2], last=last)
            if value[0] > 0:
                return chars
        return EVERY

    def _piece(self, part: Any, bounded: bool, left: bool, right: bool) -> str:
        kind, value = part
        if kind in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
            return char_class(self._chars(part))
        if kind is sre.AT:
            return r"\b" if part == _BOUNDARY else ""
        if kind in (sre.ASSERT, sre.ASSERT_NOT):
            return ""
        if kind is sre.SUBPATTERN:
            return f"(?:{self.sequence(value[3], bounded=bounded, cut_left=left, cut_right=right)})"
        if kind is sre.ATOMIC_GROUP:
            return f"(?:{self.sequence(value, bounded=bounded, cut_left=left, cut_right=right)})"
        if kind is sre.BRANCH:
            columns = self._columns([part])
            if columns and frozenset().union(*columns) <= _DIGITS:
                return "".join(map(char_class, columns))
            arms = [self.sequence(arm, bounded=bounded, cut_left=left, cut_right=right) for arm in value[1]]
            return f"(?:{'|'.join(arms)})"
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            return self._repeat(value, bounded, left or right)
        if kind is sre.GROUPREF:
            return f"(?:{self.sequence(self._groups[value], bounded=False, cut_left=False, cut_right=False)})"
        raise Unreadable(f"it uses {kind}")

    def _repeat(self, value: Any, bounded: bool, cut: bool) -> str:
        least, most, item = value
        inner = self.sequence(item, bounded=bounded, cut_left=False, cut_right=False)
        if not inner:
            return ""
        if cut:
            most = least
        if most == 0:
            return ""
        least = min(least, _MAX_REPEAT)
        if most is sre.MAXREPEAT or most > _MAX_REPEAT:
            # More than the automaton should count: any number of them.
            return f"(?:{inner}){{{least},}}"
        return f"(?:{inner})" if least == most == 1 else f"(?:{inner}){{{least},{most}}}"

    def _columns(self, items: Any) -> list[Chars] | None:
        """The characters at each place of a sequence, where all it matches is of one length.

        Arms of an alternation become one. Of digits it then occurs more often, but its automaton is much smaller.
        """
        columns: list[Chars] = []
        for kind, value in items:
            if kind in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
                part: list[Chars] | None = [self._chars((kind, value))]
            elif kind is sre.SUBPATTERN:
                part = self._columns(value[3])
            elif kind is sre.BRANCH:
                arms = [self._columns(arm) for arm in value[1]]
                lengths = {len(arm) if arm else 0 for arm in arms}
                part = None
                if len(lengths) == 1 and 0 not in lengths:
                    part = [frozenset().union(*column) for column in zip(*(arm for arm in arms if arm), strict=True)]
            elif kind in (sre.MAX_REPEAT, sre.MIN_REPEAT) and value[0] == value[1] <= _MAX_COLUMNS:
                one = self._columns(value[2])
                part = one and one * value[0]
            else:
                part = None
            if part is None or len(columns) + len(part) > _MAX_COLUMNS:
                return None
            columns += part
        return columns

    def survey(self, items: Any) -> None:
        """Notes the alphabet, the groups and the reach of everything the pattern has."""
        for kind, value in items:
            if kind in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
                self.alphabet |= self._chars((kind, value))
            elif kind is sre.SUBPATTERN:
                if value[1] or value[2]:
                    raise Unreadable("it changes its flags half-way")
                if value[0] is not None:
                    self._groups[value[0]] = value[3]
                self.survey(value[3])
            elif kind is sre.ATOMIC_GROUP:
                self.survey(value)
            elif kind is sre.BRANCH:
                for arm in value[1]:
                    self.survey(arm)
            elif kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
                self.survey(value[2])
            elif kind in (sre.ASSERT, sre.ASSERT_NOT):
                self._look(value)
            elif kind is sre.AT:
                if value is sre.AT_END_STRING or (value is sre.AT_END and not self._multiline):
                    self.look_chars = None
            elif kind is not sre.GROUPREF:
                raise Unreadable(f"it uses {kind}")

    def needs_digit(self, items: Any) -> bool:
        """Whether no match is in a text without a digit."""
        for kind, value in items:
            if kind in (sre.LITERAL, sre.IN):
                found = self._chars((kind, value)) <= _DIGITS
            elif kind is sre.SUBPATTERN:
                found = self.needs_digit(value[3])
            elif kind is sre.ATOMIC_GROUP:
                found = self.needs_digit(value)
            elif kind is sre.ASSERT:
                found = self.needs_digit(value[1])
            elif kind is sre.BRANCH:
                found = all(self.needs_digit(arm) for arm in value[1])
            elif kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
                found = value[0] > 0 and self.needs_digit(value[2])
            else:
                found = False
            if found:
                return True
        return False

    def _look(self, value: Any) -> None:
        direction, tree = value
        if direction < 0:
            return
        _, most = tree.getwidth()
        if most > _MAX_LOOK_CHARS or any(part[0] is sre.AT for part in tree):
            self.look_chars = None
        elif self.look_chars is not None:
            self.look_chars = max(self.look_chars, int(most) + 1)

    def _chars(self, part: Any) -> Chars:
        kind, value = part
        if kind is sre.ANY:
            return EVERY if self._dot_all else EVERY - {0x0A}
        if kind is sre.LITERAL:
            return self._folded({value})
        if kind is sre.NOT_LITERAL:
            return (EVERY - self._folded({value})) | _BEYOND_ASCII
        chars: set[int] = set()
        negated = False
        for item, what in value:
            if item is sre.NEGATE:
                negated = True
            elif item is sre.LITERAL:
                chars |= self._folded({what})
            elif item is sre.RANGE:
                chars |= self._folded(
                    set(range(what[0], min(what[1], 0x7F) + 1)) | ({0x80} if what[1] > 0x7F else set())
                )
            elif item is sre.CATEGORY:
                if negated:
                    # The high bytes stand for characters inside the category and outside it.
                    chars |= _CATEGORIES[what] - HIGH
                else:
                    chars |= _CATEGORIES[what]
            else:
                raise Unreadable(f"it uses {item}")
        return frozenset(EVERY - chars | _BEYOND_ASCII) if negated else frozenset(chars)

    def _folded(self, codes: set[int]) -> Chars:
        chars = {code for code in codes if code < 0x80}
        if self._ignore_case:
            chars |= {ord(chr(code).swapcase()) for code in chars}
        if any(code >= 0x80 for code in codes):
            chars |= _BEYOND_ASCII
        return frozenset(chars)

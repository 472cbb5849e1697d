"""Text in the language of searches into a tree, by recursive descent.

    query  = and { "or" and }
    and    = not { ["and"] not }
    not    = ( "not" | "-" ) not | "(" query ")" | field | words
    field  = name ( ":" | ">" | ">=" | "<" | "<=" | "=" ) value
    value  = "(" query of values ")" | "[" value "TO" value "]" | word | "phrase"

Errors name the character where they are, counted from 1.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable

from slmtrail.core import canonical
from slmtrail.core.errors import QueryError
from slmtrail.core.fields import FIELDS
from slmtrail.indexer.store.columns import TIME
from slmtrail.indexer.store.language import names as fields
from slmtrail.indexer.store.language import times
from slmtrail.indexer.store.language.fits import network
from slmtrail.indexer.store.language.tree import (
    And,
    Equals,
    Exists,
    Like,
    Node,
    Not,
    Range,
    Text,
    Value,
    both,
    either,
)
from slmtrail.indexer.store.words import words

MAX_CHARS, MAX_CONDITIONS, MAX_DEPTH, MAX_STARS, MAX_PATTERN_CHARS = 8192, 100, 20, 5, 256

_BLANK = re.compile(r"\s*")
_FIELD = re.compile(r"([@_]?[A-Za-z][\w.@-]*)(:(?!//)|\s*(?:>=|<=|>|<)|!=|==?)\s*")
_SIGNS = re.compile(r'[^\w\s()"\\]+')
_BARE = re.compile(r"[<>]=?\s*[+-]?\d")
_COMPARE = re.compile(r"(>=|<=|>|<)\s*")
_RANGE = re.compile(r'([\[{])\s*("[^"]*"|[^\s\]}]+)\s+[Tt][Oo]\s+("[^"]*"|[^\s\]}]+)\s*([\]}])')
_PHRASE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_WORD = re.compile(r'(?:\\.|[^\s()"\\])+|\\', re.DOTALL)
_ESCAPED = re.compile(r"\\(\W)")
_OPERATOR = re.compile(r"(and|or|not)(?![^\s()\"])", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?[0-9]{1,19}(\.[0-9]{1,9})?")

_IS = (":", "=", "==")
_IN_TEXT_TOO = ("=", "==", "!=")
_OPERATORS = {"&&": "and", "||": "or", "!": "not"}
_OTHER_QUOTES = "'`\u00ab\u2018\u2019\u201a\u201c\u201d\u201e"

_TO_QUOTE = 'to search for it, put it in "quotes"'
_NO_WORD = "there is no letter, digit or picture in this to search for"

Spelling = Callable[[str], str]


def parse(text: str, now_ms: int | None = None, hashed: Spelling | None = None) -> And:
    """The tree of `text`. Raises QueryError for what can't be understood, with the character where.

    hashed: how a value stands in records where redaction has put its keyed hash.
    """
    if len(text) > MAX_CHARS:
        raise QueryError(f"character {MAX_CHARS + 1}: a search has at most {MAX_CHARS} characters", MAX_CHARS + 1)
    return _Parser(text, time.time_ns() // 1_000_000 if now_ms is None else now_ms, hashed).whole()


class _Parser:
    def __init__(self, text: str, now_ms: int, hashed: Spelling | None) -> None:
        self._text = text
        self._at = 0
        self._now_ms = now_ms
        self._hashed = hashed
        self._conditions = 0
        self._depth = 0

    def whole(self) -> And:
        """The tree of all of the text."""
        if self._peek() == "":
            return And()
        node = self._any("")
        if self._peek() == ")":
            raise self._error("this bracket closes none: take it away, or open one before")
        return both(node)

    def _any(self, field: str) -> Node:
        parts = [self._all(field)]
        while self._operator("or"):
            parts.append(self._all(field))
        return either(*parts)

    def _all(self, field: str) -> Node:
        begin = self._peek_at()
        found = [self._one(field)]
        while self._operator("and") or (self._peek() not in ("", ")") and not self._next_is("or")):
            found.append(self._one(field))
        parts = [part for part in found if part]
        if not parts:
            raise self._error(_NO_WORD, begin)
        return parts[0] if len(parts) == 1 else both(*parts)

    def _one(self, field: str) -> Node | None:
        """One condition; None for signs alone, which no text is searched by."""
        begin = self._peek_at()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"brackets and nots lie more than {MAX_DEPTH} deep; write it flatter", begin)
        try:
            if self._operator("not") or self._dash():
                inner = self._one(field)
                if inner is None:
                    raise self._error(_NO_WORD, begin)
                return Not(inner)
            if self._peek() == "(":
                return self._group(field)
            self._conditions += 1
            if self._conditions > MAX_CONDITIONS:
                raise self._error(f"a search takes at most {MAX_CONDITIONS} conditions; leave some out", begin)
            return self._value(field, ":") if field else self._term()
        finally:
            self._depth -= 1

    def _group(self, field: str) -> Node:
        begin = self._at
        self._at += 1
        node = self._any(field)
        if self._peek() != ")":
            raise self._error("this bracket is never closed: put ) where it ends", begin)
        self._at += 1
        return node

    def _term(self) -> Node | None:
        begin = self._at
        found = _FIELD.match(self._text, begin)
        if found and (found[2] not in _IN_TEXT_TOO or _is_field(found[1])):
            self._known(found[1], begin)
            if found[2] == "!=":
                raise self._error(f"!= is written with not: not {found[1]}:…", found.start(2))
            self._at = found.end()
            if self._peek() == "(" and found[2] == ":":
                return self._group(found[1])
            return self._value(found[1], found[2].strip())
        self._told_apart(begin)
        text, quoted = self._token("a word, a field or a bracket")
        if not quoted:
            return self._words(text, begin)
        if self._text[self._at : self._at + 1] in ("~", "^"):
            raise self._error("a phrase is found as it is: leave ~ and ^ out", self._at)
        return _phrase(text)

    def _told_apart(self, begin: int) -> None:
        """Raises QueryError for what other languages of searches mean, and would here be a search for other words."""
        if _BARE.match(self._text, begin):
            raise self._error(f"a field is missing before this, such as latency_ms>2000; {_TO_QUOTE}", begin)
        if signs := _SIGNS.match(self._text, begin):
            found = _FIELD.match(self._text, signs.end())
            if found and _is_field(found[1]):
                raise self._error(f"before a field only not may stand: not {found[1]}:…; {_TO_QUOTE}", begin)
            if signs[0] in _OPERATORS and (signs[0] != "!" or self._text[signs.end() :][:1].strip()):
                raise self._error(f"{signs[0]} is written {_OPERATORS[signs[0]]}; {_TO_QUOTE}", begin)

    def _known(self, name: str, begin: int) -> None:
        if not _is_field(name):
            raise self._error(fields.unknown(name), begin)
        if reason := next(map(fields.unsearched, fields.named(name)), ""):
            raise self._error(reason, begin)

    def _words(self, raw: str, begin: int) -> Node | None:
        text = raw.rstrip("*")
        if not text:
            return And()  # a star alone is any text
        found = [Text((word,)) for word in words(_plain(text))]
        is_plain = raw != text and text.endswith("\\")  # the star
        if found and not is_plain and re.search(r"\*.*\w", _ESCAPED.sub("", text), re.DOTALL):
            raise self._error(
                'in text, * may stand only at the end of a word; put the text in "quotes" if * is part of it', begin
            )
        if raw != text and found and text[-1].isalnum():
            found[-1] = Text(found[-1].words, prefix=True)
        return both(*found) if len(found) > 1 else next(iter(found), None)

    def _value(self, name: str, operator: str) -> Node:
        """A test of the field `name`; the value is next in the text."""
        if self._peek() in ("[", "{") and operator == ":":
            return self._range(name)
        compared = _COMPARE.match(self._text, self._at) if operator == ":" else None
        if compared:
            operator, self._at = compared[1], compared.end()
        begin = self._peek_at()
        text, quoted = self._token(f"a value for {name}")
        if not quoted and text[0] in _OTHER_QUOTES:
            raise self._error('a value is put in straight "quotes", or in none', begin)
        if name.lower() in (fields.SINCE, fields.UNTIL):
            if operator not in _IS:
                raise self._error(f"{name} takes a colon: {name}:2h", begin)
            return self._compared((TIME,), name, ">=" if name.lower() == fields.SINCE else "<", text, begin)
        found = fields.named(name)
        if operator not in _IS:
            return self._compared(found, name, operator, text, begin)
        if text == "*" and not quoted:
            return Exists(found)
        return self._equal(found, name, text, quoted, begin)

    def _equal(self, found: tuple[str, ...], name: str, text: str, quoted: bool, begin: int) -> Node:
        kind = fields.type_of(found)
        if kind == "date":
            low = self._number(found, name, text, begin)
            return Range(found, low, low + times.DAY_MS - 1 if times.is_day(text) else low)
        if kind in ("integer", "decimal"):
            return Equals(found, (self._number(found, name, text, begin),))
        if kind == "boolean":
            if text.lower() not in ("true", "false"):
                raise self._error(f"{name} is true or false", begin)
            return Equals(found, (text.lower() == "true",))
        if kind == "ip":
            try:
                return Equals(found, (str(network(text)).removesuffix("/32").removesuffix("/128"),))
            except ValueError:
                raise self._error(f"{name} takes an address, or a network such as 10.0.0.0/8", begin) from None
        if not quoted and re.search(r"[*?]", _ESCAPED.sub("", text)):
            text = re.sub(r"(?<!\\)\*+", "*", text)
            if _ESCAPED.sub("", text).count("*") > MAX_STARS:
                raise self._error(f"a value takes at most {MAX_STARS} *", begin)
            if len(text) > MAX_PATTERN_CHARS:
                raise self._error(f"a value with * or ? has at most {MAX_PATTERN_CHARS} characters", begin)
            return Like(found, _pattern(text))
        value: Value = canonical.text(text if quoted else _plain(text))
        if not quoted and (reason := fields.no_choice(found, name, str(value))):
            raise self._error(reason, begin)
        spellings = [value]
        if self._hashed and any(FIELDS[field].treatment in ("hash", "pseudonym") for field in found):
            spellings.append(self._hashed(str(value)))
        return Equals(found, tuple(dict.fromkeys(spellings)))

    def _range(self, name: str) -> Node:
        begin = self._at
        found = _RANGE.match(self._text, begin)
        if not found or name.lower() in (fields.SINCE, fields.UNTIL):
            raise self._error(f"a range is written {name}:[100 TO 500]", begin)
        self._at = found.end()
        fields_found = fields.named(name)
        low, high = (
            None if text == "*" else self._number(fields_found, name, text.strip('"'), found.start(group))
            for group, text in ((2, found[2]), (3, found[3]))
        )
        if low is not None and high is not None and low > high:
            raise self._error("this range ends before it begins", found.start(3))
        return Range(fields_found, low, high, found[1] == "{", found[4] == "}")

    def _compared(self, found: tuple[str, ...], name: str, operator: str, text: str, begin: int) -> Node:
        bound, is_open = self._number(found, name, text, begin), "=" not in operator
        if operator.startswith(">"):
            return Range(found, low=bound, low_open=is_open)
        return Range(found, high=bound, high_open=is_open)

    def _number(self, found: tuple[str, ...], name: str, text: str, begin: int) -> int | float:
        """A number, or a time in milliseconds."""
        kind = fields.type_of(found)
        if kind == "date":
            try:
                return times.moment_ms(text, self._now_ms)
            except QueryError as error:
                raise self._error(str(error), begin) from None
        if kind not in ("integer", "decimal"):
            raise self._error(f"{name} is compared with : alone; < and > and ranges are for numbers and times", begin)
        number = _NUMBER.fullmatch(text)
        if not number or (kind == "integer" and number[1]):
            what = "a whole number" if kind == "integer" else "a number"
            raise self._error(f"{name} takes {what}, such as {name}>2000", begin)
        value = int(text) if kind == "integer" else float(text)
        if not math.isfinite(value) or abs(value) > canonical.MAX_INTEGER:
            raise self._error("no record has a number beyond ±(2^53-1)", begin)
        return value

    def _token(self, wanted: str) -> tuple[str, bool]:
        """The next word as it is written, or the next phrase and True."""
        begin = self._peek_at()
        if self._peek() == '"':
            phrase = _PHRASE.match(self._text, begin)
            if not phrase:
                raise self._error('this quote is never closed: put " where it ends', begin)
            self._at = phrase.end()
            return _plain(phrase[1]), True
        if self._next_is("and") or self._next_is("or") or self._peek() in ("", ")"):
            raise self._error(f'{wanted} is missing here; and, or, not are words only in "quotes"', begin)
        word = _WORD.match(self._text, begin)
        if not word:
            raise self._error(f"{wanted} is missing here", begin)
        self._at = word.end()
        return word[0], False

    def _operator(self, word: str) -> bool:
        if not self._next_is(word):
            return False
        self._at += len(word)
        return True

    def _next_is(self, word: str) -> bool:
        found = _OPERATOR.match(self._text, self._peek_at())
        return found is not None and found[1].lower() == word

    def _dash(self) -> bool:
        at = self._peek_at()
        following = self._text[at + 1 : at + 2]
        if self._peek() != "-" or not (following.isalnum() or following in ("(", '"', "@")) or not following:
            return False
        self._at += 1
        return True

    def _peek_at(self) -> int:
        blank = _BLANK.match(self._text, self._at)
        self._at = blank.end() if blank else self._at
        return self._at

    def _peek(self) -> str:
        at = self._peek_at()
        return self._text[at : at + 1]

    def _error(self, text: str, at: int | None = None) -> QueryError:
        place = (self._peek_at() if at is None else at) + 1
        return QueryError(f"character {place}: {text}", place)


def _is_field(name: str) -> bool:
    return bool(fields.named(name)) or name.lower() in (fields.SINCE, fields.UNTIL)


def _plain(text: str) -> str:
    """`text` without its escapes: a backslash before a letter is one of the text, as in C:\\temp."""
    return _ESCAPED.sub(r"\1", text)


def _pattern(text: str) -> str:
    """`text` with escapes as `Like` has them: before * ? and backslash, and nowhere else."""
    pieces = re.findall(r"\\\W|.", text, re.DOTALL)
    plain = (piece if piece in ("\\*", "\\?", "\\\\") else piece[1:] or piece for piece in pieces)
    return canonical.text("".join("\\\\" if piece == "\\" else piece for piece in plain))


def _phrase(text: str) -> Node | None:
    found = tuple(words(text))
    return Text(found) if found else None

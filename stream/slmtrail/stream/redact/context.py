"""The words around a finding, as Presidio's lemma enhancer takes them, read only where they are needed."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import Any, NamedTuple

import spacy

from slmtrail.stream.redact.presidio import blank_pipeline

_WORDS_BACK = 5
_MAX_CACHED_CHUNKS = 20_000
_MAX_CACHED_CHARS = 64
_PLAIN_CHARS = 80
_NEAR_CHARS = 160
_FAR_CHARS = 640
_MAX_REACH_CHARS = 3_000
_MISSES_A_ZONE = 5_000
_MAX_CHUNKS_FORTH = 20
_OTHER_BE = re.compile("B[eE]|bE")
_CHUNK = re.compile(r"\S+")
_ASCII_DIGIT = re.compile(r"[0-9]")
# Numbers with nothing about them that the rules of a tokeniser tell apart: it splits all of one shape alike.
_SHAPED = re.compile(r"[(\[\"']?[A-Z]{0,2}[0-9]{2,}(?:-[0-9]{2,})*[.,;!?)\]\"']{0,2}")
_DIGITS = re.compile(r"[0-9]+")
_SHAPE_DIGIT = "5"
_PIECE = re.compile(r"[0-9]+|[^0-9]")
_COLON_BESIDE_OTHER = re.compile(r"[^0-9]:|:[^0-9]")


class Token(NamedTuple):
    """A token of a chunk; counted: it is no stop word and no punctuation."""

    start: int
    end: int
    lower: str
    counted: bool


class Words:
    """spaCy's tokeniser for one language.

    spaCy splits a text at white space and each chunk on its own, so that chunks can be tokenised alone and
    remembered. A language whose tokeniser is of another kind (Chinese, …) has each text tokenised whole.
    """

    def __init__(self, language: str) -> None:
        pipeline = blank_pipeline(language)
        self._tokenizer = pipeline.tokenizer
        self._vocab: Any = pipeline.vocab
        # What spaCy works out for each new word costs more than the tokenising; we ask for two things only.
        self._vocab.lex_attr_getters = {}
        self._stop_words = pipeline.Defaults.stop_words
        self.by_chunk = type(self._tokenizer) is spacy.tokenizer.Tokenizer
        # Presidio leaves out the word "be", but counts it if "Be" stands elsewhere in the text.
        self.be_is_special = "be" not in self._stop_words
        self.digits_count = not any(char.isdigit() for word in self._stop_words for char in word)
        special = {run for rule in getattr(self._tokenizer, "rules", None) or () for run in _DIGITS.findall(rule)}
        self._has_shapes = (
            self.by_chunk
            and self.digits_count
            and self._tokenizer.token_match is None
            and not any(len(run) > 1 and set(run) == {_SHAPE_DIGIT} for run in special)
        )
        self._special_digits = frozenset(special)
        self._cache: dict[str, list[Token]] = {}
        self.known_counts: dict[str, int] = {}
        self._misses = 0
        self._zone = ExitStack()
        self._zone.enter_context(self._vocab.memory_zone())

    def tokens(self, chunk: str) -> list[Token]:
        """The tokens of a chunk, or of a whole text."""
        tokens = self._cache.get(chunk)
        if tokens is None:
            if self.digits_count and chunk.isascii() and chunk.isdigit():
                return [Token(0, len(chunk), chunk, True)]
            shape = self._shape(chunk)
            if shape and shape != chunk:
                return [Token(t.start, t.end, chunk[t.start : t.end].lower(), t.counted) for t in self.tokens(shape)]
            tokens = [
                Token(token.idx, token.idx + len(token), token.text.lower(), self._is_counted(token.text))
                for token in self._tokenizer(chunk)
            ]
            self._forget_now_and_then()
            if len(chunk) <= _MAX_CACHED_CHARS:
                if len(self._cache) >= _MAX_CACHED_CHUNKS:
                    self._cache.clear()
                self._cache[chunk] = tokens
        return tokens

    def known_count(self, chunk: str) -> int:
        """How many words a chunk has, at least; without tokenising numbers and addresses: few are seen twice."""
        count = self.known_counts.get(chunk)
        if count is None:
            if self.digits_count and _ASCII_DIGIT.search(chunk):
                return 0 if ":" in chunk else 1
            if "@" in chunk or "/" in chunk:
                return 0
            count = sum(token.counted and ":" not in token.lower for token in self.tokens(chunk))
            if len(chunk) <= _MAX_CACHED_CHARS:
                if len(self.known_counts) >= _MAX_CACHED_CHUNKS:
                    self.known_counts.clear()
                self.known_counts[chunk] = count
        return count

    def is_shaped(self, chunk: str) -> bool:
        """Whether a chunk with a digit is split as any other of its shape."""
        return bool(self._shape(chunk))

    def _shape(self, chunk: str) -> str:
        """A chunk with other digits that is split into words at the same places; "" where that is not known."""
        if not self._has_shapes or not _SHAPED.fullmatch(chunk):
            return ""
        if not self._special_digits.isdisjoint(_DIGITS.findall(chunk)):
            return ""
        return _ASCII_DIGIT.sub(_SHAPE_DIGIT, chunk)

    def may_have_parts(self, chunk: str) -> bool:
        """Whether a token of a chunk with a colon may have a part that is a word which doesn't count by itself.

        Such a part is a stop word or punctuation, and a colon stands beside it.
        """
        return not self.digits_count or _COLON_BESIDE_OTHER.search(chunk) is not None

    def _is_counted(self, token: str) -> bool:
        return not (token.lower() in self._stop_words or _is_punctuation(token) or token in ("-PRON-", "be"))

    def _forget_now_and_then(self) -> None:
        """spaCy's vocabulary grows with every new word; what it learned in a memory zone it forgets."""
        self._misses += 1
        if self._misses == _MISSES_A_ZONE:
            self._misses = 0
            self._zone.close()
            self._zone.enter_context(self._vocab.memory_zone())


def _is_punctuation(token: str) -> bool:
    return all(unicodedata.category(char)[0] == "P" for char in token)


class TextWords:
    """The words of one text."""

    def __init__(self, words: Words, text: str, small: str | None = None) -> None:
        self._words = words
        self._text = text
        self._small = text.lower() if small is None else small
        self._is_aligned = words.by_chunk and len(self._small) == len(text)
        self._around: dict[int, list[str]] = {}
        self._reach: dict[int, tuple[int, int]] = {}
        self._may_counts: dict[str, bool] = {}

    def one_around(self, start: int, wanted: Sequence[str]) -> str:
        """One of the words wanted that is, or is part of, a word around `start`; "" if none is."""
        if self._is_aligned:
            plainly = self._plainly_before(start, wanted)
            if plainly:
                return plainly
            low, high = self._reach_of(start)
            part = self._small[low:high]
            wanted = [word for word in wanted if word in part or not word.isascii() or word.isspace()]
            if not wanted or self._plainly_none(self._text[low:high], wanted):
                return ""
        around = self.around(start)
        return next((word for word in wanted if any(word in other for other in around)), "")

    def around(self, start: int) -> list[str]:
        """The five words before `start`, and the one at it, or the next after it where that is none."""
        known = self._around.get(start)
        if known is None:
            known = self._around[start] = self._words_around(start)
        return known

    def _plainly_before(self, start: int, wanted: Sequence[str]) -> str:
        """A word wanted that is among the five before `start`; "" where that is not plain."""
        text, begin = self._text, max(0, start - _PLAIN_CHARS)
        if not start or not text[start - 1].isspace():
            return ""
        for word in wanted:
            at = self._small.rfind(word, begin, start)
            chunks = text[at:start].split() if at >= 0 else []
            if not chunks:
                continue
            chunk = chunks[0]
            if at and not text[at - 1].isspace():
                head = text[begin:at].rsplit(None, 1)[-1:]
                if begin and (not head or len(head[0]) == at - begin):
                    continue  # it begins where we don't look
                chunk = head[0] + chunk
            blanks = text.count(" ", at, start)
            spaces = start - at - sum(map(len, chunks))
            # More white space than one blank is a word, too.
            left = _WORDS_BACK - (spaces - len(chunks)) - (spaces - blanks)
            for between in chunks[1:]:
                if left <= 0:
                    break
                left -= self._most_words(between)
            if left > 0:
                for token in reversed(self._words.tokens(chunk)):
                    if left > 0 and word in token.lower and token.counted and ":" not in token.lower:
                        return word
                    left -= token.counted or self._may_count(token.lower)
        return ""

    def _most_words(self, chunk: str) -> int:
        """How many words a chunk has, at most."""
        if self._words.digits_count and _ASCII_DIGIT.search(chunk) and not self._words.is_shaped(chunk):
            return sum(not _is_punctuation(piece) or self._may_count(piece) for piece in _PIECE.findall(chunk))
        return sum(token.counted or self._may_count(token.lower) for token in self._words.tokens(chunk))

    def _plainly_none(self, part: str, wanted: list[str]) -> bool:
        """Whether none of the words wanted stands in a part of the text, unless in words that don't count."""
        if any(not word.isascii() or word.isspace() for word in wanted):
            return False
        for chunk in part.split():
            lower = chunk.lower()
            for word in wanted:
                if word in lower:
                    for token in self._words.tokens(chunk):
                        if word in token.lower and (token.counted or self._may_count(token.lower)):
                            return False
        return True

    def _may_count(self, word: str) -> bool:
        """Whether a word that doesn't count by itself may count in this text: see `_beside_colons`."""
        known = self._may_counts.get(word)
        if known is None:
            small = self._small
            known = self._may_counts[word] = self._words.be_is_special or (
                ":" in small and (f"{word}:" in small or f":{word}" in small or not word.isascii())
            )
        return known

    def _reach_of(self, start: int) -> tuple[int, int]:
        """A part of the text outside of which none of the words around `start` stands."""
        known = self._reach.get(start)
        if known is None:
            known = self._reach_within(start, max(0, start - _NEAR_CHARS))
            if known[0] < 0 and start > _NEAR_CHARS:
                known = self._reach_within(start, max(0, start - _FAR_CHARS))
            known = self._reach[start] = max(0, known[0]), known[1]
        return known

    def _reach_within(self, start: int, begin: int) -> tuple[int, int]:
        """The reach, as far as `begin`; -1 where there are too few words."""
        text = self._text
        near = text[begin:start]
        chunks = near.split()
        own = "" if not start or text[start - 1].isspace() else chunks.pop()
        if begin and not text[begin - 1].isspace() and not text[begin].isspace():
            # What stands there is the end of a chunk; in the part that we don't see there may be a colon.
            if chunks:
                del chunks[0]
            else:
                own = ":"
        high = self._reach_forth(start, own)
        left, taken = _WORDS_BACK + 1, 1 if own else 0
        known, count = self._words.known_counts, self._words.known_count
        for chunk in reversed(chunks):
            words = known.get(chunk)
            left -= count(chunk) if words is None else words
            taken += 1
            if left <= 0:
                rest = near.rsplit(None, taken)
                return begin + len(rest[0]) if len(rest) > taken else begin, high
        return -1, high

    def _reach_forth(self, start: int, own: str) -> int:
        """Where the word at `start` ends, or the next one after it where that is none."""
        words = self._words
        for forth, chunk in enumerate(_CHUNK.finditer(self._text, start)):
            word = chunk.group()
            if forth == 0:
                # Of a chunk that begins left of `start` the tokens are not known from here; a colon unmakes words.
                if words.digits_count and ":" not in own + word and _ASCII_DIGIT.search(word):
                    return chunk.end()
            elif words.known_count(word):
                return chunk.end()
            if forth == _MAX_CHUNKS_FORTH:
                break
        return len(self._text)

    def _words_around(self, start: int) -> list[str]:
        low, high = 0, len(self._text)
        if self._words.by_chunk:
            low, high = self._reach_of(start)
        if high - low > _MAX_REACH_CHARS:
            ends, counted, lowers = self._all
        else:
            ends, counted, lowers = self._between(low, high)
        at = bisect_right(ends, start)
        if at == len(ends):
            return []
        here = bisect_right(counted, at)
        before = counted[max(0, here - _WORDS_BACK - 1) : here]
        after = counted[bisect_left(counted, at) :][:1]
        return [lowers[place] for place in (*before, *after)]

    @cached_property
    def _beside_colons(self) -> frozenset[str]:
        """Words that count wherever they stand: parts of tokens with a colon inside, and "be" where "Be" stands."""
        parts: set[str] = set()
        special_be = self._words.be_is_special and _OTHER_BE.search(self._text)
        if ":" not in self._text and not special_be:
            return frozenset()
        for chunk in _CHUNK.findall(self._text) if self._words.by_chunk else [self._text]:
            if ":" in chunk and (not self._words.by_chunk or self._words.may_have_parts(chunk)):
                parts |= _parts(self._words.tokens(chunk))
            if special_be and any(token.lower == "be" and token.counted for token in self._words.tokens(chunk)):
                parts.add("be")
        return frozenset(parts)

    @cached_property
    def _all(self) -> tuple[list[int], list[int], list[str]]:
        return self._between(0, len(self._text))

    def _between(self, low: int, high: int) -> tuple[list[int], list[int], list[str]]:
        """Of every token of a part: where it ends, which ones count, and in small letters."""
        text = self._text
        ends: list[int] = []
        counted: list[int] = []
        lowers: list[str] = []

        def add(tokens: Iterable[Token], shift: int) -> None:
            for token in tokens:
                word = token.lower
                if (token.counted and ":" not in word) or (self._may_count(word) and word in self._beside_colons):
                    counted.append(len(ends))
                ends.append(token.end + shift)
                lowers.append(word)

        if not self._words.by_chunk:
            add(self._words.tokens(text), 0)
            return ends, counted, lowers
        done = low
        for chunk in _CHUNK.finditer(text, low, high):
            start = chunk.start()
            if start != done:
                add(self._space(done, start), 0)
            add(self._words.tokens(chunk.group()), start)
            done = chunk.end()
        add(self._space(done, high), 0)
        return ends, counted, lowers

    def _space(self, start: int, end: int) -> Iterator[Token]:
        """White space as a token: all of it but one blank that follows a word."""
        if start > 0 and start < end and self._text[start] == " ":
            start += 1
        if start < end:
            yield Token(start, end, self._text[start:end].lower(), True)


def _parts(tokens: list[Token]) -> set[str]:
    return {part for token in tokens if token.counted and ":" in token.lower for part in token.lower.split(":")}

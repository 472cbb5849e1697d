"""One text on its way through the recognisers, with what was already worked out about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slmtrail.stream.redact.context import TextWords, Words
from slmtrail.stream.redact.gate import DIGIT, Hits


@dataclass(eq=False, slots=True)
class Context:
    """The words, in small letters, that raise a score. told: the gate's numbers of them, where it tells of all."""

    words: tuple[str, ...]
    told: frozenset[int] = frozenset()


class Seen:
    """A text, where the gate saw what, and answers that several recognisers ask for."""

    __slots__ = ("_present", "_small", "_word_numbers", "_words", "artifacts", "has_digit", "hits", "memo", "text")

    def __init__(self, text: str, hits: Hits, word_numbers: Mapping[str, int]) -> None:
        self.text = text
        self.hits = hits
        self.has_digit = DIGIT in hits
        self.memo: dict[Any, Any] = {}
        self.artifacts: dict[str, Any] = {}
        self._small = ""
        self._word_numbers = word_numbers
        self._present: dict[Context, list[str]] = {}
        self._words: dict[int, TextWords] = {}

    def present(self, context: Context) -> list[str]:
        """Those of the words that stand anywhere in the text."""
        known = self._present.get(context)
        if known is None:
            known = self._present[context] = self._standing(context)
        return known

    def _standing(self, context: Context) -> list[str]:
        if self.has_digit and context.told and context.told.isdisjoint(self.hits):
            return []
        told = self._word_numbers if self.has_digit else {}
        # What becomes of a letter beyond ASCII can depend on its neighbours: then we can't say no.
        return [
            word
            for word in context.words
            if (told[word] in self.hits if word in told else word in self.small or not word.isascii())
        ]

    @property
    def small(self) -> str:
        """The text in small letters."""
        if not self._small:
            self._small = self.text.lower()
        return self._small

    def one_around(self, words: Words, start: int, wanted: Context) -> str:
        """One of the words wanted that is among those around a place, or part of one; "" if none is."""
        near = self.present(wanted)
        if not near:
            return ""
        known = self._words.get(id(words))
        if known is None:
            known = self._words[id(words)] = TextWords(words, self.text, self.small)
        return known.one_around(start, near)

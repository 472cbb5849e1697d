"""Every pattern of the registry, once: who asks for its matches in a text gets them from here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import regex  # type: ignore[import-untyped]

from slmtrail.stream.redact import expression, urls
from slmtrail.stream.redact.expression import Expression
from slmtrail.stream.redact.gate import Gate, make_gate
from slmtrail.stream.redact.seen import Context, Seen
from slmtrail.stream.redact.window import Span, WindowedPattern


class PatternTable:
    """Patterns by number. All are added first, then `close` builds the gate over them."""

    def __init__(self, timeout_s: float, gate_engine: str | None = None) -> None:
        self._timeout_s = timeout_s
        self.gate_engine = gate_engine
        self._numbers: dict[tuple[str, int], int] = {}
        self._names: dict[int, str] = {}
        self._expressions: dict[int, Expression] = {}
        self._windowed: dict[int, WindowedPattern] = {}
        self._urls: dict[int, tuple[int, urls.UrlFinder, str]] = {}
        self._url_gates: dict[int, tuple[int, urls.UrlFinder]] = {}
        self._once: set[int] = set()
        self._words: dict[str, int] = {}
        self._contexts: dict[tuple[str, ...], Context] = {}
        self._next = 0
        self.gate: Gate

    def add(self, pattern: str, flags: int, name: str) -> int:
        """The number of a pattern."""
        key = (pattern, flags)
        if key not in self._numbers:
            number = self._numbers[key] = self._new_number()
            self._names[number] = name
            if pattern in (urls.STANDARD, urls.BARE, urls.QUOTED_STANDARD, urls.QUOTED_BARE) and urls.is_known():
                self._urls[number] = (*self._url_gate(flags), pattern)
            else:
                known = self._read(pattern, flags)
                if known:
                    self._expressions[number] = known
                self._windowed[number] = WindowedPattern(pattern, flags, known, self._timeout_s)
        return self._numbers[key]

    def add_gate(self, known: Expression, *, once: bool = False) -> int:
        """The number of an expression whose hits one reads oneself; once: it is enough to know that there is one."""
        number = self._new_number()
        self._expressions[number] = known
        if once:
            self._once.add(number)
        return number

    def context(self, words: Iterable[str]) -> Context:
        """Context words, of which the gate tells whether they stand in a text with a digit: those of ASCII."""
        small = tuple(word.lower() for word in words)
        if small not in self._contexts:
            self._contexts[small] = Context(small)
            for word in small:
                if word.isascii() and word not in self._words and (known := self._read(re.escape(word), regex.I)):
                    self._words[word] = self.add_gate(replace(known, needs_digit=True), once=True)
        return self._contexts[small]

    def close(self) -> None:
        """Builds the gate."""
        self.gate = make_gate(self._expressions, self._once, self.gate_engine)
        self._words = {word: number for word, number in self._words.items() if number in self.gate.gated}
        for context in self._contexts.values():
            if self._words.keys() >= {*context.words}:
                context.told = frozenset(self._words[word] for word in context.words)

    def gate_number(self, number: int) -> int:
        """The number under which the gate knows of a pattern."""
        return self._urls[number][0] if number in self._urls else number

    def look(self, text: str) -> Seen:
        """The text with what the gate sees in it."""
        return Seen(text, self.gate.scan(text), self._words)

    @property
    def ungated(self) -> list[str]:
        """The names of patterns that run on every text."""
        return [name for number, name in self._names.items() if not self._is_gated(number)]

    def _is_gated(self, number: int) -> bool:
        return self.gate_number(number) in self.gate.gated

    def spans(self, seen: Seen, number: int) -> Sequence[Span]:
        """Where the pattern matches; matches of nothing are left out."""
        found: Sequence[Span] | None = seen.memo.get(number)
        if found is None:
            if number in self._urls:
                found = self._url_spans(seen, number)
            else:
                found = self._windowed[number].spans(seen.text, self._hits(seen, number))
            seen.memo[number] = found
        return found

    def matches(self, seen: Seen, number: int) -> list[Any]:
        """The pattern's matches themselves; of no URL pattern."""
        return self._windowed[number].matches(seen.text, self._hits(seen, number))

    def _hits(self, seen: Seen, number: int) -> Sequence[int] | None:
        return seen.hits.get(number, ()) if number in self.gate.gated else None

    def ends(self, seen: Seen, number: int) -> Sequence[int] | None:
        """Where all matches of an expression end, if the gate tells."""
        if number in self.gate.gated and self.gate.sees_every_end:
            return seen.hits.get(number, ())
        return None

    def _url_spans(self, seen: Seen, number: int) -> Sequence[Span]:
        gate, finder, pattern = self._urls[number]
        # The four patterns are found together; they share the memo of their gate.
        together: dict[str, list[Span]] | None = seen.memo.get((gate, "urls"))
        if together is None:
            ends = self._ends(seen, gate)
            together = seen.memo[gate, "urls"] = finder.matches(seen.text, ends) if ends else {}
        return together.get(pattern, ())

    def _ends(self, seen: Seen, gate: int) -> Sequence[int]:
        if gate in self.gate.gated:
            hits = seen.hits.get(gate, ())
            if self.gate.sees_every_end or not hits:
                return hits
        return [place + 1 for place, char in enumerate(seen.text) if char == "."]

    def _url_gate(self, flags: int) -> tuple[int, urls.UrlFinder]:
        if flags not in self._url_gates:
            number = self._new_number()
            self._expressions[number] = urls.gate_expression(flags)
            self._url_gates[flags] = number, urls.UrlFinder(flags)
        return self._url_gates[flags]

    def _new_number(self) -> int:
        self._next += 1
        return self._next

    @staticmethod
    def _read(pattern: str, flags: int) -> Expression | None:
        try:
            return expression.read(pattern, flags)
        except expression.Unreadable:
            return None

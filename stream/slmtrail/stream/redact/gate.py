"""One pass over a text that says which patterns may match in it, and where.

hyperscan does it where it can be imported, google-re2 elsewhere: the same findings, more slowly.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Set
from typing import Any, Protocol

from slmtrail.stream.redact.expression import Expression
from slmtrail.stream.redact.text import OTHER_DIGIT, one_byte_a_character

Hits = dict[int, list[int]]
"""Number of the pattern -> where parts of possible matches end, in characters of the text."""

DIGIT = 0
"""The number under which hits say that there is a digit; those of patterns begin at 1."""

_log = logging.getLogger(__name__)


class Gate(Protocol):
    """Says which of its expressions occur in a text. Not for use by two threads at once."""

    name: str
    gated: frozenset[int]
    """The patterns it covers; any other has to run on every text."""
    sees_every_end: bool
    """Whether its hits are the ends of all matches; else of those only that don't overlap with one before."""

    def scan(self, text: str) -> Hits:
        """The hits in `text`, which holds no lone surrogates."""
        ...


def make_gate(expressions: dict[int, Expression], once: Set[int] = frozenset(), engine: str | None = None) -> Gate:
    """The fastest gate this machine has, or the one named (hyperscan, re2, none).

    once: expressions of which one hit a text is enough.
    """
    engines: dict[str, Any] = {"hyperscan": _HyperscanGate, "re2": _Re2Gate, "none": _NoGate}
    for name in [engine] if engine else engines:
        try:
            return engines[name](expressions, once)  # type: ignore[no-any-return]
        except ImportError:
            _log.warning("%s can't be imported here: redaction finds the same, but more slowly", name)
    raise AssertionError("a gate of no engine can always be made")


class _HyperscanGate:
    name = "hyperscan"
    sees_every_end = True

    def __init__(self, expressions: dict[int, Expression], once: Set[int]) -> None:
        self._hyperscan = importlib.import_module("hyperscan")
        self._once = {*once, DIGIT}
        self._hits: Hits = {}
        try:
            self._build(expressions)
        except self._hyperscan.error:
            self._build({n: known for n, known in expressions.items() if self._compiles(n, known)})

    def _build(self, expressions: dict[int, Expression]) -> None:
        plain = {n: known for n, known in expressions.items() if not known.needs_digit}
        digits = {n: known for n, known in expressions.items() if known.needs_digit}
        self._bounded = (
            self._database({DIGIT: b"[0-9]"} | {n: known.bounded for n, known in plain.items()}),
            self._database({n: known.bounded for n, known in digits.items()}),
        )
        self._loose = (
            self._database({DIGIT: rb"[0-9\xff]"} | {n: known.loose for n, known in plain.items()}),
            self._database({n: known.loose for n, known in digits.items()}),
        )
        self.gated = frozenset(expressions)

    def scan(self, text: str) -> Hits:
        hits = self._hits = {}
        data = one_byte_a_character(text)
        plain, digits = self._loose if OTHER_DIGIT in data else self._bounded
        plain.scan(data, match_event_handler=self._on_match)
        if DIGIT in hits and digits:
            digits.scan(data, match_event_handler=self._on_match)
        return hits

    def _on_match(self, number: int, _from: int, to: int, _flags: int, _context: Any) -> None:
        ends = self._hits.get(number)
        if ends is None:
            self._hits[number] = [to]
        else:
            ends.append(to)

    def _compiles(self, number: int, known: Expression) -> bool:
        try:
            for expression in {known.bounded, known.loose}:
                self._database({number: expression})
        except self._hyperscan.error:
            return False
        return True

    def _database(self, expressions: dict[int, bytes]) -> Any:
        if not expressions:
            return None
        database = self._hyperscan.Database(mode=self._hyperscan.HS_MODE_BLOCK)
        once = self._hyperscan.HS_FLAG_SINGLEMATCH
        database.compile(
            list(expressions.values()),
            ids=list(expressions),
            elements=len(expressions),
            flags=[once if number in self._once else 0 for number in expressions],
        )
        return database


class _Re2Gate:
    name = "re2"
    sees_every_end = False

    def __init__(self, expressions: dict[int, Expression], once: Set[int]) -> None:
        re2 = importlib.import_module("re2")
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.log_errors = False
        options.max_mem = 256 << 20
        self._options = options
        self._once = once
        self._single: dict[int, tuple[Any, Any]] = {}
        for number, known in expressions.items():
            try:
                self._single[number] = (re2.compile(known.bounded, options), re2.compile(known.loose, options))
            except re2.error:
                continue
        self.gated = frozenset(self._single)
        self._plain = [n for n in self._single if not expressions[n].needs_digit]
        self._digits = [n for n in self._single if expressions[n].needs_digit]
        self._sets = [
            (self._set(re2, [known.bounded for known in chosen]), self._set(re2, [known.loose for known in chosen]))
            for numbers in (self._plain, self._digits)
            for chosen in [[expressions[number] for number in numbers]]
        ]
        self._digit = (re2.compile(b"[0-9]", options), re2.compile(rb"[0-9\xff]", options))

    def scan(self, text: str) -> Hits:
        data = one_byte_a_character(text)
        which = 1 if OTHER_DIGIT in data else 0
        hits: Hits = {}
        self._look(self._plain, self._sets[0][which], which, data, hits)
        if self._digit[which].search(data):
            hits[DIGIT] = []
            self._look(self._digits, self._sets[1][which], which, data, hits)
        return hits

    def _look(self, numbers: list[int], together: Any, which: int, data: bytes, hits: Hits) -> None:
        if numbers:
            for place in together.Match(data) or range(len(numbers)):
                number = numbers[place]
                single = self._single[number][which]
                if number in self._once:
                    hits[number] = []
                else:
                    hits[number] = [match.end() for match in single.finditer(data)]

    def _set(self, re2: Any, expressions: list[bytes]) -> Any:
        together = re2.Set.SearchSet(self._options)
        for expression in expressions:
            together.Add(expression)
        together.Compile()
        return together


class _NoGate:
    name = "none"
    sees_every_end = False

    def __init__(self, _expressions: dict[int, Expression], _once: Set[int]) -> None:
        self.gated: frozenset[int] = frozenset()

    def scan(self, _text: str) -> Hits:
        return {DIGIT: []}

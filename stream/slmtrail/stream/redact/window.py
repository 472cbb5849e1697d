"""Runs one pattern over the parts of a text where it may match, with the matches of a run over all of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import regex  # type: ignore[import-untyped]

from slmtrail.stream.redact.expression import EVERY, HIGH, Expression, text_class

Span = tuple[int, int]

# Watching the time costs more than a search of a short window.
_LONG_WINDOW_CHARS = 1_000


class WindowedPattern:
    """A compiled pattern and the alphabet of its matches.

    A match lies within one run of its alphabet, so the runs with a hit are all that has to be searched, each
    from its beginning, or from where the match with its first hit can begin. What stands left of that stays
    visible to the pattern, and as much on the right as it looks at.
    """

    def __init__(self, pattern: str, flags: int, known: Expression | None, timeout_s: float) -> None:
        self._compiled = regex.compile(pattern, flags)
        self._timeout_s = timeout_s
        self._look_chars = known.look_chars if known else None
        self._lead_chars = known.lead_chars if known else None
        if known is None or known.look_chars is None or known.alphabet == EVERY:
            self._look_chars = None
            return
        alphabet = known.alphabet | HIGH if known.alphabet & HIGH else known.alphabet
        self._outside_left = regex.compile("(?r)" + text_class(alphabet, negated=True))
        self._inside: Any = re.compile(text_class(alphabet) + "*")

    def spans(self, text: str, ends: Sequence[int] | None) -> list[Span]:
        """Where the pattern matches. ends: where the gate saw parts of matches; None: it can't say."""
        return [match.span() for match in self.matches(text, ends)]

    def matches(self, text: str, ends: Sequence[int] | None) -> list[Any]:
        """The matches, but for those of nothing."""
        if ends is None or self._look_chars is None:
            if ends is not None and not ends:
                return []
            found = self._compiled.finditer(text, timeout=self._timeout_s)
            return [m for m in found if m.end() > m.start()]
        matches: list[Any] = []
        length = len(text)
        done = 0
        for end in ends if len(ends) == 1 else sorted(ends):
            if end <= done:
                continue
            if self._lead_chars is not None:
                start = max(done, end - self._lead_chars)
            else:
                outside = self._outside_left.search(text, 0, end - 1)
                start = outside.end() if outside else 0
            done = self._inside.match(text, end - 1).end()
            limit = min(done + self._look_chars, length)
            if limit - start > _LONG_WINDOW_CHARS:
                matches += self._compiled.finditer(text, start, limit, timeout=self._timeout_s)
            else:
                matches += self._compiled.finditer(text, start, limit)
        return matches

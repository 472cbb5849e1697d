"""What an analysis of one text says: a piece of personal data or a secret, and where."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """A span of a text. It never holds the value itself.

    rule: the recogniser and pattern, or the secret rule, that found it; version: of that rule.
    context: the word nearby that raised the score, if one did.
    """

    type: str
    start: int
    end: int
    score: float
    rule: str = ""
    version: str = ""
    context: str = ""

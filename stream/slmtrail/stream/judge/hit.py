"""What a rule answers when it fires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slmtrail.core.roles import Role

EXCERPT_CHARS = 240


@dataclass(slots=True)
class Hit:
    """Why it fires, in a sentence, and what it saw.

    excerpt: the piece of the record that says so; `observed` against `baseline`: numbers a person can check.
    value: what the rule's window is to see of this record.
    """

    why: str = ""
    excerpt: str = ""
    observed: float | str | None = None
    baseline: float | str | None = None
    value: Any = None


Answer = Hit | str | None
"""A rule may answer with its reason alone."""


@dataclass(frozen=True, slots=True)
class About:
    """What a rule knows beside the record: its parameters, as policy sets them for this role, the role, and which of
    its subjects it is asked for."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    role: Role | None = None
    subject: str = ""


def hit(answer: Answer) -> Hit | None:
    """An answer in its long form."""
    return Hit(answer) if isinstance(answer, str) else answer


def around(text: str, start: int, end: int) -> str:
    """The words around `text[start:end]`, on one line."""
    room = max(0, EXCERPT_CHARS - (end - start)) // 2
    piece = " ".join(text[max(0, start - room) : min(len(text), end + room)].split())
    return piece[:EXCERPT_CHARS]

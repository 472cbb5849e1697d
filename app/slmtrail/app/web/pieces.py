"""Stored text is hostile: cut into pieces of which each can be shown as what it is.

Escaping is the template's; this makes visible what a reader would not see: the markers of what was removed,
and characters that are invisible or turn the direction of text around.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set
from dataclasses import dataclass
from typing import Literal

MAX_CHARS = 100_000
"""Text longer than this is cut on the page; the raw JSON has all of it."""

_NAMED_CODES = 8
_MARKER = r"<(?P<label>[A-Z][A-Z0-9_]{0,62}?)(?:_\d{1,9}|:h\d{1,9}:[0-9a-f]{24})?>"
HIDDEN = (
    r"(?P<hidden>(?:[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
    # Joiners belong into emoji and many scripts, not between Latin letters.
    r"|(?<=[!-~])[\u200c\u200d]|[\u200c\u200d](?=[!-~]))+)"
)
_SPECIAL = re.compile(f"{_MARKER}|{HIDDEN}")
_ESCAPED = re.compile(HIDDEN)


@dataclass(frozen=True, slots=True)
class Piece:
    """Text as it is, the marker of a finding, or characters that can't be seen; `title` explains."""

    kind: Literal["text", "marker", "hidden"]
    text: str
    title: str = ""


def pieces(text: str, labels: Set[str] = frozenset()) -> list[Piece]:
    """`text` in pieces. Only the markers of `labels` count: anybody can type `<EMAIL_1>`."""
    found: list[Piece] = []
    done = 0
    shown = text[:MAX_CHARS]
    for match in _SPECIAL.finditer(shown):
        if match["label"] and match["label"] not in labels:
            continue
        if match.start() > done:
            found.append(Piece("text", shown[done : match.start()]))
        found.append(_marker(match[0], match["label"]) if match["label"] else _hidden(match[0]))
        done = match.end()
    if done < len(shown):
        found.append(Piece("text", shown[done:]))
    if len(text) > len(shown):
        rest = len(text) - len(shown)
        found.append(Piece("hidden", f"… {rest:,} more characters", "The raw JSON has all of them."))
    return found


def visible_json(text: str) -> str:
    """JSON text with its invisible characters as escapes, which is the same JSON."""
    return _ESCAPED.sub(lambda match: "".join(map(_escape, match[0])), text)


def _marker(text: str, label: str) -> Piece:
    if label == "WITHHELD":
        return Piece("marker", "WITHHELD", "All of this text was withheld, it could not be searched")
    return Piece("marker", text[1:-1], f"Removed before it was stored: {label.replace('_', ' ').lower()}")


def _hidden(text: str) -> Piece:
    codes = [f"U+{ord(char):04X}" for char in text]
    if len(text) == 1:
        return Piece("hidden", codes[0], unicodedata.name(text, "control character").capitalize())
    more = " …" if len(codes) > _NAMED_CODES else ""
    return Piece("hidden", f"{len(text):,} hidden characters", " ".join(codes[:_NAMED_CODES]) + more)


def _escape(char: str) -> str:
    units = char.encode("utf-16-be").hex()
    return "".join(f"\\u{units[n : n + 4]}" for n in range(0, len(units), 4))

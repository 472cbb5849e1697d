"""Text as the analysers take it."""

from __future__ import annotations

import codecs
import re

import regex  # type: ignore[import-untyped]

LOOKALIKE = b"\xff"
"""The byte of a character that a digit or an ASCII letter of a pattern may match."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def without_surrogates(text: str) -> str:
    """`text` with U+FFFD for each lone surrogate: of the same length, and UTF-8 can carry it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


# Digits of other scripts, and what matches i, s or k when case is ignored; `re` and `regex` know different digits.
# From 0x20000 on there are ideographs only, and what has no name yet.
_BEYOND = "".join(map(chr, range(0x100, 0x20000)))
_LOOKALIKES = frozenset(re.findall(r"\d", _BEYOND) + regex.findall(r"[\d\u0130\u0131\u017f\u212a]", _BEYOND))
del _BEYOND


def _high_bytes(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    beyond = error.object[error.start : error.end]
    byte = b"\xfe" if _LOOKALIKES.isdisjoint(beyond) else LOOKALIKE
    return byte * len(beyond), error.end


codecs.register_error("slmtrail.high_bytes", _high_bytes)


def one_byte_a_character(text: str) -> bytes:
    """ASCII as it is, and a byte from 0x80 on for any other character: `LOOKALIKE` for one that may pass for ASCII."""
    return text.encode("latin-1", "slmtrail.high_bytes")

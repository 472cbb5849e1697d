"""Text as the analysers take it."""

from __future__ import annotations

import codecs
import re

import regex  # type: ignore[import-untyped]

OTHER_DIGIT = b"\xff"
"""The byte of a digit that is not ASCII."""

AS_ASCII = {"\u0130": b"i", "\u0131": b"i", "\u017f": b"s", "\u212a": b"k"}
"""Letters that match one of ASCII when case is ignored (dotted and dotless i, long s, Kelvin sign), and its byte."""

LETTERS_FOR_OTHERS = "iIsSkK"
"""The letters of ASCII that they match."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def without_surrogates(text: str) -> str:
    """`text` with U+FFFD for each lone surrogate: of the same length, and UTF-8 can carry it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


# `re` and `regex` know different digits. From 0x20000 on there are ideographs only, and what has no name yet.
_BEYOND = "".join(map(chr, range(0x100, 0x20000)))
_OTHER_DIGITS = frozenset(re.findall(r"\d", _BEYOND) + regex.findall(r"\d", _BEYOND))
del _BEYOND
_BYTES = dict.fromkeys(_OTHER_DIGITS, OTHER_DIGIT) | AS_ASCII


def _bytes_for(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    beyond = error.object[error.start : error.end]
    if _BYTES.keys().isdisjoint(beyond):
        return b"\xfe" * len(beyond), error.end
    return b"".join(_BYTES.get(char, b"\xfe") for char in beyond), error.end


codecs.register_error("slmtrail.high_bytes", _bytes_for)


def one_byte_a_character(text: str) -> bytes:
    """ASCII as it is, what matches an ASCII letter as that letter, and a byte from 0x80 on for any other character."""
    return text.encode("latin-1", "slmtrail.high_bytes")

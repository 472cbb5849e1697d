"""Where in a text there may be a phone number, told by the digits that stand together."""

from __future__ import annotations

import re

from phonenumbers import phonenumberutil as util

from slmtrail.stream.redact.expression import EVERY, Expression
from slmtrail.stream.redact.phone_heads import MAX_DIGITS, MIN_DIGITS
from slmtrail.stream.redact.phone_plans import PhonePlans

# Where what should be behind the mark of an extension is cut off, its letters stand for the digits on their keys.
_LETTERED = r"(?=[ \t,;.\xa0]{0,4}(?i:ext|xt|int|anexo|\uff45?\uff58\uff54))()"


def _run(digit: str, between: str) -> re.Pattern[str]:
    """Three digits or more, and what stands between them, or two before letters; with a group if letters follow."""
    return re.compile(rf"{digit}(?:[{between}]+{digit}(?:{_LETTERED})?|{digit}{_LETTERED})")


_ASCII_RUN = _run("[0-9]", r"0-9xX ()./\[\]~\-")
_RUN = _run(r"\d", rf"{util._VALID_PUNCTUATION}X\d")
_PLUS = re.compile(r"[+\uff0b]\D{0,9}(?=\d)")
_CHUNK = re.compile(r"\d+")
# A candidate takes no more than 20 digits with nothing between them, and behind the mark of an extension perhaps 9.
_MAX_UNDIVIDED_CHARS = 20
_MAX_EXTENSION_CHARS = 9
# What phonenumbers takes for the mark of an extension, behind a number and before its digits.
_MARK = "ext|xt|x|int|anexo|\u0434\u043e\u0431|[#~;\uff03\uff5e\uff45\uff58\uff49]"
_EXTENSION = re.compile(rf"[ \t,\xa0]*(?:{_MARK})", re.IGNORECASE)
_BEFORE_EXTENSION = " \t,\xa0-"
_MARK_LEFT = re.compile(
    r"(?:xt(?:ensi[\w\u0301]{0,4})?n?|int|anexo|\u0434\u043e\u0431|[x#~=\uff03\uff5e\uff58\uff54\uff4e])[:.\uff0e]?\Z",
    re.IGNORECASE,
)
_MAX_MARK_CHARS = 12
_NEAR_CHARS = 24


def three_digits() -> Expression:
    """What is in every text with a phone number, for the gate of the whole text."""
    between = rb"[xX ()./\[\]~\-\x80-\xff]*"
    bounded, loose = (digit + (between + digit) * 2 for digit in (b"[0-9]", rb"[0-9\xff]"))
    return Expression(bounded, loose, EVERY, needs_digit=True)


class PhoneGate:
    """Says where in a text there may be a number, and of which regions."""

    def __init__(self, plans: PhonePlans) -> None:
        self._plans = plans

    def places(self, text: str) -> list[tuple[int, int]]:
        """The last digits of what may be a number, in order, each with the regions of which it may be one.

        Behind a plus sign it is the first digit.
        """
        places: list[tuple[int, int]] = []
        every = self._plans.every
        for found in (_ASCII_RUN if text.isascii() else _RUN).finditer(text):
            start, end = found.span()
            run = found.group()
            if not run.isascii():
                run = "".join(util.normalize_digits_only(c) if c.isdecimal() else c for c in run)
            digits = run.replace("-", "")
            if digits.isdigit() and (
                (len(run) <= _MAX_EXTENSION_CHARS and digits == run) or _is_undivided(text, run, start, end)
            ):
                # It is a number as a whole or none at all, and no number has a part of it.
                possible = self._plans.possible_in(digits)
                mask = possible and self._plans.valid_in(digits, possible)
                # With the digits of an extension behind it, it may have a prefix that it has not alone.
                if mask != possible and _EXTENSION.match(text, end):
                    mask = possible
                if mask:
                    places.append((end - 1, mask))
            else:
                places += self._parts(_chunks(text, run, start))
            if found.lastindex:
                places.append((end - 1, every))
        if "+" in text or "\uff0b" in text:
            places += [(found.end(), every) for found in _PLUS.finditer(text)]
            places.sort()
        return places

    def _parts(self, chunks: list[tuple[int, str]]) -> list[tuple[int, int]]:
        """The places of what may be a number made of chunks of digits."""
        possible_in = self._plans.possible_in
        masks = [0] * len(chunks)
        for first in range(len(chunks)):
            digits = ""
            for last in range(first, len(chunks)):
                digits += chunks[last][1]
                if len(digits) > MAX_DIGITS:
                    break
                if len(digits) >= MIN_DIGITS:
                    masks[last] |= possible_in(digits)
        return [(place, mask) for (place, _), mask in zip(chunks, masks, strict=True) if mask]


def _chunks(text: str, run: str, start: int) -> list[tuple[int, str]]:
    """The digits of a run as a candidate has them, all or none of each chunk; and where the last of them stands."""
    chunks: list[tuple[int, str]] = []
    for found in _CHUNK.finditer(run):
        digits, place = found.group(), start + found.start()
        if len(digits) > _MAX_EXTENSION_CHARS:
            cut = _MAX_EXTENSION_CHARS if _is_extension(text, place) else _MAX_UNDIVIDED_CHARS
            while len(digits) > cut:
                place += cut
                chunks.append((place - 1, digits[:cut]))
                digits, cut = digits[cut:], _MAX_UNDIVIDED_CHARS
        chunks.append((place + len(digits) - 1, digits))
    return chunks


def _is_undivided(text: str, run: str, start: int, end: int) -> bool:
    """Whether a run of digits and dashes stays one, whatever is around it."""
    return not (
        len(run) > _MAX_UNDIVIDED_CHARS or "--" in run or _EXTENSION.match(text, end) or _is_extension(text, start)
    )


def _is_extension(text: str, start: int) -> bool:
    """Whether the mark of an extension stands before digits."""
    near = text[max(0, start - _NEAR_CHARS) : start].rstrip(_BEFORE_EXTENSION)
    if len(near) < _MAX_MARK_CHARS < start:
        near = text[:start].rstrip(_BEFORE_EXTENSION)
    return _MARK_LEFT.search(near, max(0, len(near) - _MAX_MARK_CHARS)) is not None

"""Where in a text there may be a phone number, told by the digits that stand together."""

from __future__ import annotations

import re

import regex  # type: ignore[import-untyped]
from phonenumbers import phonenumberutil as util

from slmtrail.stream.redact.expression import EVERY, Expression
from slmtrail.stream.redact.phone_heads import MAX_DIGITS, MIN_DIGITS
from slmtrail.stream.redact.phone_plans import PhonePlans

# Digits, and what may stand between those of one number.
_ASCII_RUN = re.compile(r"[0-9][0-9xX ()./\[\]~\-]*[0-9]")
_RUN = re.compile(rf"\d[{util._VALID_PUNCTUATION}X\d]*\d")
_CHUNK = re.compile(r"\d+")
_MAX_LEAD_CHARS = 10
# A candidate takes no more than 20 digits with nothing between them, and behind the mark of an extension perhaps 9.
_MAX_UNDIVIDED_CHARS = 20
_MAX_EXTENSION_CHARS = 9
# What phonenumbers takes for the mark of an extension, behind a number and before its digits.
_MARK = "ext|xt|x|int|anexo|\u0434\u043e\u0431|[#~;\uff03\uff5e\uff45\uff58\uff49]"
_EXTENSION = re.compile(rf"[ \t,\xa0]*(?:{_MARK})", re.IGNORECASE)
# Such a mark of three letters, where what should be behind it is cut off, stands for the digits on its keys.
_LETTERED = re.compile(r"[ \t,;.\xa0]{0,4}(?:ext|xt|int|anexo|\uff45?\uff58\uff54)", re.IGNORECASE)
_EXTENSION_LEFT = regex.compile(
    r"(?r)(?:xt(?:ensi[\w\u0301]{0,4})?n?|int|anexo|\u0434\u043e\u0431|[x#~=\uff03\uff5e\uff58\uff54\uff4e])"
    r"[:.\uff0e]?[ \t,\xa0\-]*",
    regex.IGNORECASE,
)


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
        has_plus = "+" in text or "\uff0b" in text
        for found in (_ASCII_RUN if text.isascii() else _RUN).finditer(text):
            start, end = found.span()
            if has_plus and _has_plus_before(text, start):
                places.append((start, self._plans.every))
            run = found.group()
            if not run.isascii():
                run = "".join(util.normalize_digits_only(c) if c.isdecimal() else c for c in run)
            digits = run.replace("-", "")
            is_short = len(run) <= _MAX_EXTENSION_CHARS and run.isdigit()
            if is_short or (digits.isdigit() and _is_undivided(text, run, start, end)):
                # It is a number as a whole or none at all, and no number has a part of it.
                if MIN_DIGITS <= len(digits) <= MAX_DIGITS:
                    mask = self._plans.valid_in(digits, self._plans.every)
                    if mask:
                        places.append((end - 1, mask))
            else:
                places += self._parts(_chunks(text, run, start))
            if _LETTERED.match(text, end):
                places.append((end - 1, self._plans.every))
        return places

    def _parts(self, chunks: list[tuple[int, str]]) -> list[tuple[int, int]]:
        """The places of what may be a number made of chunks of digits."""
        may_be_in = self._plans.possible_in
        masks = [0] * len(chunks)
        for first in range(len(chunks)):
            digits = ""
            for last in range(first, len(chunks)):
                digits += chunks[last][1]
                if len(digits) > MAX_DIGITS:
                    break
                if len(digits) >= MIN_DIGITS:
                    masks[last] |= may_be_in(digits)
        return [(place, mask) for (place, _), mask in zip(chunks, masks, strict=True) if mask]


def _chunks(text: str, run: str, start: int) -> list[tuple[int, str]]:
    """The digits of a run as a candidate has them, all or none of each chunk; and where the last of them stands."""
    chunks: list[tuple[int, str]] = []
    for found in _CHUNK.finditer(run):
        digits, place = found.group(), start + found.start()
        if len(digits) > _MAX_EXTENSION_CHARS:
            cut = _MAX_EXTENSION_CHARS if _EXTENSION_LEFT.match(text, 0, place) else _MAX_UNDIVIDED_CHARS
            while len(digits) > cut:
                place += cut
                chunks.append((place - 1, digits[:cut]))
                digits, cut = digits[cut:], _MAX_UNDIVIDED_CHARS
        chunks.append((place + len(digits) - 1, digits))
    return chunks


def _is_undivided(text: str, run: str, start: int, end: int) -> bool:
    """Whether a run of digits and dashes stays one, whatever is around it."""
    return not (
        len(run) > _MAX_UNDIVIDED_CHARS
        or "--" in run
        or _EXTENSION.match(text, end)
        or _EXTENSION_LEFT.match(text, 0, start)
    )


def _has_plus_before(text: str, start: int) -> bool:
    lead = text[max(start - _MAX_LEAD_CHARS, 0) : start]
    return "+" in lead or "\uff0b" in lead

"""Where in a text there may be a phone number, told by the digits that stand together."""

from __future__ import annotations

import re

from phonenumbers import phonenumberutil as util

from slmtrail.stream.redact.expression import EVERY, Expression
from slmtrail.stream.redact.phone_plans import PhonePlans

# Where what should be behind the mark of an extension is cut off, its letters stand for the digits on their keys.
_LETTERED = r"(?=[ \t,;.\xa0]{0,4}(?i:ext|xt|int|anexo|\uff45?\uff58\uff54))()"


def _run(digit: str, between: str) -> re.Pattern[str]:
    """Three digits or more, and what stands between them, or two before letters; with a group if letters follow."""
    return re.compile(rf"{digit}(?:[{between}]+{digit}(?:{_LETTERED})?|{digit}{_LETTERED})")


_ASCII_RUN = _run("[0-9]", r"0-9xX ()./\[\]~\-")
_RUN = _run(r"\d", rf"{util._VALID_PUNCTUATION}X\d")
_PLUS = re.compile(r"[+\uff0b]\D{0,9}(?=\d)")
_ASCII_PLUS = re.compile(r"\+\D{0,9}(?=\d)")
_CHUNK = re.compile(r"\d+")
_BETWEEN_CHUNKS = re.compile(r"\D+")
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
# What most often stands before digits, and is the end of no such mark.
_NO_MARK = frozenset("abcdefghjklmpqrsuvwyz0123456789/(),;_")
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
        possible_in = self._plans.possible_in
        for found in (_ASCII_RUN if text.isascii() else _RUN).finditer(text):
            run = digits = found.group()
            if not run.isascii():
                run = digits = "".join(util.normalize_digits_only(c) if c.isdecimal() else c for c in run)
            is_whole = run.isdigit() and len(run) <= _MAX_EXTENSION_CHARS
            if not is_whole:
                digits = run.replace("-", "")
                is_whole = digits.isdigit() and _is_undivided(text, run, *found.span())
            if is_whole:
                # It is a number as a whole or none at all, and no number has a part of it.
                possible = possible_in(digits)
                if possible:
                    end = found.end()
                    mask = self._plans.valid_in(digits, possible)
                    # With the digits of an extension behind it, it may have a prefix that it has not alone.
                    if mask != possible and _EXTENSION.match(text, end):
                        mask = possible
                    if mask:
                        places.append((end - 1, mask))
            else:
                places += self._parts(text, run, found.start())
            if found.lastindex:
                places.append((found.end() - 1, self._plans.every))
        if "\uff0b" in text:
            places += [(found.end(), self._plans.every) for found in _PLUS.finditer(text)]
            places.sort()
        elif "+" in text:
            places += [(found.end(), self._plans.every) for found in _ASCII_PLUS.finditer(text)]
            places.sort()
        return places

    def _parts(self, text: str, run: str, start: int) -> list[tuple[int, int]]:
        """The places of what may be a number made of chunks of digits."""
        chunks = _BETWEEN_CHUNKS.split(run)
        if len(run) > _MAX_EXTENSION_CHARS and max(map(len, chunks)) > _MAX_EXTENSION_CHARS:
            chunks, places = _cut(text, run, start)
            masks = self._plans.possible_by_end(chunks)
        else:
            masks = self._plans.possible_by_end(chunks)
            if not any(masks):
                return []
            places = [start + found.end() - 1 for found in _CHUNK.finditer(run)]
        return [(place, mask) for place, mask in zip(places, masks, strict=True) if mask]


def _cut(text: str, run: str, start: int) -> tuple[list[str], list[int]]:
    """The digits of a run as a candidate has them, all or none of each chunk; and where the last of them stands."""
    chunks, places = [], []
    for found in _CHUNK.finditer(run):
        digits, place = found.group(), start + found.start()
        cut = _MAX_EXTENSION_CHARS if _is_extension(text, place) else _MAX_UNDIVIDED_CHARS
        while digits:
            chunks.append(digits[:cut])
            place += len(chunks[-1])
            places.append(place - 1)
            digits, cut = digits[cut:], _MAX_UNDIVIDED_CHARS
    return chunks, places


def _is_undivided(text: str, run: str, start: int, end: int) -> bool:
    """Whether a run of digits and dashes stays one, whatever is around it."""
    return not (
        len(run) > _MAX_UNDIVIDED_CHARS or "--" in run or _EXTENSION.match(text, end) or _is_extension(text, start)
    )


def _is_extension(text: str, start: int) -> bool:
    """Whether the mark of an extension stands before digits."""
    near = text[max(0, start - _NEAR_CHARS) : start].rstrip(_BEFORE_EXTENSION)
    if near[-1:] in _NO_MARK:
        return False
    if len(near) < _MAX_MARK_CHARS < start:
        near = text[:start].rstrip(_BEFORE_EXTENSION)
    return _MARK_LEFT.search(near, max(0, len(near) - _MAX_MARK_CHARS)) is not None

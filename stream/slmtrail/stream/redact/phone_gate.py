"""Expressions for the gate that occur wherever phonenumbers can find a number of a region."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import regex  # type: ignore[import-untyped]
from phonenumbers import phonenumberutil as util
from phonenumbers.phonemetadata import PhoneMetadata

from slmtrail.stream.redact.expression import EVERY, Expression
from slmtrail.stream.redact.gate import make_gate
from slmtrail.stream.redact.phone_plans import PhonePlans, metadata_of

_BETWEEN = rb"[xX ()./\[\]~\-\x80-\xff]*"
_START = rb"(?:^|[^0-9])"
_END = rb"(?:[^0-9]|$)"
_ANY_DIGIT = rb"[0-9\x80-\xff]" + _BETWEEN
# Three digits and more, and what may stand between those of one number.
_INSIDE = rf"{util._VALID_PUNCTUATION}X\d"
_ASCII_INSIDE = r"0-9xX ()./\[\]~\-"
_RUN = re.compile(rf"\d(?:[{_INSIDE}]*\d){{2}}")
_DIGIT = re.compile(r"\d")
# They match always, if only nothing.
_TO_LAST_DIGIT: Any = re.compile(rf"[{_INSIDE}]*\d|")
_ASCII_TO_LAST_DIGIT: Any = re.compile(rf"[{_ASCII_INSIDE}]*[0-9]|")
_OUTSIDE_LEFT = regex.compile(rf"(?r)[^{_INSIDE}]")
_ASCII_OUTSIDE_LEFT = regex.compile(rf"(?r)[^{_ASCII_INSIDE}]")
# One for the end of a match in the run before, one for the start of a match: matches of two runs don't overlap.
_APART = "\n\n"
_MAX_LEAD_CHARS = 10
# A candidate takes no more than 20 digits with nothing between them.
_MAX_UNDIVIDED_CHARS = 20
# What phonenumbers takes for the mark of an extension, behind a number and before its digits.
_MARK = "ext|xt|x|int|anexo|\u0434\u043e\u0431|[#~;\uff03\uff5e\uff45\uff58\uff49]"
_EXTENSION = re.compile(rf"[ \t,\xa0]*(?:{_MARK})", re.IGNORECASE)
_EXTENSION_LEFT = regex.compile(
    r"(?r)(?:xt(?:ensi[\w\u0301]{0,4})?n?|int|anexo|\u0434\u043e\u0431|[x#~=\uff03\uff5e\uff58\uff54\uff4e])"
    r"[:.\uff0e]?[ \t,\xa0\-]*",
    regex.IGNORECASE,
)
_MAX_EXACT_CHARS = 10_000
_ATOM = re.compile(r"\\d|\[[0-9\-]+\]|[0-9]")
_REPEAT = re.compile(r"\{[0-9,]+\}|[?*+]")
_GLUE = re.compile(r"\(\?:|\(|\)|\|")


def three_digits() -> Expression:
    """What ends at the third digit of each run of digits, for the gate of the whole text."""
    between = rb"[xX ()./\[\]~\-\x80-\xff]*"
    outside = rb"(?:^|[^0-9xX ()./\[\]~\-])"
    bounded, loose = (outside + (between + digit) * 3 for digit in (b"[0-9]", rb"[0-9\xff]"))
    return Expression(bounded, loose, EVERY, needs_digit=True)


class PhoneGate:
    """Says where in a text there may be a number, and of which regions, from the runs of digits in it."""

    def __init__(self, regions: Sequence[str], plans: PhonePlans, engine: str | None = None) -> None:
        self._plans = plans
        self._every = plans.every
        masks: dict[bytes, int] = {}
        for place, region in enumerate(regions):
            for expression in _of_region(metadata_of(region)):
                masks[expression] = masks.get(expression, 0) | 1 << place
        self._masks = dict(enumerate(masks.values(), 1))
        self._gate = make_gate(
            {number: Expression(text, text, EVERY) for number, text in enumerate(masks, 1)}, engine=engine
        )
        self._is_whole = self._gate.gated == set(self._masks)
        self.sees_every_end = self._is_whole and self._gate.sees_every_end
        """Whether each number has a place on its last digit or beside it; else in the same run of digits only."""

    def places(self, text: str, ends: Sequence[int] | None) -> list[tuple[int, int]]:
        """Places in the text, in order, each with the regions of which there may be a number there.

        ends: the hits of `three_digits` in the text; None: all of it has to be searched for runs.
        """
        if not self._is_whole:
            return [(start, self._every) for start, _ in self._runs(text, ends)]
        places: list[tuple[int, int]] = []
        unknown: list[tuple[int, str]] = []
        has_plus = "+" in text or "\uff0b" in text
        for start, end in self._runs(text, ends):
            if has_plus and _has_plus_before(text, start):
                places.append((start, self._every))
            run = text[start:end]
            digits = run.replace("-", "")
            if (
                digits.isdigit()
                and end - start <= _MAX_UNDIVIDED_CHARS
                and digits.isascii()
                and "--" not in run
                and not _EXTENSION.match(text, end)
                and not _EXTENSION_LEFT.match(text, 0, start)
            ):
                # It is a number as a whole or none at all, and no number has a part of it.
                mask = self._plans.valid_in(digits, self._every)
                if mask:
                    places.append((end - 1, mask))
            else:
                unknown.append((start, run))
        if unknown:
            self._scan(unknown, places)
        places.sort()
        return places

    @staticmethod
    def _runs(text: str, ends: Sequence[int] | None) -> list[tuple[int, int]]:
        """Where three digits or more stand that may be those of one number."""
        is_ascii = text.isascii()
        to_last_digit = _ASCII_TO_LAST_DIGIT.match if is_ascii else _TO_LAST_DIGIT.match
        runs: list[tuple[int, int]] = []
        done = 0
        if ends is None:
            third = _RUN.search(text)
            while third:
                done = to_last_digit(text, third.end()).end()
                runs.append((third.start(), done))
                third = _RUN.search(text, done)
            return runs
        outside_left = _ASCII_OUTSIDE_LEFT.search if is_ascii else _OUTSIDE_LEFT.search
        for end in ends:
            if end > done:
                outside = outside_left(text, done, end)
                first = _DIGIT.search(text, outside.end() if outside else done, end)
                if first:
                    done = to_last_digit(text, end).end()
                    runs.append((first.start(), done))
        return runs

    def _scan(self, runs: list[tuple[int, str]], places: list[tuple[int, int]]) -> None:
        """Adds the places in runs, each of which is a place in the text and what stands there."""
        hits = [
            # The match took the character after the number, too, unless it stands at the end.
            (end - 2, self._masks[number])
            for number, ends in self._gate.scan(_APART.join([run for _, run in runs])).items()
            if number in self._masks
            for end in ends
        ]
        hits.sort()
        hit, offset = 0, 0
        for start, run in runs:
            after = offset + len(run) + 1
            first = hit
            while hit < len(hits) and hits[hit][0] < after:
                hit += 1
            here = [(max(place - offset, 0), mask) for place, mask in hits[first:hit]]
            for place, mask in here:
                places.append((start + place, mask))
            offset = after + 1


def _has_plus_before(text: str, start: int) -> bool:
    lead = text[max(start - _MAX_LEAD_CHARS, 0) : start]
    return "+" in lead or "\uff0b" in lead


def _of_region(metadata: Any) -> Iterable[bytes]:
    if metadata.international_prefix:
        yield _START + _spread(metadata.international_prefix.replace("~", "")) + b"(?:" + _ANY_DIGIT + b"){3}"
    prefix = metadata.national_prefix_for_parsing
    rule = metadata.national_prefix_transform_rule
    if rule and not re.fullmatch(r"\\[0-9]", rule):
        # The prefix is replaced by other digits: anything of some length may become a number.
        yield _START + b"(?:" + _ANY_DIGIT + b"){5}"
        return
    country = b"(?:" + _spread(str(metadata.country_code)) + b")?"
    kinds = b"(?:" + _national(metadata.country_code) + b")"
    before = b""
    if prefix:
        more = b"(?:" + _ANY_DIGIT + b")*" if rule else b""
        before = b"(?:(?:" + _spread(_without_optional_end(prefix)) + b")" + more + b"){0,2}"
    yield _START + country + before + kinds + _END


def _national(country_code: int) -> bytes:
    """The numbers of a calling code: kind by kind, or, where that is too long, its general description."""
    plans: list[Any] = [
        PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
        for region in util.region_codes_for_country_code(country_code)
    ]
    kinds = {
        desc.national_number_pattern
        for plan in plans
        for desc in (
            *(plan.premium_rate, plan.toll_free, plan.shared_cost, plan.voip, plan.personal_number),
            *(plan.pager, plan.uan, plan.voicemail, plan.fixed_line, plan.mobile),
        )
        if desc is not None and desc.national_number_pattern
    }
    exact = b"|".join(sorted(_spread(pattern) for pattern in kinds))
    if len(exact) <= _MAX_EXACT_CHARS:
        return exact
    return b"|".join(sorted({_spread(plan.general_desc.national_number_pattern) for plan in plans}))


def _without_optional_end(prefix: str) -> str:
    """`(?:0|90)(?:…)?` as `(?:0|90)`; what the end would take, `more` takes."""
    depth, start = 0, 0
    if not prefix.endswith(")?"):
        return prefix
    for place in range(len(prefix) - 2, -1, -1):
        depth += {")": 1, "(": -1}.get(prefix[place], 0)
        if depth == 0:
            start = place
            break
    return prefix[:start] or prefix


def _spread(pattern: str) -> bytes:
    """A pattern of digits with punctuation allowed after each digit, and digits of any script."""
    pieces: list[bytes] = []
    place = 0
    while place < len(pattern):
        glue = _GLUE.match(pattern, place)
        atom = _ATOM.match(pattern, place)
        if glue:
            place = glue.end()
            repeat = _REPEAT.match(pattern, place) if glue.group() == ")" else None
            piece = b"(?:" if glue.group().startswith("(") else glue.group().encode()
        elif atom:
            place = atom.end()
            repeat = _REPEAT.match(pattern, place)
            inner = atom.group().strip("[]").replace("\\d", "0-9")
            piece = b"(?:[" + inner.encode() + rb"\x80-\xff]" + _BETWEEN + b")"
        else:
            raise ValueError(f"phonenumbers has a pattern that is not made of digits: {pattern}")
        pieces.append(piece)
        if repeat:
            pieces.append(repeat.group().encode())
            place = repeat.end()
    return b"".join(pieces)

"""Phone numbers: what phonenumbers' matcher finds for each of several regions, in one walk over the text.

The matcher's candidates do not depend on the region, and whether a candidate is valid depends, for one that
is made of digits and plain punctuation, on its digits alone. So the text is walked once, and each digit
string is judged once for all regions; anything out of the ordinary goes to phonenumbers itself.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

import regex  # type: ignore[import-untyped]
from phonenumbers import phonenumberutil as util

from slmtrail.stream.redact.phone_gate import PhoneGate
from slmtrail.stream.redact.phone_heads import MAX_DIGITS, MIN_DIGITS
from slmtrail.stream.redact.phone_plans import VALID, PhonePlans, matcher

Span = tuple[int, int]

_DIGIT = re.compile(r"\d")
# Digits with plain ASCII punctuation, and a plus sign before the first. What phonenumbers strips or reads as an
# extension (x, #, ~, letters, wide punctuation) is not here.
_PLAIN_WITH_PLUS = re.compile(r"[(\[]*\+[ ().\[\]/\-]*[0-9][0-9 ().\[\]/\-]*")
# What phonenumbers reads no extension in, or another than the digits behind the first x: a measure, an address.
_CROSSED = re.compile(r"[0-9]x[0-9]+|[0-9]+(?:x[0-9]+){2,}")
_NO_PUNCTUATION = str.maketrans("", "", "+ ()[].-/")
# No candidate goes over such a character: not a digit, not punctuation, and in no mark of an extension.
_BREAKS = "bcdghjklmqruvwyzBCDGHJKLMQRUVWYZ@%$&*<>{}|!?\"'_\n\r^`"
_BREAK = re.compile(f"[{re.escape(_BREAKS)}]")
_BREAK_LEFT = regex.compile(f"(?r)[{re.escape(_BREAKS)}]")
# The matcher's patterns for inner matches, of which each needs something of its own.
_SLASH, _BRACKET, _SPACED_DASH, _WIDE_DASH, _DOT, _SPACE = matcher._INNER_MATCHES
_BRACKETS = frozenset("()[]")
_MAX_LEAD_CHARS = 10
_MAX_PARSED_CHARS = 250
# A mark stands on the last digit of a number, or beside it.
_MARK_OFF_CHARS = 3


class PhoneFinder:
    """Finds the phone numbers of some regions, as `PhoneNumberMatcher` does at leniency VALID."""

    def __init__(self, regions: Sequence[str]) -> None:
        self._regions = list(regions)
        self._plans = PhonePlans(regions)
        self._gate = PhoneGate(self._plans)

    def spans(self, text: str) -> set[Span]:
        """Where a number of any of the regions stands."""
        found: set[Span] = set()
        marks = _Marks(self._gate.places(text))
        for start, end, last, regions in self._segments(text, marks):
            found |= self._spans_in(text, (start, end), last, regions, marks)
        return found

    def _segments(self, text: str, marks: _Marks) -> list[tuple[int, int, int, int]]:
        """The parts of the text in which there can be a number. No candidate crosses them.

        Of each where it starts, where it ends, where its last mark is, and the regions of its marks.
        """
        segments: list[tuple[int, int, int, int]] = []
        start = end = -1
        last = regions = 0
        for place, mask in zip(marks.places, marks.masks, strict=True):
            if place >= end:
                if regions:
                    segments.append((start, end, last, regions))
                left = _BREAK_LEFT.search(text, 0, place)
                right = _BREAK.search(text, place)
                start, end = left.end() if left else 0, right.start() if right else len(text)
                regions = 0
            last = place
            regions |= mask
        if regions:
            segments.append((start, end, last, regions))
        return segments

    def _spans_in(self, text: str, segment: Span, last: int, regions: int, marks: _Marks) -> set[Span]:
        found: set[Span] = set()
        start, end = segment
        # Where the search goes on -> for which regions: a match inside a candidate parts their ways.
        ahead = {start: regions}
        while ahead:
            index = min(ahead) if len(ahead) > 1 else next(iter(ahead))
            regions = ahead.pop(index)
            if index > last + _MARK_OFF_CHARS:
                break
            candidate = _next_candidate(text, index, end)
            if candidate is None:
                continue
            begin, candidate_text = candidate
            for span, mask in self._extract(text, candidate_text, begin, regions, marks):
                found.add(span)
                regions &= ~mask
                ahead[span[1]] = ahead.get(span[1], 0) | mask
            if regions:
                after = begin + len(candidate_text)
                ahead[after] = ahead.get(after, 0) | regions
        return found

    def _extract(self, text: str, candidate: str, offset: int, regions: int, marks: _Marks) -> list[tuple[Span, int]]:
        """The numbers in a candidate, and for which of the regions: the first one for each."""
        regions &= marks.near(offset, offset + len(candidate))
        if not regions or len(candidate) < MIN_DIGITS:
            return []
        if "/" in candidate and matcher._SLASH_SEPARATED_DATES.search(candidate):
            return []
        if (
            " " in candidate
            and matcher._TIME_STAMPS.search(candidate)
            and matcher._TIME_STAMPS_SUFFIX.match(text, offset + len(candidate))
        ):
            return []
        mask = self._mask(text, candidate, offset, regions)
        found = [((offset, offset + len(candidate)), mask)] if mask else []
        if mask == regions or candidate.isdigit():
            return found
        regions &= ~mask
        for group, start in _inner_groups(candidate, offset):
            if len(group) < MIN_DIGITS:
                continue
            asked = regions & marks.near(start, start + len(group))
            mask = asked and self._mask(text, group, start, asked)
            if mask:
                found.append(((start, start + len(group)), mask))
                regions &= ~mask
                if not regions:
                    break
        return found

    def _mask(self, text: str, group: str, offset: int, regions: int) -> int:
        """The regions, out of these, for which `group` is a valid number as it stands there."""
        digits = group.translate(_NO_PUNCTUATION)
        if not (digits.isdigit() and digits.isascii()):
            return 0 if _CROSSED.fullmatch(group) else self._ask(text, group, offset, regions)
        if "+" in group:
            if not _PLAIN_WITH_PLUS.fullmatch(group):
                return self._ask(text, group, offset, regions)
            digits = "+" + digits
        if not MIN_DIGITS <= len(digits) - (digits[0] == "+") <= MAX_DIGITS or len(group) > _MAX_PARSED_CHARS:
            return 0
        mask = self._plans.valid_in(digits, regions)
        return mask if mask and _stands_free(text, group, offset) else 0

    def _ask(self, text: str, group: str, offset: int, regions: int) -> int:
        mask = 0
        if len(group) <= _MAX_PARSED_CHARS:
            for place, region in enumerate(self._regions):
                asked = 1 << place
                if regions & asked and matcher.PhoneNumberMatcher(text, region, leniency=VALID)._parse_and_verify(
                    group, offset
                ):
                    mask |= asked
        return mask


class _Marks:
    """The gate's places in a text, in order, and the regions of each."""

    def __init__(self, places: list[tuple[int, int]]) -> None:
        self.places = [place for place, _ in places]
        self.masks = [mask for _, mask in places]

    def near(self, start: int, end: int) -> int:
        """The regions of which there can be a number with its digits in a span."""
        places, mask = self.places, 0
        for place in range(bisect_left(places, start - _MARK_OFF_CHARS), len(places)):
            if places[place] >= end + _MARK_OFF_CHARS:
                break
            mask |= self.masks[place]
        return mask


def _next_candidate(text: str, index: int, end: int) -> tuple[int, str] | None:
    """What the matcher's search would look at next, from `index` on, before `end`: the place and the text."""
    digit = _DIGIT.search(text, index, end)
    if digit is None:
        return None
    # Every candidate has a digit, and at most so many characters before its first one.
    match = matcher._PATTERN.search(text, max(index, digit.start() - _MAX_LEAD_CHARS))
    if match is None:
        return None
    candidate = match.group()
    if "x" in candidate:
        second = util._SECOND_NUMBER_START_PATTERN.search(candidate)
        if second:
            candidate = candidate[: second.start()]
    return match.start(), candidate


def _inner_groups(candidate: str, offset: int) -> Iterator[tuple[str, int]]:
    """The parts of a candidate that may be a number by themselves, in the matcher's order."""
    for pattern in _inner_patterns(candidate):
        inner = pattern.search(candidate)
        first = True
        while inner:
            if first:
                yield _trimmed(candidate[: inner.start()]), offset
                first = False
            yield _trimmed(inner.group(1)), offset + inner.start(1)
            inner = pattern.search(candidate, inner.start() + 1)


def _inner_patterns(candidate: str) -> Sequence[re.Pattern[str]]:
    """Those of the matcher's patterns that may match in a candidate."""
    if not candidate.isascii():
        return matcher._INNER_MATCHES  # type: ignore[no-any-return]
    is_spaced = " " in candidate or "\t" in candidate
    needed = (
        (_SLASH, "/" in candidate),
        (_BRACKET, "(" in candidate),
        (_SPACED_DASH, is_spaced and "-" in candidate),
        (_DOT, "." in candidate),
        (_SPACE, is_spaced),
    )
    return [pattern for pattern, is_needed in needed if is_needed]


def _trimmed(group: str) -> str:
    if group[-1:].isalnum():
        return group
    unwanted = util._UNWANTED_END_CHAR_PATTERN.search(group)
    return group[: unwanted.start()] if unwanted else group


def _stands_free(text: str, group: str, offset: int) -> bool:
    """Whether brackets match, it is no page range, and no letter, percent or currency sign touches it.

    A page range has a bracket, too, and what stands in a group here is ASCII.
    """
    if not _BRACKETS.isdisjoint(group) and (
        not matcher.fullmatch(matcher._MATCHING_BRACKETS, group) or matcher._PUB_PAGES.search(group)
    ):
        return False
    if offset > 0 and group[0] not in "([+" and _forbids(text[offset - 1]):
        return False
    end = offset + len(group)
    return end >= len(text) or not _forbids(text[end])


def _forbids(neighbour: str) -> bool:
    if neighbour.isascii():
        return neighbour.isalpha() or neighbour in "%$"
    finder = matcher.PhoneNumberMatcher
    return bool(finder._is_invalid_punctuation_symbol(neighbour) or finder._is_latin_letter(neighbour))

"""Which strings of digits can be a phone number of a region, told by their first digits and their length.

phonenumbers' patterns are read as automata; a table keeps their first steps, and how many digits may follow.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from itertools import accumulate
from operator import or_
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import regex  # type: ignore[import-untyped]
from phonenumbers import phonenumberutil as util
from phonenumbers.phonemetadata import PhoneMetadata

from slmtrail.core.errors import SettingsError

MIN_DIGITS = 3
MAX_DIGITS = 40
_HEAD_DIGITS = 4
_SHORT = 10**_HEAD_DIGITS
_DIGITS = "0123456789"
_LENGTHS = (1 << MAX_DIGITS + 1) - 1
_SHORTEST = 1 << MIN_DIGITS


def metadata_of(region: str) -> Any:
    """phonenumbers' knowledge of a region. Raises SettingsError for one it doesn't know."""
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None:
        raise SettingsError(f"redact: phonenumbers knows no region {region!r}; write two capital letters, such as US")
    return metadata


class PhoneHeads:
    """Says of which regions a string of digits can be a number; masks have a bit for each region, in their order."""

    def __init__(self, regions: Sequence[str]) -> None:
        heads = [_of_region(region) for region in regions]
        masks = cache(_masks)
        # Few rows and small numbers of them, where a dictionary would not fit into a processor's cache.
        rows: dict[tuple[int, ...], int] = {(0,) * (MAX_DIGITS + 1): 0}
        self._row_of: array[int] = array("H", [0]) * (_SHORT + 10**MIN_DIGITS)
        short = {head for of in heads for head in of if len(head) == MIN_DIGITS and of[head] & _SHORTEST}
        for head in short.union(*heads, [head + digit for head in short for digit in _DIGITS]):
            if len(head) >= MIN_DIGITS:
                # What a row says of the shortest numbers, it says of the first digits of longer ones.
                row = masks(tuple(of.get(head, 0) | of.get(head[:MIN_DIGITS], 0) & _SHORTEST for of in heads))
                place = int(head) if len(head) == _HEAD_DIGITS else _SHORT + int(head)
                self._row_of[place] = rows.setdefault(row, len(rows))
        self._rows: list[tuple[int, ...]] = list(rows)

    def regions(self, digits: str) -> int:
        """The regions of which these digits can be a number, as it is written there; 0 if they are too few or many."""
        length = len(digits)
        if MIN_DIGITS <= length <= MAX_DIGITS:
            place = int(digits[:_HEAD_DIGITS]) if length >= _HEAD_DIGITS else _SHORT + int(digits)
            return self._rows[self._row_of[place]][length]
        return 0

    def regions_by_end(self, chunks: Sequence[str]) -> list[int]:
        """For each of some chunks of digits, the regions of which it can be the end of a number made of chunks."""
        digits = "".join(chunks)
        ends = list(accumulate(map(len, chunks)))
        masks = [0] * len(ends)
        start = 0
        for first, end in enumerate(ends):
            head = digits[start : start + _HEAD_DIGITS]
            if len(head) == _HEAD_DIGITS:
                of_head = self._row_of[int(head)]
                if of_head:
                    row = self._rows[of_head]
                    for last in range(first, len(ends)):
                        length = ends[last] - start
                        if length > MAX_DIGITS:
                            break
                        masks[last] |= row[length]
            elif len(head) == MIN_DIGITS:
                masks[-1] |= self.regions(head)
            start = end
        return masks


def _masks(lengths: tuple[int, ...]) -> tuple[int, ...]:
    """By length the regions, from the lengths of each region."""
    return tuple(
        sum(1 << place for place, bits in enumerate(lengths) if bits >> length & 1) for length in range(MAX_DIGITS + 1)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """A digit of a number and what may follow it. left: bit n is set if the number can end after n digits from here."""

    digits: str
    after: frozenset[_Step]
    left: int


_Steps = frozenset[_Step]
_END: _Steps = frozenset([_Step("", frozenset(), 1)])


@cache
def _step(digits: str, after: _Steps) -> _Steps:
    return frozenset([_Step(digits, after, _left(after) << 1 & _LENGTHS)])


def _left(steps: _Steps) -> int:
    return reduce(or_, (step.left for step in steps), 0)


def _heads(steps: _Steps, head: str = "") -> dict[str, int]:
    """By first digits, the lengths that a number can have, as bits."""
    found = {head: _left(steps) << len(head)}
    if len(head) < _HEAD_DIGITS:
        for digit in _DIGITS:
            after = frozenset[_Step]().union(*[step.after for step in steps if digit in step.digits])
            if after:
                found |= _heads(after, head + digit)
    return found


def is_written_with_prefix(rule: Any) -> bool:
    """Whether a number of this format is written with the national prefix in its country."""
    return bool(
        rule.national_prefix_formatting_rule
        and not rule.national_prefix_optional_when_formatting
        and not util._formatting_rule_has_first_group_only(rule.national_prefix_formatting_rule)
    )


def _of_region(region: str) -> dict[str, int]:
    """By first digits, the lengths that a number of a region can have, as bits."""
    metadata = metadata_of(region)
    of_code: list[Any] = [
        PhoneMetadata.metadata_for_region_or_calling_code(metadata.country_code, name)
        for name in util.region_codes_for_country_code(metadata.country_code)
    ]
    bare: _Steps = frozenset()
    for pattern in _national_patterns(of_code):
        bare |= _read(pattern, _END)
    # A national prefix may be stripped twice; behind the calling code, by the plan of the code's main country.
    led: _Steps = frozenset()
    for _ in range(2):
        led |= _prefixed(metadata, bare | led) | _prefixed(of_code[0], bare | led)
    led |= _read(str(metadata.country_code), bare | led)
    if metadata.international_prefix:
        led |= _read(metadata.international_prefix.replace("~", ""), _any_digits(util._MIN_LENGTH_FOR_NSN + 1))
    prefixes = [plan.national_prefix_for_parsing for plan in (metadata, of_code[0])]
    leads = [str(metadata.country_code), metadata.international_prefix, *prefixes]
    lead = regex.compile("|".join(f"(?:{pattern})" for pattern in leads if pattern))
    formats = [_Format.of(rule) for rule in of_code[0].number_format]
    heads = _heads(led)
    for head, lengths in _heads(bare).items():
        if not lead.match(head, partial=True):
            lengths &= ~_always_with_prefix(head, formats)
        heads[head] = heads.get(head, 0) | lengths
    return heads


@dataclass(frozen=True, slots=True)
class _Format:
    """A way to write numbers: what they begin with, their lengths as bits, and whether with the national prefix."""

    begin: Any
    lengths: int
    with_prefix: bool

    @classmethod
    def of(cls, rule: Any) -> _Format:
        leading = rule.leading_digits_pattern[-1] if rule.leading_digits_pattern else ""
        # Where a format asks for more than how many digits there are, a number that begins so may still have another.
        is_any = re.fullmatch(r"(?:\(\\d(?:\{[0-9,]+\})?\))+", rule.pattern) is not None
        return cls(regex.compile(leading), _left(_read(rule.pattern, _END)), is_any and is_written_with_prefix(rule))


def _always_with_prefix(head: str, formats: Sequence[_Format]) -> int:
    """The lengths, as bits, of which every number with these first digits is written with the national prefix."""
    always, undecided = 0, _LENGTHS
    for form in formats:
        begins = form.begin.match(head, partial=True)
        if begins and not form.with_prefix:
            undecided &= ~form.lengths
        elif begins and not begins.partial:
            always |= form.lengths & undecided
    return always


def _national_patterns(plans: Iterable[Any]) -> set[str]:
    kinds = (
        *("premium_rate", "toll_free", "shared_cost", "voip", "personal_number"),
        *("pager", "uan", "voicemail", "fixed_line", "mobile"),
    )
    descs = [getattr(plan, kind) for plan in plans for kind in kinds]
    return {desc.national_number_pattern for desc in descs if desc and desc.national_number_pattern}


def _prefixed(metadata: Any, national: _Steps) -> _Steps:
    """What a national prefix, as it is written, and a national number begin with."""
    pattern, rule = metadata.national_prefix_for_parsing, metadata.national_prefix_transform_rule
    if not pattern:
        return frozenset()
    if not rule:
        return _read(pattern, national)
    kept = re.fullmatch(r"\\([0-9])", rule)
    # Where a group stays as it is, it is the number's. Where other digits are added, anything may become a number.
    return _read(pattern, national, int(kept[1])) if kept else _any_digits(util._MIN_LENGTH_FOR_NSN)


def _any_digits(least: int) -> _Steps:
    return _read(rf"\d{{{least},{MAX_DIGITS}}}", _END)


def _read(pattern: str, after: _Steps, left_out: int = 0) -> _Steps:
    """The steps of a pattern of digits, before those that follow it. left_out: the number of a group."""
    return _before(list(_parser.parse(pattern)), after, left_out)


def _before(items: list[Any], after: _Steps, left_out: int) -> _Steps:
    for kind, value in reversed(items):
        if kind is sre.LITERAL:
            after = _step(chr(value), after)
        elif kind is sre.IN:
            after = _step("".join(digit for digit in _DIGITS if _has(value, ord(digit))), after)
        elif kind is sre.BRANCH:
            after = frozenset[_Step]().union(*[_before(list(arm), after, left_out) for arm in value[1]])
        elif kind is sre.SUBPATTERN:
            after = after if left_out and value[0] == left_out else _before(list(value[3]), after, left_out)
        elif kind is sre.MAX_REPEAT:
            least, most, item = value
            begin = after
            for _ in range(min(most, MAX_DIGITS) - least):
                begin = _before(list(item), begin, left_out) | after
            for _ in range(least):
                begin = _before(list(item), begin, left_out)
            after = begin
        elif kind is not sre.AT:
            raise ValueError(f"phonenumbers has a pattern that is not made of digits: it uses {kind}")
    return after


def _has(ranges: list[Any], code: int) -> bool:
    return any(
        kind is sre.CATEGORY or (kind is sre.RANGE and value[0] <= code <= value[1]) or value == code
        for kind, value in ranges
    )

"""Numbering plans: in which of several regions a string of digits is a valid phone number.

The same as phonenumbers' `parse` and `is_valid_number` say of it, from the same metadata, with the patterns of
each plan put together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from phonenumbers import phonenumbermatcher
from phonenumbers import phonenumberutil as util
from phonenumbers.phonemetadata import PhoneMetadata
from phonenumbers.phonenumberutil import NumberParseException, ValidationResult

from slmtrail.stream.redact.phone_heads import MAX_DIGITS, PhoneHeads, is_written_with_prefix, metadata_of

# Its internals are what is used here, which its stubs don't all know.
matcher: Any = phonenumbermatcher

VALID: int = phonenumbermatcher.Leniency.VALID

_NO_GROUPS = re.compile(r"\((?!\?)")
_STRIPPED_TOO_FAR = (
    ValidationResult.TOO_SHORT,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY,
    ValidationResult.INVALID_LENGTH,
)


class PhonePlans:
    """The numbering plans of some regions; masks have a bit for each region, in their order."""

    def __init__(self, regions: Sequence[str]) -> None:
        self._regions = list(regions)
        self._plans = [_Region(region) for region in regions]
        self.every = (1 << len(self._plans)) - 1
        heads = PhoneHeads(regions)
        self.possible_in = heads.regions
        self.possible_by_end = heads.regions_by_end
        self._judged = lru_cache(maxsize=1 << 13)(self._judge)

    def valid_in(self, number: str, asked: int) -> int:
        """The regions, out of those asked for, in which these digits are valid; they may follow a plus sign."""
        if number[0] != "+" and not asked & self.possible_in(number):
            return 0
        return self._judged(number) & asked

    def _judge(self, number: str) -> int:
        if number[0] == "+":
            return self._judge_international(number)
        possible, mask = self.possible_in(number), 0
        for place, plan in enumerate(self._plans):
            if possible >> place & 1 and plan.is_valid(number):
                mask |= 1 << place
        return mask

    def _judge_international(self, number: str) -> int:
        digits = number[1:]
        if len(digits) > util._MIN_LENGTH_FOR_NSN:
            country_code, rest = util._extract_country_code(digits)
            if country_code:
                valid = _is_valid_stripped(country_code, rest)
                return self.every if valid else 0
        mask = 0
        for place, region in enumerate(self._regions):
            try:
                parsed = util.parse(number, region, keep_raw_input=True)
            except NumberParseException:
                continue
            if matcher._verify(VALID, parsed, number, None):
                mask |= 1 << place
        return mask


def _metadata_of_calling_code(country_code: int) -> Any:
    region = util.region_code_for_country_code(country_code)
    return PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)


class _Prefix:
    """The national prefix of a region, and what is left of a number without it."""

    def __init__(self, metadata: Any) -> None:
        self._pattern = re.compile(metadata.national_prefix_for_parsing or "NonMatch")
        self._rule: str = metadata.national_prefix_transform_rule or ""
        self._general = re.compile(metadata.general_desc.national_number_pattern or "NonMatch")
        lengths = {n: util._test_number_length("1" * n, metadata) for n in range(MAX_DIGITS + 1)}
        self._enough = frozenset(n for n, result in lengths.items() if result not in _STRIPPED_TOO_FAR)
        self._too_long = frozenset(n for n, result in lengths.items() if result == ValidationResult.TOO_LONG)

    def stripped(self, number: str) -> tuple[str, bool]:
        """The number without the prefix, and whether it had one."""
        match = self._pattern.match(number)
        if match is None:
            return number, False
        groups = self._pattern.groups
        if self._rule and groups and match[groups] is not None:
            left = self._pattern.sub(self._rule, number, count=1)
        else:
            left = number[match.end() :]
        if not self._general.fullmatch(left) and self._general.fullmatch(number):
            return number, False
        return left, True

    def national(self, number: str) -> str | None:
        """The national number: without the prefix, unless too little is left then; None if it can be none."""
        length = len(number)
        if length < util._MIN_LENGTH_FOR_NSN:
            return None
        left, _ = self.stripped(number)
        if len(left) in self._enough:
            number, length = left, len(left)
        return number if util._MIN_LENGTH_FOR_NSN <= length <= util._MAX_LENGTH_FOR_NSN else None

    def has_calling_code(self, number: str, rest: str) -> bool:
        """Whether a number that begins as its calling code does is better read without: `rest` is what follows it."""
        return len(number) in self._too_long or bool(
            self._general.fullmatch(rest) and not self._general.fullmatch(number)
        )


@lru_cache(maxsize=512)
def _prefix_of_calling_code(country_code: int) -> _Prefix:
    return _Prefix(_metadata_of_calling_code(country_code))


def _is_valid_stripped(country_code: int, number: str) -> bool:
    """Whether what is left of a number without its calling code is valid, with a national prefix or without."""
    national = _prefix_of_calling_code(country_code).national(number)
    return national is not None and _calling_code(country_code).has(national)


# Of the few numbers of a far country that a worker meets, most lengths are never asked for.
_compiled = lru_cache(maxsize=4096)(re.compile)


@dataclass(frozen=True, slots=True)
class _Kinds:
    """The numbering plan of one region: of each length that numbers have, one pattern of all kinds of that length."""

    leading_digits: str | None
    by_length: dict[int, str]

    @classmethod
    def of(cls, metadata: Any) -> _Kinds:
        descs = (
            *(metadata.premium_rate, metadata.toll_free, metadata.shared_cost, metadata.voip),
            *(metadata.personal_number, metadata.pager, metadata.uan, metadata.voicemail),
            *(metadata.fixed_line, metadata.mobile),
        )
        kinds = [desc for desc in descs if desc is not None and desc.national_number_pattern]
        general = metadata.general_desc
        by_length = {}
        for length in general.possible_length or range(util._MIN_LENGTH_FOR_NSN, util._MAX_LENGTH_FOR_NSN + 1):
            arms = [k.national_number_pattern for k in kinds if not k.possible_length or length in k.possible_length]
            if arms:
                by_length[length] = rf"(?=(?:{general.national_number_pattern})\Z)(?:{'|'.join(arms)})"
        return cls(leading_digits=metadata.leading_digits, by_length=by_length)

    def has(self, national: str) -> bool:
        """Whether it is a number of a known kind."""
        pattern = self.by_length.get(len(national))
        return pattern is not None and _compiled(pattern).fullmatch(national) is not None


class _CallingCode:
    """The regions of a calling code, in phonenumbers' order."""

    def __init__(self, country_code: int) -> None:
        # Neighbours with leading digits of their own are told apart by one pattern.
        self._steps: list[tuple[re.Pattern[str] | None, list[_Kinds]]] = []
        self.lengths: set[int] = set()
        together: list[_Kinds] = []
        regions = util.region_codes_for_country_code(country_code)
        for region in regions:
            metadata = PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
            if metadata is None:
                continue
            kinds = _Kinds.of(metadata)
            self.lengths |= kinds.by_length.keys()
            if kinds.leading_digits is not None and len(regions) > 1:
                together.append(kinds)
                continue
            self._add(together)
            together = []
            self._steps.append((None, [kinds]))
        self._add(together)

    def _add(self, together: list[_Kinds]) -> None:
        if together:
            arms = [f"({_NO_GROUPS.sub('(?:', k.leading_digits)})" for k in together if k.leading_digits]
            self._steps.append((re.compile("|".join(arms)), together))

    def has(self, national: str) -> bool:
        """Whether the region that the number belongs to, if any, has such numbers."""
        if len(national) not in self.lengths:
            return False
        for leading, plans in self._steps:
            if leading is None:
                if plans[0].has(national):
                    return True
                continue
            match = leading.match(national)
            if match and match.lastindex:
                return plans[match.lastindex - 1].has(national)
        return False


_calling_code = lru_cache(maxsize=512)(_CallingCode)


def _formats(metadata: Any) -> tuple[re.Pattern[str], tuple[bool, ...]]:
    """One pattern, with an empty group for each way to write a number; and whether each has the national prefix."""
    arms, needed = [], []
    for rule in metadata.number_format:
        leading = f"(?={rule.leading_digits_pattern[-1]})" if rule.leading_digits_pattern else ""
        arms.append(rf"{_NO_GROUPS.sub('(?:', leading + f'(?:{rule.pattern})')}\Z()")
        needed.append(is_written_with_prefix(rule))
    return re.compile("|".join(arms) if arms else r"(?!)"), tuple(needed)


class _Region:
    """How a number without a plus sign is read in one region."""

    def __init__(self, region: str) -> None:
        metadata = metadata_of(region)
        self._country_code = metadata.country_code
        self._calling_code = str(self._country_code)
        self._numbers = _calling_code(self._country_code)
        self._idd = re.compile(metadata.international_prefix or "NonMatch")
        self._prefix = _Prefix(metadata)
        self._main_prefix = _prefix_of_calling_code(self._country_code)
        self._formats, self._formats_need_prefix = _formats(_metadata_of_calling_code(self._country_code))
        self._is_prefix_needed = any(self._formats_need_prefix)
        prefix = metadata.national_prefix_for_parsing or "NonMatch"
        self._may_be_prefixed = re.compile(f"(?:{self._idd.pattern})|{self._calling_code}|(?:{prefix})")

    def is_valid(self, digits: str) -> bool:
        """What `parse` and `is_valid_number` say of a string of digits, and of its national prefix."""
        if not self._may_be_prefixed.match(digits):
            return self._prefix_is_there(digits, digits) and self._numbers.has(digits)
        abroad = self._idd.match(digits)
        if abroad and digits[abroad.end() : abroad.end() + 1] != "0":
            rest = digits[abroad.end() :]
            if len(rest) <= util._MIN_LENGTH_FOR_NSN:
                return False
            country_code, rest = util._extract_country_code(rest)
            return bool(country_code) and _is_valid_stripped(country_code, rest)
        if digits.startswith(self._calling_code):
            rest, _ = self._prefix.stripped(digits[len(self._calling_code) :])
            if self._prefix.has_calling_code(digits, rest):
                return _is_valid_stripped(self._country_code, rest)
        national = self._prefix.national(digits)
        return national is not None and self._prefix_is_there(digits, national) and self._numbers.has(national)

    def _prefix_is_there(self, digits: str, national: str) -> bool:
        """Whether the national prefix is written, where numbers of this kind are written with it."""
        if not self._is_prefix_needed:
            return True
        written = self._formats.match(national)
        if not (written and written.lastindex and self._formats_need_prefix[written.lastindex - 1]):
            return True
        return self._main_prefix.stripped(digits)[1]

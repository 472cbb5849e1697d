"""What Presidio's checks of matches say, said faster: of plain values at once, and of any other by asking them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial
from operator import mul
from typing import Any

import tldextract
from presidio_analyzer import PatternRecognizer
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    CryptoRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    MedicalLicenseRecognizer,
    NhsRecognizer,
    UsSsnRecognizer,
)
from presidio_analyzer.predefined_recognizers.generic.iban_patterns import regex_per_country

Check = Callable[[str], bool | None]

# An address whose domain is plainly what follows the at sign. In any other, tldextract may look elsewhere.
_ADDRESS = re.compile(r"[\w.+\-]+@([\w.\-]+)")
_BYTE_V4 = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IP = re.compile(
    rf"{_BYTE_V4}(?:\.{_BYTE_V4}){{3}}|(?=(?:[^:]*:){{2,7}}[^:]*\Z)(?:[0-9a-f]{{1,4}}:){{1,6}}(?::[0-9a-f]{{1,4}}){{1,6}}",
    re.IGNORECASE | re.ASCII,
)
_SSN = re.compile(r"([0-9]{3})([-. ]?)([0-9]{2})\2([0-9]{4})")
_UNASSIGNED_SSNS = frozenset([f"{digit}" * 9 for digit in range(10)] + ["123456789", "987654320", "078051120"])
_DOUBLED = str.maketrans("0123456789", "0246813579")
_NHS_WEIGHTS = range(10, 0, -1)
_LICENSE_WEIGHTS = (1, 2, 1, 2, 1, 2, -1)
_ZERO = ord("0")
_DASHES_AND_BLANKS = [("-", ""), (" ", "")]


def check(recognizer: Any, name: str) -> Check | None:
    """A recogniser's own `validate_result` or `invalidate_result`, or what says the same; None if it has none."""
    method = getattr(type(recognizer), name)
    if method is getattr(PatternRecognizer, name):
        return None
    ask: Check = getattr(recognizer, name)
    faster = _FASTER.get(method)
    is_usual = getattr(recognizer, "replacement_pairs", _DASHES_AND_BLANKS) == _DASHES_AND_BLANKS
    return partial(faster, ask) if faster and is_usual and not getattr(recognizer, "BOSEOS", ()) else ask


def _email(_ask: Check, value: str) -> bool:
    plain = _ADDRESS.fullmatch(value)
    return _domain_is_public(plain.group(1)) if plain else bool(tldextract.extract(value).fqdn)


@lru_cache(maxsize=8192)
def _domain_is_public(domain: str) -> bool:
    return bool(tldextract.extract(f"a@{domain}").fqdn)


def _crypto(ask: Check, value: str) -> bool | None:
    # Of the alphabet of base 58 these are left out, and many a hash has them.
    return False if value[0] in "13" and ("0" in value or "l" in value) else ask(value)


def _no_ip(ask: Check, value: str) -> bool | None:
    return None if _IP.fullmatch(value) else ask(value)


def _no_ssn(ask: Check, value: str) -> bool | None:
    plain = _SSN.fullmatch(value)
    if not plain:
        return ask(value)
    area, _, group, serial = plain.groups()
    return area in ("000", "666") or group == "00" or serial == "0000" or area + group + serial in _UNASSIGNED_SSNS


def _card(ask: Check, value: str) -> bool | None:
    digits = _joined(value)
    if not _are_digits(digits):
        return ask(value)
    return sum((digits[-1::-2] + digits[-2::-2].translate(_DOUBLED)).encode()) % 10 == _ZERO * len(digits) % 10


def _nhs(ask: Check, value: str) -> bool | None:
    digits = _joined(value)
    return _weighed(digits, _NHS_WEIGHTS) % 11 == 0 if len(digits) == 10 and _are_digits(digits) else ask(value)


def _license(ask: Check, value: str) -> bool | None:
    digits = _joined(value)[2:]
    return _weighed(digits, _LICENSE_WEIGHTS) % 10 == 0 if len(digits) == 7 and _are_digits(digits) else ask(value)


def _iban(ask: Check, value: str) -> bool | None:
    joined = _joined(value)
    if not (joined.isascii() and joined.isalnum()):
        return ask(value)
    capitals = joined.upper()
    if capitals[:2] not in regex_per_country:
        return False
    digits = f"{capitals[4:]}{capitals[:2]}00".translate(IbanRecognizer.LETTERS)
    if f"{98 - int(digits) % 97:02}" != joined[2:4]:
        return False
    form = _iban_form(capitals[:2])
    return True if form.match(joined) else None if form.match(capitals) else False


@cache
def _iban_form(country: str) -> re.Pattern[str]:
    return re.compile(regex_per_country[country])


def _joined(value: str) -> str:
    return value.replace("-", "").replace(" ", "")


def _are_digits(value: str) -> bool:
    return value.isdigit() and value.isascii()


def _weighed(digits: str, weights: Sequence[int]) -> int:
    total: int = sum(map(mul, digits.encode(), weights))
    return total - _ZERO * sum(weights)


_FASTER: dict[Any, Callable[[Check, str], bool | None]] = {
    EmailRecognizer.validate_result: _email,
    CryptoRecognizer.validate_result: _crypto,
    IpRecognizer.invalidate_result: _no_ip,
    UsSsnRecognizer.invalidate_result: _no_ssn,
    CreditCardRecognizer.validate_result: _card,
    NhsRecognizer.validate_result: _nhs,
    MedicalLicenseRecognizer.validate_result: _license,
    IbanRecognizer.validate_result: _iban,
}

"""Checks of matches say what Presidio's say, of right values, of broken ones, and of what is none."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
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

from slmtrail.stream.redact.checks import check

CASES: dict[type, tuple[str, list[str], str]] = {
    EmailRecognizer: ("validate_result", ["anna@example.com", "b.c@bt.co.uk", "x@y.notld"], ".@-aé:/"),
    CryptoRecognizer: (
        "validate_result",
        ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"],
        "0OIl1aZé",
    ),
    IpRecognizer: (
        "invalidate_result",
        ["192.168.0.1", "10.0.0.1/24", "2001:db8::1", "::1", "fe80::1:2%eth0", "1:2:3:4:5:6::8"],
        "0159.:fF%/٣",
    ),
    UsSsnRecognizer: (
        "invalidate_result",
        ["212-34-5678", "212345678", "666-12-3456", "123-00-1234", "123-45-0000", "078-05-1120", "111.11.1111"],
        "0123456789-. ٣",
    ),
    CreditCardRecognizer: ("validate_result", ["4111 1111 1111 1111", "5500-0055-5555-5559"], "0123456789- ٣"),
    NhsRecognizer: ("validate_result", ["943 476 5919", "9434765919"], "0123456789- ٣"),
    MedicalLicenseRecognizer: ("validate_result", ["AB1234563", "F91234563"], "0123456789- aZ٣"),
    IbanRecognizer: ("validate_result", ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32"], "0123456789 -AZaz"),
}


@pytest.mark.parametrize("kind", list(CASES), ids=[kind.__name__ for kind in CASES])
def test_a_check_says_what_presidio_says(kind: type) -> None:
    name, values, alphabet = CASES[kind]
    recognizer = kind()
    ours = check(recognizer, name)
    assert ours is not None
    assert ours != getattr(recognizer, name), "Presidio itself is asked"
    rng = random.Random(5)
    seen = set()
    for _ in range(1500):
        value = _mutated(rng, rng.choice(values), alphabet)
        wanted = _said(name, getattr(recognizer, name), value)
        assert _said(name, ours, value) == wanted, value
        seen.add(wanted)
    assert len(seen) > 1


def test_a_check_of_other_settings_is_presidios_own() -> None:
    recognizer = CreditCardRecognizer(replacement_pairs=[("/", "")])
    assert check(recognizer, "validate_result") == recognizer.validate_result
    assert check(recognizer, "invalidate_result") is None


def _mutated(rng: random.Random, value: str, alphabet: str) -> str:
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        place = rng.randrange(len(value))
        value = value[:place] + rng.choice(["", *alphabet]) + value[place + rng.randrange(2) :]
    return rng.choice([value, value, value.lower()]) or "1"


def _said(name: str, judge: Callable[[str], Any], value: str) -> Any:
    try:
        said = judge(value)
    except ValueError:
        return ValueError
    # What invalidates says nothing where it has nothing against a value.
    return bool(said) if "invalid" in name else said

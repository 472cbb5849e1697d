"""What the gate looks for stands in every text that a pattern matches, whatever the script."""

from __future__ import annotations

import re

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.stream.redact.expression import read, text_class
from slmtrail.stream.redact.text import OTHER_DIGIT, one_byte_a_character

PATTERNS = [
    r"\b[0-9]{2}\b",
    r"\b\d{2}\b",
    r"\b[A-Z]{1,2}[0-9]\b",
    r"\b(?:k|[0-9]k)\b",
    r"(\b[0-9]+\b)",
    r"\b\w\b",
    r"a\b-",
    r"-\b[0-9]",
    r"\b-1\b",
    r"\b[^a-z]\b",
    r"\b1?\b-",
    r"\b(?:1-)*\b2",
    r"\b(?:[0-9]{2})?-",
    r"(?<![0-9])1(?=\b)",
    r"\Bs\b",
    r"é\b",
    r"[^i-k]",
    r"[\u0100-\u0200]",
    r"[^\x00-\x7f]\b",
    r"\bi",
    r"[is]\b",
]
TEXTS = st.text(st.sampled_from("aks12-_ éſ\u0131\u212a\u0661\u0301\u00b2中😀"), max_size=12)


@pytest.mark.parametrize("pattern", PATTERNS)
@given(text=TEXTS)
def test_it_occurs_wherever_the_pattern_matches(pattern: str, text: str) -> None:
    data = one_byte_a_character(text)
    assert len(data) == len(text)
    for flags in (0, regex.I):
        known = read(pattern, flags)
        found = regex.search(pattern, text, flags)
        if found:
            assert re.search(known.loose, data)
            assert OTHER_DIGIT in data or re.search(known.bounded, data)
            assert regex.fullmatch(text_class(known.alphabet) + "+", found.group())
            if known.lead_chars is not None:
                here = re.compile(known.loose).match(data, found.start())
                assert here
                assert here.end() - here.start() <= known.lead_chars


def test_how_far_left_a_match_begins_is_said_where_nothing_is_cut_off_there() -> None:
    leads = {r"\b[0-9]{3}[- ]?[0-9]{4,9}": 8, r"[0-9]+-": None, r"(?:a{2,3})?b": None, r"(?:ab|[0-9]{5})c*": 5}
    assert {pattern: read(pattern, 0).lead_chars for pattern in leads} == leads


def test_word_boundaries_stay_where_bytes_show_them() -> None:
    assert not re.search(read(r"\b[0-9]{2}\b", 0).loose, one_byte_a_character("123 \u0661"))
    assert not re.search(read(r"\b[a-z][0-9]\b", regex.I).bounded, one_byte_a_character("ab1 é"))


@pytest.mark.parametrize("text", ["\u0661", "\uff11", "中\u0661"])
def test_digits_of_other_scripts_are_told_apart(text: str) -> None:
    assert OTHER_DIGIT in one_byte_a_character(text)


@pytest.mark.parametrize("text", ["abc", "é²½", "中文", "😀", "Ελληνικά", "\u0131"])
def test_what_is_no_digit_is_any_other_byte(text: str) -> None:
    assert OTHER_DIGIT not in one_byte_a_character(text)


def test_letters_that_match_ascii_are_seen_as_ascii() -> None:
    assert one_byte_a_character("中\u0130\u0131 \u017f\u212a") == b"\xfeii sk"

"""What the gate looks for stands in every text that a pattern matches, whatever the script."""

from __future__ import annotations

import re

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.stream.redact.expression import read
from slmtrail.stream.redact.text import LOOKALIKE, one_byte_a_character

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
]
TEXTS = st.text(st.sampled_from("aks12-_ éſ\u0131\u212a\u0661\u0301\u00b2中😀"), max_size=12)


@pytest.mark.parametrize("pattern", PATTERNS)
@given(text=TEXTS)
def test_it_occurs_wherever_the_pattern_matches(pattern: str, text: str) -> None:
    known = read(pattern, regex.I)
    data = one_byte_a_character(text)
    assert len(data) == len(text)
    if regex.search(pattern, text, regex.I):
        assert re.search(known.loose, data)
        assert LOOKALIKE in data or re.search(known.bounded, data)


def test_word_boundaries_stay_where_bytes_show_them() -> None:
    assert not re.search(read(r"\b[0-9]{2}\b", 0).loose, one_byte_a_character("123 \u0661"))
    assert not re.search(read(r"\b[a-z][0-9]\b", regex.I).bounded, one_byte_a_character("ab1 é"))


@pytest.mark.parametrize("text", ["\u0661", "\uff11", "\u0131", "\u0130", "\u017f", "\u212a", "中\u0661"])
def test_what_may_pass_for_ascii_is_told_apart(text: str) -> None:
    assert LOOKALIKE in one_byte_a_character(text)


@pytest.mark.parametrize("text", ["abc", "é²½", "中文", "😀", "Ελληνικά"])
def test_what_may_not_is_any_other_byte(text: str) -> None:
    assert LOOKALIKE not in one_byte_a_character(text)

"""What a text with escapes says, and where in the text each part of that stands."""

from __future__ import annotations

import random

import pytest

from slmtrail.stream.redact.escapes import Unescaped
from slmtrail.stream.redact.finding import Finding


def test_each_part_is_told_back_as_it_is_written() -> None:
    rng = random.Random(5)
    pieces = {"a": "a", "\\n": "\n", "\\u0040": "@", "\\x41": "A", "\\\\": "\\", '\\"': '"', "é😀": "é😀", "\\q": "\\q"}
    pieces |= {
        "%40": "@",
        "%0A": "\n",
        "%7b": "{",
        "&quot;": '"',
        "&#61;": "=",
        "&#x3A;": ":",
        "%zz": "%zz",
        "& ": "& ",
    }
    for _ in range(300):
        written = [rng.choice(list(pieces)) for _ in range(rng.randint(1, 12))]
        text = "".join(written)
        unescaped = Unescaped(text)
        if not unescaped.text:
            assert not any(len(piece) > 1 and pieces[piece] != piece for piece in written)
            continue
        said = [pieces[piece] for piece in written]
        assert unescaped.text == "".join(said)
        first = rng.randrange(len(written))
        last = rng.randrange(first, len(written))
        found = Finding("X", len("".join(said[:first])), len("".join(said[: last + 1])), 1.0)
        here = unescaped.in_escaped(found)
        assert text[here.start : here.end] == "".join(written[first : last + 1])


@pytest.mark.parametrize(
    ("text", "span", "whole"),
    [
        ("say \\nmaria", (5, 11), (6, 11)),
        ("maria\\n", (0, 6), (0, 7)),
        ("maria\\n", (0, 5), (0, 5)),
        ("\\u0041b", (3, 7), (6, 7)),
    ],
)
def test_a_finding_takes_no_half_of_an_escape(text: str, span: tuple[int, int], whole: tuple[int, int]) -> None:
    found = Unescaped(text).without_halves(Finding("X", *span, 1.0))
    assert (found.start, found.end) == whole


def test_a_text_without_escapes_says_nothing_else() -> None:
    assert Unescaped("C:\\path and a\\ b").text == ""
    assert Unescaped("plain, 50% of R&D; %5.2f").text == ""

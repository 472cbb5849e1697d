"""Cutting: however the bytes come in pieces, the same entries, numbers and places come out."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from slmtrail.collectors.tail.cutter import Cutter

PIECES = st.lists(st.sampled_from([b"a", b"bb", b"\n", b"x\n", b" y\n", b"c" * 30, b"\n\n", b"x"]), max_size=30)
BEGINS = re.compile(rb"x")


def cut(pieces: list[bytes], max_bytes: int = 10_000, begins: re.Pattern[bytes] | None = None) -> tuple[Cutter, list]:
    cutter = Cutter(max_bytes, begins)
    found = []
    for piece in pieces:
        one = cutter.feed(piece)
        found += zip(one.numbers, one.entries, strict=True)
    return cutter, found


@given(PIECES)
def test_lines_are_those_of_the_whole(pieces: list[bytes]) -> None:
    cutter, found = cut(pieces)
    *whole, rest = b"".join(pieces).split(b"\n")
    assert found == list(enumerate(whole, 1))
    assert (cutter.line, cutter.held_bytes) == (len(whole), len(rest))
    assert cutter.offset + cutter.held_bytes == len(b"".join(pieces))


@given(PIECES)
def test_groups_are_those_of_the_whole(pieces: list[bytes]) -> None:
    cutter, found = cut(pieces, begins=BEGINS)
    whole, expected = cut([b"".join(pieces)], begins=BEGINS)
    assert (found, cutter.offset, cutter.line) == (expected, whole.offset, whole.line)
    last = cutter.flush()
    text = b"".join(entry + b"\n" for entry in [entry for _, entry in found] + last.entries)
    assert text.removesuffix(b"\n") == b"".join(pieces).removesuffix(b"\n")
    assert cutter.offset == len(b"".join(pieces))


@given(PIECES, st.integers(0, 30), st.booleans())
def test_it_goes_on_from_any_place(pieces: list[bytes], at: int, grouped: bool) -> None:
    begins = BEGINS if grouped else None
    cutter, _ = cut(pieces[:at], 20, begins)
    again = Cutter(20, begins, cutter.offset, cutter.line, cutter.skipping)
    rest = b"".join(pieces)[cutter.offset :]
    one = again.feed(rest)
    assert all(number > cutter.line for number in one.numbers)
    straight = Cutter(20, begins)
    straight.feed(b"".join(pieces))
    assert again.line == straight.line


@given(PIECES, st.booleans())
def test_what_is_held_is_bounded(pieces: list[bytes], grouped: bool) -> None:
    cutter = Cutter(20, BEGINS if grouped else None)
    for piece in pieces:
        cutter.feed(piece)
        assert cutter.held_bytes <= 20


def test_a_line_too_long_is_told_once_and_the_next_is_taken() -> None:
    cutter = Cutter(10)
    told = [cutter.feed(b"z" * 8).oversized for _ in range(5)]
    assert told == [[], [1], [], [], []]
    one = cutter.feed(b"z\nnext\n")
    assert (one.entries, list(one.numbers), cutter.line) == ([b"next"], [2], 2)


@given(PIECES, st.integers(1, 5), st.booleans())
def test_a_byte_order_mark_belongs_to_no_entry(pieces: list[bytes], first: int, grouped: bool) -> None:
    begins = BEGINS if grouped else None
    plain, expected = cut(pieces, begins=begins)
    marked = b"\xef\xbb\xbf" + b"".join(pieces)
    cutter, found = cut([marked[:first], marked[first:]], begins=begins)
    assert (found, cutter.line) == (expected, plain.line)
    assert cutter.offset + cutter.held_bytes == len(marked)
    assert cutter.flush().entries == plain.flush().entries

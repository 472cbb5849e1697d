"""Identity: derived from place alone, the same in every process and for ever."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.core.identity import Position, identified, origin, record_id

numbers = st.integers(0, 2**53 - 1)
positions = st.builds(Position, numbers, numbers, numbers)
names = st.from_regex(re.compile(r"[a-z0-9][a-z0-9._\-]{0,62}"), fullmatch=True)
boots = st.from_regex(re.compile(r"[0-9a-f]{32}"), fullmatch=True)


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (Position(0, 0, 0), "34ed507af4f3c2476def474deb6bd1bc"),
        (Position(7, 3, 0), "a4aa0a8be140de597149257a24d03af6"),
        (Position(7, 3, 1), "6f4379ee0b8b2437b11d8041349c3c7c"),
    ],
)
def test_known_ids(position: Position, expected: str) -> None:
    assert record_id("edge-1", "ab" * 16, position) == expected


@given(st.lists(st.tuples(names, boots, positions), min_size=2, max_size=2, unique=True))
def test_two_places_have_two_ids(places: list[tuple[str, str, Position]]) -> None:
    assert record_id(*places[0]) != record_id(*places[1])


@given(names, boots, positions)
def test_an_origin_is_read_back(collector: str, boot: str, position: Position) -> None:
    record = identified({"slm.kind": "auth"}, collector, boot, position)
    assert origin(record) == (collector, boot, position)
    assert record["event.id"] == record_id(*origin(record))
    assert record["slm.kind"] == "auth"

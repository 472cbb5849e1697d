"""Canonical bytes are RFC 8785, as another implementation of it says."""

from __future__ import annotations

import dataclasses
import datetime
import math
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from slmtrail.core import canonical
from slmtrail.core.errors import EventError

decimals = st.floats(-1e15, 1e15, exclude_min=True, exclude_max=True).map(lambda x: canonical.decimal(x, "x"))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER)
    | decimals
    | st.text().map(canonical.text)
)
names = st.text(st.characters(max_codepoint=127), max_size=12)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=20)


@given(values)
@example({"b": '\u2028\x7f\x00\x1f"\\/', "a": [0.0001, -0.0001, 999999999999999, 1.5], "": {}, "~": "\U0001f600é"})
def test_dumps_is_rfc_8785(value: Any) -> None:
    assert canonical.dumps(value) == rfc8785.dumps(value)


@given(st.floats(-1e15, 1e15))
@example(-0.0)
@example(-0.00001)
@example(0.00005)
@example(999_999_999_999_999.9)
@example(2.675)
def test_decimals_keep_four_places_and_whole_ones_are_integers(value: float) -> None:
    if abs(value) >= 1e15:
        return
    made = canonical.decimal(value, "x")
    assert abs(made - value) <= 0.00005 + math.ulp(value)
    assert isinstance(made, int) or made != int(made)
    assert canonical.decimal(made, "x") == made
    assert b"e" not in canonical.dumps(made)
    assert canonical.dumps(made) != b"-0"


@pytest.mark.parametrize(
    ("given_value", "text"),
    [
        (0.00004, b"0"),
        (-0.0, b"0"),
        (1.0, b"1"),
        (0.12345678, b"0.1235"),
        (1e14 + 0.25, b"100000000000000.25"),
        (-3, b"-3"),
    ],
)
def test_known_decimals(given_value: float, text: bytes) -> None:
    assert canonical.dumps(canonical.decimal(given_value, "x")) == text


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e15, -1e15, 10**400, -(10**5000)], ids=range(7))
def test_decimals_out_of_range_are_refused_without_repeating_them(bad: float) -> None:
    with pytest.raises(EventError, match=r"^cost: should be a number between") as caught:
        canonical.decimal(bad, "cost")
    assert caught.value.reason == "out_of_range"


@dataclasses.dataclass
class _Thing:
    a: int = 1


@pytest.mark.parametrize(
    "bad",
    [
        2**53,
        -(2**53),
        2**64,
        "\ud800",
        {"\udfff": 1},
        {1: 2},
        object(),
        b"x",
        {1},
        datetime.datetime.now(datetime.UTC),
        _Thing(),
    ],
    ids=lambda bad: type(bad).__name__,
)
def test_what_every_reader_can_not_hold_is_refused(bad: object) -> None:
    with pytest.raises(EventError) as caught:
        canonical.dumps({"x": bad})
    assert caught.value.reason == "not_canonical"


@given(st.text(st.characters(), max_size=30))
@example("\ud83d\ude00")
@example("a\ud800")
@example("\udc00\ud800b")
@example("\ufeff\ud800")
def test_text_repairs_lone_surrogates_and_nothing_else(value: str) -> None:
    clean = canonical.text(value)
    assert canonical.text(clean) is clean
    units = value.encode("utf-16-le", "surrogatepass")
    assert clean.encode("utf-16-le") == units.decode("utf-16-le", "replace").encode("utf-16-le")
    assert len(clean.encode("utf-16-le")) == len(units)


@given(st.text())
def test_whole_text_is_left_as_it_is(value: str) -> None:
    if not any("\ud800" <= char <= "\udfff" for char in value):
        assert canonical.text(value) is value

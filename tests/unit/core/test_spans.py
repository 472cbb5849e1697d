"""Spans of time as people write them."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from slmtrail.core.spans import Span, span_ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [("90s", 90_000), ("15m", 900_000), (" 2h ", 7_200_000), ("7d", 604_800_000), ("4w", 4 * 604_800_000)],
)
def test_each_unit(text: str, ms: int) -> None:
    assert span_ms(text) == ms


@pytest.mark.parametrize("text", ["", "15", "m", "-1d", "1.5h", "1 d", "1y", "12345678s", None, 90])
def test_anything_else_is_none(text: object) -> None:
    with pytest.raises(ValueError, match="90s, 15m"):
        span_ms(text)


def test_in_a_policy_it_is_longer_than_nothing() -> None:
    assert TypeAdapter(Span).validate_python("1d") == "1d"
    with pytest.raises(ValidationError, match="longer than nothing"):
        TypeAdapter(Span).validate_python("0d")

"""Two places at once are told of for a day; then they are how somebody works, as in an office with two lines."""

from __future__ import annotations

from typing import Any

from slmtrail.stream.judge.folds import DAY_MS
from slmtrail.stream.judge.rules.two_places.rule import fold

PARAMETERS = {"switches": 4, "within": "15m", "within_ms": 900_000}


def told(state: dict[str, Any], at_ms: int) -> bool:
    """Whether one of ten requests, a minute apart and from two networks in turn, is told of."""
    places = ("203.0.0.0/16", "198.51.0.0/16")
    return any(fold(state, at_ms + 60_000 * n, [places[n % 2]], PARAMETERS) for n in range(10))


def test_it_is_told_on_the_first_day_and_not_on_those_after() -> None:
    state: dict[str, Any] = {}
    assert [told(state, day * DAY_MS) for day in (20_000, 20_001, 20_009)] == [True, False, False]


def test_of_two_places_it_is_told_for_an_hour() -> None:
    state: dict[str, Any] = {}
    hours = [told(state, 20_000 * DAY_MS + n * DAY_MS // 24) for n in (0, 3, 6)]
    assert hours == [True, False, False]


def test_another_pair_of_places_is_told_of() -> None:
    state: dict[str, Any] = {}
    told(state, 20_000 * DAY_MS)
    fold(state, 20_005 * DAY_MS, ["192.0.0.0/16"], PARAMETERS)
    places = ("203.0.0.0/16", "192.0.0.0/16")
    assert any(fold(state, 20_005 * DAY_MS + 60_000 * n, [places[n % 2]], PARAMETERS) for n in range(10))

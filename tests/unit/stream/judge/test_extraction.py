"""Several callers of one network, who together ask more than one could."""

from __future__ import annotations

from typing import Any

from slmtrail.stream.judge.folds import DAY_MS
from slmtrail.stream.judge.hit import Hit
from slmtrail.stream.judge.rules.model_extraction.rule import fold

PARAMETERS = {
    "alike": 40,
    "different": 150,
    "patient": 600,
    "callers": 2,
    "each": 20,
    "within": "1h",
    "within_ms": 3_600_000,
}
CALLERS = 6


def _asked(state: dict[str, Any], day: int, times: int) -> list[Hit]:
    """What is told when each caller asks so many different questions, of as many makes, within an hour."""
    told = []
    for number in range(times):
        for caller in range(CALLERS):
            at_ms = day * DAY_MS + (number * CALLERS + caller) * 10_000
            value = [f"form{day}-{number}-{caller}", f"text{day}-{number}-{caller}", f"c{caller}"]
            told.append(fold(state, at_ms, value, PARAMETERS))
    return [hit for hit in told if hit]


def test_new_callers_who_ask_much_are_told_of() -> None:
    assert _asked({}, 0, 50)


def test_a_busy_day_of_who_has_worked_here_for_days_is_not() -> None:
    state: dict[str, Any] = {}
    for day in range(6):
        assert not _asked(state, day, 5)

    assert not _asked(state, 6, 50)


def test_known_callers_who_ask_far_more_are() -> None:
    state: dict[str, Any] = {}
    for day in range(6):
        assert not _asked(state, day, 5)

    assert _asked(state, 6, 70)

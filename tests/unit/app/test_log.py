"""Our own log: one line an entry, and not the same again and again."""

from __future__ import annotations

import logging

from slmtrail.app.log import KINDS, LIKE_IT, WINDOW_S, Sparing


def entry(text: str, *filled: object) -> logging.LogRecord:
    return logging.LogRecord("slmtrail.x", logging.WARNING, "", 0, text, filled, None)


def test_what_repeats_is_left_out_and_counted() -> None:
    now_s = [0.0]
    sparing = Sparing(lambda: now_s[0])
    passed = [sparing.filter(entry("away: %d", n)) for n in range(LIKE_IT + 7)]
    assert passed == [True] * LIKE_IT + [False] * 7
    assert sparing.filter(entry("something else"))
    now_s[0] = WINDOW_S
    again = entry("away: %d", 99)
    assert sparing.filter(again)
    assert again.getMessage() == "away: 99 (7 more like it were left out)"
    later = entry("away: %d", 100)
    assert sparing.filter(later)
    assert later.getMessage() == "away: 100"


def test_entries_that_are_all_of_their_own_kind_take_no_memory() -> None:
    sparing = Sparing()
    assert all(sparing.filter(entry(f"once {n}")) for n in range(3 * KINDS))
    assert len(sparing._kinds) <= KINDS

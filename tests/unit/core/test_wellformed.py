"""What is taken in one pass is what the thorough way gives, and what collectors send is taken."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from slmtrail.core import events, wellformed
from slmtrail.core.errors import EventError
from slmtrail.core.fields import FIELDS

NOW_MS = 1_790_000_000_000
LEAST: dict[str, dict[str, Any]] = {
    "inference": {"gen_ai.request.model": "phi"},
    "auth": {"event.action": "login", "event.outcome": "success"},
    "policy": {"slm.verdict": "allow"},
    "config": {"slm.config.name": "x"},
    "process": {"slm.step.name": "x"},
    "upstream": {"slm.upstream.name": "x"},
    "access": {"event.action": "search"},
}
TEXT_PART = {"type": "text", "content": "hi"}
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 1.5, 2.0, 0.123456789, 1e16, 2**53, -(2**53), 2**63, "", "x", "x" * 1025, [], {}),
    *(["a"], ["a"] * 257, [1], [None], [["a"]], {"a": 1}, {"a": "b"}, {"a b": "c"}, "é", "success", "low", "tool"),
    *("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "0000-01-01T00:00:00.000Z"),
    *(
        "2026-01-01T24:00:00.000Z",
        "2026-01-01T00:00:60.000Z",
        "٢026-01-01T00:00:00.000Z",
        NOW_MS,
        "1.2.3.4",
        "::1%eth0",
    ),
    *("e1:" + "0" * 24, "0" * 32, "[1]", "[", [{"role": "user", "content": "hi"}], [{"content": "no role"}], [5]),
    *([{"role": "user", "parts": [TEXT_PART]}], [{"role": "u" * 65, "parts": []}], [{"role": "user", "parts": "hi"}]),
    *([{"role": "user", "parts": [{**TEXT_PART, "odd": 1}]}], [{"role": "user", "parts": [{"content": "no type"}]}]),
    *([{"role": "user", "parts": [{"type": "text", "content": None}]}], [{"role": "user", "parts": [None, 3]}]),
    *([{"role": "user", "parts": [TEXT_PART], "name": None}], [{"role": "user", "parts": [TEXT_PART], "odd": 1}]),
    *([{"role": "assistant", "content": None, "tool_calls": [CALL]}], [{"role": "tool", "tool_call_id": "1"}]),
    *(
        [
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "arguments": "{}", "name": "f"}],
                "finish_reason": "stop",
            }
        ],
    ),
]


def thorough(line: bytes) -> dict[str, Any] | None:
    try:
        return events.parse(line, NOW_MS, framed=True)
    except EventError:
        return None


@pytest.mark.parametrize("kind", LEAST)
def test_whatever_a_field_holds_both_ways_agree_and_what_is_canonical_is_taken(kind: str) -> None:
    least = {"slm.kind": kind, "@timestamp": NOW_MS, **LEAST[kind]}
    taken = 0
    for name in [*FIELDS, "no.such"]:
        for value in VALUES:
            line = orjson.dumps({**least, name: value})
            known = thorough(line)
            assert wellformed.event(line) in (None, known), (name, value)
            if known is not None:
                again = orjson.dumps(known)
                fast = wellformed.event(again)
                assert fast == known == thorough(again), (name, value)
                assert list(fast or ()) == list(known)
                taken += 1
    assert taken > 100


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"null",
        b"\xff",
        b'{"slm.kind":5}',
        b'{"slm.kind":[]}',
        b'{"slm.kind":"inference","gen_ai.request.model":"p","message":"\\ud800"}',
        b'{"slm.kind":"inference","user":{"id":"nested"},"gen_ai.request.model":"p"}',
        b'{"slm.kind":"inference","@timestamp":"2026-01-01T00:00:00.000Z","event.outcome":"unknown",'
        b'"gen_ai.operation.name":"chat"}',
        b'{"slm.kind":"alert","@timestamp":"2026-01-01T00:00:00.000Z"}',
        b'{"slm.kind":"system","@timestamp":"2026-01-01T00:00:00.000Z","event.action":"gap","event.outcome":"failure"}',
    ],
)
def test_what_is_not_canonical_is_left_to_the_thorough_way(line: bytes) -> None:
    assert wellformed.event(line) is None


def test_the_last_of_two_counts_both_ways() -> None:
    line = orjson.dumps(events.parse({"slm.kind": "auth", **LEAST["auth"]}, NOW_MS))
    doubled = line[:-1] + b',"event.action":"logout"}'
    assert wellformed.event(doubled) == thorough(doubled)

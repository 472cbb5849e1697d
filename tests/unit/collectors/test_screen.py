"""Capture levels, sampling and summaries: less is kept, and all of it is accounted for."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.collectors.screen import Screen
from slmtrail.core import canonical, events
from slmtrail.core.capturing import Capture
from slmtrail.core.fields import CONTENT

KEY = "ghp_" + "a1B2" * 9


def event(**fields: Any) -> bytes:
    given = {"slm.kind": "inference", "gen_ai.request.model": "m", "gen_ai.input.messages": "hi", **fields}
    return canonical.dumps(events.parse(given, 0))


def process(**fields: Any) -> bytes:
    return canonical.dumps(events.parse({"slm.kind": "process", "slm.step.name": "s", **fields}, 0))


def health(at_ms: int, latency_ms: int = 1, path: str = "/health", **fields: Any) -> bytes:
    given = {
        "slm.kind": "upstream",
        "slm.upstream.name": "m:1",
        "event.action": "get",
        "event.outcome": "success",
        "@timestamp": at_ms,
        "slm.latency_ms": latency_ms,
        "slm.attributes": json.dumps({"method": "GET", "path": path}),
    }
    return canonical.dumps(events.parse({**given, **fields}, 0))


def test_by_default_lines_pass_untouched() -> None:
    lines = [event(), process()]
    screened = Screen(Capture()).lines(lines)
    assert screened.lines is lines
    assert screened.kept == [0, 1]


def test_metadata_alone() -> None:
    screened = Screen(Capture(levels={"inference": "metadata"})).lines([event(**{"user.id": "alice"}), process()])
    kept, other = map(orjson.loads, screened.lines)
    assert not kept.keys() & CONTENT
    assert kept["user.id"] == "alice"
    assert kept["slm.capture.level"] == "metadata"
    assert "slm.capture.level" not in other


def test_redacted_at_the_edge() -> None:
    arguments = json.dumps({"to": "anna@example.com", "card": 4111111111111111, "n": 1})
    turns = [
        {"role": "user", "content": f"I am anna@example.com, key {KEY}"},
        {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "mail", "arguments": arguments}}]},
    ]
    line = event(**{"gen_ai.input.messages": turns, "slm.attributes": json.dumps({"card": 4111111111111111})})
    (kept,) = Screen(Capture(level="redacted")).lines([line]).lines
    assert b"anna@" not in kept
    assert KEY.encode() not in kept
    assert b"4111111111111111" not in kept
    read = orjson.loads(kept)
    assert read["gen_ai.input.messages"][0]["parts"][0]["content"] == "I am <EMAIL_ADDRESS>, key <GITHUB_TOKEN>"
    assert orjson.loads(read["slm.attributes"]) == {"card": "<CREDIT_CARD>"}
    assert events.validate(read) == read


@pytest.mark.parametrize("depth", [100, 250, 500, 900, 2000])
def test_what_is_nested_deeply_is_redacted_too(depth: int) -> None:
    nested = "[" * depth + '"anna@example.com"' + "]" * depth
    (kept,) = Screen(Capture(level="redacted")).lines([event(**{"slm.attributes": nested})]).lines
    assert b"anna@" not in kept


@pytest.mark.parametrize(
    ("policy", "asked", "level"), [("full", "metadata", "metadata"), ("metadata", "full", "metadata")]
)
def test_a_caller_may_ask_for_less_and_never_for_more(policy: Any, asked: str, level: str) -> None:
    (kept,) = Screen(Capture(level=policy)).lines([event(**{"slm.capture.level": asked})]).lines
    assert orjson.loads(kept)["slm.capture.level"] == level
    assert b"messages" not in kept


def test_sampling_counts_what_it_leaves_out_and_says_its_rate() -> None:
    chances = iter([0.05, 0.5, 0.95, 0.0])
    screened = Screen(Capture(sample={"process": 0.1}), lambda: next(chances)).lines([process() for _ in range(4)])
    assert (screened.kept, screened.sampled_out) == ([0, 3], 2)
    assert {orjson.loads(line)["slm.sample.rate"] for line in screened.lines} == {0.1}


def test_what_fails_is_always_kept_and_so_are_the_kinds_that_matter() -> None:
    screen = Screen(Capture(sample={"process": 0.0001}), lambda: 1.0)
    lines = [process(**{"event.outcome": "failure"}), process(**{"error.type": "x"}), event()]
    assert screen.lines(lines).kept == [0, 1, 2]


def test_a_trace_is_kept_whole_or_not_at_all() -> None:
    screen = Screen(Capture(sample={"process": 0.5}))
    for number in range(50):
        screened = screen.lines([process(**{"trace.id": f"{number:032x}"}) for _ in range(5)])
        assert len(screened.kept) in (0, 5)


def test_health_checks_become_one_event_a_window() -> None:
    screen = Screen(Capture(health_summary_s=60))
    lines = [health(0, 5), health(1000, 7), health(59_000, 9), health(0, path="/v1/models"), event()]
    screened = screen.lines(lines)
    assert screened.kept == [4]
    assert screened.sampled_out == 0
    assert screen.due(59_999) == []
    summary, single = map(orjson.loads, sorted(screen.due(60_000), key=len, reverse=True))
    assert (summary["slm.summary.count"], summary["slm.summary.window_ms"], summary["slm.latency_ms"]) == (3, 59_000, 7)
    assert "slm.summary.count" not in single
    assert screen.due() == []


@pytest.mark.parametrize(
    "line",
    [
        health(0, path="/v1/chat/completions"),
        health(0, **{"event.action": "post"}),
        health(0, **{"event.outcome": "failure"}),
        health(0, **{"slm.attributes": "no json"}),
    ],
)
def test_other_upstream_events_are_kept_one_by_one(line: bytes) -> None:
    assert Screen(Capture()).lines([line]).lines == [line]


def test_summaries_can_be_switched_off() -> None:
    assert Screen(Capture(health_summary_s=0)).lines([health(0)]).kept == [0]


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.text(), _JSON, st.sampled_from(["full", "redacted", "metadata"]))
def test_whatever_is_kept_is_still_an_event(text: str, attributes: Any, level: Any) -> None:
    line = event(**{"gen_ai.input.messages": text, "slm.attributes": json.dumps(attributes)})
    (kept,) = Screen(Capture(level=level)).lines([line]).lines
    read = orjson.loads(kept)
    assert events.validate(read) == read

"""What nobody can mean well, from a collector that is believed: refused, named in an alert, and the rest goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from builders import NOW_MS, Stream, inference, records
from slmtrail.core import frames
from slmtrail.stream.process import Output

GOOD = "a good event beside it"
DEEP = b'{"slm.kind":"inference","slm.attributes":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
WIDE = b'{"slm.kind":"inference","slm.attributes":[' + b"0," * 500_000 + b"0]}"
LONG_NUMBER = b'{"slm.kind":"inference","slm.latency_ms":' + b"9" * 100_000 + b"}"
MANY_KEYS = b'{"slm.kind":"inference","labels":{' + b",".join(b'"k%d":"v"' % n for n in range(100_000)) + b"}}"


@pytest.fixture
def stream(tmp_path: Path) -> Stream:
    return Stream(tmp_path)


def texts(output: Output) -> str:
    return str(records(output))


def reasons(output: Output) -> set[str]:
    return {
        fault["reason"]
        for message in output.deadletters
        for letter in [orjson.loads(message.value)]
        for fault in [letter, *letter["faults"]]
    }


def rules(output: Output) -> set[str]:
    return {orjson.loads(message.value)["rule.id"] for message in output.alerts}


@pytest.mark.parametrize("line", [DEEP, LONG_NUMBER, MANY_KEYS], ids=["10,000 deep", "a long number", "100,000 keys"])
def test_an_event_that_is_too_much_lies_in_the_dead_letters_alone(stream: Stream, line: bytes) -> None:
    output = stream.take(stream.edge().frame([line, inference(GOOD)]))
    assert "bad_events" in reasons(output)
    assert "trail-gap" in rules(output), "an alert says that events were refused"
    assert GOOD in texts(output)


def test_a_list_of_half_a_million_becomes_one_bounded_record_or_none(stream: Stream) -> None:
    output = stream.take(stream.edge().frame([WIDE, inference(GOOD)]))
    assert GOOD in texts(output)
    assert all(len(message.value) < 2 * len(WIDE) for message in output.records)


def test_a_frame_that_would_expand_without_end_is_refused_and_the_chain_goes_on(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = stream.edge()
    bomb = edge.frame([inference("0" * 2_000_000)])
    assert len(frames.to_bytes(bomb)) < 20_000
    monkeypatch.setattr(frames, "MAX_BODY_PLAIN_BYTES", 1_000_000)
    output = stream.take(bomb, edge.frame([inference(GOOD)]))
    assert reasons(output) == {"oversized"}
    assert "trail-gap" in rules(output)
    assert GOOD in texts(output)
    assert "gap" not in {record.get("event.action") for record in records(output)}


def login(user: str, at_ms: int) -> dict[str, Any]:
    return {
        "@timestamp": at_ms,
        "slm.kind": "auth",
        "event.action": "login",
        "event.outcome": "failure",
        "user.id": user,
    }


def test_events_of_the_future_hide_nothing_that_comes_after_them(stream: Stream) -> None:
    edge = stream.edge()
    century_ms = 100 * 365 * 86_400_000
    ahead = stream.take(edge.frame([login("bob", NOW_MS + century_ms)]))
    assert rules(ahead) == {"clock-jump"}
    later = [stream.take(edge.frame([login("bob", NOW_MS + n)])) for n in range(10)]
    assert "login-failures" in {rule for output in later for rule in rules(output)}

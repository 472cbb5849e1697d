"""Syslog: messages are cut as senders frame them, taken apart as RFC 5424 has it, and bad ones hurt no others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmtrail.collectors.receive.syslog.convert import event_of
from slmtrail.collectors.receive.syslog.framing import Framing
from slmtrail.collectors.receive.syslog.message import Message, parse
from slmtrail.core import canonical, events
from slmtrail.core.errors import EventError

NOW_MS = 1_767_323_045_678
HEAD = "<165>1 2026-01-02T03:04:05.678Z gpu-3 gateway 77 ID47"
INFERENCE = {
    "slm.kind": "inference",
    "gen_ai.request.model": "phi-3",
    "gen_ai.input.messages": [{"role": "user", "content": "Hi"}],
}


def counted(message: bytes) -> bytes:
    return b"%d %b" % (len(message), message)


def event(text: str, sender: dict[str, Any] | None = None) -> dict[str, Any]:
    line = event_of(text.encode(), sender or {}, "198.51.100.4", 10_000, NOW_MS)
    made = json.loads(line)
    assert canonical.dumps(events.parse(made, 0)) == line
    return made


# The older form

OLD = {
    "<34>Oct 11 22:14:15 mymachine su[77]: 'su root' failed": ("mymachine", "su", 77, "'su root' failed"),
    "<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!": ("10.0.0.99", None, None, "Use the BFG!"),
    "<165>2026-01-02T03:04:05.678+01:00 gpu-3 gateway: a: b": ("gpu-3", "gateway", None, "a: b"),
}


@pytest.mark.parametrize("text", OLD)
def test_the_older_form_is_taken_too(text: str) -> None:
    made = event(text)
    got = (made["host.name"], made.get("service.name"), made.get("process.pid"), made["message"])
    assert got == OLD[text]
    whole = "2026-01-02T02:04:05.678Z" if "2026" in text else None
    assert made["@timestamp"] == (whole or events.timestamp_text(NOW_MS))
    assert ("rfc3164" in made["slm.attributes"]) == (whole is None)
    assert made["slm.kind"] == ("auth" if text.startswith("<34>") else "process")


def test_our_own_events_come_in_the_older_form_too() -> None:
    made = event(f"<13>Feb  5 17:32:18 gpu-3 gateway[9]: {json.dumps(INFERENCE)}")
    assert (made["slm.kind"], made["host.name"], made["process.pid"]) == ("inference", "gpu-3", 9)


# Framing


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_both_framings_in_one_stream_in_pieces_of_any_size(size: int) -> None:
    first, second, third = b"<1>1 one\nwith a second line", b"<1>1 two", "<1>1 drei ä".encode()
    stream = counted(first) + b"\n" + second + b"\r\n\n" + counted(third) + counted(second) + b"<1>1 last"
    framing = Framing(1000)
    messages = [m for at in range(0, len(stream), size) for m in framing.feed(stream[at : at + size])]
    assert [*messages, *framing.end()] == [first, second, third, second, b"<1>1 last"]


@pytest.mark.parametrize("size", [1, 50, 10_000])
def test_what_is_too_long_is_passed_over_and_not_held(size: int) -> None:
    good, long = b"<1>1 good", b"x" * 500
    stream = counted(long) + counted(good) + b"<" + long + b"\n" + good + b"\n999999999 "
    framing = Framing(100)
    messages: list[bytes] = []
    for at in range(0, len(stream), size):
        messages += framing.feed(stream[at : at + size])
        assert framing.held_bytes <= 100 + 12
    assert (messages, framing.oversized) == ([good, good], 3)
    assert framing.feed(b"y" * 5000) == []
    assert (framing.held_bytes, framing.end()) == (0, [])


def test_lines_that_begin_with_a_number_are_lines() -> None:
    assert Framing(100).feed(b"12345678901 x\n1x\n0 y\n") == [b"12345678901 x", b"1x", b"0 y"]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.booleans()), max_size=6), st.data())
def test_any_messages_come_out_as_they_went_in(given_messages: list[tuple[bytes, bool]], data: Any) -> None:
    stream, expected = b"", []
    for content, by_count in given_messages:
        message = b"<1>1" + content.replace(b"\n", b"").replace(b"\r", b"")
        stream += counted(message) if by_count else message + b"\n"
        expected.append(message)
    framing = Framing(100)
    made: list[bytes] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        made += framing.feed(stream[:size])
        stream = stream[size:]
    assert made + framing.end() == expected


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.binary(max_size=60), max_size=6), st.sampled_from([b"", HEAD.encode(), HEAD.encode() + b' [slm@1 a="'])
)
def test_any_bytes_do_no_harm(pieces: list[bytes], start: bytes) -> None:
    framing = Framing(200)
    for message in [m for piece in pieces for m in framing.feed(start + piece)] + framing.end():
        try:
            line = event_of(message, {}, "", 10_000, NOW_MS)
        except EventError:
            continue
        assert canonical.dumps(events.parse(json.loads(line), 0)) == line
    assert framing.held_bytes <= 210


# RFC 5424


def test_the_examples_of_the_rfc() -> None:
    message = parse(
        b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xef\xbb\xbf'su root' failed for lonvick"
    )
    assert message == Message(
        4, 2, "2003-10-11T22:14:15.003Z", "mymachine.example.com", "su", "", "ID47", {}, "'su root' failed for lonvick"
    )
    message = parse(
        b'<165>1 2003-10-11T22:14:15.003Z host evntslog - ID47 [exampleSDID@32473 iut="3" '
        b'eventSource="App \\"x\\" \\]\\\\"][examplePriority@32473 class="high"]'
    )
    assert message.data == {
        "exampleSDID@32473": {"iut": "3", "eventSource": 'App "x" ]\\'},
        "examplePriority@32473": {"class": "high"},
    }
    assert message.text == ""
    assert parse(b"<0>1 - - - - - -") == Message(0, 0, "", "", "", "", "", {}, "")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "should begin"),
        (b"hello", "should begin"),
        (b"<34>Oct 11 22:14 host su: failed", "RFC 3164"),
        (b"<192>1 - - - - - -", "should begin"),
        (b"<34>2 - - - - - -", "should begin"),
        (b"<34>1 - - - - - ", "structured data"),
        (b"<34>1 - - - - - x", "structured data"),
        (b"<34>1 - - - - - [a b]", "character 19"),
        (b'<34>1 - - - - - [a b="c]', "character 19"),
        (b'<34>1 - - - - - [a b="c"]x', "character 26"),
        (b"<34>1 - - - - - -x", "character 18"),
    ],
    ids=range(11),
)
def test_what_is_none_is_refused_with_its_place(data: bytes, said: str) -> None:
    with pytest.raises(EventError, match=said) as refused:
        parse(data)
    assert refused.value.reason == "not_rfc5424"


# Events


def test_our_own_events_as_json() -> None:
    made = event(f"{HEAD} - {json.dumps(INFERENCE)}")
    assert made["gen_ai.input.messages"] == [{"parts": [{"content": "Hi", "type": "text"}], "role": "user"}]
    assert made["@timestamp"] == "2026-01-02T03:04:05.678Z"
    assert (made["host.name"], made["service.name"], made["process.pid"]) == ("gpu-3", "gateway", 77)
    nested = {"slm": {"kind": "auth"}, "event": {"action": "login", "outcome": "failure"}, "host.name": "other"}
    made = event(f"{HEAD} - {json.dumps(nested)}")
    assert (made["slm.kind"], made["host.name"]) == ("auth", "other")
    with pytest.raises(EventError, match="no such field"):
        event(f'{HEAD} - {{"slm.kind":"auth","event.action":"a","event.outcome":"success","bogus":1}}')


def test_fields_as_structured_data() -> None:
    made = event(
        f'{HEAD} [slm@32473 slm.kind="inference" gen_ai.request.model="phi-3" gen_ai.usage.input_tokens="12" '
        'gen_ai.request.temperature="0.5" gen_ai.request.stream="true" event.outcome="success" user.id="alice"]'
        '[origin software="x"] answered'
    )
    assert {name: made[name] for name in ("slm.kind", "gen_ai.usage.input_tokens", "gen_ai.request.stream")} == {
        "slm.kind": "inference",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.request.stream": True,
    }
    assert (made["message"], made["event.outcome"], made["user.id"]) == ("answered", "success", "alice")
    told = json.loads(made["slm.attributes"])["syslog"]
    assert told == {
        "facility": 20,
        "severity": 5,
        "id": "ID47",
        "peer": "198.51.100.4",
        "data": {"origin": {"software": "x"}},
    }
    with pytest.raises(EventError, match=r"slm\.kind"):
        event(f'{HEAD} [slm slm.kind="alert"] x')
    with pytest.raises(EventError, match=r"slm\.verdict"):
        event(f'{HEAD} [slm slm.kind="policy"] x')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{HEAD} - started", {"slm.kind": "process", "slm.step.name": "ID47", "message": "started"}),
        ("<38>1 - - sshd - - - Accepted", {"slm.kind": "auth", "event.action": "sshd", "event.outcome": "unknown"}),
        ("<14>1 - - - - - -", {"slm.kind": "process", "slm.step.name": "message", "message": None}),
        (
            f'{HEAD} - @cee: {{"gen_ai.request.model":"m","gen_ai.usage.input_tokens":3,"n":1}}',
            {"slm.kind": "inference", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 3, "message": None},
        ),
        (f'{HEAD} - {{"level":"info","user.id":"bob"}}', {"slm.kind": "process", "user.id": "bob", "message": None}),
        (f'{HEAD} - {{"broken', {"slm.kind": "process", "message": '{"broken'}),
        (
            f'{HEAD} [slm gen_ai.operation.name="execute_tool" gen_ai.tool.name="look"]',
            {"slm.kind": "process", "slm.step.type": "tool", "gen_ai.tool.name": "look"},
        ),
    ],
    ids=range(7),
)
def test_what_other_programs_write(text: str, expected: dict[str, Any]) -> None:
    made = event(text)
    assert {name: made.get(name) for name in expected} == expected


def test_who_sends_is_not_what_the_message_says() -> None:
    sender = {"slm.identity.method": "application", "slm.identity.verified": True, "slm.identity.issuer": "token:a"}
    forged = {**INFERENCE, "slm.identity.issuer": "token:root"}
    assert event(f"{HEAD} - {json.dumps(forged)}", sender)["slm.identity.issuer"] == "token:a"
    made = event(f'{HEAD} [slm slm.identity.issuer="token:root" slm.identity.verified="true"] x')
    assert "slm.identity.verified" not in made
    assert "slm.identity.issuer" not in made


def test_a_time_that_is_none_is_refused() -> None:
    for body in ("- x", f"- {json.dumps(INFERENCE)}"):
        with pytest.raises(EventError):
            event(f"<14>1 yesterday h a 1 i {body}")

"""The one way in: what fits becomes one canonical event, what does not is told why, and nothing else happens."""

from __future__ import annotations

import json
import sys
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slmtrail.core import canonical, events
from slmtrail.core.errors import EventError
from slmtrail.core.fields import ACCESS_OWNED, FIELDS, STREAM_OWNED

NOW_MS = 1_767_323_045_678
NOW = "2026-01-02T03:04:05.678Z"

MINIMAL: dict[str, dict[str, Any]] = {
    "inference": {"gen_ai.request.model": "phi-3"},
    "auth": {"event.action": "login", "event.outcome": "success"},
    "policy": {"slm.verdict": "block"},
    "config": {"slm.config.name": "temperature"},
    "process": {"slm.step.name": "retrieve"},
    "upstream": {"slm.upstream.name": "crm"},
    "access": {"event.action": "search"},
    "system": {"event.action": "gap"},
}


def _parse(**fields: Any) -> dict[str, Any]:
    return events.parse({"slm.kind": "inference", "gen_ai.request.model": "m", **fields}, NOW_MS)


def _refused(data: Any) -> EventError:
    with pytest.raises(EventError) as caught:
        events.parse(data, NOW_MS)
    return caught.value


@pytest.mark.parametrize("kind", sorted(events.COLLECTED_KINDS))
def test_every_kind_takes_its_smallest_event_and_misses_each_part_of_it(kind: str) -> None:
    smallest = {"slm.kind": kind, **MINIMAL[kind]}
    event = events.parse(smallest, NOW_MS)
    assert event == {"@timestamp": NOW, "event.outcome": "unknown", **smallest} | (
        {"gen_ai.operation.name": "chat"} if kind == "inference" else {}
    )
    assert events.parse(json.dumps(smallest), NOW_MS) == events.parse(json.dumps(smallest).encode(), NOW_MS) == event
    for name in MINIMAL[kind]:
        error = _refused({key: value for key, value in smallest.items() if key != name})
        assert error.reason == "invalid"
        assert name in str(error)


@pytest.mark.parametrize("kind", sorted(events.COLLECTED_KINDS))
def test_a_field_of_another_kind_does_not_belong(kind: str) -> None:
    own = {str(field.alias) for field in events.KINDS[kind].model_fields.values()}
    for name in FIELDS.keys() - own - STREAM_OWNED:
        error = _refused({"slm.kind": kind, **MINIMAL[kind], name: "x"})
        assert f"{name}: does not belong to kind {kind}" in str(error)


@pytest.mark.parametrize("kind", ["alert", "Inference", "", "nothing", 5, None, ["auth"], {}])
def test_an_unknown_kind_is_refused(kind: Any) -> None:
    error = _refused({"slm.kind": kind, "event.action": "x"})
    assert (error.reason, str(error)) == (
        "unknown_kind",
        "slm.kind: should be one of access, auth, config, inference, policy, process, upstream",
    )


def test_what_became_of_an_alert_comes_out_of_a_frame_alone() -> None:
    told = {"slm.kind": "access", "event.action": "close", "slm.alert.id": "a" * 32, "slm.alert.status": "closed"}
    assert events.parse(told, NOW_MS, framed=True)["slm.alert.status"] == "closed"
    for name in ACCESS_OWNED:
        assert _refused({"slm.kind": "access", "event.action": "close", name: "x"}).reason == "reserved_field"


def test_by_what_a_reader_searched_is_told_in_names_of_fields_alone() -> None:
    told = {"slm.kind": "access", "event.action": "search", "slm.access.fields": ["user.id", "text", "alice"]}
    assert events.parse(told, NOW_MS, framed=True)["slm.access.fields"] == ["user.id", "text", "other"]


@pytest.mark.parametrize("name", sorted(STREAM_OWNED))
@pytest.mark.parametrize("value", ["x", None, {}])
def test_what_the_pipeline_sets_nobody_else_sets(name: str, value: Any) -> None:
    prefix, _, last = name.rpartition(".")
    for given_event in ({name: value}, {prefix: {last: value}} if prefix not in STREAM_OWNED else {name: value}):
        error = _refused({"slm.kind": "auth", **given_event})
        assert (error.reason, str(error)) == ("reserved_field", f"{name}: is set by slmtrail, leave it out")


@pytest.mark.parametrize(
    ("data", "reason", "text"),
    [
        ("", "not_json", "not JSON: "),
        (b"", "not_json", "not JSON: "),
        ("{", "not_json", "not JSON: "),
        ("{'a': 1}", "not_json", "not JSON: "),
        ('{"a": NaN}', "not_json", "not JSON: "),
        (b"\xef\xbb\xbf{}", "not_json", "not JSON: "),
        (b'{"a": "\xff"}', "not_utf8", "not UTF-8: send JSON encoded as UTF-8"),
        (b'\xff{"a": "\\ud800"}', "not_utf8", "not UTF-8: send JSON encoded as UTF-8"),
        ('{"a": "\ud800"}', "not_json", "not JSON: "),
        ("[1]", "not_an_object", "an event is a JSON object, this is something else"),
        ('"x"', "not_an_object", "an event is a JSON object, this is something else"),
        ("null", "not_an_object", "an event is a JSON object, this is something else"),
        ("1" * 5000, "not_json", "not JSON: "),
        ("[" * 10_000 + "]" * 10_000, "not_json", "not JSON: "),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, "not_json", "not JSON: "),
        ('{"\\ud800":' * 10_000 + "1" + "}" * 10_000, "not_json", "not JSON: "),
        ('{"slm.attributes":' + "[" * 900 + "]" * 900 + "}", "too_deep", "nested deeper than 64 levels"),
        ('{"slm.attributes":["\\ud800",' + "[" * 900 + "]" * 901 + "}", "too_deep", "nested deeper than 64 levels"),
        ('{"slm.kind":"auth","usr.id":"x"}', "unknown_field", "usr.id: no such field; did you mean user.id?"),
        ('{"slm.kind":"auth","userid":"x"}', "unknown_field", "userid: no such field; did you mean user.id?"),
        ('{"slm.kind":"auth","timestamp":"x"}', "unknown_field", "timestamp: no such field; did you mean @timestamp?"),
        ('{"slm.kind":"auth","zzz":1}', "unknown_field", "zzz: no such field; put fields of your own under labels or"),
        ('{"slm.kind":"auth","user":{"idd":1}}', "unknown_field", "user.idd: no such field; did you mean user.id?"),
        ('{"slm.kind":"auth","user":5}', "unknown_field", "user: no such field"),
        (
            '{"slm.kind":"auth","user.id":"a","user":{"id":"b"}}',
            "doubled_field",
            "user.id: is given twice, once nested",
        ),
        ('{"slm":{"kind":"auth"},"slm.kind":"auth"}', "doubled_field", "slm.kind: is given twice"),
        ('{"slm.kind":"auth","event.action":"x","event.outcome":"good"}', "invalid", "event.outcome: input should be"),
        ('{"slm.kind":"auth","event.action":5,"event.outcome":"success"}', "invalid", "event.action: input should be"),
        ('{"slm.kind":"inference"}', "invalid", "inference: an inference names its model"),
    ],
    ids=range(29),
)
def test_every_fault_has_its_reason_and_its_text(data: str | bytes, reason: str, text: str) -> None:
    error = _refused(data)
    assert error.reason == reason
    assert str(error).startswith(text)


SECRETS: list[Any] = [
    "alice@example.com",
    "x" * 1000 + "4111-1111-1111-1111" + "x" * 1000,
    {"alice@example.com": "4111-1111-1111-1111"},
    ["4111-1111-1111-1111", {"alice@example.com": 1}],
    4111_1111_1111_1111,
    -4111_1111_1111_1111_0000,
    4111.1111e300,
    True,
]


@pytest.mark.parametrize("name", sorted(FIELDS.keys() - STREAM_OWNED))
def test_no_fault_repeats_what_was_sent(name: str) -> None:
    for kind in events.COLLECTED_KINDS:
        for value in SECRETS:
            try:
                events.parse({"slm.kind": kind, **MINIMAL[kind], name: value}, NOW_MS)
            except EventError as error:
                assert "alice" not in str(error)
                assert "4111" not in str(error)


@pytest.mark.parametrize(
    "given_event",
    [
        {"alice@example.com": 1},
        {"4111111111111111": 1},
        {"user": {"alice@example.com": 1}},
        {"labels": {"alice@example.com": "x"}},
        {"labels": {"4111-1111-1111-1111": 1}},
        {"gen_ai.input.messages": [{"role": "user", "parts": [{"alice@example.com": 1, "type": "4111" * 100}]}]},
        {"gen_ai.input.messages": [{"role": ["alice@example.com"], "4111-1111": 5}]},
        {"slm.attributes": {"alice@example.com": 2**70}},
        {"slm.kind": "alice@example.com"},
    ],
    ids=range(9),
)
def test_no_fault_repeats_a_name_that_could_be_content(given_event: dict[str, Any]) -> None:
    error = _refused({"slm.kind": "inference", "gen_ai.request.model": "m", **given_event})
    assert "alice" not in str(error)
    assert "4111" not in str(error)


@pytest.mark.parametrize(
    ("given_time", "expected"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (NOW_MS, NOW),
        ("2026-01-02T03:04:05.678Z", NOW),
        ("2026-01-02t03:04:05.678z", NOW),
        ("2026-01-02 03:04:05.6784", NOW),
        ("2026-01-02T05:04:05.678+02:00", NOW),
        ("2026-01-02T03:04:05.678123456Z", NOW),
        ("2026-01-02", "2026-01-02T00:00:00.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
    ],
)
def test_times_have_one_spelling(given_time: Any, expected: str) -> None:
    assert _parse(**{"@timestamp": given_time})["@timestamp"] == expected
    assert events.timestamp_text(events.timestamp_ms(expected)) == expected


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_times_lose_nothing(epoch_ms: int) -> None:
    assert events.timestamp_ms(events.timestamp_text(epoch_ms)) == epoch_ms


@pytest.mark.parametrize(
    "bad",
    [
        "yesterday", "", "2026-13-01", "2026-01-02T03:04:60Z", "9999-12-31T23:59:59.9999Z", "0001-01-01T00:00:00+23:00",
        253_402_300_800_000, -62_135_596_800_001, 10**30, 10**5000, 1.5, True, [], "٢٠٢٦-01-02",
        "2026-01-02T03:04:05\x00Z",
    ],
    ids=range(15),
)  # fmt: skip
def test_what_is_no_time_is_refused(bad: Any) -> None:
    error = _refused({"slm.kind": "inference", "gen_ai.request.model": "m", "@timestamp": bad})
    assert str(error).startswith("@timestamp: ")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("gen_ai.request.temperature", 0.70004, 0.7),
        ("gen_ai.request.temperature", 1.0, 1),
        ("gen_ai.request.temperature", -0.0, 0),
        ("gen_ai.request.temperature", 3, 3),
        ("slm.latency_ms", 12.0, 12),
        ("gen_ai.request.seed", -(2**53 - 1), -(2**53 - 1)),
        ("source.ip", "2001:DB8::0001", "2001:db8::1"),
        ("source.ip", "fe80::1%eth0", "fe80::1"),
        ("source.ip", "fe80::1%alice@example.com", "fe80::1"),
        ("slm.attributes", {"b": [1, 2.5], "a": None}, '{"b":[1,2.5],"a":null}'),
        ("slm.attributes", "as it is", "as it is"),
        ("slm.attributes", [], "[]"),
        ("labels", {"a.b-c_9": "x"}, {"a.b-c_9": "x"}),
    ],
)
def test_values_are_made_canonical(name: str, value: Any, expected: Any) -> None:
    made = _parse(**{name: value})[name]
    assert made == expected
    assert type(made) is type(expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gen_ai.request.temperature", float("nan")),
        ("gen_ai.request.temperature", float("inf")),
        ("gen_ai.request.temperature", 1e15),
        ("gen_ai.request.temperature", 10**400),
        ("gen_ai.request.temperature", 10**5000),
        ("gen_ai.request.temperature", "0.7"),
        ("gen_ai.request.temperature", True),
        ("slm.latency_ms", 2**53),
        ("slm.latency_ms", 10**5000),
        ("slm.latency_ms", 1.5),
        ("slm.latency_ms", 1e300),
        ("slm.latency_ms", float("nan")),
        ("slm.latency_ms", True),
        ("slm.latency_ms", "5"),
        ("source.ip", "1.2.3"),
        ("source.ip", "%eth0"),
        ("source.ip", 16909060),
        ("source.ip", "01.2.3.4"),
        ("user.id", "x" * 1025),
        ("user.id", 5),
        ("user.roles", "admin"),
        ("user.roles", ["x"] * 257),
        ("labels", {"bad key": "x"}),
        ("labels", {"": "x"}),
        ("labels", {"é": "x"}),
        ("labels", {"a\n": "x"}),
        ("labels", {1: "x"}),
        ("labels", {"a": 1}),
        ("labels", {f"k{n}": "x" for n in range(65)}),
        ("message", ["x"]),
        ("message", "x" * (events.MAX_TEXT_CHARS + 1)),
        ("gen_ai.request.stream", 1),
        ("slm.attributes", {1: 2}),
        ("slm.attributes", {"a": 2**70}),
        ("slm.attributes", {"a": object()}),
        ("slm.repairs", ["something else"]),
    ],
    ids=range(36),
)
def test_values_that_do_not_fit_are_refused(name: str, value: Any) -> None:
    error = _refused({"slm.kind": "inference", "gen_ai.request.model": "m", name: value})
    assert error.reason == "invalid"
    assert name in str(error)


def test_nested_dotted_and_mixed_spellings_are_one_event() -> None:
    dotted = {
        "slm.kind": "auth",
        "event.action": "a",
        "event.outcome": "success",
        "user.id": "u",
        "gen_ai.agent.id": "g",
    }
    nested = {"slm": {"kind": "auth"}, "event": {"action": "a", "outcome": "success"}, "user": {"id": "u"}}
    assert (
        events.parse(dotted, NOW_MS)
        == events.parse(nested | {"gen_ai": {"agent": {"id": "g"}}}, NOW_MS)
        == events.parse(nested | {"gen_ai.agent": {"id": "g"}}, NOW_MS)
        == events.parse(nested | {"gen_ai": {"agent.id": "g", "agent": {"name": None}}, "user.name": None}, NOW_MS)
    )


def test_of_a_key_given_twice_the_last_holds() -> None:
    text = '{"slm.kind":"auth","event.action":"a","event.action":"b","event.outcome":"success"}'
    assert events.parse(text, NOW_MS)["event.action"] == "b"


def test_lone_surrogates_are_replaced_and_flagged_wherever_they_stand() -> None:
    message = {"role": "user", "content": [{"type": "text", "text": "a\ud800b"}]}
    for given_event in (
        {"message": "a\udc00"},
        {"labels": {"k": "\ud800"}},
        {"slm.attributes": {"\udfff": ["\ud800"]}},
        {"gen_ai.input.messages": [message]},
        {"user.roles": ["\ud800"]},
    ):
        whole = {"slm.kind": "inference", "gen_ai.request.model": "m", **given_event}
        for data in (whole, json.dumps(whole), json.dumps(whole).encode()):
            event = events.parse(data, NOW_MS)
            assert event["slm.repairs"] == ["lone_surrogates"]
            assert "\ufffd" in canonical.dumps(event).decode()
    assert "slm.repairs" not in events.parse(json.dumps({**whole, "user.roles": ["\U0001f600"]}), NOW_MS)
    assert events.parse({**whole, "user.roles": ["\ud83d\ude00"]}, NOW_MS)["user.roles"] == ["\U0001f600"]


@pytest.mark.parametrize("make", [dict, list, tuple])
def test_deep_nesting_is_bounded_in_any_container(make: type) -> None:
    value: Any = "x"
    for _ in range(10_000):
        value = {"a": value} if make is dict else make([value])
    error = _refused({"slm.kind": "inference", "gen_ai.request.model": "m", "slm.attributes": value})
    assert error.reason == "too_deep"
    while not isinstance(value, str):  # taken apart by hand: freeing it would be as deep
        value = next(iter(value.values() if isinstance(value, dict) else value))


def test_deep_text_in_text_is_bounded() -> None:
    for depth in (200, 260, 900, 10_000):
        text = '[{"role":"user","content":' + "[" * depth + "1" + "]" * depth + "}]"
        for name in ("gen_ai.input.messages", "slm.attributes", "gen_ai.tool.definitions"):
            try:
                event = _parse(**{name: text})
            except EventError:
                continue
            assert events.parse(canonical.dumps(event), NOW_MS) == event


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["user", "text", "[1]", '[{"role":"a"}]', "\ud800", "phi", NOW, "success", "1.2.3.4"])
)
keys = st.text(st.characters(), max_size=5) | st.sampled_from(
    ["role", "content", "parts", "type", "text", "tool_calls", "tool_call_id", "function", "arguments", "name", "id",
     "extra", "thinking", "reasoning", "result", "user", "gen_ai", "slm", "event", "action"]
)  # fmt: skip
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5), max_leaves=12
)
wild_events = st.builds(
    lambda kind, more: {"slm.kind": kind, **MINIMAL[kind], **more},
    st.sampled_from(sorted(events.COLLECTED_KINDS)),
    st.dictionaries(st.sampled_from(sorted(FIELDS)) | keys, anything, max_size=3),
)
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "tool", "assistant"])},
        optional=dict.fromkeys(
            ["content", "parts", "tool_calls", "tool_call_id", "thinking", "reasoning", "name", "images"], anything
        ),
    ),
    max_size=3,
)
chats = messages.map(lambda chat: {"slm.kind": "inference", "gen_ai.request.model": "m", "gen_ai.input.messages": chat})


def _canonical_or_refused(data: Any) -> None:
    try:
        event = events.parse(data, NOW_MS)
    except EventError as error:
        assert error.reason
        assert str(error)
        return
    data = canonical.dumps(event)
    assert data == rfc8785.dumps(event)
    assert orjson.loads(data) == event
    again = events.parse(data, NOW_MS + 1)
    assert again == event
    assert canonical.dumps(again) == data
    assert b"\n" not in data


@settings(max_examples=60)
@given(wild_events)
@example({"slm.kind": "auth", **MINIMAL["auth"], "slm.attributes": dict.fromkeys(["\ud800", "\ud801"], 1)})
@example({"slm.kind": "auth", **MINIMAL["auth"], "slm.attributes": [2**64, "\ud800"]})
def test_whatever_the_event_it_is_canonical_or_refused(event: dict[str, Any]) -> None:
    _canonical_or_refused(event)
    _canonical_or_refused(json.dumps(event))


@settings(max_examples=60)
@given(chats)
def test_whatever_the_chat_it_is_canonical_or_refused(event: dict[str, Any]) -> None:
    _canonical_or_refused(event)
    _canonical_or_refused(json.dumps(event))


@given(st.binary() | st.text(st.characters()) | anything)
def test_whatever_is_sent_it_is_canonical_or_refused(data: Any) -> None:
    if isinstance(data, bytes | str | dict):
        _canonical_or_refused(data)


@given(st.binary(max_size=40), st.integers(0, 200), st.integers(0, 200))
def test_a_damaged_line_is_canonical_or_refused(noise: bytes, at: int, length: int) -> None:
    line = canonical.dumps(_parse(**{"gen_ai.input.messages": "hello", "slm.cost_usd": 0.1}))
    _canonical_or_refused(line[:at] + noise + line[at + length :])


def test_the_recursion_limit_is_not_needed() -> None:
    limit = sys.getrecursionlimit()
    assert limit >= 500
    line = '{"slm.kind":"auth","x":"\\ud800","slm.attributes":' + "[" * 100_000
    assert _refused(line).reason == "not_json"

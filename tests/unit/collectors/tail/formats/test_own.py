"""slmtrail's own lines: what goes on as it is would be accepted by the stream, and means the same."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.collectors.tail.formats.own import OwnFormat
from slmtrail.core import canonical, events
from slmtrail.core.errors import EventError
from slmtrail.core.fields import FIELDS

NOW_MS = 1_700_000_000_000
FORM = OwnFormat(5000)
GOOD: dict[str, Any] = {
    "@timestamp": "2026-01-02T03:04:05.678Z",
    "slm.kind": "inference",
    "gen_ai.request.model": "phi-3",
}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(["1.2.3.4", "1.2.3.4.", "2026-02-30T00:00:00Z", "success", "inference", "auth", "flag", "1.5"]),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
    st.lists(
        st.fixed_dictionaries(
            {
                "role": st.text(max_size=5),
                "parts": st.lists(st.dictionaries(st.sampled_from(["type", "content", "x"]), st.text(max_size=5))),
            }
        ),
        max_size=2,
    ),
)
EVENTS = st.builds(lambda given: GOOD | given, st.dictionaries(st.sampled_from([*FIELDS, "other"]), VALUES, max_size=3))


@given(EVENTS)
def test_it_agrees_with_the_way_in(event: dict[str, Any]) -> None:
    entry = orjson.dumps(event)
    taken = FORM.events([entry], NOW_MS)
    try:
        expected = canonical.dumps(events.parse(entry, NOW_MS))
    except EventError as error:
        assert not taken.lines
        assert [(index, str(refusal)) for index, refusal in taken.refused] == [(0, str(error))]
    else:
        assert not taken.refused
        assert canonical.dumps(events.parse(taken.lines[0], NOW_MS)) == expected


def _accepted_by_the_stream(entry: bytes) -> None:
    """What goes on as it is must be an event to the stream."""
    if FORM.events([entry], NOW_MS).lines == [entry]:
        events.parse(entry, NOW_MS)


TIMES = st.builds(
    "{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}{}{}".format,
    *(
        st.sampled_from(few)
        for few in ([0, 1, 2, 1969, 2024, 9998, 9999], [0, 1, 2, 12, 13], [0, 1, 28, 29, 30, 31, 32])
    ),
    st.sampled_from("T t_"),
    *(st.sampled_from(few) for few in ([0, 23, 24], [0, 59, 60], [0, 59, 60, 61])),
    st.sampled_from(["", ".", ".5", ",5", f".{'9' * 30}", f".{'9' * 31}"]),
    st.sampled_from(["", "Z", "z", "+00:00", "-23:59", "+24:00", "+0530", "+5", "+05:60", "-00:00"]),
)


@given(TIMES)
def test_a_time_that_goes_on_is_one_to_the_stream(time: str) -> None:
    _accepted_by_the_stream(orjson.dumps(GOOD | {"@timestamp": time}))


def test_a_wish_for_privacy_is_written_so_that_it_is_found() -> None:
    """However its field is spelt."""
    entry = orjson.dumps(GOOD | {"slm.capture.level": "metadata"}).replace(b"capture.", b"c\\u0061pture.")
    (line,) = FORM.events([entry], NOW_MS).lines
    assert b'"slm.capture.level":"metadata"' in line


FULL = orjson.dumps(
    GOOD
    | {
        "source.ip": "10.0.0.255",
        "labels": {"a-b": "c"},
        "gen_ai.request.temperature": 0.7,
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.request.stream": True,
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "h\u00e9llo \n\U0001f600"}]}],
    }
)
PIECES = st.one_of(
    st.sampled_from([b'"slm.kind":"auth",', b'"slm.kind":"inference",', b'"@timestamp":1,', b"null", b"{}"]),
    st.sampled_from([b"\xff", b"\xc0\x80", b"\x00", b"\x1f", b"\t", b"\\ud800", b"\\u0000"]),
    st.sampled_from([b"1e999", b"-0", b"01", b"1.0", b"NaN", b"9" * 40, b"[", b",", b'"', b"}", b"[" * 3000]),
)


@given(st.integers(0, len(FULL)), st.integers(0, 3), PIECES)
def test_a_line_with_anything_in_it_goes_on_only_where_the_stream_takes_it(at: int, less: int, piece: bytes) -> None:
    _accepted_by_the_stream(FULL[:at] + piece + FULL[at + less :])


def test_a_complete_flat_line_goes_on_as_it_is() -> None:
    entry = orjson.dumps(GOOD) + b"\r"
    assert FORM.events([entry, entry], NOW_MS).lines == [entry, entry]


@pytest.mark.parametrize(
    "entry",
    [
        b'{"slm.kind":"inference","gen_ai":{"request":{"model":"phi-3"}}}',
        orjson.dumps(GOOD | {"gen_ai.input.messages": "hello"}),
        orjson.dumps(GOOD, option=orjson.OPT_INDENT_2),
        orjson.dumps(GOOD | {"message": "@"}).replace(b"@", b"\\ud800", 2),
    ],
)
def test_what_needs_repair_is_repaired(entry: bytes) -> None:
    if b"\\ud800timestamp" in entry:
        entry = entry.replace(b"\\ud800timestamp", b"@timestamp")
    [line] = FORM.events([entry], NOW_MS).lines
    assert line == canonical.dumps(events.parse(entry, NOW_MS))


def test_bad_ones_among_good_are_named_by_index() -> None:
    good = orjson.dumps(GOOD)
    bad = [b"[]", b"nothing", orjson.dumps(GOOD | {"user.idd": "x"}), orjson.dumps(GOOD | {"message": "x" * 6000})]
    entries = [good] * 300 + bad + [b"", b"  "] + [good]
    taken = FORM.events(entries, NOW_MS)
    assert taken.lines == [good] * 301
    assert [(index, error.reason) for index, error in taken.refused] == [
        (300, "not_an_object"),
        (301, "not_json"),
        (302, "unknown_field"),
        (303, "oversized"),
    ]


def test_one_object_on_two_lines_is_not_taken_for_one() -> None:
    good = orjson.dumps(GOOD)
    taken = FORM.events([good[:-1], b'"user.id":"x"}', good + b"," + good], NOW_MS)
    assert [index for index, _ in taken.refused] == [0, 1, 2]
    halves = [good[:-1] + b',"user.roles":["a"', b'"b"]}', good + b"," + good]
    assert len(FORM.events(halves, NOW_MS).refused) == 3


def test_the_reserved_fields_are_refused() -> None:
    [(_, error)] = FORM.events([orjson.dumps(GOOD | {"event.id": "x"})], NOW_MS).refused
    assert error.reason == "reserved_field"

"""The HTTP endpoint: good events are on disk under the ids it tells, bad ones are told by their line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest

from slmtrail.collectors import ingest
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.spool import Spool
from slmtrail.core import canonical, events
from slmtrail.core.identity import Position, record_id

Start = Callable[..., Collector]
GOOD = b'{"slm.kind":"auth","event.action":"%s","event.outcome":"success"}'
NDJSON = {"content-type": "application/x-ndjson"}


def _good(action: str = "login") -> bytes:
    return GOOD % action.encode()


@pytest.fixture
def client(collecting: Start, serve: Any, spool: Spool) -> Iterator[Any]:
    """A client of an endpoint over a spool with room."""
    with serve(collecting(spool, heartbeat_ms=3_600_000)) as made:
        yield made


def _actions(boots: Any) -> list[str]:
    return [json.loads(line)["event.action"] for line in boots.lines]


@pytest.mark.parametrize(
    ("body", "content_type", "actions"),
    [
        (_good("a"), "application/json", ["a"]),
        (_good("a"), "", ["a"]),
        (_good("a"), "text/plain", ["a"]),
        (_good("a"), "application/x-www-form-urlencoded", ["a"]),
        (_good("a") + b"\n", "application/x-ndjson", ["a"]),
        (_good("a"), "application/x-ndjson; charset=utf-8", ["a"]),
        (_good("a"), "Application/X-NDJSON", ["a"]),
        (_good("a") + b"\n" + _good("b"), "application/jsonl", ["a", "b"]),
        (b"[" + _good("a") + b"," + _good("b") + b"]", "application/json", ["a", "b"]),
        (b" [\r\n" + _good("a") + b",\r\n" + _good("b") + b"]\r\n", "", ["a", "b"]),
        (_good("a") + b"\n" + _good("b") + b"\n", "application/json", ["a", "b"]),
        (_good("a") + b"\r\n\r\n  \r\n" + _good("b") + b"\r\n", "application/x-ndjson", ["a", "b"]),
        (b"\xef\xbb\xbf" + _good("a"), "application/json", ["a"]),
        (b"\xef\xbb\xbf" + _good("a") + b"\r\n" + _good("b"), "application/x-ndjson", ["a", "b"]),
        (
            b'{\n "slm": {"kind": "auth"},\n "event": {"action": "a", "outcome": "failure"}\n}',
            "application/json",
            ["a"],
        ),
        (b"[]", "application/json", []),
        (b"", "application/x-ndjson", []),
        (b"\r\n\n", "application/x-ndjson", []),
    ],
    ids=range(18),
)
def test_every_form_of_good_events_is_taken(
    client: Any, spool: Spool, read: Any, body: bytes, content_type: str, actions: list[str]
) -> None:
    status, answer = client.post(body, {"content-type": content_type} if content_type else {})
    boots = read(spool)
    assert (status, answer["accepted"], _actions(boots)) == (200, len(actions), actions)
    derived = [
        record_id("edge-1", frame.header.boot, Position(frame.header.sequence, index, 0))
        for frame in boots.frames
        for index in range(1, frame.header.events + 1)
    ]
    assert answer == {"accepted": len(actions), "ids": derived}


def test_what_is_stored_is_the_canonical_event_that_the_stream_will_parse(client: Any, spool: Spool, read: Any) -> None:
    client.post(
        b'{"slm":{"kind":"inference"},"gen_ai":{"request":{"model":"m"}},"message":"\\ud800","slm.cost_usd":0.10}'
    )
    (line,) = read(spool).lines
    event = events.parse(line, 0)
    assert canonical.dumps(event) == line
    assert event["slm.repairs"] == ["lone_surrogates"]
    assert event["@timestamp"] > "2020"


@pytest.mark.parametrize(
    ("body", "headers", "refused"),
    [
        (b"", {}, [(1, "not_json")]),
        (b"{", {}, [(1, "not_json")]),
        (b"\xff", {}, [(1, "not_utf8")]),
        (b"5", {}, [(1, "not_an_object")]),
        (b"null", {}, [(1, "not_an_object")]),
        (b'["a",' + _good() + b",[]]", {}, [(1, "not_an_object"), (3, "not_an_object")]),
        (b"{}", {}, [(1, "unknown_kind")]),
        (_good() + b"\n{\n" + _good(), {}, [(2, "not_json")]),
        (_good() + b"\n\n\r\nx\r\n" + _good() + b"\n\xff\n", NDJSON, [(4, "not_json"), (6, "not_utf8")]),
        (b"[" + _good() + b"]\n" + _good(), NDJSON, [(1, "not_an_object")]),
        (b'{"slm.kind":"auth","nope":1}\n' + _good(), NDJSON, [(1, "unknown_field")]),
        (b"[" * 5000, {}, [(1, "not_json")]),
        (_good() + b"\n" + b'{"a":' * 1600, NDJSON, [(2, "not_json")]),
    ],
    ids=range(13),
)
def test_every_bad_line_is_told_and_the_good_ones_are_kept(
    client: Any, spool: Spool, read: Any, body: bytes, headers: dict[str, str], refused: list[tuple[int, str]]
) -> None:
    status, answer = client.post(body, headers)
    assert status == 422
    assert [(fault["line"], fault["reason"]) for fault in answer["refused"]] == refused
    assert all(fault["text"] for fault in answer["refused"])
    assert answer["refused_count"] == len(refused)
    assert (
        len(_actions(read(spool)))
        == answer["accepted"]
        == len(answer["ids"])
        == body.count(b'"login"') - (b"[{" in body)
    )


def test_an_oversized_event_is_refused_alone(client: Any, spool: Spool, read: Any) -> None:
    large = b'{"slm.kind":"auth","event.action":"x","event.outcome":"success","message":"%s"}' % (b"y" * 10_000)
    status, answer = client.post(large)
    assert (status, answer["refused"][0]["reason"]) == (413, "oversized")
    for body, headers in ((_good() + b"\n" + large, NDJSON), (b"[" + _good() + b"," + large + b"]", {})):
        status, answer = client.post(body, headers)
        assert (status, answer["accepted"], [(f["line"], f["reason"]) for f in answer["refused"]]) == (
            413,
            1,
            [(2, "oversized")],
        )
    status, answer = client.post(_good() + b"\n" + large + b"\n{", NDJSON)
    assert (status, answer["accepted"], answer["refused_count"]) == (422, 1, 2)
    grows = b'{"slm.kind":"inference","gen_ai.request.model":"m","gen_ai.input.messages":[%s]}'
    grown = grows % b",".join([b'{"content":"a"}'] * 500)
    assert len(grown) < 10_000
    assert client.post(grown)[0] == 413
    assert len(_actions(read(spool))) == 3


def test_ten_thousand_lines_and_a_reason_for_each_bad_one(client: Any, spool: Spool, read: Any) -> None:
    lines = [_good(f"n{n}") if n % 10 else b'{"slm.kind":"x%d"}' % n for n in range(10_000)]
    status, answer = client.post(b"\n".join(lines), NDJSON)
    assert (status, answer["accepted"], answer["refused_count"]) == (422, 9000, 1000)
    assert [fault["line"] for fault in answer["refused"]] == list(range(1, 10_001, 10))
    boots = read(spool)
    boots.check_chains()
    assert _actions(boots) == [f"n{n}" for n in range(10_000) if n % 10]
    assert len(set(answer["ids"])) == 9000


def test_noise_of_many_lines_costs_bounded_memory_in_the_answer(client: Any) -> None:
    status, answer = client.post(b"x\n" * 30_000, NDJSON)
    assert (status, answer["refused_count"], len(answer["refused"])) == (422, 30_000, ingest.MAX_REASONS)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "x" * 300])
def test_a_compressed_body_is_refused_clearly(client: Any, encoding: str) -> None:
    status, answer = client.post(b"\x1f\x8b" + bytes(50), {"content-encoding": encoding})
    assert (status, answer["reason"], answer["accepted"]) == (415, "encoding", 0)
    assert answer["text"].endswith("is not taken: send the body as it is")
    assert len(answer["text"]) < 100
    assert client.post(_good(), {"content-encoding": "Identity"})[0] == 200


def test_a_request_over_the_limit_is_refused_with_and_without_its_length(client: Any, spool: Spool, read: Any) -> None:
    body = b"\n".join([_good()] * 40_000)
    assert len(body) > 2_000_000
    for content in (body, iter([body[:1_000_000], body[1_000_000:2_000_000], body[2_000_000:]])):
        status, answer = client.post(content, NDJSON)
        assert (status, answer["reason"]) == (413, "oversized")
    assert read(spool).lines == []


def test_other_methods_and_paths_are_not_there(client: Any) -> None:
    assert client.ask(b"", method="GET")[0] == 405
    assert client.ask(b"", path="/v1/event")[0] == 404


def test_a_full_spool_is_503_and_says_when_to_come_again(
    collecting: Start, serve: Any, tmp_path: Any, read: Any
) -> None:
    spool = Spool(tmp_path / "full", 1500)
    with serve(collecting(spool)) as client:
        assert client.post(_good("a"))[0] == 200
        status, answer, headers = client.ask(_good("b"), {"slm-dropped": "4"})
        assert (status, headers["retry-after"], answer["reason"]) == (503, "5", "spool_full")
        assert "raise collector.spool_max_bytes" in answer["text"]
    boots = read(spool)
    assert _actions(boots) == ["a"]
    spool.forget(spool.oldest(10, 10_000))
    with serve(collecting(spool)) as client:
        assert client.post(_good("c"))[0] == 200
    spool.close()


def test_a_spool_that_drops_says_how_many(collecting: Start, serve: Any, tmp_path: Any, read: Any) -> None:
    spool = Spool(tmp_path / "full", 1500)
    collector = collecting(spool, when_full="drop")
    with serve(collector) as client:
        assert client.post(_good("a"))[1]["accepted"] == 1
        assert client.post(_good("b") + b"\n" + _good("c")) == (200, {"accepted": 0, "ids": [], "dropped": 2})
    collector.stop()
    assert read(spool).dropped == 2
    spool.close()


def test_a_full_disk_is_507_and_passes(collecting: Start, serve: Any, disk: Any, read: Any) -> None:
    with serve(collecting(disk)) as client:
        disk.failing = True
        status, answer, headers = client.ask(_good("a"))
        assert (status, headers["retry-after"], answer["reason"]) == (507, "5", "storage")
        assert answer["text"].endswith("free space on that disk")
        disk.failing = False
        assert client.post(_good("b"))[0] == 200
    assert _actions(read(disk.spool)) == ["b"]


def test_a_full_disk_with_offered_events_in_memory_still_answers(
    collecting: Start, serve: Any, disk: Any, read: Any, until: Any
) -> None:
    collector = collecting(disk, frame_linger_ms=1)
    disk.failing = True
    collector.offer([_good("own")])
    until("the failure", lambda: collector._waiting)
    with serve(collector) as client:
        assert client.post(_good("a"))[0] == 507
        disk.failing = False
        assert client.post(_good("b"))[0] == 200
    collector.stop()
    assert sorted(_actions(read(disk.spool))) == ["b", "own"]


def test_drops_are_signed_once_for_requests_that_succeed(collecting: Start, serve: Any, disk: Any, read: Any) -> None:
    collector = collecting(disk, heartbeat_ms=3_600_000)
    with serve(collector) as client:
        disk.failing = True
        for _ in range(3):
            assert client.post(_good(), {"slm-dropped": "5"})[0] == 507
        disk.failing = False
        assert client.post(_good(), {"slm-dropped": "5"})[0] == 200
        assert client.post(b"", {"slm-dropped": "2", **NDJSON})[0] == 200
        for odd in ("-1", "1.5", "x", "", "9" * 5000, "1e3", " 3x", "²"):
            assert client.post(_good(), {"slm-dropped": odd})[0] == 200
    collector.stop()
    assert read(disk.spool).dropped == 7


def test_concurrent_requests_each_get_their_own_ids(collecting: Start, serve: Any, spool: Spool, read: Any) -> None:
    with serve(collecting(spool)) as served, ThreadPoolExecutor(8) as pool:

        def send(number: int) -> tuple[list[str], list[str]]:
            actions = [f"{number}-{n}" for n in range(number % 4 + 1)]
            body = b"\n".join(_good(action) + b" " * 6000 for action in actions)
            return actions, served.post(body, NDJSON)[1]["ids"]

        answers = list(pool.map(send, range(60)))
    boots = read(spool)
    boots.check_chains()
    stored = {
        record_id("edge-1", frame.header.boot, Position(frame.header.sequence, index, 0)): orjson.loads(line)[
            "event.action"
        ]
        for frame in boots.frames
        for line, index in zip(_lines(frame), range(1, frame.header.events + 1), strict=True)
    }
    told = {one: action for actions, ids in answers for action, one in zip(actions, ids, strict=True)}
    assert stored == told


def _lines(frame: Any) -> list[bytes]:
    """The lines of one frame."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    lines: list[bytes] = frame.open(X25519PrivateKey.from_private_bytes(bytes(range(32, 64))))[1]
    return lines


def test_a_body_that_never_ends_is_given_up(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "BODY_TIMEOUT_S", 0.05)
    connection = client.connect()
    connection.putrequest("POST", "/v1/events")
    connection.putheader("content-length", "100")
    connection.endheaders(b'{"slm.kind"')
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["reason"]) == (408, "slow_body")
    connection.close()


def test_a_caller_who_hangs_up_harms_nobody(client: Any, spool: Spool, read: Any) -> None:
    for _ in range(5):
        connection = client.connect()
        connection.putrequest("POST", "/v1/events")
        connection.putheader("content-length", "1000")
        connection.endheaders(_good("half"))
        connection.close()
    connection = client.connect()
    connection.request("POST", "/v1/events", _good("whole"))
    assert connection.getresponse().status == 200
    connection.close()
    assert _actions(read(spool)) == ["whole"]


def test_an_oversized_body_is_answered_on_a_real_socket(client: Any) -> None:
    for chunked in (False, True):
        connection = client.connect()
        part = b"x" * 100_000
        body: Any = iter([part] * 25) if chunked else part * 25
        connection.request("POST", "/v1/events", body, encode_chunked=chunked,
                           headers={"transfer-encoding": "chunked"} if chunked else {})  # fmt: skip
        assert connection.getresponse().status == 413
        connection.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({}, 200),
    ],
)
def test_pages_of_other_sites_can_not_write(client: Any, headers: dict[str, str], status: int) -> None:
    assert client.post(_good(), headers)[0] == status


def test_verdicts_of_other_guardrails_are_taken_in_their_shapes(client: Any, spool: Spool, read: Any) -> None:
    verdict = {"answer": "unsafe\nS2", "event": {"user.id": "alice", "trace.id": "t-1"}}
    status, answer, _ = client.ask(orjson.dumps(verdict), path="/v1/verdicts/llama_guard")
    assert (status, answer["accepted"]) == (200, 1)
    lines = b"\n".join([orjson.dumps({"answer": []}), b'{"answer": 7}', b"[]", b"{"])
    status, answer, _ = client.ask(lines, NDJSON, path="/v1/verdicts/presidio")
    assert (status, answer["accepted"]) == (422, 1)
    refused = [(one["line"], one["reason"]) for one in answer["refused"]]
    assert refused == [(2, "not_a_verdict"), (3, "not_a_verdict"), (4, "not_json")]
    made = [json.loads(line) for line in read(spool).lines]
    assert [(event["slm.kind"], event["slm.guardrail.name"], event["slm.verdict"]) for event in made] == [
        ("policy", "llama_guard", "flag"),
        ("policy", "presidio", "allow"),
    ]
    assert (made[0]["user.id"], made[0]["slm.guard.reasons"]) == ("alice", ["S2"])
    status, answer, _ = client.ask(b"{}", path="/v1/verdicts/other")
    assert (status, answer["reason"], "llama_guard" in answer["text"]) == (404, "unknown_shape", True)

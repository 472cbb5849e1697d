"""The guard in the sidecar, on raw sockets: what is held, refused, flagged, cut, and what is said of it."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from servers.sidecars import Sidecar, Upstream, before, read_all, read_exactly, read_until
from slmtrail.collectors.guard.gate import Gate
from slmtrail.collectors.guard.identity import Identifier, IdentityOptions
from slmtrail.collectors.sidecar import guarded
from slmtrail.collectors.sidecar.options import SidecarLimits, SidecarOptions
from slmtrail.core import policy
from slmtrail.core.events import validate
from slmtrail.core.keys import api_key_hash

SECRET = b"s" * 32
ALICE, BOB = "sk-alice-0123456789", "sk-bob-9876543210"
AWS = "AKIAZ7PQ3XW5N2KD6RTM"
OK = {"model": "phi-3", "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}}]}

POLICY = f"""
version: "7"
roles:
  staff:
    who: {{keys: ["{api_key_hash(SECRET, ALICE)}"]}}
    allow: {{models: [phi-*], parameters: {{temperature: {{max: 1}}}}}}
    limits: {{prompt_bytes: 5000}}
    risk: high
  careful:
    who: {{keys: ["{api_key_hash(SECRET, "sk-careful-000000")}"]}}
    unrecorded: refuse
  small:
    who: {{keys: ["{api_key_hash(SECRET, "sk-small-00000000")}"]}}
    limits: {{requests_a_minute: 1}}
  spender:
    who: {{keys: ["{api_key_hash(SECRET, "sk-spender-000000")}"]}}
    limits: {{tokens_a_day: 100}}
  quiet:
    who: {{keys: ["{api_key_hash(SECRET, "sk-quiet-00000000")}"]}}
    capture: metadata
guard:
  secrets: {{prompt: block, answer: block}}
  patterns:
    dan: {{pattern: '(?i)do anything now', verdict: flag}}
    codename: {{pattern: 'Bluebird', places: [answer]}}
"""


def make_gate(text: str = POLICY) -> Gate:
    return Gate(policy.parse(text, "test"), Identifier(IdentityOptions(SECRET)))


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Sidecar, Upstream]]:
    upstream = Upstream()
    with before(SidecarOptions(upstream.url, limits=SidecarLimits(pooled_s=30)), gate=make_gate()) as sidecar:
        yield sidecar, upstream
    upstream.stop()


@pytest.fixture
def upstream(pair: tuple[Sidecar, Upstream]) -> Upstream:
    return pair[1]


@pytest.fixture
def sidecar(pair: tuple[Sidecar, Upstream]) -> Sidecar:
    made, upstream = pair
    upstream.begin(answering(answer())[0])
    made.ask(b"GET /last HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n")
    made.event_of("/last")  # events come in order: the ones of the test before are all here
    made.offered.lines.clear()
    return made


def chat(text: str = "hi", key: str = ALICE, *, chunked: bool = False, more: bytes = b"", **body: Any) -> bytes:
    data = json.dumps({"model": "phi-3", "messages": [{"role": "user", "content": text}], **body}).encode()
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(data)
    if chunked:
        data = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (data[:9], data[9:])) + b"0\r\n\r\n"
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer " + key.encode() + b"\r\n"
    return head + more + framing + b"\r\n\r\n" + data


def answer(body: bytes = json.dumps(OK).encode(), kind: bytes = b"application/json", more: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n%bContent-Length: %d\r\n\r\n%b" % (kind, more, len(body), body)


def stream(*pieces: bytes, kind: bytes = b"text/event-stream") -> list[bytes]:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    return [head, *(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces), b"0\r\n\r\n"]


def sse(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\n\n"


def answering(*pieces: bytes) -> tuple[Callable[[socket.socket], None], list[bytes]]:
    """A script that answers each request, which it reads whole, with `pieces` as they are."""
    seen: list[bytes] = []

    def script(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while head := read_until(sock, b"\r\n\r\n"):
            fields = head.lower()
            if b"content-length: " in fields:
                body = read_exactly(sock, int(fields.split(b"content-length: ")[1].split(b"\r\n")[0]))
            else:
                body = read_until(sock, b"0\r\n\r\n") if b"chunked" in fields else b""
            seen.append(head + body)
            for piece in pieces:
                sock.sendall(piece)

    return script, seen


def asked(sidecar: Sidecar, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, fields and body of the answer to a request after which the connection closes."""
    data = sidecar.ask(request.replace(b"Host: m\r\n", b"Host: m\r\nConnection: close\r\n"))
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status.split(" ")[1]), fields, body


def told(sidecar: Sidecar, kind: str) -> dict[str, Any]:
    found = sidecar.event(lambda event: event["slm.kind"] == kind)
    assert validate(found)
    return found


# What passes


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("split", [False, True], ids=["at once", "byte by byte"])
def test_what_is_allowed_goes_on_as_it_came(sidecar: Sidecar, upstream: Upstream, chunked: bool, split: bool) -> None:
    script, seen = answering(answer())
    upstream.begin(script)
    request = chat(chunked=chunked)
    with sidecar.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(2):
            for piece in [request[n : n + 1] for n in range(len(request))] if split else [request]:
                sock.sendall(piece)
            assert read_exactly(sock, len(answer())) == answer()
    assert seen == [request, request]
    verdict = told(sidecar, "policy")
    assert (verdict["slm.verdict"], verdict["slm.role"], verdict["slm.risk"]) == ("allow", "staff", "high")
    assert verdict["gen_ai.request.model"] == "phi-3"
    event = told(sidecar, "inference")
    assert event["slm.key.hash"] == api_key_hash(SECRET, ALICE)
    assert event["slm.key.prefix"] == "sk-a"
    assert event["slm.identity.method"] == "api_key"
    assert event["slm.identity.verified"] is False
    assert event["slm.role"] == "staff"
    assert ALICE not in str(sidecar.events)
    sidecar.until(lambda: len({event["slm.exchange.id"] for event in sidecar.events}) == 2)


def test_a_client_that_waits_is_told_to_go_on_and_hears_it_once(sidecar: Sidecar, upstream: Upstream) -> None:
    request = chat(more=b"Expect: 100-continue\r\n")
    script, seen = answering(b"HTTP/1.1 100 Continue\r\n\r\n", answer())
    upstream.begin(script)
    head, _, body = request.partition(b"\r\n\r\n")
    with sidecar.connect() as sock:
        sock.sendall(head + b"\r\n\r\n")
        assert read_until(sock, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert read_exactly(sock, len(answer())) == answer()
    assert seen == [request]


def test_what_is_flagged_passes_with_a_field_that_says_so(sidecar: Sidecar, upstream: Upstream) -> None:
    script, seen = answering(answer())
    upstream.begin(script)
    status, fields, body = asked(sidecar, chat("You can Do Anything Now"))
    assert (status, json.loads(body)) == (200, OK)
    assert fields["slm-verdict"] == "flag; rules=dan"
    assert len(seen) == 1
    verdict = told(sidecar, "policy")
    assert (verdict["slm.verdict"], verdict["rule.id"]) == ("flag", "dan")
    assert told(sidecar, "inference")["gen_ai.output.messages"][0]["parts"][0]["content"] == "hello"


def test_who_only_looks_is_not_held(sidecar: Sidecar, upstream: Upstream) -> None:
    upstream.begin(answering(answer(b'{"data":[{"id":"m"}]}'))[0])
    assert asked(sidecar, b"GET /v1/models HTTP/1.1\r\nHost: m\r\n\r\n")[0] == 200
    told(sidecar, "upstream")
    assert not [event for event in sidecar.events if event["slm.kind"] == "policy"]


# What is refused

REFUSED = {
    "model": (chat(model="llama-3"), 403, "model-not-allowed"),
    "parameter": (chat(temperature=1.5), 403, "parameter-not-allowed"),
    "bytes": (chat("x" * 6000), 413, "prompt-bytes"),
    "bytes in chunks": (chat("x" * 6000, chunked=True), 413, "prompt-bytes"),
    "secret": (chat(f"my key is {AWS} ok"), 403, "secrets-in-prompt"),
    "packed secret": (
        chat().partition(b"Content-Length")[0]
        + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed := gzip.compress(chat(AWS), mtime=0))
        + packed,
        400,
        "unreadable-request",
    ),
    "two models": (
        chat().replace(b'"model": "phi-3"', b'"model": "big", "model": "phi-3"').replace(b"Length: 7", b"Length: 9"),
        400,
        "unreadable-request",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_allowed_never_reaches_the_model(sidecar: Sidecar, upstream: Upstream, name: str) -> None:
    request, status, rule = REFUSED[name]
    if name == "two models":
        head, _, body = request.partition(b"\r\n\r\n")
        request = head.rpartition(b" ")[0] + b" %d\r\n\r\n" % len(body) + body
    script, seen = answering(answer())
    upstream.begin(script)
    got, fields, body = asked(sidecar, request)
    assert got == status
    error = json.loads(body)["error"]
    assert error["code"] == rule
    assert fields["slm-verdict"] == f"block; rules={rule}"
    assert seen == []
    verdict = told(sidecar, "policy")
    assert (verdict["slm.verdict"], verdict["rule.id"], verdict["event.outcome"]) == ("block", rule, "failure")
    assert len(verdict["slm.guard.policy"]) == 64
    event = told(sidecar, "inference")
    assert (event["event.outcome"], event["error.type"]) == ("failure", "blocked_by_policy")


def test_too_many_requests_are_told_when_to_come_again(sidecar: Sidecar, upstream: Upstream) -> None:
    upstream.begin(answering(answer())[0])
    assert asked(sidecar, chat(key="sk-small-00000000"))[0] == 200
    status, fields, _ = asked(sidecar, chat(key="sk-small-00000000"))
    assert status == 429
    assert 1 <= int(fields["retry-after"]) <= 60


def test_tokens_that_were_used_count(sidecar: Sidecar, upstream: Upstream) -> None:
    used = {**OK, "usage": {"prompt_tokens": 60, "completion_tokens": 50}}
    upstream.begin(answering(answer(json.dumps(used).encode()))[0])
    assert asked(sidecar, chat(key="sk-spender-000000"))[0] == 200
    told(sidecar, "inference")
    assert asked(sidecar, chat(key="sk-spender-000000"))[0] == 429


def test_an_upgrade_is_refused_where_contents_are_judged(sidecar: Sidecar, upstream: Upstream) -> None:
    script, seen = answering(answer())
    upstream.begin(script)
    request = b"GET /v1/realtime HTTP/1.1\r\nHost: m\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    answered = sidecar.ask(request)
    assert answered.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"upgrade-not-allowed" in answered
    assert seen == []


def test_what_the_guard_has_no_room_for_is_refused(
    sidecar: Sidecar, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.begin(answering(answer())[0])
    monkeypatch.setattr(guarded, "MAX_HELD_BYTES", 2000)
    assert asked(sidecar, chat("x" * 3000))[0] == 503
    assert asked(sidecar, chat("x"))[0] == 200


def test_a_large_body_is_judged_apart(sidecar: Sidecar, upstream: Upstream) -> None:
    script, seen = answering(answer())
    upstream.begin(script)
    assert asked(sidecar, chat("x " * 100_000, key=BOB))[0] == 200
    assert asked(sidecar, chat("x " * 100_000 + AWS, key=BOB))[0] == 403
    assert len(seen) == 1


def test_a_guard_that_fails_lets_nothing_pass(
    sidecar: Sidecar, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, seen = answering(answer())
    upstream.begin(script)
    monkeypatch.setattr(guarded.asked, "read", lambda *_: 1 / 0)
    assert asked(sidecar, chat("x " * 100_000, key=BOB))[0] == 503
    with contextlib.suppress(ConnectionError):
        assert sidecar.ask(chat()) == b""
    sidecar.faults.clear()
    assert seen == []


@pytest.mark.parametrize("path", ["/v1/messages", "/api/chat"])
def test_a_refusal_has_the_shape_of_its_api(sidecar: Sidecar, upstream: Upstream, path: str) -> None:
    upstream.begin(answering(answer())[0])
    _, _, body = asked(sidecar, chat(model="other").replace(b"/v1/chat/completions", path.encode()))
    error = json.loads(body)
    if path == "/api/chat":
        assert isinstance(error["error"], str)
    else:
        assert (error["type"], error["error"]["type"]) == ("error", "permission_error")


# Answers


def test_an_answer_that_holds_a_secret_is_replaced_whole(sidecar: Sidecar, upstream: Upstream) -> None:
    leak = json.dumps({**OK, "choices": [{"index": 0, "message": {"role": "assistant", "content": f"it is {AWS}"}}]})
    upstream.begin(answering(answer(leak.encode()))[0])
    status, _, body = asked(sidecar, chat())
    assert status == 403
    assert AWS.encode() not in body
    assert json.loads(body)["error"]["code"] == "secrets-in-answer"
    verdict = sidecar.event(lambda event: event.get("slm.guard.point") == "answer")
    assert (verdict["slm.verdict"], verdict["rule.id"]) == ("block", "secrets-in-answer")
    event = told(sidecar, "inference")
    assert AWS in event["gen_ai.output.messages"][0]["parts"][0]["content"]
    assert event["error.type"] == "blocked_by_policy"


def test_an_answer_in_frames_that_no_guard_reads_is_withheld(sidecar: Sidecar, upstream: Upstream) -> None:
    upstream.begin(answering(answer(b"frames", b"application/vnd.amazon.eventstream"))[0])
    status, _, body = asked(sidecar, chat())
    assert (status, b"frames" in body) == (403, False)


def test_a_stream_is_cut_before_what_is_forbidden_is_whole(sidecar: Sidecar, upstream: Upstream) -> None:
    """What comes in one piece is refused as a whole; of what has passed already the end is put right."""
    head, *pieces = stream(sse("our Blue"), sse("bird flies"), sse("on"))
    seen = threading.Event()

    def script(sock: socket.socket) -> None:
        read_until(sock, b"}]}")
        sock.sendall(head + pieces[0])
        seen.wait(10)
        sock.sendall(b"".join(pieces[1:]))

    upstream.begin(script)
    with sidecar.connect() as sock:
        sock.sendall(chat(key=BOB))
        data = read_exactly(sock, len(head + pieces[0]))
        assert data == head + pieces[0]
        seen.set()
        rest = read_all(sock)
    assert b"bird" not in rest
    assert rest.endswith(b"\r\n0\r\n\r\n")
    assert b'"code":"codename"' in rest
    assert json.loads(rest.split(b"data: ")[1].split(b"\n")[0])["error"]["type"] == "permission_error"
    upstream.begin(answering(head + b"".join(pieces))[0])
    status, _, body = asked(sidecar, chat(stream=True))
    assert (status, json.loads(body)["error"]["code"]) == (403, "codename")
    event = told(sidecar, "inference")
    assert event["error.type"] == "blocked_by_policy"
    assert sidecar.event(lambda event: event.get("slm.guard.point") == "answer")["rule.id"] == "codename"


def test_a_stream_that_says_nothing_wrong_passes_as_it_came(sidecar: Sidecar, upstream: Upstream) -> None:
    pieces = stream(sse("one"), sse("two"), b"data: [DONE]\n\n")
    upstream.begin(answering(*pieces)[0])
    with sidecar.connect() as sock:
        sock.sendall(chat(stream=True))
        assert read_exactly(sock, len(b"".join(pieces))) == b"".join(pieces)


def test_an_answer_that_ends_with_its_connection_is_looked_at_too(sidecar: Sidecar, upstream: Upstream) -> None:
    texts = [b'{"a":"Bluebird"}', b'{"a":"fine"}']

    def script(sock: socket.socket) -> None:
        read_until(sock, b"}]}")
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + texts.pop(0))

    for status in (b"403", b"200"):
        upstream.begin(script)
        assert sidecar.ask(chat(key=BOB)).startswith(b"HTTP/1.1 " + status)


def test_an_upstream_that_leaves_amid_a_held_answer_is_told(sidecar: Sidecar, upstream: Upstream) -> None:
    def script(sock: socket.socket) -> None:
        read_until(sock, b"}]}")
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")

    upstream.begin(script)
    assert sidecar.ask(chat(key=BOB)).startswith(b"HTTP/1.1 502")


# Records


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
def test_no_answer_without_a_record(sidecar: Sidecar, upstream: Upstream, streams: bool) -> None:
    pieces = stream(sse("one"), b"data: [DONE]\n\n") if streams else [answer()]
    script, seen = answering(*pieces)
    upstream.begin(script)
    request = chat(key="sk-careful-000000")
    with sidecar.connect() as sock:
        sock.sendall(request)
        assert read_exactly(sock, len(b"".join(pieces))) == b"".join(pieces)
        kinds = [event["slm.kind"] for event in sidecar.events]  # what was answered is there already
        assert {"policy", "inference"} <= set(kinds)
        assert kinds.count("policy") == 1
        sidecar.offered.full = True
        try:
            sock.sendall(request)
            assert read_all(sock).startswith(b"HTTP/1.1 503")
        finally:
            sidecar.offered.full = False
    assert len(seen) == 1


def test_an_answer_that_can_not_be_recorded_is_withheld_and_counted(sidecar: Sidecar, upstream: Upstream) -> None:
    def script(sock: socket.socket) -> None:
        read_until(sock, b"}]}")
        sidecar.offered.full = True
        sock.sendall(answer())

    upstream.begin(script)
    lost = sidecar.offered.dropped
    try:
        status, _, body = asked(sidecar, chat(key="sk-careful-000000"))
    finally:
        sidecar.offered.full = False
    assert (status, b"hello" in body) == (503, False)
    assert sidecar.offered.dropped > lost


def test_a_role_may_keep_content_out(sidecar: Sidecar, upstream: Upstream) -> None:
    upstream.begin(answering(answer())[0])
    asked(sidecar, chat(key="sk-quiet-00000000"))
    assert told(sidecar, "inference")["slm.capture.level"] == "metadata"


@pytest.mark.parametrize(
    ("key", "field", "level"),
    [(BOB, "metadata", "metadata"), (BOB, "redacted", "redacted"), ("sk-quiet-00000000", "full", "metadata")],
)
def test_a_client_may_ask_for_less_to_be_kept_never_for_more(
    sidecar: Sidecar, upstream: Upstream, key: str, field: str, level: str
) -> None:
    upstream.begin(answering(answer())[0])
    asked(sidecar, chat(key=key, more=f"SLM-Capture: {field}\r\n".encode()))
    assert told(sidecar, "inference")["slm.capture.level"] == level


# People


def test_a_key_that_the_server_refuses_is_a_failed_login(sidecar: Sidecar, upstream: Upstream) -> None:
    refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}"
    upstream.begin(answering(refusal)[0])
    for _ in range(2):
        assert asked(sidecar, chat(key="sk-wrong-1234567890"))[0] == 401
    sidecar.until(lambda: len([event for event in sidecar.events if event["slm.kind"] == "auth"]) == 2)
    event = told(sidecar, "auth")
    assert (event["event.action"], event["event.outcome"]) == ("login", "failure")
    assert event["slm.key.hash"] == api_key_hash(SECRET, "sk-wrong-1234567890")


def test_what_a_body_claims_of_people_is_kept_apart(sidecar: Sidecar, upstream: Upstream) -> None:
    upstream.begin(answering(answer())[0])
    told_by_body = {
        "safety_identifier": "u-7",
        "metadata": {"session_id": "s-1", "conversation_id": "c-2", "user_id": 9},
    }
    asked(sidecar, chat(key=BOB, **told_by_body))
    event = told(sidecar, "inference")
    claims = ("enduser.pseudo.id", "session.id", "gen_ai.conversation.id")
    assert [event[name] for name in claims] == ["u-7", "s-1", "c-2"]
    assert "user.id" not in event


def test_a_guardrail_that_is_a_model_leaves_its_verdict(sidecar: Sidecar, upstream: Upstream) -> None:
    said = {"model": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": "\n\nunsafe\nS9"}}]}
    upstream.begin(answering(answer(json.dumps(said).encode()))[0])
    asked(sidecar, chat(key=BOB, model="meta-llama/Llama-Guard-3-8B"))
    verdict = sidecar.event(lambda event: event.get("slm.guardrail.name") == "llama_guard")
    assert validate(verdict)["slm.verdict"] == "flag"
    assert verdict["slm.exchange.id"] == told(sidecar, "inference")["slm.exchange.id"]


def test_who_must_be_known_is_asked_for_a_credential() -> None:
    upstream = Upstream()
    gate = make_gate("version: '1'\nguard: {identity: required}\nroles: {}\n")
    with before(SidecarOptions(upstream.url), gate=gate) as sidecar:
        status, fields, _ = asked(sidecar, chat())
        assert (status, fields["www-authenticate"]) == (401, "Bearer")
        assert told(sidecar, "auth")["event.outcome"] == "failure"
        assert upstream.connections == 0
    upstream.stop()


def test_without_a_policy_the_key_is_known_all_the_same() -> None:
    upstream = Upstream()
    upstream.begin(answering(answer())[0])
    gate = make_gate("version: '1'\n")
    assert gate.idle
    with before(SidecarOptions(upstream.url), gate=gate) as sidecar:
        for _ in range(2):
            asked(sidecar, chat(more=b"X-Forwarded-User: eve\r\nX-Forwarded-For: 9.9.9.9\r\n"))
        sidecar.until(lambda: len(sidecar.events) == 3)
        event = told(sidecar, "inference")
        assert event["slm.key.hash"] == api_key_hash(SECRET, ALICE)
        assert event["slm.claimed.user.id"] == "eve"
        assert event["network.forwarded_ip"] == "9.9.9.9"
        assert event["source.ip"] == "127.0.0.1"
        assert "user.id" not in event
        assert told(sidecar, "auth")["event.outcome"] == "success"
    upstream.stop()


def test_a_policy_that_is_not_enforced_refuses_nothing() -> None:
    upstream = Upstream()
    upstream.begin(answering(answer(json.dumps({**OK, "note": "Bluebird"}).encode()))[0])
    with before(
        SidecarOptions(upstream.url), gate=make_gate(POLICY.replace("guard:", "guard:\n  enforce: false"))
    ) as sidecar:
        status, fields, _ = asked(sidecar, chat("x" * 6000 + " " + AWS, model="big"))
        assert status == 200
        assert fields["slm-verdict"] == "flag; rules=prompt-bytes,model-not-allowed,secrets-in-prompt"
        verdict = told(sidecar, "policy")
        assert verdict["slm.guard.reasons"] == ["prompt-bytes", "model-not-allowed", "secrets-in-prompt"]
    upstream.stop()


def test_a_policy_that_is_not_enforced_holds_no_more_than_it_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "MAX_HELD_BYTES", 2000)
    long = answer(json.dumps({**OK, "note": "y" * 200_000}).encode())
    upstream = Upstream()
    upstream.begin(answering(long)[0])
    gate = make_gate(POLICY.replace("guard:", "guard:\n  enforce: false"))
    with before(SidecarOptions(upstream.url), gate=gate) as sidecar, sidecar.connect() as sock:
        sock.sendall(chat("x" * 3000))
        begun = read_until(sock, b"\r\n")
        assert begun == b"HTTP/1.1 200 OK\r\n"
        assert b"slm-verdict: flag; rules=guard-busy" in read_until(sock, b"\r\n\r\n")
        assert read_exactly(sock, 200_000).startswith(b'{"model": "phi-3"')
    upstream.stop()


def test_another_policy_is_followed_on_open_connections(sidecar: Sidecar, upstream: Upstream) -> None:
    other = Upstream()
    other.begin(answering(answer())[0])
    gate = make_gate()
    with before(SidecarOptions(other.url), gate=gate) as own, own.connect() as sock:
        sock.sendall(chat())
        assert read_exactly(sock, len(answer())) == answer()
        own.call(lambda: gate.use(policy.parse("version: '8'\nroles: {anyone: {allow: {models: [none]}}}\n", "x")))
        sock.sendall(chat())
        assert read_all(sock).startswith(b"HTTP/1.1 403")
    other.stop()

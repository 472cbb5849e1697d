"""The SDK: it costs its caller nothing, whatever the collector does, and what it loses is signed for."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from slmtrail.collectors.collector import Collector
from slmtrail.collectors.ingest import IngestLimits
from slmtrail.collectors.sdk import NotAccepted, Trail, ids, outbox, post
from slmtrail.collectors.spool import Spool
from slmtrail.core.identity import Position, record_id

Start = Callable[..., Collector]


def _event(action: str = "login", **more: Any) -> dict[str, Any]:
    return {"slm.kind": "auth", "event.action": action, "event.outcome": "success", **more}


def _actions(boots: Any) -> list[str]:
    return [json.loads(line)["event.action"] for line in boots.lines]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture
def url(collecting: Start, endpoint: Any, spool: Spool) -> str:
    """A collector's endpoint, with limits that a test can pass."""
    address: str = endpoint(collecting(spool, heartbeat_ms=3_600_000), IngestLimits(10_000, 2_000_000))
    return address


def test_what_is_emitted_arrives_in_order_with_its_time_and_its_service(url: str, spool: Spool, read: Any) -> None:
    trail = Trail(url, service="helpdesk", environment="prod")
    for n in range(1200):
        trail.emit(_event(f"n{n}"))
    assert trail.flush(20)
    boots = read(spool)
    assert _actions(boots) == [f"n{n}" for n in range(1200)]
    assert boots.kinds.count("events") < 30
    first = json.loads(boots.lines[0])
    assert (first["service.name"], first["deployment.environment.name"]) == ("helpdesk", "prod")
    assert abs(datetime.fromisoformat(first["@timestamp"]).timestamp() - datetime.now(UTC).timestamp()) < 3600


def test_a_durable_event_is_on_disk_under_the_id_that_is_returned(url: str, spool: Spool, read: Any) -> None:
    told = Trail(url).emit_durable(_event("durable"))
    boots = read(spool)
    assert _actions(boots) == ["durable"]
    assert told == record_id("edge-1", boots.frames[-1].header.boot, Position(boots.frames[-1].header.sequence, 1, 0))


@pytest.mark.parametrize(
    "event", [{"slm.kind": "nothing"}, {"a": object()}, {"message": "x" * 20_000}, {"a": b"x"}, 5, None]
)
def test_a_durable_event_that_is_not_taken_says_why(url: str, spool: Spool, read: Any, event: Any) -> None:
    with pytest.raises(NotAccepted, match=f"{url}|can.t be written as JSON"):
        Trail(url).emit_durable(event)
    assert read(spool).lines == []


def test_a_durable_event_without_a_collector_says_so() -> None:
    port = _free_port()
    with pytest.raises(NotAccepted, match=f"127.0.0.1:{port}"):
        Trail(f"http://127.0.0.1:{port}").emit_durable(_event())


def test_a_durable_event_that_was_dropped_was_not_accepted(
    collecting: Start, serve: Any, tmp_path: Any, read: Any
) -> None:
    spool = Spool(tmp_path / "full", 10)
    collector = collecting(spool, when_full="drop")
    with serve(collector) as client, pytest.raises(NotAccepted):
        Trail(client.url).emit_durable(_event())
    collector.stop()
    assert read(spool).dropped == 1
    spool.close()


def test_events_wait_while_the_collector_is_away_and_arrive_when_it_comes(
    collecting: Start, serve: Any, spool: Spool, read: Any
) -> None:
    port = _free_port()
    trail = Trail(f"http://127.0.0.1:{port}")
    for n in range(20):
        trail.emit(_event(f"n{n}"))
    assert not trail.flush(0.05)
    with serve(collecting(spool), port=port):
        assert trail.flush(20)
    assert _actions(read(spool)) == [f"n{n}" for n in range(20)]


def test_what_no_longer_fits_is_counted_and_signed(
    collecting: Start, serve: Any, spool: Spool, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MAX_WAITING", 50)
    monkeypatch.setattr(outbox, "BATCH_EVENTS", 10)
    port = _free_port()
    trail = Trail(f"http://127.0.0.1:{port}")

    def emit() -> None:
        for n in range(500):
            trail.emit(_event(f"n{n}"))

    threads = [threading.Thread(target=emit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    collector = collecting(spool, heartbeat_ms=3_600_000)
    with serve(collector, port=port):
        assert trail.flush(20)
        trail.emit(_event("last"))
        assert trail.flush(20)
    collector.stop()
    boots = read(spool)
    assert boots.dropped > 1500
    assert len(boots.lines) + boots.dropped == 2001


class _Weird:
    def keys(self) -> Any:
        raise RuntimeError("no")

    def __getitem__(self, key: str) -> Any:
        raise RuntimeError("no")


def test_what_can_not_be_written_is_dropped_alone_and_signed(
    collecting: Start, serve: Any, spool: Spool, read: Any
) -> None:
    circle: dict[str, Any] = {}
    circle["circle"] = circle
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    bad: list[Any] = [_event(x=object()), circle, 5, None, "text", _Weird(), {"x": b"bytes"}, _event(x=deep)]
    collector = collecting(spool, heartbeat_ms=3_600_000)
    with serve(collector) as client:
        trail = Trail(client.url)
        for n, event in enumerate(bad):
            trail.emit(_event(f"n{n}"))
            trail.emit(event)
        assert trail.flush(20)
    collector.stop()
    while isinstance(deep, list):
        deep = deep.pop()
    boots = read(spool)
    assert _actions(boots) == [f"n{n}" for n in range(len(bad))]
    assert boots.dropped == len(bad)


def test_what_python_can_say_arrives(url: str, spool: Spool, read: Any) -> None:
    trail = Trail(url)
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)
    trail.emit(_event("a", **{"@timestamp": moment, "trace.id": uuid.UUID(int=7), "slm.attributes": {1: (2, 3)}}))
    trail.emit(_event("b", message="a lone \ud800 surrogate"))
    assert trail.flush(20)
    first, second = (json.loads(line) for line in read(spool).lines)
    assert first["@timestamp"] == "2026-01-02T03:04:05.678Z"
    assert first["slm.attributes"] == '{"1":[2,3]}'
    assert (second["message"], second["slm.repairs"]) == ("a lone \ufffd surrogate", ["lone_surrogates"])


def test_one_bad_event_does_not_take_its_batch_with_it(
    url: str, spool: Spool, read: Any, caplog: pytest.LogCaptureFixture
) -> None:
    trail = Trail(url)
    for n in range(5):
        trail.emit(_event(f"n{n}"))
        trail.emit({"slm.kind": "nothing"})
        trail.emit(_event("large", message="x" * 20_000))
    assert trail.flush(20)
    assert _actions(read(spool)) == [f"n{n}" for n in range(5)]
    assert "the collector refused" in caplog.text


def test_a_batch_that_is_too_large_for_one_request_is_sent_in_parts(
    collecting: Start, serve: Any, spool: Spool, read: Any
) -> None:
    collector = collecting(spool, heartbeat_ms=3_600_000)
    with serve(collector, IngestLimits(max_event_bytes=10_000, max_request_bytes=20_000)) as client:
        trail = Trail(client.url)
        for n in range(30):
            trail.emit(_event(f"n{n}", message="x" * 5_000))
        trail.emit(_event("far too large", message="x" * 50_000))
        trail.emit(_event("last"))
        assert trail.flush(20)
        trail.emit(_event("later"))
        assert trail.flush(20)
    collector.stop()
    boots = read(spool)
    assert _actions(boots) == [*[f"n{n}" for n in range(30)], "last", "later"]
    assert boots.dropped == 1


class _Other(BaseHTTPRequestHandler):
    """Some server that is no collector."""

    answers: list[tuple[int, bytes]]
    asked: list[tuple[str, int, str]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        status, answer = self.answers.pop(0) if self.answers else (200, b'{"accepted":0,"ids":[]}')
        self.asked.append((self.path, body.count(b"slm.kind"), self.headers["slm-dropped"] or ""))
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None: ...


@contextlib.contextmanager
def _other(*answers: tuple[int, bytes]) -> Iterator[tuple[str, list[tuple[str, int, str]]]]:
    asked: list[tuple[str, int, str]] = []
    handler = type("Handler", (_Other,), {"answers": list(answers), "asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/base/", asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 507])
def test_what_may_pass_is_tried_again_with_the_same_drops(status: int) -> None:
    with _other((status, b"{}"), (status, b"no JSON")) as (url, asked):
        trail = Trail(url)
        trail._outbox.drop(4)
        trail.emit(_event())
        assert trail.flush(20)
        assert asked == [("/base/v1/events", 1, "4")] * 3
        assert not trail._outbox._drops


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (404, b"{}"),
        (401, b'{"refused": "x"}'),
        (200, b'{"refused": [5]}'),
        (200, b"[]"),
        (302, b""),
        (400, b'{"text": 5}'),
    ],
)
def test_what_an_other_server_took_was_not_taken_and_is_counted(status: int, answer: bytes) -> None:
    with _other((status, answer)) as (url, asked):
        trail = Trail(url)
        trail.emit(_event())
        trail.emit(_event())
        assert trail.flush(20)
        assert asked == [("/base/v1/events", 2, "")]
        trail.emit(_event())
        assert trail.flush(20)
        assert asked[1] == ("/base/v1/events", 1, "2")
        assert not trail._outbox._drops


@pytest.mark.parametrize(
    "url", ["localhost:4747", "127.0.0.1", "ftp://x", "http://", "http://x:99999", "http://x:port", "http:///v1", "x"]
)
def test_a_wrong_address_is_said_at_once(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|[Pp]ort"):
        Trail(url)


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("SLMTRAIL_URL", url)
    assert Trail().emit_durable(_event())


def _emit_in_child(trail: Trail, numbers: list[int], flushed: Any) -> None:
    for n in numbers:
        trail.emit(_event(f"child{n}"))
    flushed.put(trail.flush(20))
    flushed.close()
    flushed.join_thread()
    os._exit(0)


def test_a_fork_neither_loses_nor_doubles(collecting: Start, serve: Any, spool: Spool, read: Any) -> None:
    port = _free_port()
    trail = Trail(f"http://127.0.0.1:{port}")
    for n in range(5):
        trail.emit(_event(f"parent{n}"))
    context = multiprocessing.get_context("fork")
    flushed = context.Queue()
    children = [context.Process(target=_emit_in_child, args=(trail, [n], flushed)) for n in range(3)]
    for child in children:
        child.start()
    with serve(collecting(spool), port=port):
        assert trail.flush(20)
        assert [flushed.get(timeout=20) for _ in children] == [True] * 3
        for child in children:
            child.join(20)
    assert sorted(_actions(read(spool))) == [*[f"child{n}" for n in range(3)], *[f"parent{n}" for n in range(5)]]


def test_ids_of_a_forked_child_are_its_own() -> None:
    def made() -> list[str]:
        return [ids.trace_id(), ids.span_id(), ids.new_id().rpartition("-")[0]]

    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, json.dumps(made()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as told:
        assert not set(json.load(told)) & set(made())


_AT_EXIT = """
import sys
from slmtrail.collectors.sdk import Trail
trail = Trail(sys.argv[1])
for n in range(100):
    trail.emit({"slm.kind": "auth", "event.action": f"n{n}", "event.outcome": "success"})
"""


def test_a_program_that_ends_leaves_nothing_behind(url: str, spool: Spool, read: Any) -> None:
    subprocess.run([sys.executable, "-c", _AT_EXIT, url], check=True, timeout=20)
    assert _actions(read(spool)) == [f"n{n}" for n in range(100)]


@pytest.mark.parametrize("listens", [True, False])
def test_a_program_ends_though_nobody_answers(listens: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        if not listens:
            sock.close()
        script = f"from slmtrail.collectors.sdk import outbox; outbox.EXIT_DEADLINE_S = 0.2\n{_AT_EXIT}"
        command = [sys.executable, "-c", script, f"http://127.0.0.1:{port}"]
        ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    assert "Traceback" not in ended.stderr
    assert f"100 events are not with http://127.0.0.1:{port}" in ended.stderr


_LOADED = """
import sys
import slmtrail.collectors.sdk
print(*sys.modules)
trail = slmtrail.collectors.sdk.Trail("http://127.0.0.1:1")
with trail.context(user="alice"), trail.inference("m", input="why", temperature=1) as i:
    i.output("so")
trail.config("c", {"a": 1}, model="m")
trail.flush(0.5)
print(*sys.modules)
"""


def test_importing_and_using_the_sdk_is_cheap() -> None:
    shown = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True)
    imported, used = (line.split() for line in shown.stdout.splitlines())
    loaded = {name.partition(".")[0] for name in used}
    third_party = {name for name in loaded - sys.stdlib_module_names if not name.startswith(("_", "sitecustomize"))}
    assert third_party <= {"slmtrail", "orjson"}
    assert {name for name in imported if name.startswith("slmtrail.core.")} == {"slmtrail.core.fields"}
    assert not {"http.client", "ssl", "email", "asyncio", "subprocess", "ctypes"} & set(imported)


def test_emit_does_not_wait_for_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that sends is held up, the caller is not; and what waits then is packed all the same."""
    held, release = threading.Event(), threading.Event()

    def answer(*_: Any) -> Any:
        held.set()
        release.wait(20)
        return post.Answer(200, {"ids": []})

    monkeypatch.setattr(post.Collector, "post", answer)
    trail = Trail("http://127.0.0.1:1")
    trail.emit(_event())
    assert held.wait(20)
    for _ in range(1000):
        trail.emit(_event())
    release.set()
    assert trail.flush(20)


def test_an_event_is_at_no_moment_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that ends while it is packed or sent waits for it too."""
    at = threading.Barrier(2)

    def held(of: Any) -> Any:
        def inner(*args: Any) -> Any:
            at.wait(20)
            at.wait(20)
            return of(*args)

        return inner

    monkeypatch.setattr(post.Collector, "post", held(lambda *_: post.Answer(200, {"ids": []})))
    trail = Trail("http://127.0.0.1:1")
    monkeypatch.setattr(trail._outbox, "_pack", held(trail._outbox._pack))
    trail.emit(_event())
    for _ in ("packed", "sent"):
        at.wait(20)
        assert trail._outbox.behind == 1
        at.wait(20)
    assert trail.flush(20)
    assert trail._outbox.behind == 0

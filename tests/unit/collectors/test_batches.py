"""A batch that comes again is answered as the first time, whatever came between, and its events are there once."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from slmtrail.collectors import batches
from slmtrail.collectors.batches import Batch, Batches
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.framer import Identity
from slmtrail.collectors.spool import Spool

Start = Callable[..., Collector]
NDJSON = {"content-type": "application/x-ndjson"}


def _event(action: str) -> bytes:
    return b'{"slm.kind":"auth","event.action":"%s","event.outcome":"success"}' % action.encode()


def _key(name: str, **more: str) -> dict[str, str]:
    return {**NDJSON, "slm-batch": f"key-of-{name}", **more}


def _actions(boots: Any) -> list[str]:
    return [json.loads(line)["event.action"] for line in boots.lines]


@pytest.fixture
def client(collecting: Start, serve: Any, spool: Spool) -> Iterator[Any]:
    with serve(collecting(spool, heartbeat_ms=3_600_000)) as made:
        yield made


def test_the_same_batch_is_answered_with_the_ids_of_the_first(client: Any, spool: Spool, read: Any) -> None:
    body = b"\n".join([_event("a"), b"{", _event("b")])
    first = client.post(body, _key("x"))
    assert first[0] == 422 and len(first[1]["ids"]) == 2
    client.post(_event("between"), _key("y"))
    assert client.post(body, _key("x")) == first
    assert _actions(read(spool)) == ["a", "b", "between"]
    assert client.post(body, NDJSON)[1]["ids"] != first[1]["ids"], "without a key it is another"


def test_another_batch_under_a_used_key_is_refused(client: Any, spool: Spool, read: Any) -> None:
    client.post(_event("a"), _key("x"))
    status, answer = client.post(_event("b"), _key("x"))
    assert (status, answer["reason"]) == (422, "batch_reused")
    assert _actions(read(spool)) == ["a"]


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "with space", "ünicode-key"])
def test_what_is_no_key_is_refused_clearly(client: Any, key: str) -> None:
    status, answer = client.post(_event("a"), {**NDJSON, "slm-batch": key.encode().decode("latin-1")})
    assert (status, answer["reason"]) == (422, "batch_key")


def test_drops_told_with_a_batch_are_signed_once(collecting: Start, serve: Any, spool: Spool, read: Any) -> None:
    collector = collecting(spool, heartbeat_ms=3_600_000)
    with serve(collector) as client:
        for _ in range(3):
            assert client.post(_event("a"), _key("x", **{"slm-dropped": "5"}))[0] == 200
            assert (
                client.post(b"", _key("only drops", **{"slm-dropped": "2"}).copy() | {"slm-batch": "only-drops"})[0]
                == 200
            )
    collector.stop()
    boots = read(spool)
    assert (_actions(boots), boots.dropped) == (["a"], 7)


def test_a_batch_that_a_full_spool_dropped_is_dropped_once(
    collecting: Start, serve: Any, tmp_path: Path, read: Any
) -> None:
    spool = Spool(tmp_path / "full", 1500)
    collector = collecting(spool, when_full="drop")
    with serve(collector) as client:
        client.post(_event("a"))
        first = client.post(_event("b") + b"\n" + _event("c"), _key("x"))
        assert first == (200, {"accepted": 0, "ids": [], "dropped": 2})
        assert client.post(_event("b") + b"\n" + _event("c"), _key("x")) == first
    collector.stop()
    assert read(spool).dropped == 2
    spool.close()


def test_a_batch_that_failed_may_come_again(collecting: Start, serve: Any, disk: Any, read: Any) -> None:
    with serve(collecting(disk)) as client:
        disk.failing = True
        assert client.post(_event("a"), _key("x"))[0] == 507
        disk.failing = False
        assert client.post(_event("a"), _key("x"))[0] == 200
    assert _actions(read(disk.spool)) == ["a"]


def test_the_same_batch_many_times_at_once(collecting: Start, serve: Any, disk: Any, read: Any) -> None:
    with serve(collecting(disk)) as client, ThreadPoolExecutor(16) as pool:
        disk.open.clear()
        held = pool.submit(client.post, _event("held"), _key("held"))
        assert disk.waiting.wait(20)
        asked = [pool.submit(client.post, _event(f"n{n % 3}"), _key(f"n{n % 3}")) for n in range(12)]
        disk.open.set()
        answers = [one.result(20) for one in asked]
        assert held.result(20)[0] == 200
    assert len({json.dumps(answer) for answer in answers}) == 3
    assert sorted(_actions(read(disk.spool))) == ["held", "n0", "n1", "n2"]


def _serve_until_committed(folder: Path, identity: Identity, serve: Any, port: Any) -> None:
    """A collector that is killed when its second commit is on disk, before anyone is told."""
    spool = Spool(folder, 1 << 30)
    collector = Collector(identity, spool)
    collector.start()
    commit = spool.commit

    def commit_and_die(*args: Any, **options: Any) -> None:
        commit(*args, **options)
        os._exit(9)

    spool.commit = commit_and_die  # type: ignore[method-assign]
    with serve(collector) as client:
        port.put(client.port)
        collector._thread.join()


def test_a_server_killed_between_commit_and_answer(
    tmp_path: Path, identity: Identity, collecting: Start, serve: Any, read: Any
) -> None:
    context = multiprocessing.get_context("fork")
    port = context.Queue()
    child = context.Process(target=_serve_until_committed, args=(tmp_path / "killed", identity, serve, port))
    child.start()
    body = _event("a") + b"\n" + _event("b")
    drops = {"slm-dropped": "3"}
    connection = http.client.HTTPConnection("127.0.0.1", port.get(timeout=20), timeout=20)
    connection.request("POST", "/v1/events", body, _key("x", **drops))
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        connection.getresponse()
    connection.close()
    child.join(20)
    assert child.exitcode == 9
    spool = Spool(tmp_path / "killed", 1 << 30)
    collector = collecting(spool)
    with serve(collector) as client:
        status, answer = client.post(body, _key("x", **drops))
    collector.stop()
    boots = read(spool)
    spool.close()
    assert (status, len(answer["ids"])) == (200, 2)
    assert (_actions(boots), boots.dropped) == (["a", "b"], 3)


def test_notes_are_bounded_by_number_and_age(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_KEPT", 10)
    now_ms = [1_000_000_000_000]
    monkeypatch.setattr(batches.time, "time_ns", lambda: now_ms[0] * 1_000_000)
    kept = Batches(spool)

    def note(n: int) -> None:
        spool.commit([], notes=dict([kept.note(Batch(f"key-{n}", "d"), "boot", [(1, n)], 0)]))
        kept.forget()

    spool.commit([], notes={"tail:mark": b"stays"})
    for n in range(25):
        now_ms[0] += 1000
        note(n)
    left = spool.notes(batches.PREFIX)
    assert 5 <= len(left) <= 10
    assert kept.known(Batch("key-24", "d")) == ("boot", [(1, 24)], 0)
    assert kept.known(Batch("key-1", "d")) is None
    kept = Batches(spool)
    now_ms[0] += 2 * batches.KEPT_MS
    note(99)
    assert list(spool.notes(batches.PREFIX)) == [f"{batches.PREFIX}key-99"]
    assert spool.notes("tail:") == {"tail:mark": b"stays"}

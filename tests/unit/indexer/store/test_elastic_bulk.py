"""Bulk writes over a server that is busy, loses answers or refuses: each document once, or an error."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
import pytest
from elastic_transport import ApiResponseMeta, ConnectionTimeout, HttpHeaders, NodeConfig
from elasticsearch import ApiError
from hypothesis import given
from hypothesis import strategies as st

from contract.stored import sealed
from slmtrail.core.errors import StoreError
from slmtrail.core.ports import Sealed
from slmtrail.indexer.store import elastic_bulk
from slmtrail.indexer.store.elastic_bulk import Bulk, line
from slmtrail.indexer.store.elastic_client import ElasticClient
from slmtrail.indexer.store.elastic_names import Streams
from slmtrail.indexer.store.elastic_pace import MAX_REQUEST_BYTES, MAX_REQUEST_RECORDS, SLOW_S, Pace

FAULTS = ("fine", "lost answer", "lost request", "busy", "half busy", "too large")


class Server(ElasticClient):
    """One index; each bulk request meets the next of `faults`, the last of them for ever."""

    def __init__(self, faults: list[str], rolls_over: bool = False) -> None:
        self.place = "nowhere"
        self.faults = faults
        self.rolls_over = rolls_over
        self.leads_to = ""
        self.documents: list[tuple[str, dict[str, Any]]] = []
        self.written: dict[str, dict[str, Any]] = {}
        self.requests = 0

    def ask(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        return self.raw(method, path, body, **params)

    def raw(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        if path == "/_bulk":
            items = self._bulk(body)
            return {"errors": any(item["create"]["status"] >= 300 for item in items), "items": items}
        if path == "/_mget":
            return {"docs": [{"_source": self.written[doc["_id"]]} for doc in body["docs"]]}
        if path.endswith("/_search"):
            wanted = body["query"]["ids"]["values"]
            hits = [{"_id": name, "_source": source} for name, source in self.documents if name in wanted]
            return {"hits": {"hits": hits}}
        assert path.endswith("/_refresh")
        return {}

    def _bulk(self, body: bytes) -> list[Any]:
        fault = self.faults.pop(0) if len(self.faults) > 1 else self.faults[0]
        lines = [orjson.loads(line) for line in body.split(b"\n")[:-1]]
        pairs = list(zip(lines[::2], lines[1::2], strict=True))
        if fault == "lost request":
            raise ConnectionTimeout("no answer")
        if fault == "busy" or (fault == "too large" and len(pairs) > 1):
            status = 429 if fault == "busy" else 413
            meta = ApiResponseMeta(status, "1.1", HttpHeaders(), 0.0, NodeConfig("http", "nowhere", 1))
            raise ApiError("refused", meta, {"error": {"type": "busy"}})
        items = []
        for number, (action, source) in enumerate(pairs):
            name = action["create"]["_id"]
            if fault == "half busy" and number % 2:
                status = 429
            elif name in self.written:
                status = 409
            else:
                status = 201
                self.written[name] = source
                self.documents.append((name, source))
            index = self.leads_to or f".ds-{action['create']['_index']}-2026.11.27-000001"
            items.append({"create": {"_id": name, "_index": index, "status": status}})
        if self.rolls_over:
            self.written = {}
        if fault == "lost answer":
            raise ConnectionTimeout("no answer")
        return items


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits take no time."""
    monkeypatch.setattr(elastic_bulk.time, "sleep", lambda _: None)


def bulk(server: Server, patience_s: float = 60) -> Bulk:
    return Bulk(server, Streams("slm"), patience_s)


@given(st.lists(st.sampled_from(FAULTS), max_size=8), st.integers(1, 9), st.booleans())
def test_each_document_is_there_once(faults: list[str], count: int, rolls_over: bool) -> None:
    server = Server([*faults, "fine"], rolls_over)
    records = [sealed(leaf) for leaf in range(count)]
    assert bulk(server).write(records) == []
    assert Counter(name for name, _ in server.documents) == Counter(record.id for record in records)


@pytest.mark.parametrize("fault", ["busy", "lost request", "half busy"])
def test_patience_ends(fault: str) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        bulk(Server([fault]), patience_s=0).write([sealed(0), sealed(1)])


def test_a_document_too_large_for_the_server_is_refused_alone() -> None:
    server = Server(["too large"])
    server._bulk = _refusing_large(server)  # type: ignore[method-assign]
    records = [sealed(0), sealed(1, message="x" * 1000), sealed(2)]
    (refusal,) = bulk(server).write(records)
    assert refusal.sealed == records[1]
    assert "size" in refusal.reason
    assert {name for name, _ in server.documents} == {records[0].id, records[2].id}


def _refusing_large(server: Server) -> Any:
    def answer(body: bytes) -> list[Any]:
        server.faults = ["too large" if len(body) > 1000 else "fine"]
        if len(body) > 1000 and body.count(b"\n") == 2:
            meta = ApiResponseMeta(413, "1.1", HttpHeaders(), 0.0, NodeConfig("http", "nowhere", 1))
            raise ApiError("refused", meta, "")
        return Server._bulk(server, body)

    return answer


def test_an_id_at_two_leaves_is_written_twice_and_no_more() -> None:
    server = Server(["fine"])
    records = [sealed(0, record_id="a" * 32), sealed(1, record_id="a" * 32)]
    for _ in range(3):
        assert bulk(server).write(records) == []
    assert [name for name, _ in server.documents] == ["a" * 32, f"{'a' * 32}@{records[1].ledger}/1"]


def test_an_id_longer_than_the_server_takes_is_refused_alone() -> None:
    server = Server(["fine"])
    records = [sealed(0), sealed(1, record_id="x" * 500)]  # its leaf is put behind it where it stands twice
    assert [(refusal.sealed.leaf, "512" in refusal.reason) for refusal in bulk(server).write(records)] == [(1, True)]
    assert len(server.documents) == 1


@pytest.mark.parametrize(("kind", "refused"), [("document_parsing_exception", 1), ("validation_exception", 0)])
def test_what_only_the_cluster_is_at_fault_for_refuses_no_document(kind: str, refused: int) -> None:
    server = Server(["fine"])
    error = {"type": kind, "reason": "field [x]: [secret]"}
    server._bulk = lambda _: [{"create": {"status": 400, "error": error}}]  # type: ignore[method-assign]
    if refused:
        (refusal,) = bulk(server).write([sealed(0)])
        assert kind in refusal.reason
        assert "secret" not in refusal.reason
    else:
        with pytest.raises(StoreError, match=kind):
            bulk(server).write([sealed(0)])


@pytest.mark.parametrize(
    "answer",
    [
        "<html>",
        [],
        {},
        {"items": None},
        {"items": []},
        {"items": [{"create": {"status": 201}}] * 2},
        {"items": [{"index": {"status": 201}}]},
        {"items": [{"create": {}}]},
        {"items": [{"create": {"status": "201"}}]},
        {"items": [{"create": {"status": 400}}]},
        {"items": [{"create": {"status": 409, "error": {"type": "version_conflict_engine_exception"}}}]},
    ],
)
def test_an_answer_of_another_form_is_no_proof_that_anything_is_stored(answer: Any) -> None:
    server = Server(["fine"])
    server.raw = lambda *_, **__: answer  # type: ignore[method-assign]
    with pytest.raises(StoreError, match="not answered as Elasticsearch does"):
        bulk(server).write([sealed(0)])


def test_what_the_cluster_leads_elsewhere_waits_and_is_not_written_there_again() -> None:
    server = Server(["fine"])
    server.leads_to = ".ds-logs-generic-default-2026.11.27-000001"
    writing = bulk(server)
    for _ in range(3):
        with pytest.raises(
            StoreError, match=r"nowhere puts what is written to logs-slm\.standard-none into \.ds-logs-gen"
        ):
            writing.write([sealed(0)])
    assert len(server.documents) == 1
    server.leads_to, server.written = "", {}
    assert writing.write([sealed(0)]) == []


def test_what_went_to_the_failure_store_is_not_stored() -> None:
    server = Server(["fine"])
    server._bulk = lambda _: [{"create": {"status": 201, "failure_store": "used"}}]  # type: ignore[method-assign]
    (refusal,) = bulk(server).write([sealed(0)])
    assert "failure store" in refusal.reason


@pytest.mark.parametrize("backslash", [r"\\", r"\u005c", r"\u005C"])
def test_words_behind_an_escape_are_found_however_the_backslash_is_written(backslash: str) -> None:
    plain = sealed(0, gen_ai__input__messages=[{"role": "user", "parts": [{"type": "text", "content": "HERE"}]}])
    data = plain.data.replace(b"HERE", rf"{{\"a\":\"line one{backslash}nline two\"}}".encode())
    document = orjson.loads(line(Sealed(plain.ledger, 0, plain.id, None, data)))
    assert document["slm.text"] == ["a", "line one\nline two"]


def test_requests_shrink_while_the_server_is_busy_and_grow_again() -> None:
    pace = Pace()
    first = pace.records
    pace.held_up()
    assert len(next(pace.batches(range(10_000), lambda _: 1))) == pace.records < first
    for _ in range(100):
        pace.answered(pace.records, took_s=0.1)
    assert pace.records == MAX_REQUEST_RECORDS
    pace.answered(1, took_s=SLOW_S + 1)
    assert pace.records < MAX_REQUEST_RECORDS
    assert [len(part) for part in pace.batches(range(3), lambda _: MAX_REQUEST_BYTES)] == [1, 1, 1]


@given(st.lists(st.integers(0, 5)), st.integers(1, 50), st.integers(1, 12))
def test_requests_hold_all_in_order_and_are_about_as_large_as_each_other(
    sizes: list[int], records: int, limit_bytes: int
) -> None:
    pace = Pace()
    pace.records = records
    parts = list(pace.batches(sizes, lambda size: size * MAX_REQUEST_BYTES // limit_bytes))
    assert [size for part in parts for size in part] == sizes
    assert all(len(part) <= records for part in parts)
    assert all(len(part) == 1 or sum(part) <= limit_bytes for part in parts)
    if sum(sizes) <= limit_bytes:  # only their number parts them
        assert len(parts) == -(-len(sizes) // records)
        assert not parts or max(map(len, parts)) - min(map(len, parts)) <= 1


def test_requests_grow_to_whole_batches() -> None:
    pace = Pace()
    for _ in range(20):
        for part in pace.batches(range(2000), lambda _: 1):
            pace.answered(len(part), took_s=0.1)
    assert [len(part) for part in pace.batches(range(2000), lambda _: 1)] == [2000]


def test_requests_are_large_again_soon_after_an_outage() -> None:
    pace = Pace()
    for _ in range(40):
        pace.held_up()
    small = 0
    for part in pace.batches(range(10_000), lambda _: 1):
        small += len(part) < 2000
        pace.answered(len(part), took_s=0.1)
    assert small < 8

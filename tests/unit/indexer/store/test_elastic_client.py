"""Requests to Elasticsearch are made again where that may help, and only there."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from contract.stored import sealed
from slmtrail.core.errors import StoreError
from slmtrail.indexer.store import elastic_client
from slmtrail.indexer.store.elastic_bulk import Bulk
from slmtrail.indexer.store.elastic_client import ElasticClient
from slmtrail.indexer.store.elastic_names import Streams


class Cluster(ElasticClient):
    """Gives these answers, one after the other."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        super().__init__("http://127.0.0.1:9")
        self.answers = list(answers)

    def raw(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        return self.answers.pop(0)


def answer(failed: int = 0, timed_out: bool = False) -> dict[str, Any]:
    return {"_shards": {"failed": failed}, "timed_out": timed_out}


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr(elastic_client.time, "sleep", waits.append)
    return waits


def test_a_search_waits_for_the_shards_of_an_index_that_was_just_made(slept: list[float]) -> None:
    assert Cluster(answer(failed=2), answer(failed=1), answer()).ask("POST", "/logs-*/_search") == answer()
    assert len(slept) == 2


def test_it_does_not_wait_for_ever(slept: list[float]) -> None:
    assert Cluster(*[answer(failed=1)] * 7).ask("POST", "/logs-*/_search") == answer(failed=1)
    assert sum(slept) < 10


def test_what_was_cut_short_or_written_is_not_asked_again(slept: list[float]) -> None:
    assert Cluster(answer(failed=1, timed_out=True)).ask("POST", "/logs-*/_search")["timed_out"]
    assert Cluster(answer(failed=1)).ask("PUT", "/logs-a/_create/1") == answer(failed=1)
    assert slept == []


STORED = b'{"items":[{"create":{"_index":".ds-logs-slm.standard-none-2026.11.27-000001","status":201}}]}'
PRODUCT = b"x-elastic-product: Elasticsearch\r\n"
JSON = PRODUCT + b"content-type: application/vnd.elasticsearch+json\r\n"
HTML = b"content-type: text/html\r\n"


@contextmanager
def answering(data: bytes) -> Iterator[str]:
    """A server that answers any request with these bytes; its address."""

    class Answer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while (header := self.rfile.readline().strip().lower()) != b"":
                if header.startswith(b"content-length:"):
                    length = int(header.split()[1])
            self.rfile.read(length)
            self.wfile.write(data)

    with socketserver.TCPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def http(status: str, headers: bytes, body: bytes, length: int | None = None) -> bytes:
    claimed = len(body) if length is None else length
    return b"HTTP/1.1 %b\r\n%bcontent-length: %d\r\n\r\n%b" % (status.encode(), headers, claimed, body)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (http("200 OK", JSON, STORED[:60], len(STORED)), "does not answer"),
        (http("200 OK", JSON, STORED[:60]), "answers what can't be read"),
        (http("200 OK", JSON, STORED[:-2] + b"\xff]}"), "answers what can't be read"),
        (http("200 OK", JSON, b"[" * 100_000), "answers what can't be read"),
        (http("200 OK", HTML, b"<html>please log in"), "answers 200 and nothing of its own"),
        (http("200 OK", PRODUCT + HTML, b"<html>please log in"), "not answered as Elasticsearch does"),
        (http("200 OK", JSON, b""), "not answered as Elasticsearch does"),
        (http("302 Found", b"location: /login\r\n", b""), "answers 302 and nothing of its own"),
        (http("500 Oops", HTML, b"please log in"), "answers 500 and nothing of its own"),
        (http("403 Forbidden", HTML, b"please log in"), "refused: 403.*give it the role"),
        (b"SSH-2.0\r\n", "does not answer"),
        (b"", "does not answer"),
    ],
)  # fmt: skip
def test_what_is_no_answer_of_elasticsearch_stores_nothing_and_is_told_as_it_is(data: bytes, told: str) -> None:
    with answering(data) as url:
        client = ElasticClient(url)
        with pytest.raises(StoreError, match=told) as caught:
            Bulk(client, Streams("slm"), patience_s=0).write([sealed(0)])
        client.close()
    assert "log in" not in str(caught.value)


def test_the_server_of_these_tests_is_believed_where_its_answer_is_one() -> None:
    with answering(http("200 OK", JSON, STORED)) as url:
        client = ElasticClient(url)
        assert Bulk(client, Streams("slm"), patience_s=0).write([sealed(0)]) == []
        client.close()

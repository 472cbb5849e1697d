"""Requests to Elasticsearch are made again where that may help, and only there."""

from __future__ import annotations

from typing import Any

import pytest

from slmtrail.indexer.store import elastic_client
from slmtrail.indexer.store.elastic_client import ElasticClient


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

"""Replay, reconcile and reindex as on one machine, over real Kafka and Elasticsearch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from integration.test_replay import FRAMES_LOST, Stranger, told
from servers.elastic import start_elastic
from servers.kafka import start_kafka
from trails import DistributedTrail, eventually


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[DistributedTrail, str, str]]:
    with start_kafka() as kafka, start_elastic() as elastic:
        trail = DistributedTrail(tmp_path, kafka.bootstrap, elastic.url)
        trail.start()
        try:
            yield trail, f"kafka://{kafka.bootstrap}", elastic.url
        finally:
            trail.stop()


@pytest.mark.servers
def test_what_was_lost_comes_back(place: tuple[DistributedTrail, str, str]) -> None:
    trail, bus_url, elastic_url = place
    stranger = Stranger(trail, bus_url, partitions=2)
    lost = stranger.lost()
    stranger.admitted()
    stranger.ship(stranger.edge.frame(kind="close"))
    ids = stranger.ids(lost, 1) | stranger.ids(lost, 2)
    assert told(trail, "--wait", "60")["taken"] == FRAMES_LOST
    assert told(trail)["open"] == {}
    eventually("all is found", lambda: found(trail) == sorted(ids))

    trail.process("index").stop()
    with Elasticsearch(elastic_url) as client:
        hits = client.search(index="logs-slm.*", size=100, query={"ids": {"values": sorted(ids)[:20]}})["hits"]["hits"]
        for hit in hits:
            client.delete(index=hit["_index"], id=hit["_id"], refresh=True)
        assert len(hits) == 20
    done = reading(trail, "reconcile")
    assert sum(one["restored"] for one in done["ledgers"]) == 20
    assert reading(trail, "reindex", "--from", "topic")["swapped"]
    assert found(trail) == sorted(ids)
    verified = trail.verify()
    assert (verified["verified"], verified["faults"]) == (True, [])
    assert verified["signed_for"]["replayed"] == 2 * FRAMES_LOST


def found(trail: DistributedTrail) -> list[str]:
    return sorted(one["event.id"] for one in trail.search("collector:edge-7", "--kind", "inference"))


def reading(trail: DistributedTrail, *arguments: str) -> Any:
    done = trail.run(*arguments, "--json")
    assert done.returncode == 0, (done.stdout, done.stderr)
    return json.loads(done.stdout)

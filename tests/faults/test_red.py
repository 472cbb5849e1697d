"""Elasticsearch is red: the newest index of a data stream has no shard to write to. Records wait, a search says that it
can't be whole, and when the cluster has recovered each record is there once.

SLMTRAIL_FAULT_ROUNDS: how often (`make faults` takes 30). SLMTRAIL_FAULT_SEED: for how long.
"""

from __future__ import annotations

import asyncio
import os
import random
import uuid
from pathlib import Path

import pytest

from builders import LEDGER, Edge, SealedTrail, Stream, inference, records
from servers.elastic import Elastic
from slmtrail.bus.sqlite import SqliteBus
from slmtrail.core.errors import StoreError
from slmtrail.core.ports import RECORDS, Query
from slmtrail.indexer import fsck, index
from slmtrail.indexer.seal import Sealer
from slmtrail.indexer.store import elastic_client
from slmtrail.indexer.store.elastic import ElasticStore
from slmtrail.indexer.store.elastic_client import ElasticClient
from slmtrail.indexer.store.elastic_names import Streams
from slmtrail.indexer.verify.trail import verify
from trails import eventually

SEED = int(os.environ.get("SLMTRAIL_FAULT_SEED", "20261201"))
ROUNDS = int(os.environ.get("SLMTRAIL_FAULT_ROUNDS", "1"))
ALLOCATION = "cluster.routing.allocation.enable"


def test_each_record_is_there_once_though_the_cluster_was_red(
    elastic: Elastic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elastic_client, "_BUSY_WAITS_S", (0.1, 0.2))
    print(f"SLMTRAIL_FAULT_SEED={SEED}", flush=True)
    cluster = Cluster(elastic)
    try:
        asyncio.run(reddened(tmp_path, cluster))
    finally:
        cluster.allocates("all")
        cluster.client.close()


class Cluster:
    """A cluster, and the data streams of one trail in it."""

    def __init__(self, elastic: Elastic) -> None:
        self.url, self.dataset = elastic.url, f"t{uuid.uuid4().hex}"
        self.client, self.streams = ElasticClient(elastic.url), Streams(self.dataset)

    def allocates(self, what: str) -> None:
        """Whether shards find a place: all or none."""
        self.client.ask("PUT", "/_cluster/settings", {"persistent": {ALLOCATION: what}})

    def redden(self) -> None:
        """The next writes go to indices of which no shard has a place."""
        self.allocates("none")
        for stream in self.client.ask("GET", f"/_resolve/index/{self.streams.pattern}")["data_streams"]:
            self.client.ask("POST", f"/{stream['name']}/_rollover", wait_for_active_shards="0")
        assert self.client.ask("GET", "/_cluster/health")["status"] == "red"


async def reddened(folder: Path, cluster: Cluster) -> None:
    """Records come in while the cluster is red, again and again; then they are counted."""
    rng, trail, stream = random.Random(SEED), SealedTrail(folder), Stream(folder)
    edge, bus = stream.edge(), SqliteBus(folder / "bus.sqlite", partitions=1)
    await bus.ensure_topics()
    store = ElasticStore(cluster.url, writable=True, dataset=cluster.dataset)
    sealer = Sealer(folder / "ledger", LEDGER, trail.key)
    indexing = asyncio.create_task(index.run(bus, store, sealer, 0, 20, {}, 3))
    published = await publish(bus, stream, edge)
    await until_stored(published, sealer, indexing)
    for _ in range(ROUNDS):
        await asyncio.to_thread(cluster.redden)
        published += await publish(bus, stream, edge)
        with pytest.raises(StoreError, match="some shards did not answer"):
            await asyncio.to_thread(store.search, Query())
        await asyncio.sleep(rng.uniform(0, 2))  # for how long is part of what happens
        assert sealer.next_offset < len(published), "what has no place is stored"
        await asyncio.to_thread(cluster.allocates, "all")
        await until_stored(published, sealer, indexing)
    indexing.cancel()
    assert isinstance((await asyncio.gather(indexing, return_exceptions=True))[0], asyncio.CancelledError)
    sealer.checkpoint()
    sealer.close()
    store.holding(LEDGER, [])  # all that was written can be searched
    assert [sealed.id for sealed in store.scan(LEDGER, 0, 1 << 40)] == published
    assert verify([trail.ledger_folder], store).faults == []
    assert list(fsck.check(trail.ledger_folder, store)) == []
    store.close()
    await bus.close()


async def publish(bus: SqliteBus, stream: Stream, edge: Edge) -> list[str]:
    """Puts the records of some frames on the topic; their ids."""
    ids: list[str] = []
    for number in range(5):
        output = stream.take(edge.frame([inference(f"question {number}")]))
        await bus.publish(RECORDS, output.records)
        ids += [record["event.id"] for record in records(output)]
    return ids


async def until_stored(published: list[str], sealer: Sealer, indexing: asyncio.Task[None]) -> None:
    """Returns when all are stored."""
    await asyncio.to_thread(
        eventually, "all is stored", lambda: sealer.next_offset == len(published) or indexing.done()
    )

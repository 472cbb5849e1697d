"""The indexer on a real Elasticsearch, hurt at random moments: each record is searched once or is a dead letter.

SLMTRAIL_FAULT_ROUNDS: how many things happen (`make faults` takes 30). SLMTRAIL_FAULT_SEED: when.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pytest

from builders import Stream, inference
from servers.elastic import Elastic, start_elastic
from servers.proxy import Fault, Proxy, proxied
from slmtrail.bus.sqlite import SqliteBus
from slmtrail.core import commitment
from slmtrail.core.ports import DEADLETTERS, RECORDS, Message
from slmtrail.indexer.ledger.log import Log
from slmtrail.indexer.store.elastic_client import ElasticClient
from slmtrail.indexer.store.elastic_names import DATASET, Streams
from slmtrail.indexer.store.mapping import LEAF, LEDGER
from trails import Trail, eventually

SEED = int(os.environ.get("SLMTRAIL_FAULT_SEED", "20261127"))
ROUNDS = int(os.environ.get("SLMTRAIL_FAULT_ROUNDS", "9"))
PARTITIONS = 2
BATCH = 100
KINDS = (
    "kill",
    "lost answer, rollover, kill",
    "busy",
    "refused",
    "kill between bulk and commit",
    "full disk",
    "server killed",
    "lost answer, rollover",
    "server frozen",
    "index closed",
)


T = TypeVar("T")


class IndexTrail(Trail):
    """An indexer on a SQLite bus, with its Elasticsearch behind a proxy."""

    def __init__(self, folder: Path, elastic: Elastic, proxy: Proxy) -> None:
        super().__init__(
            folder,
            SLMTRAIL_STORE_URL=proxy.url,
            SLMTRAIL_BUS_PARTITIONS=str(PARTITIONS),
            SLMTRAIL_LEDGER_BATCH_RECORDS=str(BATCH),
        )
        self.elastic, self.proxy = elastic, proxy
        self.client, self.streams = ElasticClient(elastic.url), Streams(DATASET)
        assert self.run("init").returncode == 0
        stream = Stream(folder)
        self.edges = [stream.edge(f"edge-{number}", environment="dev") for number in range(4)]
        self.stream = stream
        self.published: dict[str, bytes] = {}
        self._on_bus(lambda bus: bus.ensure_topics())

    def launch(self) -> None:
        """Starts the indexer."""
        self.process("index").start()

    def publish(self, count: int, **more: Any) -> list[str]:
        """Puts records of the next frame on the topic; their ids."""
        edge = self.edges[len(self.published) % len(self.edges)]
        made = self.stream.take(edge.frame([inference(f"question {n}", **more) for n in range(count)])).records
        return self.put([message.value for message in made])

    def put(self, values: list[bytes]) -> list[str]:
        """Puts records on the topic; their ids."""
        records = {orjson.loads(value)["event.id"]: value for value in values}
        self.published |= records
        key = orjson.loads(values[0])["slm.collector.id"]
        self._on_bus(lambda bus: bus.publish(RECORDS, [Message(key, value) for value in values]))
        return list(records)

    def documents(self) -> list[dict[str, Any]]:
        """All that is in the index, wherever it lies."""
        self.client.ask("POST", f"/{self.streams.searched}/_refresh")
        hits = self.client.hits(self.streams.searched, {"match_all": {}}, [{LEDGER: "asc"}, {LEAF: "asc"}])
        return [hit["_source"] for hit in hits]

    def letters(self) -> list[dict[str, Any]]:
        """The dead letters, each once."""
        found = self._on_bus(_letters)
        return list({(letter["ledger"], letter["leaf"]): letter for letter in found}.values())

    def _on_bus(self, work: Callable[[SqliteBus], Coroutine[Any, Any, T]]) -> T:
        async def done() -> T:
            bus = SqliteBus(self.data / "bus.sqlite", partitions=PARTITIONS)
            try:
                return await work(bus)
            finally:
                await bus.close()

        return asyncio.run(done())

    def settled(self) -> bool:
        """Whether as much is stored or a dead letter as was published; `check` looks at what it is."""
        self.client.ask("POST", f"/{self.streams.searched}/_refresh")
        stored: int = self.client.ask("GET", f"/{self.streams.searched}/_count")["count"]
        return stored + len(self.letters()) >= len(self.published)

    def rollover(self) -> list[str]:
        """A new backing index for each data stream; those that were written to before."""
        found = self.client.ask("GET", f"/_resolve/index/{self.streams.pattern}")["data_streams"]
        return [self.client.ask("POST", f"/{stream['name']}/_rollover")["old_index"] for stream in found]


async def _letters(bus: SqliteBus) -> list[dict[str, Any]]:
    found = []
    for partition in range(PARTITIONS):
        reader = await bus.read(DEADLETTERS, partition, 0)
        while batch := await reader.poll(1000, 100):
            found += [orjson.loads(delivery.value) for delivery in batch]
        await reader.close()
    return found


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[IndexTrail]:
    """One on an Elasticsearch of its own."""
    with start_elastic() as elastic, proxied(elastic.address) as proxy:
        made = IndexTrail(tmp_path, elastic, proxy)
        try:
            yield made
        finally:
            made.kill()
            made.client.close()


@contextmanager
def coming_in(trail: IndexTrail) -> Iterator[None]:
    """Records come in meanwhile."""
    stop, rng = threading.Event(), random.Random(SEED)

    def feed() -> None:
        while not stop.wait(0.1):
            trail.publish(rng.randrange(1, 20))

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.slow
@pytest.mark.servers
def test_each_record_is_searched_once_or_is_a_dead_letter(trail: IndexTrail) -> None:
    print(f"SLMTRAIL_FAULT_SEED={SEED}", flush=True)
    rng = random.Random(SEED)
    refused: list[str] = []
    trail.launch()
    with coming_in(trail):
        for number in range(ROUNDS):
            kind = KINDS[number % len(KINDS)]
            print(f"round {number}: {kind}, {len(trail.published)} records", flush=True)
            pause(rng.uniform(0, 1.5))
            hurt(kind, trail, rng, refused)
            trail.launch()
    eventually("all records are stored or dead letters", trail.settled, pause_s=0.5)
    assert trail.process("index").alive
    check(trail, refused)


def hurt(kind: str, trail: IndexTrail, rng: random.Random, refused: list[str]) -> None:
    """One thing that happens."""
    index = trail.process("index")
    if kind == "kill":
        index.kill()
    elif kind == "kill between bulk and commit":
        with faults(trail.proxy, "lose answer", 1):
            index.kill()
    elif kind.startswith("lost answer, rollover"):
        with faults(trail.proxy, "lose answer", 2):
            trail.rollover()
            if kind.endswith("kill"):
                index.kill()
    elif kind == "busy":
        with faults(trail.proxy, "busy", 10, every=0.7):
            pass
    elif kind == "refused":
        refused += trail.put([unfit(trail.stream, trail.edges[0]) for _ in range(3)])
    elif kind == "full disk":
        # What Elasticsearch does to every index of a disk that passes the flood-stage watermark.
        block(trail, "true")
        pause(rng.uniform(1, 3))
        block(trail, "false")
    elif kind == "server killed":
        trail.elastic.kill()
        pause(rng.uniform(0, 2))
        trail.elastic.start()
    elif kind == "server frozen":
        trail.elastic.pause()
        pause(rng.uniform(1, 4))
        if rng.random() < 0.5:
            index.kill()
        trail.elastic.resume()
    elif kind == "index closed":
        with faults(trail.proxy, "lose answer", 1):
            closed = trail.rollover()
            index.kill()
        for name in closed:
            trail.client.ask("POST", f"/{name}/_close")
        index.start()
        pause(rng.uniform(1, 3))
        for name in closed:
            trail.client.ask("POST", f"/{name}/_open")


@contextmanager
def faults(proxy: Proxy, fault: Fault, times: int, every: float = 1.0) -> Iterator[None]:
    """This happens to so many bulk requests, or to a part of them; entered once it did, and ended after."""
    before, rng = proxy.met.get(fault, 0), random.Random(SEED)

    def choose(_method: str, path: str) -> Fault:
        return fault if path.startswith("/_bulk") and rng.random() < every else ""

    proxy.fault = choose
    try:
        eventually(f"{times} times {fault}", lambda: proxy.met.get(fault, 0) >= before + times)
        yield
    finally:
        proxy.fault = lambda _method, _path: ""


def block(trail: IndexTrail, value: str) -> None:
    """Makes all indices read-only, or writable."""
    body = {"index.blocks.read_only_allow_delete": value}
    trail.client.ask("PUT", f"/{trail.streams.pattern}/_settings", body)


def unfit(stream: Stream, edge: Any) -> bytes:
    """A record that the ledger takes and the index does not: a map where its mapping has a word."""
    (message,) = stream.take(edge.frame([inference("unfit")])).records[-1:]
    record = orjson.loads(message.value)
    return orjson.dumps(record | {"service.name": {"not": "a word"}}, option=orjson.OPT_SORT_KEYS)


def check(trail: IndexTrail, refused: list[str]) -> None:
    """Records in are records searched and dead letters, none twice, and the ledger is what the index holds."""
    documents, letters = trail.documents(), trail.letters()
    assert Counter(document["event.id"] for document in documents).most_common(1)[0][1] == 1, "a record is there twice"
    assert sorted(letter["id"] for letter in letters) == sorted(refused)
    assert all("document_parsing_exception" in letter["text"] for letter in letters)
    assert {document["event.id"] for document in documents} == trail.published.keys() - set(refused)

    leaves = {(d.pop(LEDGER), d.pop(LEAF)): d for d in documents}
    leaves |= {(letter["ledger"], letter["leaf"]): orjson.loads(letter["record"]) for letter in letters}
    assert len(leaves) == len(trail.published)
    for partition in range(PARTITIONS):
        eventually(f"partition {partition} is signed for", lambda p=partition: sealed(trail, p) == count(leaves, p))
        log = Log.open(trail.data / "ledger" / str(partition))
        name = f"slmtrail.local/ledger/{partition}"
        for leaf, entry in enumerate(log.entries()):
            record = leaves[name, leaf]
            record.pop("slm.text", None)
            assert commitment.entry(record) == entry, f"leaf {leaf} of {name}"

    verified = trail.verify()
    named = [fault for fault in verified["faults"] if fault["kind"] == "missing"]
    assert {(fault["ledger"], fault["leaf"]) for fault in named} == {(le["ledger"], le["leaf"]) for le in letters}
    troubles = orjson.loads(trail.run("fsck", "--json").stdout)["troubles"]
    assert {trouble["where"] for trouble in troubles} <= {letter["ledger"] for letter in letters}, troubles


def count(leaves: dict[tuple[str, int], Any], partition: int) -> int:
    """How many leaves a partition has."""
    return sum(ledger.endswith(f"/{partition}") for ledger, _ in leaves)


def sealed(trail: IndexTrail, partition: int) -> int:
    """The size that the newest checkpoint of a partition signs."""
    path = trail.data / "ledger" / str(partition) / "checkpoint"
    return int(path.read_text().splitlines()[1]) if path.exists() else 0


def pause(seconds: float) -> None:
    """Lets time pass: how long is part of what happens."""
    time.sleep(seconds)

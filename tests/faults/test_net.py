"""The net between two parts slows, falls silent, resets and cuts: nothing that was taken is lost, doubled or invented.

SLMTRAIL_FAULT_ROUNDS: how many troubles there are on each wire (`make faults` takes 30). SLMTRAIL_FAULT_SEED: how long
each takes.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from builders import LEDGER, Edge, SealedTrail, Stream, inference
from servers.elastic import Elastic
from servers.kafka import start_kafka
from servers.model import serving
from servers.server import free_port
from servers.sidecars import Sidecar, before
from servers.wire import TROUBLES, Wire, wired
from slmtrail.bus import kafka as kafka_bus
from slmtrail.bus import kafka_cluster
from slmtrail.bus.connect import connect
from slmtrail.bus.sqlite import SqliteBus
from slmtrail.collectors import shipper as shipper_module
from slmtrail.collectors.shipper import Shipper
from slmtrail.collectors.sidecar.options import SidecarLimits, SidecarOptions
from slmtrail.collectors.spool import Spool
from slmtrail.core.frames import to_bytes
from slmtrail.core.ports import FRAMES, RECORDS
from slmtrail.indexer import fsck, index
from slmtrail.indexer.seal import Sealer
from slmtrail.indexer.store import elastic_client
from slmtrail.indexer.store.elastic import ElasticStore
from slmtrail.indexer.verify.trail import verify
from trails import eventually

SEED = int(os.environ.get("SLMTRAIL_FAULT_SEED", "20261128"))
ROUNDS = int(os.environ.get("SLMTRAIL_FAULT_ROUNDS", "3"))

thorough = pytest.mark.skipif(
    "SLMTRAIL_FAULT_ROUNDS" not in os.environ, reason="takes a while: make faults, which sets SLMTRAIL_FAULT_ROUNDS"
)


@contextmanager
def troubled(wire: Wire, met: int = 1) -> Iterator[threading.Thread]:
    """Trouble after trouble on a wire, each until something has met it; afterwards there is none."""

    def trouble() -> None:
        rng = random.Random(SEED)
        for number in range(ROUNDS):
            kind = TROUBLES[number % len(TROUBLES)]
            before = wire.met[kind]
            wire.trouble = kind
            eventually(f"something meets a wire that is {kind}", lambda: wire.met[kind] >= before + met)  # noqa: B023
            pause(rng.uniform(0, 0.5))
            wire.trouble = ""
            pause(rng.uniform(0, 0.5))

    thread = threading.Thread(target=trouble)
    print(f"SLMTRAIL_FAULT_SEED={SEED}", flush=True)
    thread.start()
    try:
        yield thread
    finally:
        thread.join()
        wire.trouble = ""


@thorough
@pytest.mark.servers
def test_frames_on_their_way_to_kafka(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipper_module, "RETRY_MAX_S", 0.5)
    monkeypatch.setattr(kafka_bus, "PUBLISH_TIMEOUT_S", 2.0)
    monkeypatch.setattr(kafka_bus, "ANSWER_TIMEOUT_S", 2.0)
    monkeypatch.setattr(kafka_cluster, "ANSWER_TIMEOUT_S", 2.0)
    port = free_port()
    with wired(f"127.0.0.1:{port}", SEED) as wire:
        advertised = {"advertised.listeners": f"PLAINTEXT://{wire.address},CONTROLLER://127.0.0.1:{free_port()}"}
        with start_kafka(tmp_path / "kafka", port, advertised):
            sent, found = asyncio.run(shipped(tmp_path, wire))
    firsts = list(dict.fromkeys(found))
    assert firsts == sent, "a frame is lost, invented or out of order"


async def shipped(folder: Path, wire: Wire) -> tuple[list[bytes], list[bytes]]:
    """What went into a spool while there was trouble, and what came out of the topic."""
    bus = connect(f"kafka://{wire.address}", partitions=1)
    await bus.ensure_topics()
    edge, spool, sent = Edge(X25519PrivateKey.generate()), Spool(folder / "spool", 1 << 30), []
    shipper = Shipper("edge-1", spool, bus)
    shipping = asyncio.create_task(shipper.run())
    with troubled(wire) as troubles:
        while troubles.is_alive():
            sent.append(to_bytes(edge.frame([inference(f"question {len(sent)} " + "word " * 400)])))
            await asyncio.to_thread(spool.commit, [sent[-1]])
            shipper.notify()
            await asyncio.sleep(0.01)
    await asyncio.to_thread(eventually, "all is shipped", lambda: spool.waiting_bytes == 0)
    shipping.cancel()
    await asyncio.gather(shipping, return_exceptions=True)
    await bus.close()
    reading = connect(f"kafka://{wire.address}", partitions=1)
    reader, found = await reading.read(FRAMES, 0, 0), []
    while batch := await reader.poll(1000, 2000):
        found += [delivery.value for delivery in batch]
    await reader.close()
    await reading.close()
    spool.close()
    return sent, found


def test_exchanges_between_the_sidecar_and_its_model() -> None:
    seen: list[bool] = []
    with (
        serving() as model,
        wired(f"127.0.0.1:{model.port}", SEED) as wire,
        before(SidecarOptions(f"http://{wire.address}", limits=SidecarLimits(response_s=1.0))) as sidecar,
    ):
        with troubled(wire) as troubles:
            while troubles.is_alive():
                seen.append(answered(sidecar, len(seen)))
        seen.append(answered(sidecar, len(seen)))
        assert seen[-1], "it does not go on when all is well"
        sidecar.until(lambda: len(sidecar.events) >= len(seen))
        told = {event["gen_ai.input.messages"][0]["parts"][0]["content"]: event for event in sidecar.events}
    assert len(sidecar.events) == len(told) == len(seen), "an exchange is lost or told twice"
    for number, well in enumerate(seen):
        assert (told[f"question {number}"]["event.outcome"] == "success") == well, told[f"question {number}"]


def answered(sidecar: Sidecar, number: int) -> bool:
    """Whether a client gets a whole answer to its question."""
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": f"question {number}"}]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    head_of_answer, _, text = sidecar.ask(head.encode() + body).partition(b"\r\n\r\n")
    try:
        return (
            head_of_answer.startswith(b"HTTP/1.1 200")
            and f"question {number}" in json.loads(text)["choices"][0]["message"]["content"]
        )
    except ValueError:
        return False


@thorough
def test_records_on_their_way_to_elasticsearch(
    elastic: Elastic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "RETRY_MAX_S", 0.5)
    make = elastic_client.Elasticsearch
    monkeypatch.setattr(
        elastic_client, "Elasticsearch", lambda *a, **given: make(*a, **{**given, "request_timeout": 2})
    )
    with wired(elastic.address, SEED) as wire:
        stored, sealed = asyncio.run(indexed(tmp_path, wire, f"t{uuid.uuid4().hex}"))
    assert [record["event.id"] for record in stored] == sealed, "a record is lost, doubled or invented"


async def indexed(folder: Path, wire: Wire, dataset: str) -> tuple[list[dict[str, Any]], list[str]]:
    """What is searched of what was published while there was trouble."""
    trail, stream = SealedTrail(folder), Stream(folder)
    edge, bus = stream.edge(), SqliteBus(folder / "bus.sqlite", partitions=1)
    await bus.ensure_topics()
    store = await asyncio.to_thread(ElasticStore, f"http://{wire.address}", writable=True, dataset=dataset)
    sealer = Sealer(folder / "ledger", LEDGER, trail.key)
    indexing = asyncio.create_task(index.run(bus, store, sealer, 0, 20, {}, 3))
    published: list[str] = []
    with troubled(wire) as troubles:
        while troubles.is_alive():
            made = stream.take(edge.frame([inference(f"question {len(published)}")])).records
            published += [orjson.loads(message.value)["event.id"] for message in made]
            await bus.publish(RECORDS, made)
            await asyncio.sleep(0.02)
    await asyncio.to_thread(
        eventually, "all is stored", lambda: sealer.next_offset == len(published) or indexing.done()
    )
    indexing.cancel()
    assert isinstance((await asyncio.gather(indexing, return_exceptions=True))[0], asyncio.CancelledError)
    sealer.checkpoint()
    sealer.close()
    store.holding(LEDGER, [])  # all that was written can be searched
    found = [sealed.record for sealed in store.scan(LEDGER, 0, 1 << 40)]
    assert verify([trail.ledger_folder], store).faults == []
    assert list(fsck.check(trail.ledger_folder, store)) == []
    store.close()
    await bus.close()
    return found, published


def pause(seconds: float) -> None:
    """Lets time pass: how long is part of what happens."""
    time.sleep(seconds)

"""The indexing loop of one partition: records in, seal, store, sign, and on to the next batch."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import ParamSpec, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slmtrail.bus.limits import MAX_MESSAGE_BYTES
from slmtrail.core import canonical
from slmtrail.core.errors import StoreError
from slmtrail.core.health import HEALTH
from slmtrail.core.metrics import DEADLETTERS as DEADLETTERS_TOTAL
from slmtrail.core.metrics import FRESHNESS_SECONDS, RECORDS_STORED, STORE_FAILURES
from slmtrail.core.ports import CHECKPOINTS, DEADLETTERS, RECORDS, Bus, Delivery, Message, Refusal, Sealed, Store
from slmtrail.core.tracing import TRACING, FrameId
from slmtrail.indexer.behind import Behind
from slmtrail.indexer.erase import ordered
from slmtrail.indexer.seal import Batch, Sealer
from slmtrail.indexer.topic import check

log = logging.getLogger(__name__)

POLL_MS = 1000
RETRY_MIN_S = 0.5
RETRY_MAX_S = 10.0
KEPT_BYTES = MAX_MESSAGE_BYTES // 3
"""A dead letter holds no more of a message than this, which is up to twice as long once it is written into it."""

P = ParamSpec("P")
T = TypeVar("T")


async def run(
    bus: Bus,
    store: Store,
    sealer: Sealer,
    partition: int,
    batch_records: int,
    authorities: Mapping[str, Ed25519PublicKey],
    at_once: int = 1,
) -> None:
    """Works until cancelled. While the store is away it waits, and reads nothing further.

    Certificates signed by one of `authorities` (by their ids) are obeyed. `at_once`: how many batches are being stored
    while the next ones are sealed. They end in any order, so a crash may leave holes; the sealer knows which leaves.
    Raises LedgerError where the topic is another than the ledger was read from.
    """
    await check(bus, partition, sealer.ledger, sealer.next_offset, sealer.last_message)
    reader = await bus.read(RECORDS, partition, sealer.next_offset)
    behind = Behind(sealer.ledger, reader)
    storing: asyncio.Queue[tuple[list[Delivery], Batch, asyncio.Task[None]]] = asyncio.Queue(at_once)
    room, alone = asyncio.Semaphore(at_once), asyncio.Lock()

    async def by_sealer(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        async with alone:
            return await _wholly(work, *arguments, **named)

    async def store_when_there_is_room(sealed: Batch) -> None:
        async with room:
            with TRACING.span("store", lambda: _frames(sealed.records)):
                await _store(sealed, bus, store, sealer.ledger)

    async def seal() -> None:
        while True:
            if batch := await reader.poll(batch_records, POLL_MS):
                sealed = await by_sealer(sealer.seal, batch, store.extract)
                behind.taken(sealed)
                await storing.put((batch, sealed, tasks.create_task(store_when_there_is_room(sealed))))

    async def sign() -> None:
        """Only for what is stored."""
        while True:
            signed = await by_sealer(sealer.checkpoint)
            if signed is not None:
                await bus.publish(CHECKPOINTS, [Message(sealer.ledger, signed)])
            deliveries, sealed, work = await storing.get()
            await work
            await _erase(sealed, store, sealer, authorities)
            await by_sealer(sealer.stored, deliveries)
            behind.stored()

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(seal())
            tasks.create_task(sign())
            tasks.create_task(behind.watch())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    finally:
        await reader.close()


async def _store(sealed: Batch, bus: Bus, store: Store, ledger: str) -> None:
    letters = [_unusable(delivery, text) for delivery, text in sealed.unusable]

    unsure = sealed.recovered

    def write() -> list[Refusal]:
        """Where it is not known what arrived, the store is asked first: its `write` alone may not know either."""
        nonlocal unsure
        records = sealed.records
        if unsure:
            there = store.holding(ledger, [record.leaf for record in records])
            records = [record for record in records if record.leaf not in there]
        unsure = True
        return store.write(records) if records else []

    refusals = await _patiently(write)
    await bus.publish(DEADLETTERS, letters + [_refused(refusal) for refusal in refusals])
    RECORDS_STORED.inc(len(sealed.records) - len(refusals))
    if sealed.oldest_ms is not None:
        FRESHNESS_SECONDS.observe(max(0, time.time_ns() // 1_000_000 - sealed.oldest_ms) / 1000)


async def _erase(stored: Batch, store: Store, sealer: Sealer, authorities: Mapping[str, Ed25519PublicKey]) -> None:
    """Obeys the certificates of a batch: all that was sealed before it is stored by now."""
    for rows in ordered(stored.certificates, authorities, sealer.certificates):
        log.warning("erased the content of %d records", await _patiently(partial(store.erase, sealer.ledger, rows)))


async def _wholly(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Works on ledger or store in a thread. Who is cancelled meanwhile waits for its end: then they may be let go."""
    working = asyncio.ensure_future(asyncio.to_thread(work, *arguments, **named))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


async def _patiently(ask: Callable[[], T]) -> T:
    """Asks the store until it answers."""
    wait_s = RETRY_MIN_S
    while True:
        try:
            answer = await _wholly(ask)
        except StoreError as error:
            STORE_FAILURES.inc()
            HEALTH.tell("store", str(error))
            log.warning("records wait for the store: %s", error)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, RETRY_MAX_S)
        else:
            HEALTH.tell("store")
            return answer


def _unusable(delivery: Delivery, text: str) -> Message:
    DEADLETTERS_TOTAL.labels("not_a_record").inc()
    where = f"{delivery.topic}/{delivery.partition}/{delivery.offset}"
    log.error("dead letter at %s: %s", where, text)
    letter = {
        "reason": "not_a_record",
        "text": f"{where} {text}",
        "topic": delivery.topic,
        "partition": delivery.partition,
        "offset": delivery.offset,
        **_kept("message_base64", delivery.value, lambda data: base64.b64encode(data).decode()),
    }
    return Message(delivery.key, canonical.dumps(letter))


def _refused(refusal: Refusal) -> Message:
    """The record itself stays on its topic, and its entry in the ledger; the letter says where."""
    DEADLETTERS_TOTAL.labels("store_refused").inc()
    sealed = refusal.sealed
    log.error("the store refuses record %s: %s", sealed.id, refusal.reason)
    letter = {
        "reason": "store_refused",
        "text": refusal.reason,
        "ledger": sealed.ledger,
        "leaf": sealed.leaf,
        "id": sealed.id,
        **_kept("record", sealed.data, bytes.decode),
    }
    return Message(sealed.record["slm.collector.id"], canonical.dumps(letter))


def _kept(name: str, data: bytes, written: Callable[[bytes], str]) -> dict[str, str]:
    """A message under this name or, where a letter with it would be larger than a bus takes, its hash."""
    return {name: written(data)} if len(data) <= KEPT_BYTES else {"sha256": hashlib.sha256(data).hexdigest()}


def _frames(records: list[Sealed]) -> list[FrameId]:
    """Which frames these records came in."""
    told = (sealed.record for sealed in records if "slm.collector.frame" in sealed.record)
    return [(each["slm.collector.id"], each["slm.collector.boot"], each["slm.collector.frame"]) for each in told]

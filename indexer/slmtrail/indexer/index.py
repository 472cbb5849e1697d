"""The indexing loop of one partition: records in, seal, store, sign, and on to the next batch."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slmtrail.core import canonical
from slmtrail.core.errors import StoreError
from slmtrail.core.events import timestamp_ms
from slmtrail.core.health import HEALTH
from slmtrail.core.metrics import DEADLETTERS as DEADLETTERS_TOTAL
from slmtrail.core.metrics import FRESHNESS_SECONDS, RECORDS_STORED, STORE_FAILURES
from slmtrail.core.ports import CHECKPOINTS, DEADLETTERS, RECORDS, Bus, Delivery, Message, Refusal, Sealed, Store
from slmtrail.indexer.erase import ordered
from slmtrail.indexer.seal import Batch, Sealer

log = logging.getLogger(__name__)

POLL_MS = 1000
RETRY_MIN_S = 0.5
RETRY_MAX_S = 30.0

P = ParamSpec("P")
T = TypeVar("T")


async def run(
    bus: Bus,
    store: Store,
    sealer: Sealer,
    partition: int,
    batch_records: int,
    authorities: Mapping[str, Ed25519PublicKey],
) -> None:
    """Works until cancelled. While the store is away it waits, and reads nothing further.

    Certificates signed by one of `authorities` (by their ids) are obeyed.
    """
    reader = await bus.read(RECORDS, partition, sealer.next_offset)
    storing: tuple[list[Delivery], asyncio.Task[None]] | None = None
    try:
        while True:
            # While a batch is being stored the next one is sealed; only what is stored is signed for.
            batch = await reader.poll(batch_records, 0 if storing else POLL_MS)
            sealed = await _wholly(sealer.seal, batch) if batch else None
            if storing:
                await storing[1]
                await _wholly(sealer.stored, storing[0])
                storing = None
            if sealed:
                work = _store(sealed, bus, store, sealer.ledger, authorities)
                storing = batch, asyncio.create_task(work)
            signed = await _wholly(sealer.checkpoint)
            if signed is not None:
                await bus.publish(CHECKPOINTS, [Message(sealer.ledger, signed)])
    finally:
        if storing:
            storing[1].cancel()
            await asyncio.gather(storing[1], return_exceptions=True)
        await reader.close()


async def _store(
    sealed: Batch, bus: Bus, store: Store, ledger: str, authorities: Mapping[str, Ed25519PublicKey]
) -> None:
    letters = [_unusable(delivery, text) for delivery, text in sealed.unusable]
    records = sealed.records
    if sealed.recovered:
        there = await _patiently(store.holding, ledger, [record.leaf for record in records])
        records = [record for record in records if record.leaf not in there]
    refusals = await _patiently(store.write, records) if records else []
    letters += [_refused(refusal) for refusal in refusals]
    await bus.publish(DEADLETTERS, letters)
    for rows in ordered(sealed.records, authorities):
        log.warning("erased the content of %d records", await _patiently(store.erase, ledger, rows))
    RECORDS_STORED.inc(len(records) - len(refusals))
    _observe_freshness(records)


async def _wholly(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Works on the ledger in a thread. Who is cancelled meanwhile waits for its end: then the ledger may be let go."""
    working = asyncio.ensure_future(asyncio.to_thread(work, *arguments, **named))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


async def _patiently(ask: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Asks the store until it answers."""
    wait_s = RETRY_MIN_S
    while True:
        try:
            answer = await asyncio.to_thread(ask, *arguments, **named)
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
        "message_base64": base64.b64encode(delivery.value).decode(),
    }
    return Message(delivery.key, canonical.dumps(letter))


def _refused(refusal: Refusal) -> Message:
    """The record itself stays in the ledger and on the topic; the letter says where."""
    DEADLETTERS_TOTAL.labels("store_refused").inc()
    sealed = refusal.sealed
    log.error("the store refuses record %s: %s", sealed.id, refusal.reason)
    letter = {
        "reason": "store_refused",
        "text": refusal.reason,
        "ledger": sealed.ledger,
        "leaf": sealed.leaf,
        "id": sealed.id,
        "record": sealed.data.decode(),
    }
    return Message(sealed.record["slm.collector.id"], canonical.dumps(letter))


def _observe_freshness(records: list[Sealed]) -> None:
    now_ms = time.time_ns() // 1_000_000
    for sealed in records:
        FRESHNESS_SECONDS.observe(max(0, now_ms - timestamp_ms(sealed.record["@timestamp"])) / 1000)

"""Puts a certificate into a ledger: signed here, sealed and obeyed by the indexer that owns the ledger."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import socket
from collections.abc import Callable, Mapping

from slmtrail.app import parts
from slmtrail.core import canonical, certificate, keys
from slmtrail.core.certificate import COLLECTOR, Certificate
from slmtrail.core.errors import LedgerError, StorageError
from slmtrail.core.ports import CHECKPOINTS, RECORDS, Bus, Message, Store
from slmtrail.core.settings import Settings

POLL_S = 0.1


def who() -> str:
    """The person at this keyboard, as certificates name them."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


async def decree(
    settings: Settings, decided: list[tuple[int, Certificate]], done: Callable[[Store], bool], wait_s: float
) -> list[str]:
    """Publishes each certificate to its partition and waits until `done`; returns the ids of their records.

    Where no indexer runs, this process seals them itself. Raises StorageError where it takes longer: the certificates
    are on the bus then, and the indexer will come to them.
    """
    signer = keys.signing_key(settings.keys / "control.pem")
    records = [certificate.record(made.sign(signer), settings.environment) for _, made in decided]
    messages = [
        Message(COLLECTOR, canonical.dumps(record), partition)
        for (partition, _), record in zip(decided, records, strict=True)
    ]
    ids = [str(record["event.id"]) for record in records]
    bus, store = parts.open_bus(settings), parts.open_store(settings, writable=True)
    own: list[asyncio.Task[None]] = []
    try:
        await bus.ensure_topics()
        await bus.publish(RECORDS, messages)
        for partition in {partition for partition, _ in decided}:
            with contextlib.suppress(StorageError):  # another indexer owns the ledger, and will do it
                own.append(await _indexer(settings, bus, store, partition))
        async with asyncio.timeout(wait_s):
            while True:
                for task in own:
                    if task.done():
                        task.result()
                sizes = await _signed(settings, bus)
                if await asyncio.to_thread(_sealed, sizes, store, ids) and await asyncio.to_thread(done, store):
                    break
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise StorageError(
            f"the certificate is on the bus and was not sealed within {wait_s:.0f} s: is the indexer running?"
        ) from None
    finally:
        for task in own:
            task.cancel()
        await asyncio.gather(*own, return_exceptions=True)
        store.close()
        await bus.close()
    return ids


def partition_of(settings: Settings, ledger: str) -> int:
    """The partition that a ledger is over. Raises LedgerError where it is none of these settings."""
    number = ledger.rpartition("/")[2]
    if not number.isdecimal() or parts.ledger_name(settings, int(number)) != ledger:
        raise LedgerError(f"records name the ledger {ledger!r}, which is not of these settings (ledger.origin)")
    return int(number)


async def _signed(settings: Settings, bus: Bus) -> dict[str, int]:
    """How many leaves of each ledger are signed for, by the heads on the bus."""
    from slmtrail.indexer.ledger.checkpoint import Checkpoint
    from slmtrail.indexer.ledger.note import VerifierKey

    public, sizes = parts.public_keys(settings, "ledger"), {}
    for ledger, data in (await bus.newest(CHECKPOINTS)).items():
        with contextlib.suppress(LedgerError):
            sizes[ledger] = Checkpoint.open(data, ledger, [VerifierKey.of(ledger, key) for key in public]).size
    return sizes


def _sealed(sizes: Mapping[str, int], store: Store, ids: list[str]) -> bool:
    """Whether the certificates are stored, and under signed heads."""
    sealed = [store.get(record_id) for record_id in ids]
    return all(one is not None and one.leaf < sizes.get(one.ledger, 0) for one in sealed)


async def _indexer(settings: Settings, bus: Bus, store: Store, partition: int) -> asyncio.Task[None]:
    from slmtrail.indexer.index import run

    sealer = parts.open_sealer(settings, partition)

    async def work() -> None:
        try:
            decides = parts.authorities(settings)
            await run(bus, store, sealer, partition, settings.ledger.batch_records, decides)
        finally:
            sealer.close()

    return asyncio.create_task(work())

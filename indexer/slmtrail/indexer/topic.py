"""Whether the topic is the one a ledger was read from, and how a ledger goes on with one that was made anew.

A topic made anew begins at offset 0. Who went on at the offset of the old one would never read what is before it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slmtrail.core import certificate
from slmtrail.core.errors import Expired, PastEnd
from slmtrail.core.ports import RECORDS, Bus, Store
from slmtrail.indexer.erase import ordered
from slmtrail.indexer.seal import Sealer, another_topic

log = logging.getLogger(__name__)

POLL_MS = 1000


async def check(bus: Bus, partition: int, ledger: str, next_offset: int, last_message: bytes | None) -> None:
    """Raises LedgerError where `last_message`, a SHA-256, is not of the message before `next_offset`, or there is none.
    One that the bus keeps no longer, or of which an earlier version noted nothing, tells nothing."""
    if not next_offset:
        return
    try:
        found = await _message(bus, partition, next_offset - 1)
    except Expired:
        return
    if found is None or (last_message and hashlib.sha256(found).digest() != last_message):
        raise another_topic(ledger, RECORDS, partition, next_offset - 1)


async def begin_anew(
    bus: Bus, store: Store, sealer: Sealer, partition: int, authorities: Mapping[str, Ed25519PublicKey]
) -> None:
    """Makes the ledger go on with the oldest message. What is sealed is known by its collector's mark when it comes.

    What was sealed from the old topic and is not in the store is told: nothing brings it by itself any more.
    """
    reader = await bus.read(RECORDS, partition, None)
    try:
        oldest = await reader.poll(1, POLL_MS)
    finally:
        await reader.close()
    for rows in ordered(sealer.unobeyed(), authorities, sealer.certificates):
        store.erase(sealer.ledger, rows)
    leaves = sealer.unstored
    missing = sorted(set(leaves) - store.holding(sealer.ledger, leaves)) if leaves else []
    sealer.begin_anew(oldest[0].offset if oldest else 0)
    for first, last in certificate.rows(missing):
        log.error(
            "%s: leaves %d to %d were sealed and are not in the store: run slmtrail reconcile once the head is signed",
            sealer.ledger,
            first,
            last,
        )


async def _message(bus: Bus, partition: int, offset: int) -> bytes | None:
    """The message at `offset`; None where the partition ends before. Raises Expired where it is gone."""
    try:
        reader = await bus.read(RECORDS, partition, offset)
    except PastEnd:
        return None
    try:
        if not await reader.waiting():
            return None
        while not (found := await reader.poll(1, POLL_MS)):
            pass
        return found[0].value
    finally:
        await reader.close()

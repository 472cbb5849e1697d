"""What sealing costs: indexing with and without it, in pairs, from the topic to the store.

Without it a record is parsed, numbered and stored, and the offset is committed; with it, its entry is computed, the
tree grows, and the head is signed as well. Each pair runs the same records, in changing order; medians are told. The
cost is also set against a record's way through the stream, which is the other half of the pipeline.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import orjson

from bench_records import messages, streamed
from builders import LEDGER, SealedTrail
from slmtrail.bus.sqlite import SqliteBus
from slmtrail.core.ports import RECORDS, Delivery, Message, Sealed
from slmtrail.indexer.index import run
from slmtrail.indexer.seal import Batch, Sealer
from slmtrail.indexer.store.sqlite import SqliteStore
from slmtrail.indexer.verify.trail import verify

BATCH = 2000


class Numbering(Sealer):
    """What is left of a sealer without a ledger: records get numbers, the offset is committed."""

    numbered = 0

    def seal(self, deliveries: Sequence[Delivery], extract: Callable[[Sealed], Any] = lambda _: None) -> Batch:
        """Parses and numbers."""
        first, self.numbered = self.numbered, self.numbered + len(deliveries)
        batch = Batch()
        for leaf, delivery in enumerate(deliveries, first):
            record = orjson.loads(delivery.value)
            sealed = Sealed(self.ledger, leaf, record["event.id"], record, delivery.value)
            sealed.condense(extract)
            batch.records.append(sealed)
        return batch

    def stored(self, deliveries: Sequence[Delivery]) -> None:
        """Commits the offset."""
        self._stored_offset = deliveries[-1].offset + 1
        with self._transaction():
            self._db.execute("UPDATE head SET stored_offset = ?", (self._stored_offset,))

    def checkpoint(self) -> bytes | None:
        """Signs nothing."""
        return None


def indexed(made: Callable[..., Sealer], records: list[Message]) -> tuple[float, float]:
    """Seconds and CPU seconds of indexing `records` from a bus to a store."""
    with tempfile.TemporaryDirectory() as name:
        trail = SealedTrail(Path(name))
        outcome = asyncio.run(_indexed(made, trail, records))
        if made is Sealer:
            store = SqliteStore(trail.store_path)
            assert not [fault for fault in verify([trail.ledger_folder], store).faults if fault.kind != "gap"]
            store.close()
    return outcome


async def _indexed(made: Callable[..., Sealer], trail: SealedTrail, records: list[Message]) -> tuple[float, float]:
    bus = SqliteBus(trail.folder / "bus.sqlite", partitions=1)
    await bus.ensure_topics()
    await bus.publish(RECORDS, records)
    store, sealer = SqliteStore(trail.store_path, writable=True), made(trail.folder / "ledger", LEDGER, trail.key)
    before, began = _cpu_s(), time.perf_counter()
    work = asyncio.create_task(run(bus, store, sealer, 0, BATCH, {}))
    while sealer.next_offset < len(records) and not work.done():  # noqa: ASYNC110 - it tells of no event
        await asyncio.sleep(0.002)
    seconds, cpu_s = time.perf_counter() - began, _cpu_s() - before
    await asyncio.sleep(0.1)  # the head is signed
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    sealer.close()
    store.close()
    await bus.close()
    return seconds, cpu_s


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Prints a table, and with --json one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    arguments = parser.parse_args()
    count, pairs = (8000, 5) if arguments.quick else (40_000, 9)
    with tempfile.TemporaryDirectory() as name:
        records = messages(Path(name), count)
        stream_us = streamed(Path(name) / "stream", 300 if arguments.quick else 2000)
    wall, cpu, plain_us, sealed_us = [], [], [], []
    for number in range(pairs):
        order = (Numbering, Sealer) if number % 2 else (Sealer, Numbering)
        got = {made: indexed(made, records) for made in order}
        wall.append(got[Sealer][0] / got[Numbering][0] - 1)
        cpu.append(got[Sealer][1] / got[Numbering][1] - 1)
        plain_us.append(got[Numbering][1] / count * 1e6)
        sealed_us.append(got[Sealer][1] / count * 1e6)
    added_us = statistics.median(sealed_us) - statistics.median(plain_us)
    whole_us = stream_us + statistics.median(plain_us)
    figures: dict[str, Any] = {
        "records": count,
        "pairs": pairs,
        "indexing_slower_percent": round(100 * statistics.median(wall), 1),
        "indexing_more_cpu_percent": round(100 * statistics.median(cpu), 1),
        "sealing_us_a_record": round(added_us, 1),
        "indexing_us_a_record": round(statistics.median(plain_us), 1),
        "stream_us_a_record": round(stream_us, 1),
        "pipeline_more_cpu_percent": round(100 * added_us / whole_us, 1),
    }
    print(f"indexing with sealing takes {figures['indexing_slower_percent']:+} % of time,")
    print(f"  {figures['indexing_more_cpu_percent']:+} % of CPU: {figures['sealing_us_a_record']} us a record")
    print(f"  on top of {figures['indexing_us_a_record']} us for bus and store")
    print(f"of the pipeline, with {figures['stream_us_a_record']} us in the stream: ")
    print(f"  {figures['pipeline_more_cpu_percent']:+} % of CPU")
    if arguments.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()

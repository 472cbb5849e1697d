"""What verifying costs: records a CPU second from local tiles and an export, and how memory grows with the trail.

The export repeats a few thousand records under new places, so that a long trail is made quickly; every leaf is sealed
and recomputed as it is. A child process verifies, and its memory is looked at while it walks.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench_records import messages
from slmtrail.core import canonical, commitment, keys
from slmtrail.core.identity import Position, identified
from slmtrail.core.ports import Sealed
from slmtrail.indexer import export
from slmtrail.indexer.ledger.checkpoint import Checkpoint
from slmtrail.indexer.ledger.log import Log
from slmtrail.indexer.verify.folder import LedgerFolder
from slmtrail.indexer.verify.trail import verify

LEDGER = "bench.example/ledger/0"
BATCH = 10_000


def make(folder: Path, count: int) -> float:
    """A ledger of `count` leaves with its export; returns the bytes of a record."""
    key = keys.signing_key(folder / "ledger.pem", create=True)
    some = [json.loads(message.value) for message in messages(folder, min(count, 2000))]
    some = [record for record in some if record["slm.kind"] == "inference"]
    log = Log.open(folder / "ledger", 0)
    size = 0
    with (folder / "export.ndjson").open("wb") as file:
        for first in range(0, count, BATCH):
            entries = []
            for leaf in range(first, min(first + BATCH, count)):
                record = identified(some[leaf % len(some)], "edge-1", "b" * 32, Position(leaf, 1, 0))
                data = canonical.dumps(record)
                size += len(data)
                entries.append(commitment.entry(record))
                file.write(export.line(Sealed(LEDGER, leaf, record["event.id"], record, data)))
            log.append(entries)
    (folder / "ledger" / "checkpoint").write_bytes(Checkpoint(LEDGER, count, log.root()).sign([key]))
    return size / count


def walk(folder: Path) -> None:
    """Verifies, and prints what it cost; run in a process of its own."""
    key: Ed25519PrivateKey = keys.signing_key(folder / "ledger.pem")
    resident: list[tuple[int, int]] = []

    def progress(done: int, _all: int) -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
        resident.append((done, pages * resource.getpagesize()))

    began = time.process_time()
    proved = verify(
        [LedgerFolder.of(folder / "ledger", LEDGER, key.public_key())],
        export.Export(folder / "export.ndjson"),
        progress,
    )
    cpu_s = time.process_time() - began
    assert not proved.faults, proved.faults[:3]
    late = [bytes_ for done, bytes_ in resident if done >= proved.records // 10]
    print(
        json.dumps(
            {
                "records": proved.records,
                "records_per_cpu_s": round(proved.records / cpu_s),
                "rss_mb": round(late[-1] / 1e6, 1),
                "rss_growth_mb": round((late[-1] - late[0]) / 1e6, 1),
            }
        )
    )


def main() -> None:
    """Prints a table, and with --json one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under 30 seconds")
    parser.add_argument("--records", type=int, default=2_000_000, help="of a run that is not quick")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--walk", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.walk:
        walk(arguments.walk)
        return
    count = 50_000 if arguments.quick else arguments.records
    with tempfile.TemporaryDirectory() as name:
        record_bytes = make(Path(name), count)
        done = subprocess.run([sys.executable, __file__, "--walk", name], capture_output=True, text=True, check=True)
    figures: dict[str, Any] = {"record_bytes": round(record_bytes), **json.loads(done.stdout)}
    print(f"{figures['records']:,} records of {figures['record_bytes']} bytes from tiles and an export:")
    print(f"{figures['records_per_cpu_s']:,} records a CPU second; {figures['rss_mb']} MB of memory,")
    print(f"{figures['rss_growth_mb']:+} MB between a tenth of the way and its end")
    if arguments.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()

"""What an event costs as the site grows: CPU microseconds against actors, rules, partitions and history.

Each curve changes one of them alone, in this process, on SQLite and without redaction, whose cost is that of the text.
It should be flat, and for rules a line. The pictures go to docs/images: `python bench/growth.py [--quick] [--json]`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests")]

from builders import LEDGER, NOW_MS, SealedTrail, Stream, inference, on_records_topic  # noqa: E402
from plots import Points, curves  # noqa: E402
from slmtrail.bus.sqlite import SqliteBus  # noqa: E402
from slmtrail.core.events import timestamp_text  # noqa: E402
from slmtrail.core.policy import Policy  # noqa: E402
from slmtrail.core.ports import RECORDS, Message, Query  # noqa: E402
from slmtrail.indexer.seal import Sealer  # noqa: E402
from slmtrail.indexer.store.sqlite import SqliteStore  # noqa: E402
from slmtrail.stream.judge.judge import Judge  # noqa: E402
from slmtrail.stream.judge.own import own_rules  # noqa: E402
from slmtrail.stream.judge.rule import built_in  # noqa: E402
from slmtrail.stream.process import Desk, process  # noqa: E402

FRAME_EVENTS = 180
TEXT = "which of the plans of the company fits a family of five, and what of it is paid by the month? " * 4
OWN_RULE = """\
id: own-{number}
name: Own rule {number}
detects: A model that is not here.
reference: [none]
severity: low
response: Nothing.
kinds: [inference]
subject: [user.id]
match: {{gen_ai.request.model: "other-{number}*"}}
why: "it is model {number}"
cases:
  - {{name: it, fires: true, record: {{slm.kind: inference, gen_ai.request.model: other-{number}x}}}}
  - {{name: another, fires: false, record: {{slm.kind: inference, gen_ai.request.model: phi-3}}}}
"""
"""A rule as a site adds them: a condition over a field."""


def events(actors: int) -> Iterator[dict[str, Any]]:
    """Inferences of so many users in turn, a second apart."""
    number = 0
    while True:
        at = {"@timestamp": timestamp_text(NOW_MS + number * 1000)}
        yield inference(f"Question {number}: {TEXT}", user=f"user-{number % actors}") | at
        number += 1


def streamed(folder: Path, actors: int, count: int, judge: Judge | None = None, *, kept: bool = False) -> float:
    """CPU microseconds an event in the stream, once each actor is known and the rules are warm.

    kept: what the windows remember is packed after each frame, whole shards of actors: so does the embedded stream
    after each batch, of up to 64 frames, where on Kafka it is done every few seconds.
    """
    stream = Stream(folder)
    if judge is not None:
        desk = stream.desk
        stream.desk = Desk(desk.trust, desk.key, desk.redactor, judge, desk.policy)
        stream.forget()
    edge, coming = stream.edge(), events(actors)

    def take(wanted: int) -> float:
        took_s = 0.0
        for _ in range(-(-wanted // FRAME_EVENTS)):
            some = [next(coming) for _ in range(FRAME_EVENTS)]
            edge.now_ms = NOW_MS
            frame = edge.frame(some)
            deliveries = stream.deliveries(frame)
            began_s = time.process_time()
            if kept:
                stream.process(deliveries)
            else:
                output = process(deliveries, stream.chains, stream.desk)
                stream.windows.take(output.signals)
                stream.chains.update(output.chains)
            took_s += time.process_time() - began_s
        return took_s / (-(-wanted // FRAME_EVENTS) * FRAME_EVENTS)

    take(max(actors, 4 * FRAME_EVENTS))
    gc.collect()
    return take(count) * 1e6


def by_actors(folder: Path, sizes: list[int], count: int) -> dict[str, Points]:
    """The stream, whose windows know every actor."""

    def costs(kept: bool) -> Points:
        return [(actors, streamed(folder / f"{actors}{kept}", actors, count, kept=kept)) for actors in sizes]

    return {"stream": costs(False), "state kept each frame": costs(True)}


def by_rules(folder: Path, sizes: list[int], count: int) -> dict[str, Points]:
    """The stream, with some of the rules that come with it, and beyond those with rules of a site's own."""
    with_us, own = list(built_in()), folder / "rules"
    for number in range(max(sizes)):
        (own / f"own-{number}").mkdir(parents=True)
        (own / f"own-{number}" / "rule.yaml").write_text(OWN_RULE.format(number=number))
    rules = with_us + list(own_rules(own).rules)
    return {
        "stream": [(size, streamed(folder / str(size), 300, count, Judge(Policy(), rules[:size]))) for size in sizes]
    }


def by_partitions(folder: Path, sizes: list[int], count: int) -> dict[str, Points]:
    """A bus, from published to committed by one reader of all partitions."""
    return {"bus": [(size, asyncio.run(_carried(folder / f"{size}.sqlite", size, count))) for size in sizes]}


async def _carried(file: Path, partitions: int, count: int) -> float:
    bus = SqliteBus(file, partitions=partitions)
    await bus.ensure_topics()
    value = json.dumps(inference(TEXT)).encode()
    reader = await bus.subscribe(RECORDS, "bench")
    began_s, got = time.process_time(), 0
    for first in range(0, count, FRAME_EVENTS):
        some = [Message(f"edge-{number % (4 * partitions)}", value) for number in range(first, first + FRAME_EVENTS)]
        await bus.publish(RECORDS, some)
        while got < first + FRAME_EVENTS:
            got += len(await reader.poll(500, 1000))
        await reader.commit()
    took_s = time.process_time() - began_s
    await reader.close()
    await bus.close()
    return took_s / got * 1e6


def by_history(folder: Path, sizes: list[int], count: int) -> dict[str, Points]:
    """Sealing and storing, and a search over three fields, when so many records are there already."""
    stream, trail = Stream(folder), SealedTrail(folder)
    edge, coming = stream.edge(), events(300)
    store = SqliteStore(trail.store_path, writable=True)
    sealer = Sealer(folder / "ledger", LEDGER, trail.key)
    done = 0
    costs: dict[str, list[tuple[float, float]]] = {"seal and store": [], "one search": []}

    def index(wanted: int) -> float:
        nonlocal done
        took_s, until = 0.0, done + wanted
        while done < until:
            records = stream.take(edge.frame([next(coming) for _ in range(FRAME_EVENTS)])).records
            batch = on_records_topic(records, done)
            began_s = time.process_time()
            sealed = sealer.seal(batch)
            store.write(sealed.records)
            sealer.stored(batch)
            took_s += time.process_time() - began_s
            done += len(batch)
        return took_s

    for size in sizes:
        index(size - done)
        sealer.checkpoint()
        query = Query(where="user:user-7 kind:inference env:dev", limit=50)
        store.search(query)
        began_s = time.process_time()
        for _ in range(20):
            store.search(query)
        costs["one search"].append((size, (time.process_time() - began_s) / 20 * 1e6))
        before = done
        costs["seal and store"].append((size, index(count) / (done - before) * 1e6))
    sealer.close()
    store.close()
    return dict(costs)


CURVES: dict[str, tuple[Callable[[Path, list[int], int], dict[str, Points]], list[int], list[int], int, int]] = {
    "actors": (by_actors, [10, 100, 1000, 10_000], [10, 100, 1000, 10_000, 100_000], 1800, 18_000),
    "rules": (by_rules, [1, 9, 18, 35, 70, 140], [1, 9, 18, 35, 70, 140, 280], 1080, 9000),
    "partitions": (by_partitions, [1, 4, 16, 64], [1, 4, 16, 64, 256], 5400, 36_000),
    "history": (by_history, [2000, 8000, 32_000], [10_000, 40_000, 160_000, 640_000], 2000, 10_000),
}
"""For each: what measures it, the sizes with --quick and without, and how many events with and without."""


def main() -> None:
    """Prints a table, draws the pictures, and with --json gives one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--images", type=Path, default=ROOT / "docs" / "images", help="where the pictures go")
    given = parser.parse_args()
    found: dict[str, dict[str, Points]] = {}
    for name, (measure, few, many, quick_count, count) in CURVES.items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = measure(Path(folder), few if given.quick else many, quick_count if given.quick else count)
        picture = curves(f"CPU µs an event, by {name}", name, found[name])
        (given.images / f"growth-{name}.svg").write_text(picture)
    for name, lines in found.items():
        for line, points in lines.items():
            told = "  ".join(f"{size:>9,}: {us:7.1f}" for size, us in points)
            print(f"{name:10} {line:21} µs {told}   {points[-1][1] / points[0][1]:.2f} times from first to last")
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()

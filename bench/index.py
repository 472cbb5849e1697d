"""The indexer on a real Kafka and Elasticsearch: `python bench/index.py [--quick] [--json]`.

Paired, in turns, over the same records: `slmtrail index`, from the topic to the store with sealing and all, against
files of NDJSON made beforehand and sent with curl, as many at once. Then the disk that our templates take against a
dynamic mapping, the time from event to search at half of that rate, memory, and the rate after an outage.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

import orjson  # noqa: E402

from bench_records import messages  # noqa: E402
from servers.elastic import Elastic, start_elastic  # noqa: E402
from servers.kafka import start_kafka  # noqa: E402
from slmtrail.app.running.run import STORED_AT_ONCE  # noqa: E402
from slmtrail.bus.connect import connect  # noqa: E402
from slmtrail.core.events import timestamp_text  # noqa: E402
from slmtrail.core.ports import RECORDS, Message, Sealed  # noqa: E402
from slmtrail.indexer.store.elastic import ElasticStore  # noqa: E402
from slmtrail.indexer.store.elastic_bulk import line  # noqa: E402
from slmtrail.indexer.store.elastic_client import ElasticClient  # noqa: E402
from slmtrail.indexer.store.mapping import LEAF, component_templates, index_template  # noqa: E402
from trails import Trail, eventually  # noqa: E402

TICKS, PAGE_BYTES = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
REQUEST_RECORDS = 2000
BASE = 500
STEPS_MS = (250, 500, 750, 1000, 1500, 2000, 3000, 5000, 10_000)


@dataclass
class Source:
    """Records without end: five hundred that the stream wrote, each time with another identity and time."""

    folder: Path
    made: int = 0
    _base: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        records = [orjson.loads(message.value) for message in messages(self.folder, BASE + 100)]
        self._base = [record for record in records if record["slm.kind"] == "inference"][:BASE]

    def take(self, count: int) -> list[bytes]:
        """The next of them."""
        now = timestamp_text(time.time_ns() // 1_000_000)
        numbers = range(self.made, self.made + count)
        self.made += count
        return [
            orjson.dumps(
                {
                    **self._base[n % BASE],
                    "@timestamp": now,
                    "event.id": f"{n:032x}",
                    "slm.collector.frame": 1000 + n,
                },
                option=orjson.OPT_SORT_KEYS,
            )
            for n in numbers
        ]


class Indexed(Trail):
    """`slmtrail index` over one partition."""

    def __init__(self, folder: Path, bootstrap: str, elastic: Elastic) -> None:
        super().__init__(folder, SLMTRAIL_BUS_URL=f"kafka://{bootstrap}", SLMTRAIL_STORE_URL=elastic.url)
        assert self.run("init").returncode == 0
        self.bus = f"kafka://{bootstrap}"
        asyncio.run(self._publish([]))

    def launch(self) -> None:
        """Starts it."""
        self.process("index").start()

    def publish(self, values: list[bytes]) -> None:
        """Puts records on the topic."""
        asyncio.run(self._publish(values))

    async def _publish(self, values: list[bytes]) -> None:
        bus = connect(self.bus, partitions=1)
        await bus.ensure_topics()
        for first in range(0, len(values), 5000):
            await bus.publish(RECORDS, [Message("edge-1", value) for value in values[first : first + 5000]])
        await bus.close()

    def signed(self) -> int:
        """How many records are stored and signed for."""
        try:
            return int((self.data / "ledger/0/checkpoint").read_text().splitlines()[1])
        except FileNotFoundError:
            return 0

    def until(self, size: int) -> float:
        """When so many are."""
        eventually(f"{size} records are stored", lambda: self.signed() >= size, 3600, 0.005)
        return time.monotonic()

    def cpu_s(self) -> float:
        """CPU seconds of the indexer so far."""
        return cpu_s(self.process("index").pid)

    def resident_mb(self) -> float:
        """Memory of the indexer."""
        return int(stat(self.process("index").pid)[21]) * PAGE_BYTES / 1e6


def stat(pid: int) -> list[str]:
    """What the system counts of a process."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far."""
    return sum(map(int, stat(pid)[11:13])) / TICKS


@dataclass(frozen=True, slots=True)
class Run:
    """What it took to index some records; CPU seconds are a million."""

    records_a_second: float
    client_cpu_s: float
    server_cpu_s: float


def ours(trail: Indexed, elastic: Elastic, values: list[bytes]) -> Run:
    """The indexer over records that lie ready on the topic."""
    before, millions = trail.signed(), len(values) / 1e6
    trail.process("index").pause()
    trail.publish(values)
    client_s, server_s, begun_s = trail.cpu_s(), cpu_s(elastic.pid), time.monotonic()
    trail.process("index").resume()
    took_s = trail.until(before + len(values)) - begun_s
    used_s = trail.cpu_s() - client_s, cpu_s(elastic.pid) - server_s
    return Run(len(values) / took_s, used_s[0] / millions, used_s[1] / millions)


def curled(elastic: Elastic, folder: Path, values: list[bytes]) -> Run:
    """The same documents in files, sent by curl."""
    blocks = []
    for number, first in enumerate(range(0, len(values), REQUEST_RECORDS)):
        file = folder / f"{number}.ndjson"
        file.write_bytes(b"".join(lines("logs-slm.standard-curl", values[first : first + REQUEST_RECORDS], first)))
        blocks.append(
            f'url = "{elastic.url}/_bulk?filter_path=errors"\nheader = "content-type: application/x-ndjson"\n'
            f'data-binary = "@{file}"\noutput = "{file}.out"\n'
        )
    config = folder / "curl.config"
    config.write_text("next\n".join(blocks))
    millions = len(values) / 1e6
    client_s, server_s, begun_s = sum(os.times()[2:4]), cpu_s(elastic.pid), time.monotonic()
    command = [
        "curl",
        "-sS",
        "--no-progress-meter",
        "--parallel",
        "--parallel-max",
        str(STORED_AT_ONCE),
        "-K",
        str(config),
    ]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    took_s = time.monotonic() - begun_s
    answers = [Path(f"{folder}/{number}.ndjson.out").read_text() for number in range(len(blocks))]
    assert all(answer == '{"errors":false}' for answer in answers), answers[:1]
    used_s = sum(os.times()[2:4]) - client_s, cpu_s(elastic.pid) - server_s
    return Run(len(values) / took_s, used_s[0] / millions, used_s[1] / millions)


def lines(stream: str, values: list[bytes], first: int = 0) -> Iterator[bytes]:
    """The body of a bulk request."""
    for leaf, value in enumerate(values, first):
        sealed = of(value, leaf)
        yield orjson.dumps({"create": {"_index": stream, "_id": sealed.id}}) + b"\n" + line(sealed) + b"\n"


def of(value: bytes, leaf: int) -> Sealed:
    """A record as a sealer gives it."""
    record = orjson.loads(value)
    return Sealed("bench/0", leaf, record["event.id"], record, value)


def quiet(client: ElasticClient) -> None:
    """Waits until the server has nothing left to merge."""

    def idle() -> bool:
        nodes = client.ask("GET", "/_nodes/stats/indices/merge")["nodes"].values()
        return all(node["indices"]["merges"]["current"] == 0 for node in nodes)

    client.ask("POST", "/_flush")
    eventually("merges end", idle, 600)


def paired(trail: Indexed, elastic: Elastic, source: Source, count: int, pairs: int) -> dict[str, Any]:
    """The indexer and curl, in turns."""
    client = ElasticClient(elastic.url)
    runs: list[Run] = []
    curl_runs: list[Run] = []
    memory_mb: list[float] = []
    for number in range(pairs + 1):
        values = source.take(count)
        for which in ("ours", "curl") if number % 2 else ("curl", "ours"):
            quiet(client)
            if which == "curl":
                with tempfile.TemporaryDirectory() as folder:
                    curl_runs.append(curled(elastic, Path(folder), values))
            else:
                runs.append(ours(trail, elastic, values))
                memory_mb.append(trail.resident_mb())
    # The first pair warms up server, indexer and disk.
    runs, curl_runs = runs[1:], curl_runs[1:]
    ratios = [mine.records_a_second / curl.records_a_second for mine, curl in zip(runs, curl_runs, strict=True)]
    # What a machine can do at most that has no core to spare: a steadier figure where others work too.
    by_cpu = [
        (curl.client_cpu_s + curl.server_cpu_s) / (mine.client_cpu_s + mine.server_cpu_s)
        for mine, curl in zip(runs, curl_runs, strict=True)
    ]
    return {
        "records_a_second": round(statistics.median(run.records_a_second for run in runs)),
        "curl_records_a_second": round(statistics.median(run.records_a_second for run in curl_runs)),
        "percent_of_curl": round(100 * statistics.median(ratios), 1),
        "percent_of_curl_each": [round(100 * ratio, 1) for ratio in ratios],
        "percent_of_curl_by_cpu": round(100 * statistics.median(by_cpu), 1),
        "indexer_cpu_s_a_million": round(statistics.median(run.client_cpu_s for run in runs), 1),
        "server_cpu_s_a_million": round(statistics.median(run.server_cpu_s for run in runs), 1),
        "server_cpu_s_a_million_of_curl": round(statistics.median(run.server_cpu_s for run in curl_runs), 1),
        "resident_mb_first": round(memory_mb[1]),
        "resident_mb_last": round(memory_mb[-1]),
    }


def written(elastic: Elastic, source: Source, count: int) -> float:
    """CPU seconds a million of the client alone: from sealed records to the server's answers."""
    store = ElasticStore(elastic.url, writable=True, dataset="benchclient")
    records = [of(value, leaf) for leaf, value in enumerate(source.take(count))]
    store.write(records[:1000])
    cpu_s = time.process_time()
    for first in range(1000, count, REQUEST_RECORDS):
        assert store.write(records[first : first + REQUEST_RECORDS]) == []
    cpu_s = time.process_time() - cpu_s
    store.close()
    return round(cpu_s / (count - 1000) * 1e6, 1)


def disk(elastic: Elastic, source: Source, count: int) -> dict[str, Any]:
    """Bytes a record, merged, of our mappings in both index modes and of what Elasticsearch does by itself."""
    client, values = ElasticClient(elastic.url), source.take(count)
    found: dict[str, Any] = {}
    for name in ("logsdb", "standard", "dynamic"):
        pattern = f"logs-disk{name}.*-*"
        template: dict[str, Any] = {"index_patterns": [pattern], "data_stream": {}, "priority": 600}
        if name != "dynamic":
            parts = component_templates(f"disk{name}", logsdb=name == "logsdb")
            for part, component in parts.items():
                client.ask("PUT", f"/_component_template/{part}", component)
            template = index_template(pattern, parts)
        client.ask("PUT", f"/_index_template/disk{name}", template)
        stream = f"logs-disk{name}.standard-x"
        for first in range(0, count, REQUEST_RECORDS):
            body = b"".join(lines(stream, values[first : first + REQUEST_RECORDS], first))
            assert not client.raw("POST", "/_bulk", body, filter_path="errors")["errors"]
        client.ask("POST", f"/{stream}/_forcemerge", max_num_segments="1")
        client.ask("POST", f"/{stream}/_flush", force="true")
        size = client.ask("GET", f"/{stream}/_stats/store")["_all"]["primaries"]["store"]["size_in_bytes"]
        found[f"{name}_bytes_a_record"] = round(size / count)
        if name == "logsdb":
            found["phrases_found"] = phrases(client, stream, values)
    for name in ("logsdb", "standard"):
        found[f"{name}_percent_of_dynamic"] = round(
            100 * found[f"{name}_bytes_a_record"] / found["dynamic_bytes_a_record"], 1
        )
    return found


def phrases(client: ElasticClient, stream: str, values: list[bytes]) -> bool:
    """Whether phrases from texts find the records they are from."""
    for value in values[:: max(1, len(values) // 20)]:
        record = orjson.loads(value)
        words = record["gen_ai.input.messages"][0]["parts"][0]["content"].split()[10:16]
        query = {"bool": {"filter": [
            {"match_phrase": {"slm.text": " ".join(words)}}, {"term": {"event.id": record["event.id"]}}
        ]}}  # fmt: skip
        if client.ask("POST", f"/{stream}/_search", {"query": query})["hits"]["total"]["value"] != 1:
            return False
    return True


def searchable(trail: Indexed, elastic: Elastic, source: Source, rate: float, seconds: float) -> dict[str, Any]:
    """Milliseconds from an event to its being found by a search, at this rate."""
    client, stream = ElasticClient(elastic.url), "logs-slm.standard-dev"
    before = trail.signed()
    sent_ms: dict[str, float] = {}
    waits_ms: list[float] = []
    each = max(1, round(rate / 10))
    total = each * round(seconds * 10)

    def send() -> None:
        bus_values = [source.take(each) for _ in range(total // each)]

        async def paced() -> None:
            bus = connect(trail.bus, partitions=1)
            next_s = time.monotonic()
            for values in bus_values:
                stamped = time.monotonic() * 1000
                sent_ms.update((orjson.loads(value)["event.id"], stamped) for value in values)
                await bus.publish(RECORDS, [Message("edge-1", value) for value in values])
                next_s += 0.1
                await asyncio.sleep(max(0, next_s - time.monotonic()))
            await bus.close()

        asyncio.run(paced())

    sender = threading.Thread(target=send)
    sender.start()
    # Several requests are under way at once, so a leaf may be found before the one in front of it.
    next_leaf, ahead, deadline_s = before, set[int](), time.monotonic() + seconds + 60
    while len(waits_ms) < total and time.monotonic() < deadline_s:
        body = {
            "query": {"range": {LEAF: {"gte": next_leaf}}},
            "sort": [{LEAF: "asc"}],
            "size": 10_000,
            "_source": ["event.id"],
            "track_total_hits": False,
        }
        hits = client.ask("POST", f"/{stream}/_search", body)["hits"]["hits"]
        now_ms = time.monotonic() * 1000
        new = {hit["sort"][0]: hit["_source"]["event.id"] for hit in hits if hit["sort"][0] not in ahead}
        waits_ms += [now_ms - sent_ms[event_id] for event_id in new.values()]
        ahead |= new.keys()
        while next_leaf in ahead:
            ahead.discard(next_leaf)
            next_leaf += 1
        time.sleep(0.05)
    sender.join()
    waits_ms.sort()
    edges = itertools.pairwise((0, *STEPS_MS, 10**9))
    return {
        "records_a_second": each * 10,
        "found": len(waits_ms),
        "p50_ms": round(waits_ms[len(waits_ms) // 2]),
        "p99_ms": round(waits_ms[int(len(waits_ms) * 0.99)]),
        "histogram_ms": {f"<{high}": sum(low <= wait < high for wait in waits_ms) for low, high in edges},
    }


def recovered(trail: Indexed, elastic: Elastic, source: Source, count: int, outage_s: float) -> dict[str, Any]:
    """Records a second from the first that is stored after the server gave no answer, with all that came in meanwhile;
    beside what it takes right before and right after. The server is frozen, not killed: a new one is slow at first."""
    full = [ours(trail, elastic, source.take(count)).records_a_second]
    before = trail.signed()
    elastic.pause()
    trail.publish(source.take(count))
    time.sleep(outage_s)
    elastic.resume()
    back_s = time.monotonic()
    first_s = trail.until(before + 1)
    done = trail.signed() - before
    rate = (count - done) / (trail.until(before + count) - first_s)
    full.append(ours(trail, elastic, source.take(count)).records_a_second)
    return {
        "outage_s": outage_s,
        "idle_s_after": round(first_s - back_s, 1),
        "records_a_second": round(rate),
        "full_records_a_second": [round(each) for each in full],
        "percent_of_full_rate": round(100 * rate / statistics.mean(full), 1),
    }


def memory_mb(trail: Indexed, source: Source, count: int) -> list[int]:
    """What the indexer takes, ten times while it goes through so many records."""
    found = []
    for _ in range(10):
        before = trail.signed()
        trail.publish(source.take(count // 10))
        trail.until(before + count // 10)
        found.append(round(trail.resident_mb()))
    return found


@contextmanager
def running(*, apart: bool) -> Iterator[tuple[Indexed, Elastic, Source]]:
    """An indexer on a Kafka and an Elasticsearch of their own."""
    cores = sorted(os.sched_getaffinity(0))
    servers, clients = (cores[: len(cores) // 2], cores[len(cores) // 2 :]) if apart else (cores, cores)
    # What is started gets the cores of who starts it.
    os.sched_setaffinity(0, servers)
    with tempfile.TemporaryDirectory(prefix="slmtrail-bench-") as name, start_elastic() as elastic:
        os.sched_setaffinity(0, clients)
        with start_kafka() as kafka:
            folder = Path(name)
            trail, source = Indexed(folder, kafka.bootstrap, elastic), Source(folder)
            trail.launch()
            try:
                trail.publish(source.take(2000))
                trail.until(2000)
                yield trail, elastic, source
            finally:
                trail.kill()


def measured(quick: bool, outage_s: float, *, apart: bool) -> dict[str, Any]:
    """All of it."""
    count, pairs = (6000, 2) if quick else (100_000, 9)
    with running(apart=apart) as (trail, elastic, source):
        result: dict[str, Any] = {"records_each_time": count, "indexing": paired(trail, elastic, source, count, pairs)}
        result["client_cpu_s_a_million"] = written(elastic, source, 5000 if quick else 50_000)
        rate = result["indexing"]["records_a_second"]
        result["event_to_search"] = searchable(trail, elastic, source, rate / 2, 4 if quick else 60)
        result["after_an_outage"] = recovered(trail, elastic, source, count, outage_s)
        result["memory_mb"] = memory_mb(trail, source, 20_000 if quick else 1_000_000)
        result["disk"] = disk(elastic, source, 3000 if quick else 100_000)
    return result


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer records: under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--outage-s", type=float, help="how long the server is away; 600 without --quick")
    parser.add_argument(
        "--apart", action="store_true", help="the server has half of the cores for itself, as on a machine of its own"
    )
    given = parser.parse_args()
    outage_s = given.outage_s if given.outage_s is not None else 1 if given.quick else 600
    result = measured(given.quick, outage_s, apart=given.apart)
    for name, row in result.items():
        print(f"{name:24} {row}")
    if given.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()

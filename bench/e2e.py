"""The whole way of an event, from the request to the search hit: `python bench/e2e.py [--quick] [--json]`.

In one process on SQLite, and as a collector, a Faust stream and an indexer over a real Kafka and a real Elasticsearch.
Events are posted by several callers until all are stored: how many a second that is, the CPU seconds of each process
for a million events, its memory, and how old an event is when a search first finds it, at about half of that rate. Then
the same over a history of two and of four times as many: what an event costs must not grow. `--quick` takes fewer.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

from servers.elastic import start_elastic  # noqa: E402
from servers.kafka import start_kafka  # noqa: E402
from servers.server import UnavailableError  # noqa: E402
from slmtrail.app.reading import Asked, Reading  # noqa: E402
from slmtrail.core import settings as settings_file  # noqa: E402
from trails import DistributedTrail, EmbeddedTrail, Trail, eventually  # noqa: E402

CALLERS, PER_REQUEST = 4, 50
TICKS, PAGE_BYTES = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
BAR = 40


def inference(number: int) -> dict[str, Any]:
    """An event of about a kilobyte, with an e-mail address in one of ten."""
    said = (
        f"Question {number}: " + "which of the plans of the company fits a family of five, and what of it is paid? " * 4
    )
    mail = f" My address is user{number}@example.com." if number % 10 == 0 else ""
    return {
        "slm.kind": "inference",
        "user.id": f"user-{number % 500}",
        "gen_ai.request.model": "phi-3",
        "gen_ai.usage.input_tokens": 90,
        "gen_ai.usage.output_tokens": 40,
        "slm.latency_ms": 300 + number % 700,
        "gen_ai.input.messages": [{"role": "user", "content": said + mail}],
        "gen_ai.output.messages": [{"role": "assistant", "content": "The middle one; the rest is paid yearly. " * 6}],
    }


class Load:
    """A trail under load, and what it has stored."""

    def __init__(self, trail: Trail) -> None:
        self.trail = trail
        environ = {**os.environ, **trail.environ}
        self.reading = Reading(settings_file.load(None, environ))
        self.sent = 0
        self._lock = threading.Lock()

    def post(self, count: int) -> float:
        """Posts so many and waits until all are stored; the seconds that took."""
        began = time.monotonic()
        with ThreadPoolExecutor(CALLERS) as callers:
            for done in [callers.submit(self._post) for _ in range(count // PER_REQUEST)]:
                done.result()
        eventually("all are stored", lambda: self.stored() >= self.sent, 600, 0.2)
        return time.monotonic() - began

    def stored(self) -> int:
        """How many inferences a search finds."""
        return self._total(Asked(kind="inference", limit=1))

    def _total(self, asked: Asked) -> int:
        return self.reading.search(asked).total

    def ages_ms(self, rate: float, probes: int) -> list[float]:
        """How old an event is when it is first found, while others are posted at this rate."""
        ages = []
        for _ in range(probes):
            began = time.monotonic()
            for _ in range(max(1, int(rate / PER_REQUEST / 4))):
                self._post()
            name = f"probe-{time.time_ns()}"
            sent = time.monotonic()
            self._send([{**inference(0), "trace.id": name}])
            asked = Asked(f"trace:{name}", limit=1)
            eventually("it is found", partial(self._total, asked), 60, 0.01)
            ages.append((time.monotonic() - sent) * 1000)
            time.sleep(max(0.0, 0.25 - (time.monotonic() - began)))
        return sorted(ages)

    def _post(self) -> None:
        with self._lock:
            first = self.sent
        self._send([inference(first + n) for n in range(PER_REQUEST)])

    def _send(self, events: list[dict[str, Any]]) -> None:
        status, answer = self.trail.post(events)
        if status != 200:
            raise RuntimeError(f"{status}: {answer}")
        with self._lock:
            self.sent += len(events)


def usage(trail: Trail, servers: dict[str, int]) -> dict[str, tuple[float, float]]:
    """Of each process, with all it started: CPU seconds so far, and megabytes."""
    roots = {name: process._process.pid for name, process in trail.processes.items() if process._process} | servers
    parents: dict[int, int] = {}
    used: dict[int, tuple[float, float]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            pid, fields = int(stat.parent.name), stat.read_text().rpartition(")")[2].split()
            parents[pid] = int(fields[1])
            used[pid] = sum(map(int, fields[11:15])) / TICKS, int(fields[21]) * PAGE_BYTES / 1e6
    told = dict.fromkeys(roots, (0.0, 0.0))
    for pid, (cpu_s, mb) in used.items():
        above = pid
        while above and above not in roots.values():
            above = parents.get(above, 0)
        for name, root in roots.items():
            if root == above:
                told[name] = told[name][0] + cpu_s, told[name][1] + mb
    return told


def measured(trail: Trail, servers: dict[str, int], count: int, probes: int) -> dict[str, Any]:
    """The figures of one trail."""
    trail.start()
    load = Load(trail)
    load.post(count // 4)  # what loads at the first event is not what an event costs
    steps: list[dict[str, Any]] = []
    for times in (1, 2, 4):
        before = usage(trail, servers)
        took_s = load.post(count)
        after = usage(trail, servers)
        cost = {name: (after[name][0] - before[name][0]) / count * 1e6 for name in after}
        steps.append({"history": times, "events_a_second": count / took_s, "cpu_s_per_million": cost})
        if times < 4:
            load.post(count * (times - (times > 1)))
    rate = steps[0]["events_a_second"]
    ages = load.ages_ms(rate / 2, probes)
    memory = {name: mb for name, (_, mb) in usage(trail, servers).items()}
    return {
        "events": load.sent,
        "steps": steps,
        "age_ms": {"probes": probes, "p50": statistics.median(ages), "longest": ages[-1]},
        "memory_mb": memory,
    }


@contextmanager
def distributed(folder: Path) -> Iterator[tuple[Trail, dict[str, int]]]:
    """A trail over Kafka and Elasticsearch, and the servers' processes."""
    with start_kafka() as kafka, start_elastic() as elastic:
        trail = DistributedTrail(folder, kafka.bootstrap, elastic.url, workers=0)
        servers = {}
        for server in (kafka, elastic):
            process = getattr(server._runtime, "_process", None)
            if process is not None:
                servers[server.name] = process.pid
        try:
            yield trail, servers
        finally:
            trail.stop()


def table(title: str, found: dict[str, Any]) -> str:
    """What a person reads."""
    lines = [f"{title}: {found['events']:,} events"]
    for step in found["steps"]:
        whole = sum(step["cpu_s_per_million"].values())
        lines.append(
            f"  history x{step['history']}: {step['events_a_second']:>7,.0f} events a second, "
            f"{whole:>6,.0f} CPU s a million"
        )
    costs = found["steps"][0]["cpu_s_per_million"]
    most = max(costs.values()) or 1
    for name, cost in sorted(costs.items(), key=lambda pair: -pair[1]):
        bar = "#" * max(1, round(cost / most * BAR))
        lines.append(f"  {name:14} {cost:>6,.0f} CPU s a million  {found['memory_mb'][name]:>6,.0f} MB  {bar}")
    age = found["age_ms"]
    lines.append(f"  age when found: p50 {age['p50']:,.0f} ms, longest of {age['probes']} {age['longest']:,.0f} ms")
    return "\n".join(lines)


def main() -> None:
    """Both ways."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    count, probes = (500, 8) if given.quick else (20_000, 100)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        embedded = EmbeddedTrail(Path(temporary) / "embedded")
        try:
            found["embedded"] = measured(embedded, {}, count, probes)
        finally:
            embedded.stop()
        try:
            with distributed(Path(temporary) / "distributed") as (trail, servers):
                found["distributed"] = measured(trail, servers, count, probes)
        except UnavailableError as reason:
            print(f"distributed: left out: {reason}")
    for title, one in found.items():
        print(table(title, one))
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()

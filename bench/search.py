"""How fast the embedded store is searched, and its records counted: p50, p95 and the slowest, by sort of search.

Records of about 1.2 KB, as many as --records says; with --quick as many as can be written in 20 seconds. Each search
is another one: values are drawn anew, and every page is the newest 50 with the exact number of all that fit. Of the
pages in a browser it is the CPU time that is told, as if the newest record came just now.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import orjson
from starlette.applications import Starlette
from starlette.testclient import TestClient

from slmtrail.app.reading import Reading
from slmtrail.app.web import render
from slmtrail.app.web.pages import page_routes
from slmtrail.core.errors import QueryError
from slmtrail.core.events import timestamp_ms, timestamp_text
from slmtrail.core.ports import Query, Sealed
from slmtrail.core.settings import Settings, StoreSettings
from slmtrail.indexer.retain.roll import roll
from slmtrail.indexer.store.elastic import ElasticStore
from slmtrail.indexer.store.sqlite import SqliteStore
from trails import EmbeddedTrail

BATCH, QUICK_WRITE_S, QUICK_SEARCH_S = 2000, 20, 15
START_MS, EACH_MS = 1_780_000_000_000, 250
USERS, MODELS, ENVIRONMENTS = 5000, ("phi-3", "phi-3.5", "llama-3.2", "qwen2.5", "gemma-2"), ("prod", "staging", "dev")
KINDS, OUTCOMES = ("inference", "auth", "policy", "config", "alert", "system"), ("success", "failure", "unknown")
KINDS_IN_100 = (82, 9, 5, 1, 1, 2)

_rng = random.Random(7)
_COMMON = (
    "please summarise ticket printer floor paper order call meeting friday invoice march paid finance refund".split()
)
_RARE = ["".join(_rng.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(20_000)]


def _user(rng: random.Random) -> str:
    # A few users ask for much, most for little.
    return f"user-{int(USERS * rng.random() ** 2)}"


def _records(count: int) -> Iterator[Sealed]:
    rng = random.Random(1)
    for leaf in range(count):
        text = " ".join((*rng.choices(_COMMON, k=70), *rng.choices(_RARE, k=30)))
        record: dict[str, Any] = {
            "@timestamp": timestamp_text(START_MS + leaf * EACH_MS),
            "event.id": f"{rng.getrandbits(128):032x}",
            "event.outcome": rng.choices(OUTCOMES, (90, 8, 2))[0],
            "slm.kind": rng.choices(KINDS, KINDS_IN_100)[0],
            "slm.collector.id": f"edge-{leaf % 8}",
            "deployment.environment.name": rng.choices(ENVIRONMENTS, (70, 20, 10))[0],
            "service.name": f"service-{leaf % 12}",
            "user.id": _user(rng),
            "session.id": f"s-{leaf // 8}",
            "trace.id": f"{leaf // 2:032x}",
            "gen_ai.request.model": rng.choices(MODELS, (50, 20, 15, 10, 5))[0],
            "slm.latency_ms": int(rng.lognormvariate(6, 1)),
            "gen_ai.usage.input_tokens": rng.randint(20, 900),
            "gen_ai.usage.output_tokens": rng.randint(1, 600),
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": text}]}],
        }
        if record["slm.kind"] == "system":
            record |= {"event.action": "covered", "slm.trail.collector": record["slm.collector.id"]}
        if rng.random() < 0.03:
            record["slm.flags"] = [rng.choice(("injection", "burst", "leak"))]
        yield Sealed("bench/0", leaf, record["event.id"], record, orjson.dumps(record))


def _fields(rng: random.Random) -> str:
    kind, environment = rng.choices(KINDS, KINDS_IN_100)[0], rng.choice(ENVIRONMENTS)
    return (
        f"user:{_user(rng)} model:{rng.choice(MODELS)} kind:{kind} env:{environment} latency_ms>{rng.randint(50, 3000)}"
    )


def _common_fields(rng: random.Random) -> str:
    # No field of it is rare: all of the store's columns are read.
    return f"model:{rng.choice(MODELS)} kind:inference env:prod outcome:failure latency_ms>{rng.randint(50, 3000)}"


SEARCHES: dict[str, Callable[[random.Random], str]] = {
    "five_fields": _fields,
    "five_fields_and_text": lambda rng: f"{_fields(rng)} {rng.choice(_COMMON)}",
    "five_common_fields": _common_fields,
    "rare_words": lambda rng: f"{rng.choice(_RARE)} {rng.choice(_COMMON)} env:prod",
    "phrase": lambda rng: f'"{" ".join(rng.choices(_COMMON, k=3))}" outcome:failure',
    "session_or_trace": lambda rng: f"session:s-{rng.randint(0, 1000)} or trace:{rng.randint(0, 1000):032x}",
    "wildcard": lambda rng: f"model:phi-3* user:user-{rng.randint(10, 99)}* not env:dev",
    "by_data": lambda rng: f"gen_ai.usage.cache_read.input_tokens>1 service:service-{rng.randint(0, 11)}",
}


COUNTS: dict[str, Callable[[SqliteStore, random.Random], object]] = {
    "facet": lambda store, rng: store.facet(Query(where=_fields(rng)), rng.choice(("model", "flag", "env")), 10),
    "facet_of_all": lambda store, rng: store.facet(Query(), rng.choice(("model", "kind")), 10),
    "histogram": lambda store, rng: store.histogram(Query(where=_common_fields(rng)), 60),
    "histogram_of_all": lambda store, _: store.histogram(Query(), 60),
}


PAGES = {
    "search": "/",
    "overview": "/overview",
    "overview_4w": "/overview?since=4w",
    "overview_52w": "/overview?since=52w",
    "alerts": "/alerts",
    "session": "/session/s-9",
    "incident_of_a_user": "/incident?about=user&name=user-99&around=1h",
    "compare_form": "/compare",
    "compare_two_models": "/compare?one=phi-3&other=phi-3.5&since=52w",
    "counts_beside_a_search": "/shape?part=1",
    "integrity": "/integrity",
    "retention": "/retention",
}


def _searching(make: Callable[[random.Random], str]) -> Callable[[SqliteStore, random.Random], object]:
    return lambda store, rng: store.search(Query(where=make(rng)))


def _told(took_ms: list[float]) -> dict[str, float]:
    return {
        "p50_ms": round(statistics.median(took_ms), 1),
        "p95_ms": round(sorted(took_ms)[int(0.95 * (len(took_ms) - 1))], 1),
        "max_ms": round(max(took_ms), 1),
    }


def _measured(
    store: SqliteStore, ask: Callable[[SqliteStore, random.Random], object], most: int, most_s: float
) -> dict[str, float]:
    rng, refused, end_s = random.Random(3), 0, time.monotonic() + most_s
    took_ms: list[float] = []
    while len(took_ms) < most and (time.monotonic() < end_s or len(took_ms) < 3):
        began_s = time.perf_counter()
        try:
            ask(store, rng)
        except QueryError:
            refused += 1
        took_ms.append((time.perf_counter() - began_s) * 1000)
    return {"searches": len(took_ms), **_told(took_ms), "refused": refused}


def _pages(path: Path, folder: Path) -> dict[str, dict[str, float]]:
    """The CPU time of each page in this process: the first time it is asked for after a start, and the next."""
    with closing(SqliteStore(path)) as store:
        newest = store.search(Query(limit=1)).records[0].record["@timestamp"]
    now_ns, settings = time.time_ns, Settings(data=folder, store=StoreSettings(url=f"sqlite:{path}"))
    late_ns = now_ns() - (timestamp_ms(newest) + 1) * 1_000_000
    with mock.patch("time.time_ns", lambda: now_ns() - late_ns):
        return {name: _loaded(settings, address) for name, address in PAGES.items()}


def _loaded(settings: Settings, address: str) -> dict[str, float]:
    """The best of three starts, each of which compiles its templates first."""
    took_ms: dict[str, list[float]] = {"first_ms": [], "again_ms": []}
    for _ in range(3):
        render._templates.cache.clear()  # type: ignore[union-attr]
        with closing(Reading(settings)) as trail:
            app = Starlette(routes=page_routes(trail))
            client = TestClient(app, "http://127.0.0.1", headers={"accept": "text/html"}, client=("127.0.0.1", 1))
            client.get("/static/page.css").raise_for_status()
            for took in took_ms.values():
                began_s = time.process_time()
                client.get(address).raise_for_status()
                took.append((time.process_time() - began_s) * 1000)
    return {name: round(min(took), 1) for name, took in took_ms.items()}


def _tailed(folder: Path, count: int) -> dict[str, float]:
    """From an event's sending to its record in the live tail, through all of `slmtrail up`."""
    trail = EmbeddedTrail(folder)
    trail.start()
    url, took_ms = urlsplit(trail.address), []
    tail = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
    tail.request("GET", "/api/v1/stream?" + urlencode({"q": "user:tailed"}))
    lines = tail.getresponse()
    while lines.readline().strip() != b": waiting":
        pass
    for number in range(count):
        event = {"slm.kind": "auth", "event.action": f"n{number}", "event.outcome": "success", "user.id": "tailed"}
        began_s = time.perf_counter()
        trail.post([event])
        while not lines.readline().startswith(b"data: "):
            pass
        took_ms.append((time.perf_counter() - began_s) * 1000)
        time.sleep(0.05)
    tail.close()
    trail.stop()
    return _told(took_ms)


def _added(url: str, count: int) -> dict[str, float]:
    """What the store's search takes beyond the same query sent as it is and parsed, in pairs."""
    store = ElasticStore(url, writable=True, dataset=f"bench{time.time_ns()}")
    store.write(list(_records(5000)))
    store.holding("", [])
    parts, rng, added_ms = urlsplit(url), random.Random(3), []
    bare = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    asked: list[tuple[str, bytes]] = []
    ask = store._client.ask

    def noting(method: str, path: str, body: Any = None, **more: Any) -> Any:
        asked.append((path, orjson.dumps(body)))
        return ask(method, path, body, **more)

    store._client.ask = noting  # type: ignore[method-assign]
    for number in range(count + 20):
        query = Query(where=_fields(rng))
        began_s = time.perf_counter()
        store.search(query)
        ours_s = time.perf_counter() - began_s
        path, body = asked.pop()
        began_s = time.perf_counter()
        bare.request("POST", path, body, {"content-type": "application/json"})
        orjson.loads(bare.getresponse().read())
        if number >= 20:
            added_ms.append((ours_s - (time.perf_counter() - began_s)) * 1000)
    bare.close()
    store.close()
    return _told(added_ms)


def _filled(path: Path, records: int, quick: bool) -> tuple[SqliteStore, int, float]:
    """The store, how many records it has, and the seconds that took; one that is there already is asked as it is."""
    there = path.exists()
    store, batch, began_s = SqliteStore(path, writable=True), [], time.monotonic()
    if there:
        return store, sum(store.ledgers().values()), 0.0
    count = 0
    for record in _records(records):
        batch.append(record)
        if len(batch) == BATCH:
            store.write(batch)
            count, batch = count + len(batch), []
            if quick and time.monotonic() - began_s > QUICK_WRITE_S:
                break
    store.write(batch)
    count, took_s = count + len(batch), time.monotonic() - began_s
    roll(store, START_MS, START_MS + count * EACH_MS, 0)
    return store, count, took_s


def main() -> None:
    """Prints a table, and with --json one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--records", type=int, default=1_000_000, help="a million by default")
    parser.add_argument("--store", type=Path, help="keep the store in this file, or ask the one that is there")
    parser.add_argument("--elastic", metavar="URL", help="measure what we add to a query of this Elasticsearch")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = arguments.store or Path(name) / "store.db"
        store, count, write_s = _filled(path, arguments.records, arguments.quick)
        asks = {**{sort: _searching(make) for sort, make in SEARCHES.items()}, **COUNTS}
        each_s = QUICK_SEARCH_S / len(asks) if arguments.quick else 30
        found = {sort: _measured(store, ask, 200, each_s) for sort, ask in asks.items()}
        store.close()
        figures: dict[str, Any] = {
            "records": count,
            "bytes_a_record": round(path.stat().st_size / count),
            "write_us_a_record": round(write_s / count * 1e6),
            "searches": found,
            "pages": _pages(path, Path(name) / "data"),
            "live_tail": _tailed(Path(name) / "tail", 40 if arguments.quick else 200),
        }
    if arguments.elastic:
        figures["elastic"] = _added(arguments.elastic, 100 if arguments.quick else 400)
    print(f"{count:,} records, {figures['bytes_a_record']} bytes each with all indexes")
    for sort, took in found.items():
        print(f"  {sort:22} p50 {took['p50_ms']:7} ms   p95 {took['p95_ms']:7} ms   max {took['max_ms']:7} ms")
    for page, took in figures["pages"].items():
        print(f"  {page:22} CPU {took['first_ms']:7} ms at its first load, {took['again_ms']} ms at the next")
    print(
        "  {0:22} p50 {p50_ms:7} ms   p95 {p95_ms:7} ms   max {max_ms:7} ms".format("live_tail", **figures["live_tail"])
    )
    if arguments.elastic:
        print(
            "  on Elasticsearch we add p50 {p50_ms} ms, p95 {p95_ms} ms to the bare query".format(**figures["elastic"])
        )
    if arguments.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()

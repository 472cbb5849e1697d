"""What one event costs the thread that hands it over: in bursts, and at one a millisecond; and what importing costs.

Beside the SDK stand OpenTelemetry's SDK (a span with the same attributes, batched, OTLP over HTTP), Langfuse's SDK
(a generation) and `logging` behind a QueueHandler that writes JSON to a file: what is not installed is skipped, by
name. Each runs in a process of its own, in turns, and sends to one server that says yes to everything; nothing of what
it does to send is taken off. The figures are medians of the rounds. The clock itself is in every one of them: the
first row is a call that does nothing.
"""

from __future__ import annotations

import argparse
import json
import logging
import logging.handlers
import multiprocessing
import os
import queue
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from peers.get import python

BURST = 1000
ASKED = "Summarise ticket 4711: " + "the printer on the second floor says that it is out of paper. " * 6
SAID = "The printer is out of paper. " * 8
EVENT: dict[str, Any] = {
    "slm.kind": "inference",
    "event.outcome": "success",
    "user.id": "bob",
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "phi-3",
    "gen_ai.request.temperature": 0.7,
    "gen_ai.input.messages": [{"role": "user", "content": ASKED}],
    "gen_ai.output.messages": [{"role": "assistant", "content": SAID}],
    "gen_ai.usage.input_tokens": 61,
    "gen_ai.usage.output_tokens": 57,
    "slm.latency_ms": 412,
}
Peer = tuple[Callable[[], Any], Callable[[], Any]]
"""Hands one event over; waits until all are on their way."""


class _Sink(BaseHTTPRequestHandler):
    """Takes everything."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        if self.headers.get("transfer-encoding"):
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        else:
            self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = b'{"accepted":0,"ids":[]}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def sink(port: Any) -> None:
    """The server, in a process of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    port.put(server.server_port)
    server.serve_forever()


def nothing(_: str) -> Peer:
    """The clock."""
    return lambda: None, lambda: None


def emit(url: str) -> Peer:
    """`trail.emit`."""
    from slmtrail.collectors.sdk import Trail

    trail = Trail(url, service="bench")
    return lambda: trail.emit(EVENT), lambda: trail.flush(20)


def inference(url: str) -> Peer:
    """`with trail.inference`, which measures, traces and makes the event."""
    from slmtrail.collectors.sdk import Trail

    trail = Trail(url, service="bench")

    def one() -> None:
        with trail.inference("phi-3", input=ASKED, temperature=0.7) as span:
            span.output(SAID)
            span.usage(61, 57)

    return one, lambda: trail.flush(20)


def opentelemetry(url: str) -> Peer:
    """OpenTelemetry's SDK."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    tracer = provider.get_tracer("bench")

    def one() -> None:
        with tracer.start_as_current_span("chat phi-3") as span:
            for name, value in EVENT.items():
                span.set_attribute(name, json.dumps(value) if isinstance(value, list) else value)

    return one, provider.force_flush


def langfuse(url: str) -> Peer:
    """Langfuse's SDK."""
    from langfuse import Langfuse

    client = Langfuse(public_key="pk-lf-bench", secret_key="sk-lf-bench", host=url)

    def one() -> None:
        with client.start_as_current_observation(
            name="chat",
            as_type="generation",
            model="phi-3",
            input=EVENT["gen_ai.input.messages"],
            model_parameters={"temperature": 0.7},
        ) as generation:
            generation.update(output=SAID, usage_details={"input": 61, "output": 57})

    return one, client.flush


def logging_queue(_: str) -> Peer:
    """`logging` behind a queue: another thread writes JSON lines to a file."""

    class _Json(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return json.dumps({"time": record.created, "level": record.levelname, **record.__dict__["event"]})

    class _Handing(logging.handlers.QueueHandler):
        def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
            return record

    waiting: queue.Queue[Any] = queue.Queue()
    file = logging.FileHandler(tempfile.NamedTemporaryFile(suffix=".log").name)  # noqa: SIM115
    file.setFormatter(_Json())
    logging.handlers.QueueListener(waiting, file).start()
    logger = logging.getLogger("bench")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(_Handing(waiting))
    return lambda: logger.info("inference", extra={"event": dict(EVENT)}), waiting.join


PEERS: dict[str, tuple[Callable[[str], Peer], str]] = {
    "nothing": (nothing, "sys"),
    "slmtrail emit": (emit, "slmtrail.collectors.sdk"),
    "slmtrail with inference": (inference, "slmtrail.collectors.sdk"),
    "OpenTelemetry SDK": (
        opentelemetry,
        "opentelemetry.sdk.trace, opentelemetry.exporter.otlp.proto.http.trace_exporter",
    ),
    "Langfuse SDK": (langfuse, "langfuse"),
    "logging QueueHandler": (logging_queue, "logging.handlers"),
}


def timed(one: Callable[[], Any], count: int, pause_s: float) -> list[int]:
    """How long each of `count` calls took, in nanoseconds."""
    took = [0] * count
    clock = time.perf_counter_ns
    for number in range(count):
        if pause_s:
            time.sleep(pause_s)
        began = clock()
        one()
        took[number] = clock() - began
    return took


def measured(name: str, url: str, bursts: int, paced: int) -> dict[str, float]:
    """One peer, in this process."""
    one, flush = PEERS[name][0](url)
    for _ in range(200):
        one()
    flush()
    began_s, in_bursts = time.process_time(), []
    for _ in range(bursts):
        in_bursts += timed(one, BURST, 0)
        flush()
    burst_cpu_s = time.process_time() - began_s
    began_s = time.process_time()
    one_a_ms = timed(one, paced, 0.001)
    flush()
    paced_cpu_s = time.process_time() - began_s
    found = {"burst": in_bursts, "paced": one_a_ms}
    cuts = {what: statistics.quantiles(took, n=100) for what, took in found.items()}
    return {
        **{f"{what}_p50_us": cut[49] / 1e3 for what, cut in cuts.items()},
        **{f"{what}_p99_us": cut[98] / 1e3 for what, cut in cuts.items()},
        "burst_cpu_us": burst_cpu_s * 1e6 / len(in_bursts),
        "paced_cpu_us": paced_cpu_s * 1e6 / paced,
    }


def import_ms(interpreter: str, modules: str, compiled: str) -> float:
    """CPU time in a fresh interpreter, from what is compiled already: in the folder `compiled`, wherever else it is."""
    code = f"import time; began = time.process_time(); import {modules}; print((time.process_time() - began) * 1e3)"
    environ = {**os.environ, "PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
    shown = subprocess.run([interpreter, "-c", code], env=environ, capture_output=True, text=True, check=True).stdout
    return float(shown)


def main() -> None:
    """Prints a table, and with --json one object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under 50 seconds")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--one", nargs=4, metavar=("NAME", "URL", "BURSTS", "PACED"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        name, url, bursts, paced = arguments.one
        print(json.dumps(measured(name, url, int(bursts), int(paced))))
        return
    rounds, bursts, paced = (3, 5, 600) if arguments.quick else (7, 20, 3000)
    port: Any = multiprocessing.Queue()
    server = multiprocessing.Process(target=sink, args=(port,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{port.get()}"
    found = {name: python(modules) for name, (_, modules) in PEERS.items()}
    skipped = {
        name: "not installed: get it by `python bench/peers/get.py langfuse`" for name, by in found.items() if not by
    }
    by = {name: interpreter for name, interpreter in found.items() if interpreter}
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in by}
    with tempfile.TemporaryDirectory() as compiled:
        for name in seen:
            import_ms(by[name], PEERS[name][1], compiled)
        for _ in range(rounds):
            for name, rows in seen.items():
                command = [by[name], __file__, "--one", name, url, str(bursts), str(paced)]
                shown = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=300, check=True).stdout
                row = json.loads(shown.splitlines()[-1])
                rows.append(row | {"import_ms": import_ms(by[name], PEERS[name][1], compiled)})
    server.terminate()
    results = {
        name: {what: round(statistics.median(row[what] for row in rows), 2) for what in rows[0]}
        for name, rows in seen.items()
    }
    print(f"{rounds} rounds of {bursts} bursts of {BURST}, and {paced} at one a millisecond; µs on the caller's thread")
    print(f"{'':24} {'burst p50':>10} {'p99':>8} {'1/ms p50':>10} {'p99':>8} {'CPU µs an event':>18} {'import ms':>10}")
    for name, row in results.items():
        print(
            f"{name:24} {row['burst_p50_us']:10.2f} {row['burst_p99_us']:8.1f} {row['paced_p50_us']:10.2f} "
            f"{row['paced_p99_us']:8.1f} {row['burst_cpu_us']:8.1f} {row['paced_cpu_us']:9.1f} {row['import_ms']:10.1f}"
        )
    for name, reason in skipped.items():
        print(f"{name:24} skipped: {reason}")
    if arguments.json:
        print(json.dumps({"results": results, "skipped": skipped}))


if __name__ == "__main__":
    main()

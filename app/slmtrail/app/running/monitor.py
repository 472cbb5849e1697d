"""`/metrics`, `/health/live` and `/health/ready` of a process that serves nothing else, where `monitor.port` is set.

In a thread of its own, so that it answers for an event loop that does not.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import prometheus_client

from slmtrail.app.running.otel import traced
from slmtrail.app.running.serve import listen
from slmtrail.core.errors import SettingsError
from slmtrail.core.health import HEALTH
from slmtrail.core.settings import Settings

log = logging.getLogger(__name__)

TEXT = "text/plain; charset=utf-8"
REQUEST_S = 10.0
Answer = tuple[int, str, bytes]


def metrics() -> Answer:
    """All that is counted here, in the format of Prometheus."""
    return 200, prometheus_client.CONTENT_TYPE_LATEST, prometheus_client.generate_latest()


def live() -> Answer:
    """Whether the event loop comes round; where it does not, this process is to be started again."""
    return (200, TEXT, b"live\n") if HEALTH.turns() else (503, TEXT, b"stuck: the event loop does not come round\n")


def ready() -> Answer:
    """Whether it does its work, and if not, why."""
    reasons = HEALTH.reasons()
    return 503 if reasons else 200, "application/json", orjson.dumps({"ready": not reasons, "reasons": reasons}) + b"\n"


ANSWERS = {"/metrics": metrics, "/health/live": live, "/health/ready": ready}


@contextlib.contextmanager
def monitored(settings: Settings, offset: int = 0) -> Iterator[None]:
    """Answers meanwhile at `monitor.port` plus `offset`, and sends spans to `tracing.endpoint`; without these settings,
    does nothing."""
    given = settings.monitor
    if given.port is None:
        with traced(settings):
            yield
        return
    port = given.port + offset if given.port else 0
    if port > 65535:
        raise SettingsError(f"monitor.port: {given.port} leaves no port for worker {offset - 1}: choose a lower one")
    with listen(given.host, port, "monitor.port") as sock, _Server(sock.getsockname(), _Handler, False) as server:
        server.socket.close()
        server.socket = sock
        HEALTH.tell("process", "it is starting")
        thread = threading.Thread(target=server.serve_forever, name="monitor", daemon=True)
        thread.start()
        log.info("metrics and health are at http://%s:%d", given.host, sock.getsockname()[1])
        try:
            with traced(settings):
                yield
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


class _Handler(BaseHTTPRequestHandler):
    timeout = REQUEST_S
    server_version, sys_version = "slmtrail", ""

    def do_GET(self) -> None:
        answer = ANSWERS.get(self.path.partition("?")[0])
        status, kind, body = answer() if answer else (404, TEXT, b"there are /metrics, /health/live, /health/ready\n")
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody needs a line for each probe."""

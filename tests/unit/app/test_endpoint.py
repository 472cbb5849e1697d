"""The endpoint as `up` and `collect` serve it: TLS, client certificates, tokens, compressed bodies."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import otlp
from certificates import Certificate, certificate
from slmtrail.app import parts
from slmtrail.app.running import endpoint, serve
from slmtrail.app.running.serve import Server
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.receive import senders
from slmtrail.core import frames, keys
from slmtrail.core.errors import KeyFileError, SettingsError
from slmtrail.core.settings import CollectorSettings, IngestSettings, Settings

LOGIN = b'{"slm.kind":"auth","event.action":"login","event.outcome":"success"}'
EXPORT = otlp.traces(otlp.span({"gen_ai.request.model": "m"})).SerializeToString()
PROTOBUF = {"content-type": "application/x-protobuf"}


class Served:
    """A collector behind its endpoint, on a loopback socket."""

    def __init__(self, settings: Settings, port: int) -> None:
        self.settings = settings
        self.port = port

    def post(
        self, path: str, body: bytes, headers: dict[str, str] | None = None, tls: ssl.SSLContext | None = None
    ) -> tuple[int, bytes]:
        """Status and body of the answer."""
        made = (
            http.client.HTTPSConnection("localhost", self.port, timeout=20, context=tls)
            if tls
            else http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        )
        with contextlib.closing(made) as connection:
            connection.request("POST", path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()

    @property
    def events(self) -> list[dict[str, Any]]:
        """What is on its disk."""
        spool = self.collector.spool
        opening = keys.decryption_key(self.settings.keys / "stream.pem")
        data = [frames.from_bytes(frame.data) for frame in spool.oldest(1000, 1 << 30)]
        return [json.loads(line) for frame in data for line in frame.open(opening)[1]]

    collector: Collector


@contextlib.contextmanager
def serving(folder: Path, spool_max_bytes: int = 1 << 30, **ingest: Any) -> Iterator[Served]:
    """Serves with some settings."""
    settings = Settings(
        data=folder / "data",
        ingest=IngestSettings(**ingest),
        collector=CollectorSettings(spool_max_bytes=spool_max_bytes, heartbeat_ms=3_600_000),
    )
    parts.make_keys(settings)
    spool = parts.open_spool(settings)
    collector = Collector(parts.identity(settings), spool, parts.collector_options(settings))
    collector.start()
    app = endpoint.application(settings, collector, endpoint.room(settings))
    server = Server(app, endpoint.tls(settings.ingest))
    sock = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([sock])), daemon=True)
    thread.start()
    served = Served(settings, sock.getsockname()[1])
    served.collector = collector
    try:
        yield served
    finally:
        server.should_exit = True
        thread.join(20)
        collector.stop()
        spool.close()
        sock.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("server"), "collector", server=True)


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("client"), "edge-7")


def test_all_receivers_take_compressed_bodies(tmp_path: Path) -> None:
    folded = {"content-encoding": "gzip"}
    with serving(tmp_path) as served:
        assert served.post("/v1/events", gzip.compress(LOGIN), folded)[0] == 200
        assert served.post("/v1/traces", gzip.compress(EXPORT), PROTOBUF | folded) == (200, b"")
        status, body = served.post("/v1/events", b"not folded", folded)
        assert (status, json.loads(body)["reason"]) == (415, "encoding")
        status, body = served.post("/v1/events", gzip.compress(bytes(64 << 20)), folded)
        assert (status, json.loads(body)["reason"]) == (413, "oversized")
        assert [event["slm.kind"] for event in served.events] == ["auth", "inference"]


def test_a_head_that_does_not_come_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "HEAD_S", 0.05)
    with serving(tmp_path) as served:
        for begun in (b"", b"POST /v1/events HTTP/1.1\r\nhost: a\r\nx"):
            with socket.create_connection(("127.0.0.1", served.port), timeout=20) as sock:
                sock.sendall(begun)
                assert sock.recv(1) == b""
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as sock:
            head = b"POST /v1/events HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % len(LOGIN)
            sock.sendall(head + LOGIN)
            assert sock.recv(12) == b"HTTP/1.1 200"
            sock.sendall(head[:20])
            while sock.recv(4096):
                pass


def test_a_filling_spool_puts_senders_off(tmp_path: Path) -> None:
    with serving(tmp_path, spool_max_bytes=20_000) as served:
        while (status := served.post("/v1/events", LOGIN)[0]) == 200:
            pass
        assert status == 429
        assert served.post("/v1/traces", EXPORT, PROTOBUF)[0] == 429


def test_known_senders_by_token_and_by_certificate(tmp_path: Path, server: Certificate, edge: Certificate) -> None:
    given = {"certificate": server.chain, "key": server.key, "client_ca": edge.chain, "senders": "known"}
    bare, shown = (ssl.create_default_context(cafile=server.chain) for _ in range(2))
    shown.load_cert_chain(edge.chain, edge.key)
    with serving(tmp_path, **given) as served:
        token, _ = senders.token_file(served.settings.keys / senders.FILE_NAME).new("gateway")
        assert served.post("/v1/events", LOGIN, {"authorization": f"Bearer {token}"}, bare)[0] == 200
        assert served.post("/v1/events", LOGIN, tls=shown)[0] == 200
        status, body = served.post("/v1/events", LOGIN, tls=bare)
        assert (status, json.loads(body)["reason"]) == (401, "no_credentials")
        stranger = ssl.create_default_context(cafile=server.chain)
        other = certificate(tmp_path, "stranger")
        stranger.load_cert_chain(other.chain, other.key)
        with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            served.post("/v1/events", LOGIN, tls=stranger)
        served.collector.stop()
        issuers = [event.get("slm.identity.issuer") for event in served.events]
        assert issuers == ["token:gateway", "certificate:edge-7", None]
        refused = served.events[-1]
        assert (refused["event.action"], refused["event.reason"]) == ("send", "no_credentials")


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ({"key": "server.key"}, SettingsError, "ingest.certificate: is missing"),
        ({"client_ca": "x.pem", "certificate": "server"}, SettingsError, "ingest.senders"),
        ({"certificate": "none.pem"}, KeyFileError, "none.pem: can't be used"),
        ({"certificate": "server", "client_ca": "none.pem", "senders": "known"}, KeyFileError, "none.pem"),
    ],
    ids=range(4),
)
def test_tls_that_cant_be_is_named(
    server: Certificate, given: dict[str, str], kind: type[Exception], said: str
) -> None:
    if given.get("certificate") == "server":
        given = given | {"certificate": str(server.chain), "key": str(server.key)}
    settings = IngestSettings.model_validate(given)
    with pytest.raises(kind, match=said):
        endpoint.tls(settings)

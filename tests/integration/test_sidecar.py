"""The sidecar before a model server: real clients see what they would see without it, and each leaves its record."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from certificates import certificate
from servers.model import Model, serving
from servers.sidecars import Sidecar, before, read_until
from slmtrail.app import parts
from slmtrail.collectors.sidecar.options import SidecarOptions
from slmtrail.core import frames
from slmtrail.core import settings as settings_file
from slmtrail.core.ports import FRAMES
from slmtrail.core.settings import Settings

QUESTION = [{"role": "user", "content": "tell me more"}]


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with serving() as made:
        yield made


@pytest.fixture
def sidecar(model: Model) -> Iterator[Sidecar]:
    with before(SidecarOptions(model.url, service="helpdesk")) as made:
        yield made


def raw(port: int, path: str, asked: dict[str, Any]) -> bytes:
    """Every byte of an answer."""
    body = json.dumps(asked).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        sock.sendall(b"POST %b HTTP/1.1\r\nHost: m\r\nContent-Length: %d\r\n\r\n%b" % (path.encode(), len(body), body))
        return read_until(sock, b"0\r\n\r\n")


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/api/chat", "/api/generate"]
)
def test_a_stream_is_the_same_bytes_as_without(model: Model, sidecar: Sidecar, path: str) -> None:
    asked = {"model": "think", "stream": True, "messages": QUESTION, "prompt": "tell me more", "input": "tell me more"}
    direct = raw(model.port, path, asked)
    assert len(direct) > 500
    assert raw(sidecar.port, path, asked) == direct
    event = sidecar.event()
    assert (event["event.outcome"], event["service.name"]) == ("success", "helpdesk")
    said = [part["content"] for part in event["gen_ai.output.messages"][0]["parts"] if part["type"] == "text"]
    assert said == ["tell me more"]


def test_a_client_that_goes_while_the_model_thinks_frees_the_model(model: Model, sidecar: Sidecar) -> None:
    model.gone.clear()
    body = json.dumps({"model": "hang", "messages": QUESTION}).encode()
    with sidecar.connect() as sock:
        sock.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
    assert model.gone.wait(20)
    event = sidecar.event()
    assert (event["error.type"], event["gen_ai.request.model"]) == ("client_gone", "hang")
    assert event["gen_ai.input.messages"][0]["parts"][0]["content"] == "tell me more"


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("error-429", 429, "rate_limit_error"),
        ("garbled", 200, "malformed_response_body"),
        ("close", 502, "upstream_closed"),
    ],
)
def test_what_goes_wrong_is_named(sidecar: Sidecar, name: str, status: int, error: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sidecar.port, timeout=20)
    connection.request("POST", "/v1/chat/completions", json.dumps({"model": name, "messages": QUESTION}))
    assert connection.getresponse().status == status
    event = sidecar.event()
    assert (event["event.outcome"], event["error.type"]) == ("failure", error)
    assert event["http.response.status_code"] == status


def test_half_a_stream_is_recorded_as_such(sidecar: Sidecar) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sidecar.port, timeout=20)
    connection.request(
        "POST", "/v1/chat/completions", json.dumps({"model": "cut", "stream": True, "messages": QUESTION})
    )
    with pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
    event = sidecar.event()
    assert event["error.type"] == "upstream_closed"
    assert event["gen_ai.output.messages"][0]["parts"][0]["content"].startswith("tell ")


def test_the_models_a_server_lists_are_recorded(sidecar: Sidecar) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sidecar.port, timeout=20)
    connection.request("GET", "/v1/models")
    assert connection.getresponse().status == 200
    event = sidecar.event()
    assert (event["slm.kind"], event["event.action"]) == ("upstream", "get")
    assert json.loads(event["slm.attributes"])["models"] == ["echo"]


def contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for this host, and a client's that trusts it."""
    made = certificate(folder, "server", server=True)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(made.chain, made.key)
    return server, ssl.create_default_context(cafile=made.chain)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_tls_on_both_sides(tmp_path: Path, loop: str) -> None:
    server, client = contexts(tmp_path)
    with (
        serving(server) as secret,
        before(SidecarOptions(secret.url, client_tls=server, upstream_tls=client), loop) as made,
    ):
        connection = http.client.HTTPSConnection("localhost", made.port, timeout=20, context=client)
        for stream in (False, True, False):
            body = {"model": "echo", "stream": stream, "messages": QUESTION}
            connection.request("POST", "/v1/chat/completions", json.dumps(body))
            assert b"more" in connection.getresponse().read()
        connection.close()
        made.stop()
        assert [event["event.outcome"] for event in made.events] == ["success"] * 3


def test_an_upstream_with_an_untrusted_certificate_is_not_spoken_to(tmp_path: Path) -> None:
    server, _ = contexts(tmp_path)
    with serving(server) as secret, before(SidecarOptions(secret.url)) as made:
        assert made.ask(b"GET /v1/models HTTP/1.1\r\nHost: m\r\n\r\n").startswith(b"HTTP/1.1 502 ")
        assert made.event()["error.type"] == "upstream_tls_failed"
        assert secret.served == 0


def test_the_command_records_to_disk_and_stops_cleanly(model: Model, tmp_path: Path) -> None:
    settings = settings_file.load(None, {}).model_copy(update={"data": tmp_path})
    parts.make_keys(settings)
    options = ["--port", "0", "--upstream", model.url]
    command = [sys.executable, "-m", "slmtrail.app.cli", "--data", tmp_path, "sidecar", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert process.stderr is not None
        said = ""
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", said)):
            said += process.stderr.readline()
            assert process.poll() is None, said
        connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=20)
        for _ in range(5):
            connection.request("POST", "/v1/chat/completions", json.dumps({"model": "echo", "messages": QUESTION}))
            assert connection.getresponse().read()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, process.stderr.read()
    finally:
        process.kill()
        process.wait()
        process.stderr and process.stderr.close()
    assert _events_on(settings) == 5


def _events_on(settings: Settings) -> int:
    """Events of the frames that reached the bus."""

    async def read() -> list[bytes]:
        bus = parts.open_bus(settings)
        reader = await bus.read(FRAMES, 0, 0)
        try:
            return [delivery.value for delivery in await reader.poll(100, 5000)]
        finally:
            await reader.close()
            await bus.close()

    return sum(frames.from_bytes(data).header.events for data in asyncio.run(read()))

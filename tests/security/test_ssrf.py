"""Webhooks and hooks are posted nowhere but where the policy means, whatever a name leads to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from slmtrail.stream.routes.failed import DeliveryFailed
from slmtrail.stream.routes.post import Poster

POSTER = Poster(b"k" * 32, frozenset({"alerts.internal"}))
NEVER = (
    "169.254.169.254 100.100.100.200 192.0.0.192 0.0.0.0 224.0.0.1 255.255.255.255 fe80::1 fd00:ec2::254 :: ff02::1 "
    "::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1"
).split()
INSIDE = "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 100.64.0.1 ::1 fd12::1 ::ffff:10.0.0.1 64:ff9b::a00:1".split()


@pytest.fixture
def leads_to(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What the name server says of a name, in turn; the last answer stays. Other names are none."""
    zone: dict[str, list[str]] = {}

    def look_up(host: str, port: int, *_: object, **__: object) -> list[object]:
        answers = zone.get(host, [host] if host[0].isdigit() or ":" in host else [])
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        family = socket.AF_INET6 if ":" in answer else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (answer, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return zone


@dataclass
class Receiver:
    """Where it listens, and the host it was asked as, once for each request."""

    port: int
    asked: list[str]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Takes one request, and sends all others on to another place."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.headers["host"])
            self.send_response(307 if len(asked) > 1 else 200)
            self.send_header("location", f"http://127.0.0.1:{server.server_port}/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Receiver(server.server_port, asked)
    server.shutdown()
    thread.join()
    server.server_close()


def refused(url: str) -> str:
    with pytest.raises(DeliveryFailed) as failed:
        POSTER.post(url, b"{}", "1")
    assert failed.value.lasting
    return str(failed.value)


@pytest.mark.parametrize("address", NEVER)
def test_metadata_and_addresses_of_nobody_are_refused_by_any_name(address: str, leads_to: dict[str, list[str]]) -> None:
    leads_to |= {"hooks.example.com": [address], "alerts.internal": [address]}
    literal = f"[{address}]" if ":" in address else address
    for host in ("hooks.example.com", "alerts.internal", literal):
        assert "not one that alerts are sent to" in refused(f"http://{host}/latest/meta-data")


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_refused_unless_settings_name_it(
    address: str, leads_to: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    went: list[tuple[str, int]] = []

    def connect(place: tuple[str, int], *_: object, **__: object) -> None:
        went.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    leads_to |= {"hooks.example.com": [address], "alerts.internal": [address]}
    assert "name the host in stream.webhook_hosts" in refused("https://hooks.example.com/")
    with pytest.raises(DeliveryFailed, match="ConnectionRefusedError"):
        POSTER.post("https://alerts.internal/", b"{}", "1")
    assert went == [(address, 443)]


@pytest.mark.parametrize("host", ["2130706433", "0177.0.0.1", "0x7f.1", "127.1", "0x7f000001"])
def test_an_address_in_disguise_is_refused(host: str) -> None:
    assert "which is inside a network" in refused(f"http://{host}/")


def test_a_name_is_asked_for_once(leads_to: dict[str, list[str]], receiver: Receiver) -> None:
    leads_to["alerts.internal"] = ["127.0.0.1", "169.254.169.254"]
    assert POSTER.post(f"http://alerts.internal:{receiver.port}/", b"{}", "1") == 200
    assert receiver.asked == [f"alerts.internal:{receiver.port}"]
    assert "169.254.169.254" in refused(f"http://alerts.internal:{receiver.port}/")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_what_the_policy_spells_out_is_meant_and_no_redirect_is_followed(
    host: str, receiver: Receiver, leads_to: dict[str, list[str]]
) -> None:
    leads_to["localhost"] = ["127.0.0.1"]
    url = f"http://{host}:{receiver.port}/"
    assert POSTER.post(url, b"{}", "1") == 200
    assert "answered 307" in refused(url)
    assert len(receiver.asked) == 2


@pytest.mark.parametrize("host", ["a" * 70 + ".example.com", "nowhere.invalid"])
def test_a_name_that_is_none_is_a_failed_delivery(host: str) -> None:
    with pytest.raises(DeliveryFailed):
        POSTER.post(f"http://{host}/\u00e9", b"{}", "1")

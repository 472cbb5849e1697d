"""The servers of docker-compose.yml with its own settings, where there is no engine: a broker that asks, started by
deploy/kafka/start.sh, and before an Elasticsearch without security a door that knows TLS, users and API keys."""

from __future__ import annotations

import base64
import json
import re
import secrets
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers.java import JavaProcess, jdk_tool
from servers.kafka import _ARTIFACTS, Kafka
from servers.maven import resolve
from servers.proxy import Proxy, _Handler
from servers.server import free_port
from tree import ROOT

_PROGRAMS = {
    "kafka-storage.sh": "kafka.tools.StorageTool",
    "kafka-server-start.sh": "Leash kafka.Kafka",
    "kafka-broker-api-versions.sh": "org.apache.kafka.tools.BrokerApiVersionsCommand",
}


class StackKafka(Kafka):
    """The broker of the stack; `programs` has Kafka's own, and `here` what of its files stands elsewhere."""

    programs: Path
    here: dict[str, str]

    def healthy(self, check: list[str]) -> subprocess.CompletedProcess[str]:
        """Runs its health check."""
        command = [_replaced(part, self.here) for part in check]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@contextmanager
def start_stack_kafka(folder: Path, made: Path) -> Iterator[StackKafka]:
    """The broker, with the secrets in `made`."""
    java, jars = jdk_tool("java"), resolve("kafka", _ARTIFACTS, ["Leash.java"])
    programs, settings = folder / "opt/bin", folder / "settings"
    programs.mkdir(parents=True)
    settings.mkdir()
    for name, main in _PROGRAMS.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {java} -Xmx512m -cp "{jars}/classes:{jars}/libs/*" {main} "$@"\n')
        program.chmod(0o755)
    port, controller = free_port(), free_port()
    here = {
        "/secrets": str(made),
        "/var/lib/kafka/data": str(folder / "data"),
        "/opt/kafka/bin": str(programs),
        "/slmtrail": str(settings),
        "//:9092": f"//127.0.0.1:{port}",
        "kafka:9092": f"127.0.0.1:{port}",
        "localhost:9092": f"127.0.0.1:{port}",
        "localhost:9093": f"127.0.0.1:{controller}",
    }
    for file in (ROOT / "deploy/kafka").iterdir():
        (settings / file.name).write_text(_replaced(file.read_text(), here))
    command = ["env", f"KAFKA={folder / 'opt'}", "sh", str(settings / "start.sh")]
    kafka = StackKafka(JavaProcess(command, folder, folder / "data"), port)
    kafka.programs, kafka.here = programs, here
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.discard()


def _replaced(text: str, here: dict[str, str]) -> str:
    return re.sub("|".join(map(re.escape, here)), lambda found: here[found[0]], text)


class Door(Proxy):
    """TLS before an Elasticsearch, and who may pass: users by password, and API keys that one of them has made."""

    def __init__(self, address: str, made: Path) -> None:
        super().__init__(address)
        self.RequestHandlerClass = _Doorkeeper
        self.passwords = {"elastic": (made / "password").read_text(), "kibana_system": secrets.token_hex()}
        self.keys: dict[str, str] = {}
        """By what they are for."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(made / "server.crt", made / "server.key")
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_address[1]}"

    def known(self, shown: str) -> str:
        """Who shows this; empty for strangers."""
        kind, _, value = shown.partition(" ")
        if kind == "ApiKey":
            return next((name for name, key in self.keys.items() if key == value), "")
        user, _, password = base64.b64decode(value).decode().partition(":") if kind == "Basic" else ("", "", "")
        return user if self.passwords.get(user, "") == password != "" else ""


class _Doorkeeper(_Handler):
    server: Door

    def _forward(self, body: bytes, lose: bool) -> None:
        who = self.server.known(self.headers.get("authorization", ""))
        if not who:
            self._tell(401, {"error": {"type": "security_exception"}, "status": 401})
        elif self.path == "/_security/_authenticate":
            self._tell(200, {"username": who})
        elif self.path == "/_security/api_key" and who == "elastic":
            asked = json.loads(body)
            self.server.keys[asked["name"]] = base64.b64encode(secrets.token_bytes(30)).decode()
            self._tell(200, {"name": asked["name"], "encoded": self.server.keys[asked["name"]]})
        elif self.path == "/_security/user/kibana_system/_password" and who == "elastic":
            self.server.passwords["kibana_system"] = json.loads(body)["password"]
            self._tell(200, {})
        else:
            super()._forward(body, lose)

    def _tell(self, status: int, content: object) -> None:
        self._answer(status, "application/vnd.elasticsearch+json;compatible-with=8", json.dumps(content).encode())


@contextmanager
def guarded(address: str, made: Path) -> Iterator[Door]:
    """A door before the Elasticsearch at host:port, with the secrets in `made`."""
    with Door(address, made) as door:
        thread = threading.Thread(target=door.serve_forever, daemon=True)
        thread.start()
        try:
            yield door
        finally:
            door.shutdown()
            thread.join()

"""A one-node Kafka in KRaft mode."""

from __future__ import annotations

import base64
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from servers.docker import Container
from servers.java import JavaProcess, jdk_tool
from servers.maven import resolve
from servers.server import NotReadyError, Server, first_available, free_port, serve

VERSION = "4.1.0"
_HEAP = "-Xmx512m"
_ARTIFACTS = (
    f"org.apache.kafka:kafka_2.13:{VERSION}",
    f"org.apache.kafka:kafka-tools:{VERSION}",
    "org.slf4j:slf4j-simple:1.7.36",
)


class Kafka(Server):
    """A broker; `bootstrap` is its address. Topics are not created by writing to them."""

    name = "Kafka"

    @property
    def bootstrap(self) -> str:
        """What clients take as bootstrap_servers."""
        return self.address

    def ready(self, log: bytes) -> bool:
        # Written when every listener is open and the broker serves metadata, whatever the listeners' security.
        return b"Kafka Server started" in log


@contextmanager
def start_kafka(
    folder: Path | None = None,
    port: int | None = None,
    properties: Mapping[str, str] | None = None,
    passwords: Mapping[str, str] | None = None,
) -> Iterator[Kafka]:
    """A Kafka of its own with its data under `folder` (default: a temporary one), stopped at the end.

    `properties` are added to the broker's, or replace them; those that name a port need `port` given. `passwords` are
    of users that SCRAM knows, which only a broker in a process of its own can be made with.
    """
    with TemporaryDirectory(prefix="slmtrail-kafka-") as temporary:
        port = port or free_port()
        home = (folder or Path(temporary)).absolute()
        ways: list[Callable[[], Container | JavaProcess]] = [
            lambda: _process(home, port, properties or {}, passwords or {})
        ]
        if not passwords:
            ways.insert(0, lambda: Container(f"apache/kafka:{VERSION}", port, _environment(port, properties or {})))
        runtime = first_available(Kafka.name, ways)
        kafka = Kafka(runtime, port)
        try:
            kafka.start()
            yield kafka
        finally:
            kafka.discard()


def _properties(listen_host: str, port: int, controller_port: int) -> dict[str, str]:
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{listen_host}:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,"
        "SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
        "auto.create.topics.enable": "false",
        # A killed broker can't come back before its session has ended.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "group.initial.rebalance.delay.ms": "0",
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
    }


def _environment(port: int, properties: Mapping[str, str]) -> dict[str, str]:
    """The image's way to say the same: log.dirs becomes KAFKA_LOG_DIRS."""
    merged = _properties("0.0.0.0", port, controller_port=port + 1) | dict(properties)
    variables = {
        "KAFKA_" + key.replace("_", "__").replace("-", "___").replace(".", "_").upper(): value
        for key, value in merged.items()
    }
    return variables | {"KAFKA_HEAP_OPTS": _HEAP}


def _process(home: Path, port: int, properties: Mapping[str, str], passwords: Mapping[str, str]) -> JavaProcess:
    java = jdk_tool("java")
    jars = resolve("kafka", _ARTIFACTS, ["Leash.java"])
    home.mkdir(parents=True, exist_ok=True)
    merged = _properties("127.0.0.1", port, controller_port=free_port())
    merged |= {"log.dirs": str(home / "data")} | dict(properties)
    file = home / "server.properties"
    file.write_text("".join(f"{key}={value}\n" for key, value in merged.items()))
    run = [java, _HEAP, "-XX:-UsePerfData", "-cp", f"{jars}/classes:{jars}/libs/*"]
    data = Path(merged["log.dirs"])
    if not (data / "meta.properties").exists():
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        format_data = [*run, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(file)]
        for user, password in passwords.items():
            format_data += ["--add-scram", f"SCRAM-SHA-512=[name={user},password={password}]"]
        done = subprocess.run(format_data, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise NotReadyError(f"Kafka can't format {data}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return JavaProcess([*run, "Leash", "kafka.Kafka", str(file)], home, data)


if __name__ == "__main__":
    with start_kafka() as server:
        serve(server, server.bootstrap)

"""A Kafka that asks: over TLS, by name and password, and lets each part do its own and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certificates import Certificate, certificate
from servers.kafka import start_kafka
from servers.server import free_port
from slmtrail.bus.connect import connect
from slmtrail.bus.kafka_access import Access
from slmtrail.core.errors import BusError
from slmtrail.core.ports import ALERTS, CONTROL, FRAMES, RECORDS, Message
from trails import DistributedTrail, Trail, eventually

pytestmark = [pytest.mark.servers, pytest.mark.slow]

USERS = {name: f"{name}-password" for name in ("admin", "collector", "stream", "indexer", "siem")}


@dataclass(frozen=True)
class Guarded:
    """The broker, and the authority to believe it by."""

    bootstrap: str
    ca: Path

    def access(self, user: str) -> Access:
        """What that user shows."""
        return Access(tls=True, authorities=self.ca, user=user, password=USERS[user])


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    made: Certificate = certificate(folder, "broker", server=True)
    both = folder / "both.pem"
    both.write_bytes(made.key.read_bytes() + made.chain.read_bytes())
    port = free_port()
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    properties = {
        "listeners": f"SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{(controller := free_port())}",
        "advertised.listeners": f"SASL_SSL://127.0.0.1:{port}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "inter.broker.listener.name": "SASL_SSL",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f'{login} username="admin" password="admin-password";',
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(both),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(made.chain),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:admin;User:ANONYMOUS",
    }
    with start_kafka(folder / "kafka", port, properties, USERS) as kafka:
        yield Guarded(kafka.bootstrap, made.chain)


def environ(broker: Guarded, user: str) -> dict[str, str]:
    """What a process of that user is started with."""
    return {
        "SLMTRAIL_BUS_URL": f"kafka://{broker.bootstrap}",
        "SLMTRAIL_BUS_PARTITIONS": "2",
        "SLMTRAIL_BUS_TLS": "true",
        "SLMTRAIL_BUS_CA": str(broker.ca),
        "SLMTRAIL_BUS_USER": user,
        "SLMTRAIL_BUS_PASSWORD": USERS[user],
    }


SETUP = [
    *("setup", "kafka"),
    *("--collector", "collector"),
    *("--stream", "stream"),
    *("--indexer", "indexer"),
    *("--reader", "siem"),
]


@pytest.fixture(scope="module")
def rights(broker: Guarded, tmp_path_factory: pytest.TempPathFactory) -> Guarded:
    """The broker, once each part has its rights there, whichever of these tests are run."""
    admin = Trail(tmp_path_factory.mktemp("admin"), **environ(broker, "admin"))
    done = admin.run(*SETUP, "--apply")
    assert done.returncode == 0, done.stderr
    return broker


def test_setting_up_shows_first_then_gives_and_then_has_nothing_to_do(broker: Guarded, tmp_path: Path) -> None:
    admin = Trail(tmp_path, **environ(broker, "admin"))
    shown = admin.run(*SETUP, "--dry-run", "--json")
    assert shown.returncode == 0, shown.stderr
    would = json.loads(shown.stdout)
    assert "collector may write topic slm.frames" in would["changes"]
    assert sum(change.startswith("make the topic") for change in would["changes"]) == 8
    done = admin.run(*SETUP, "--apply", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["changes"] == would["changes"]
    again = eventually(
        "nothing is left to do",
        lambda: not json.loads(admin.run(*SETUP, "--dry-run", "--json").stdout)["changes"],
    )
    assert again
    strange = Trail(tmp_path / "strange", **{**environ(broker, "admin"), "SLMTRAIL_BUS_PASSWORD": "hunter2-wrong"})
    refused = strange.run("setup", "kafka", "--dry-run")
    assert refused.returncode != 0
    assert "hunter2" not in refused.stderr + refused.stdout
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("user", "may", "may_not"),
    [("collector", FRAMES, RECORDS), ("indexer", "slm.checkpoints", ALERTS), ("siem", "", FRAMES)],
)
def test_a_part_writes_its_own_topics_alone(rights: Guarded, user: str, may: str, may_not: str) -> None:
    async def tried() -> None:
        bus = connect(f"kafka://{rights.bootstrap}", partitions=2, kafka_options=rights.access(user).options())
        try:
            await bus.ensure_topics()
            if may:
                await bus.publish(may, [Message("k", b"v")])
            with pytest.raises(BusError, match=r"right|no topic"):
                await bus.publish(may_not, [Message("k", b"v")])
        finally:
            await bus.close()

    asyncio.run(tried())


def test_nobody_reads_records_but_the_indexer(rights: Guarded) -> None:
    async def tried() -> None:
        for user in ("collector", "siem"):
            bus = connect(f"kafka://{rights.bootstrap}", partitions=2, kafka_options=rights.access(user).options())
            try:
                with pytest.raises(BusError):
                    await bus.read(RECORDS, 0, 0)
            finally:
                await bus.close()
        bus = connect(f"kafka://{rights.bootstrap}", partitions=2, kafka_options=rights.access("collector").options())
        try:
            await bus.newest(CONTROL)
        finally:
            await bus.close()

    asyncio.run(tried())


class GuardedTrail(DistributedTrail):
    """Each process as the user that its part is; records go to SQLite."""

    def __init__(self, folder: Path, broker: Guarded) -> None:
        super().__init__(folder, broker.bootstrap, "")
        self._broker = broker

    def launch(self) -> None:
        """Makes the keys the first time, and starts what is not running."""
        if not self.data.exists():
            assert self.run("init").returncode == 0
        for name, user in (("stream", "stream"), ("index", "indexer"), ("collect", "collector")):
            process = self.process(name)
            process._environ = {**self.environ, **environ(self._broker, user)}
            process.start()
        eventually("the indexer has made its store", lambda: self.run("search", "--limit", "1").returncode == 0)


def test_with_just_its_rights_each_part_does_its_work(rights: Guarded, tmp_path: Path) -> None:
    trail = GuardedTrail(tmp_path, rights)
    try:
        trail.start()
        status, answer = trail.post([{"slm.kind": "auth", "event.action": "login", "event.outcome": "success"}])
        assert status == 200, answer
        found = eventually("the record is found", lambda: trail.search("--kind", "auth"))
        assert found[0]["event.action"] == "login"
        logs = "".join(process.log for process in trail.processes.values())
        assert "-password" not in logs
    finally:
        trail.stop()

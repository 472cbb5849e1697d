"""`slmtrail doctor` on set-ups that are broken in one way each: it names that, and what to do."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from slmtrail.app import parts
from slmtrail.app.cli import app
from slmtrail.app.examine import here, there
from slmtrail.app.examine.symptoms import Symptom
from slmtrail.app.examine.there import GROUP, TEMPLATE
from slmtrail.bus import kafka_group
from slmtrail.bus.kafka_group import Standing
from slmtrail.core import settings as settings_file
from slmtrail.core.errors import BusError
from slmtrail.core.ports import FRAMES, STATE, TOPICS
from slmtrail.core.settings import Settings
from slmtrail.indexer.store.elastic_names import Streams
from slmtrail.stream import runner

Examine = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def trail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SLMTRAIL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SLMTRAIL_COLLECTOR_SPOOL_MAX_BYTES", "1000000")
    settings = settings_file.load()
    parts.make_keys(settings)
    return settings


@pytest.fixture
def examine(trail: Settings) -> Examine:
    def run(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
        outcome = CliRunner().invoke(app, ["doctor", "--json", *arguments])
        told = json.loads(outcome.stdout)
        assert told["sound"] == (outcome.exit_code == 0)
        # The room on the disk here is not what is tested.
        return outcome.exit_code, [each for each in told["symptoms"] if each["check"] != "disk"]

    return run


def test_a_sound_trail_is_told_what_it_does_not_do(examine: Examine) -> None:
    code, (only,) = examine()
    assert code == 0
    assert (only["severity"], only["where"]) == ("warning", "stream.redact.ner")


@pytest.mark.parametrize(
    ("sql", "what", "fix"),
    [
        (
            "PRAGMA user_version = 4; DROP TABLE rollup_day",
            "version 4, this slmtrail reads version",
            "start the pipeline",
        ),
        ("PRAGMA user_version = 99", "version 99", "the slmtrail that wrote it"),
        ("PRAGMA application_id = 0", "is not a store", "setting `store`"),
    ],
)
def test_a_store_that_cant_be_read(examine: Examine, trail: Settings, sql: str, what: str, fix: str) -> None:
    parts.open_store(trail, writable=True).close()
    assert examine()[0] == 0
    with closing(sqlite3.connect(trail.data / "store.sqlite")) as db:
        db.executescript(sql)
    found = fault_of(examine())
    assert (found["check"], found["where"]) == ("store", str(trail.data / "store.sqlite"))
    assert what in found["what"]
    assert fix in found["fix"]


def test_for_people_it_says_what_to_do(trail: Settings) -> None:
    (trail.keys / "ledger.pem").chmod(0o644)
    outcome = CliRunner().invoke(app, ["doctor"])
    assert outcome.exit_code == 1
    assert f"to do: chmod 600 {trail.keys / 'ledger.pem'}" in outcome.stdout
    assert "1 faults" in outcome.stdout


def broken(name: str, change: Callable[[Path], object]) -> Any:
    return pytest.param(name, change, id=name)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        broken("ledger.pem", lambda path: path.unlink()),
        broken("stream.pem", lambda path: path.chmod(0o640)),
        broken("stream.pub", lambda path: path.write_text("no key")),
        broken("pseudonym.key", lambda path: path.write_text("short")),
        broken("collector-local.pem", lambda path: path.write_text("no key")),
    ],
)
def test_keys(trail: Settings, examine: Examine, name: str, change: Callable[[Path], object]) -> None:
    change(trail.keys / name)
    code, found = examine("--offline", "--stage", "collect", "--stage", "stream", "--stage", "index")
    assert code == 1
    assert [each["where"] for each in found if each["severity"] == "fault"] == [str(trail.keys / name)]
    assert all(each["fix"] for each in found)


def test_each_stage_needs_its_own(trail: Settings, examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLMTRAIL_BUS_URL", "kafka://127.0.0.1:1")
    for name in ("stream.pem", "ledger.pem"):
        (trail.keys / name).unlink()
    assert examine("--offline") == (0, [])  # a collector's machine has no others
    code, found = examine("--offline", "--stage", "index")
    assert (code, found[0]["where"]) == (1, str(trail.keys / "ledger.pem"))
    (trail.keys / "collector-local.pem").unlink()
    code, (only,) = examine("--offline")
    assert (code, only["what"]) == (1, "there are no keys of any stage")


def test_folders_others_may_look_into(trail: Settings, examine: Examine) -> None:
    trail.keys.chmod(0o755)
    code, found = examine()
    assert code == 0
    assert f"chmod 700 {trail.keys}" in [each["fix"] for each in found]


def test_trust(trail: Settings, examine: Examine) -> None:
    trail.trust_file.write_text('{"collectors": []}')
    assert "no collector is admitted" in fault_of(examine())["what"]
    trail.trust_file.write_text("{")
    assert fault_of(examine())["check"] == "trust"


def test_settings_and_policy(examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("version: x\nroles: 7\n")
    monkeypatch.setenv("SLMTRAIL_POLICY", str(file))
    assert fault_of(examine())["check"] == "policy"
    monkeypatch.setenv("SLMTRAIL_INGEST_PORT", "no number")
    assert "SLMTRAIL_INGEST_PORT" in fault_of(examine())["what"]


def test_a_stage_that_is_none() -> None:
    outcome = CliRunner().invoke(app, ["doctor", "--stage", "judge"])
    assert "write collect, stream or index" in str(outcome.exception)


def test_a_model_for_names_that_is_not_there(examine: Examine, trail: Settings) -> None:
    options = {"ner": {"models": {"en": "no_such_model"}}}
    section = trail.stream.model_copy(update={"redact": options})
    found = list(here.examine(trail.model_copy(update={"stream": section}), ["stream"]))
    assert any("python -m spacy download no_such_model" in each.what for each in found)


def test_a_package_that_is_missing(trail: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "_installed", lambda name: False)
    (only,) = [each for each in here.examine(trail, ["stream"]) if each.check == "packages"]
    assert only.fix == "pip install 'slmtrail[stream]'"


@pytest.mark.parametrize(
    ("days", "severity", "text"), [(-1, "fault", "has ended"), (10, "warning", "ends in"), (90, "", "")]
)
def test_certificates(
    examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, severity: str, text: str
) -> None:
    made = certificate(tmp_path, timedelta(days=days, hours=1))
    monkeypatch.setenv("SLMTRAIL_INGEST_CERTIFICATE", str(made))
    found = [each for each in examine()[1] if each["check"] == "certificates"]
    assert [each["severity"] for each in found] == ([severity] if severity else [])
    assert all(text in each["what"] for each in found)


def test_a_certificate_without_its_key(examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = certificate(tmp_path, timedelta(days=90))
    made.write_bytes(made.read_bytes()[: made.read_bytes().index(b"-----BEGIN PRIVATE")])
    monkeypatch.setenv("SLMTRAIL_INGEST_CERTIFICATE", str(made))
    assert "ingest.key" in fault_of(examine())["fix"]


def test_a_full_disk(trail: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"total": 100 * 1024**3, "free": 500_000})
    monkeypatch.setattr(here.shutil, "disk_usage", lambda path: usage)
    texts = [each.what for each in here.examine(trail, []) if each.check == "disk"]
    assert len(texts) == 2
    assert "a spool may grow" in texts[1]


class FakeBus:
    """A bus with these topics."""

    def __init__(self, counts: dict[str, int] | None) -> None:
        self._counts = counts

    async def partitions(self, topic: str) -> int:
        if self._counts is None:
            raise BusError("kafka://nowhere:9092: nobody answers")
        if topic not in self._counts:
            raise BusError(f"kafka://here:9092: has no topic {topic!r}: make the topics first")
        return self._counts[topic]

    async def close(self) -> None:
        pass


def bus_symptoms(
    monkeypatch: pytest.MonkeyPatch, counts: dict[str, int] | None, standings: list[Standing] | None = None
) -> list[Symptom]:
    async def told(_: object) -> list[Standing]:
        return standings or []

    monkeypatch.setattr(parts, "open_bus", lambda settings, topics: FakeBus(counts))
    monkeypatch.setattr(kafka_group.KafkaGroup, "standings", told)
    settings = settings_file.load(environ={"SLMTRAIL_BUS_URL": "kafka://here:9092", "SLMTRAIL_BUS_PARTITIONS": "2"})
    return asyncio.run(there.examine(settings, ["stream"]))


def test_a_bus_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    (only,) = bus_symptoms(monkeypatch, None)
    assert (only.severity, only.check) == ("fault", "bus")


def test_topics_that_are_missing_or_of_another_size(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = dict.fromkeys(TOPICS, 2) | {FRAMES: 4, STATE: 4}
    del counts["slm.control"]
    missing, other = bus_symptoms(monkeypatch, counts)
    assert (missing.where, missing.what) == ("slm.control", "is not there")
    assert (other.where, other.fix) == (
        FRAMES,
        "set bus.partitions to 4 where it was made so; if it got more later: docs/recovery.md",
    )


def test_messages_that_nobody_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = dict.fromkeys(TOPICS, 2)
    standings = [
        Standing(FRAMES, 0, 10, 10, ""),
        Standing(FRAMES, 1, 10, 3, ""),
        Standing("slm.signals", 0, 50_000, 0, "worker"),
    ]
    nobody, slow = bus_symptoms(monkeypatch, counts, standings)
    assert (nobody.severity, nobody.where) == ("fault", f"{FRAMES}/1")
    assert (slow.severity, slow.where) == ("warning", "slm.signals/0")


def test_names_are_those_that_the_stages_use() -> None:
    assert runner.GROUP == GROUP
    assert f"slmtrail-{Streams('slm').dataset}" == TEMPLATE


class Answering(BaseHTTPRequestHandler):
    """As Elasticsearch would, in what is asked."""

    answers: dict[str, tuple[int, dict[str, Any]]]
    ahead_s = 0.0

    def do_GET(self) -> None:
        status, content = self.answers.get(self.path, (404, {}))
        self.send_response_only(status)
        self.send_header("date", formatdate(time.time() + self.ahead_s, usegmt=True))
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: object) -> None:
        pass


WELL = {
    "/": (200, {"version": {"number": "8.19.4"}}),
    f"/_index_template/{TEMPLATE}": (200, {"index_templates": [{}]}),
    "/_cluster/health": (200, {"status": "green"}),
}


@pytest.fixture
def answering() -> Iterator[tuple[type[Answering], str]]:
    handler = type("Handler", (Answering,), {"answers": dict(WELL)})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield handler, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def store_symptoms(url: str) -> list[Symptom]:
    settings = settings_file.load(environ={"SLMTRAIL_STORE_URL": url})
    return asyncio.run(there.examine(settings, ["index"]))


def test_a_store_that_is_well(answering: tuple[type[Answering], str]) -> None:
    assert store_symptoms(answering[1]) == []


@pytest.mark.parametrize(
    ("path", "answer", "check"),
    [
        ("/", (200, {"version": {"number": "7.17.1"}}), "versions"),
        ("/", (401, {}), "store"),
        (f"/_index_template/{TEMPLATE}", (404, {}), "templates"),
        ("/_cluster/health", (200, {"status": "red"}), "store"),
    ],
)
def test_a_store_that_is_not(
    answering: tuple[type[Answering], str], path: str, answer: tuple[int, dict[str, Any]], check: str
) -> None:
    answering[0].answers[path] = answer
    (only,) = store_symptoms(answering[1])
    assert (only.severity, only.check) == ("fault", check)


@pytest.mark.parametrize(("ahead_s", "severity"), [(20.0, "warning"), (-20.0, "warning"), (7200.0, "fault")])
def test_clocks(answering: tuple[type[Answering], str], ahead_s: float, severity: str) -> None:
    answering[0].ahead_s = ahead_s
    (only,) = store_symptoms(answering[1])
    assert (only.severity, only.check) == (severity, "clocks")


def test_a_store_that_is_away_and_its_password_is_not_shown() -> None:
    (only,) = store_symptoms("http://elastic:hunter2@127.0.0.1:1")
    assert (only.check, only.where) == ("store", "http://127.0.0.1:1")
    assert "hunter2" not in str(only)


def test_a_gateway(answering: tuple[type[Answering], str], tmp_path: Path) -> None:
    answering[0].answers["/health/live"] = (200, {})
    environ = {"SLMTRAIL_COLLECTOR_RELAY": answering[1]}
    assert asyncio.run(there.examine(settings_file.load(environ=environ), ["collect"])) == []
    environ["SLMTRAIL_COLLECTOR_RELAY_CA"] = str(tmp_path / "none")
    (only,) = asyncio.run(there.examine(settings_file.load(environ=environ), ["collect"]))
    assert (only.check, only.fix) == ("gateway", "correct collector.relay_ca")


def fault_of(outcome: tuple[int, list[dict[str, Any]]]) -> dict[str, Any]:
    code, found = outcome
    assert code == 1
    (only,) = [each for each in found if each["severity"] == "fault"]
    return only


def certificate(folder: Path, lasts: timedelta) -> Path:
    """One that signed itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "collector")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=100))
        .not_valid_after(now + lasts)
        .sign(key, hashes.SHA256())
    )
    path = folder / "collector.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path

"""The fixtures hold what they promise: real servers, which keep their data through a stop or kill."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from elasticsearch import ApiError, ConflictError, Elasticsearch

from servers import maven
from servers.elastic import Elastic
from servers.kafka import Kafka, start_kafka
from servers.server import NotReadyError, UnavailableError

PARTITIONS = 3
TESTS = Path(__file__).parents[1]


@pytest.fixture
def topic(kafka: Kafka) -> str:
    name = f"trial.{uuid.uuid4().hex}"
    asyncio.run(create(kafka, name))
    return name


async def create(kafka: Kafka, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=PARTITIONS, replication_factor=1)])
        # The broker says "created" before all of it knows of the topic.
        async with asyncio.timeout(30):
            while len((await admin.describe_topics([topic]))[0]["partitions"]) < PARTITIONS:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def produce(kafka: Kafka, topic: str, value: bytes, partition: int) -> int:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all", enable_idempotence=True) as producer:
        return int((await producer.send_and_wait(topic, value, partition=partition)).offset)


async def consume(kafka: Kafka, topic: str, partition: int) -> list[bytes]:
    async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest") as consumer:
        where = TopicPartition(topic, partition)
        consumer.assign([where])
        end = (await consumer.end_offsets([where]))[where]
        values: list[bytes] = []
        while len(values) < end:
            values.append((await asyncio.wait_for(consumer.getone(), 30)).value)
        return values


def test_kafka_keeps_a_message_in_its_partition(kafka: Kafka, topic: str) -> None:
    assert asyncio.run(produce(kafka, topic, b"one", partition=2)) == 0
    assert asyncio.run(consume(kafka, topic, partition=2)) == [b"one"]
    assert asyncio.run(consume(kafka, topic, partition=0)) == []


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_kafka_keeps_its_data_when_it_ends(kafka: Kafka, topic: str, end: str) -> None:
    asyncio.run(produce(kafka, topic, b"before", partition=1))
    bootstrap, pid = kafka.bootstrap, kafka.pid

    getattr(kafka, end)()
    assert not kafka.alive()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", kafka.port))

    kafka.start()
    assert kafka.bootstrap == bootstrap
    assert kafka.pid != pid
    asyncio.run(produce(kafka, topic, b"after", partition=1))
    assert asyncio.run(consume(kafka, topic, partition=1)) == [b"before", b"after"]


def test_a_kafka_of_ones_own_takes_properties(tmp_path: Path) -> None:
    with start_kafka(tmp_path, properties={"num.partitions": "7", "auto.create.topics.enable": "true"}) as kafka:

        async def partitions_made_on_first_use() -> set[int]:
            async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
                await producer.send_and_wait("unheard", b"")
                return set(await producer.partitions_for("unheard"))

        assert asyncio.run(partitions_made_on_first_use()) == set(range(7))
        assert kafka.data is None or kafka.data.is_relative_to(tmp_path)
    assert not kafka.alive()


def test_a_server_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    with (
        pytest.raises(NotReadyError, match=r"log\.retention\.ms"),
        start_kafka(tmp_path, properties={"log.retention.ms": "soon"}),
    ):
        pass


@pytest.fixture
def client(elastic: Elastic) -> Iterator[Elasticsearch]:
    with Elasticsearch(elastic.url, request_timeout=30) as client:
        yield client


@pytest.fixture
def stream(client: Elasticsearch) -> str:
    """The name of a data stream that its first write will create."""
    dataset = f"trial{uuid.uuid4().hex}"
    client.indices.put_index_template(
        name=dataset,
        index_patterns=[f"logs-{dataset}-*"],
        data_stream={},
        priority=500,
        template={
            "settings": {"number_of_shards": 1, "number_of_replicas": 0},
            "mappings": {"properties": {"@timestamp": {"type": "date"}, "text": {"type": "text"}}},
        },
    )
    return f"logs-{dataset}-test"


def create_in(client: Elasticsearch, stream: str, identifier: str) -> None:
    document = {"@timestamp": "2026-01-01T00:00:00Z", "text": "a needle in the hay"}
    answer = client.bulk(index=stream, operations=[{"create": {"_id": identifier}}, document], refresh="wait_for")
    assert not answer["errors"], answer


def test_elastic_makes_a_data_stream_on_first_write_and_finds_it(client: Elasticsearch, stream: str) -> None:
    create_in(client, stream, "a")
    hits = client.search(index=stream, query={"match": {"text": "needle"}})["hits"]
    assert hits["total"] == {"value": 1, "relation": "eq"}
    assert hits["hits"][0]["_id"] == "a"
    assert hits["hits"][0]["_index"].startswith(f".ds-{stream}-")


def test_elastic_refuses_a_second_create(client: Elasticsearch, stream: str) -> None:
    create_in(client, stream, "a")
    with pytest.raises(ConflictError) as refused:
        client.create(index=stream, id="a", document={"@timestamp": "2026-01-01T00:00:00Z"})
    assert refused.value.status_code == 409
    answer = client.bulk(index=stream, operations=[{"create": {"_id": "a"}}, {"@timestamp": "2026-01-01T00:00:00Z"}])
    assert answer["errors"]
    assert answer["items"][0]["create"]["status"] == 409


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_elastic_keeps_its_data_when_it_ends(client: Elasticsearch, elastic: Elastic, stream: str, end: str) -> None:
    create_in(client, stream, "a")
    getattr(elastic, end)()
    assert not elastic.alive()
    elastic.start()
    assert client.count(index=stream)["count"] == 1
    with pytest.raises(ApiError):
        client.create(index=stream, id="a", document={"@timestamp": "2026-01-01T00:00:00Z"})


def test_a_paused_server_holds_connections_and_says_nothing(elastic: Elastic) -> None:
    elastic.pause()
    with socket.create_connection(("127.0.0.1", elastic.port), timeout=0.5) as connection:
        connection.sendall(b"GET /_cluster/health HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(TimeoutError):
            connection.recv(1)
        elastic.resume()
        connection.settimeout(30)
        assert connection.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("state", ["serving", "paused"])
def test_a_server_ends_with_the_process_that_started_it(kafka: Kafka, tmp_path: Path, state: str) -> None:
    program = f"""
from servers.kafka import start_kafka
with start_kafka() as kafka:
    if {state == "paused"}:
        kafka.pause()
    print(kafka.pid, flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=TESTS,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    wait_until_gone(pid)


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 30
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and whose parent has not asked yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def run_one_test(tmp_path: Path, **environment: str) -> str:
    """The summary of a test that needs Kafka on a machine that has neither Docker nor Java."""
    test = f"{Path(__file__)}::test_kafka_keeps_a_message_in_its_partition"
    bare = {"PATH": str(tmp_path), "HOME": str(tmp_path), "SLMTRAIL_TEST_CACHE": str(tmp_path)}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", test]
    return subprocess.run(command, cwd=TESTS.parent, env=bare | environment, capture_output=True, text=True).stdout


def test_without_docker_and_java_a_test_is_skipped_with_the_reason(tmp_path: Path) -> None:
    summary = run_one_test(tmp_path)
    assert "1 skipped" in summary
    assert "no docker on the PATH; no java in the PATH (install a JDK, 17 or later)" in summary


def test_required_servers_that_cannot_run_are_a_failure(tmp_path: Path) -> None:
    summary = run_one_test(tmp_path, SLMTRAIL_REQUIRE_SERVERS="1")
    assert "1 error" in summary
    assert "no docker on the PATH; no java in the PATH (install a JDK, 17 or later)" in summary


@pytest.fixture
def stub_maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `mvn` that resolves one jar, writes a line into the returned file, and fails while `offline` exists."""
    if shutil.which("javac") is None:
        pytest.skip("no javac on the PATH (install a JDK, 17 or later)")
    calls = tmp_path / "calls"
    with zipfile.ZipFile(tmp_path / "whole.jar", "w") as jar:
        jar.writestr("content", "")
    stub = tmp_path / "bin" / "mvn"
    stub.parent.mkdir()
    stub.write_text(
        "#!/bin/sh\n"
        f"echo call >> {calls}\n"
        'for argument; do case "$argument" in -DoutputDirectory=*) libs=${argument#*=};; esac; done\n'
        'mkdir -p "$libs"\n'
        f'if [ -e {tmp_path}/offline ]; then echo half > "$libs/half.jar"; echo no route to host; exit 1; fi\n'
        f'cp {tmp_path}/whole.jar "$libs"\n'
    )
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stub.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SLMTRAIL_TEST_CACHE", str(tmp_path / "cache"))
    return calls


def test_a_download_left_half_done_is_redone(stub_maven: Path, tmp_path: Path) -> None:
    (tmp_path / "offline").touch()
    with pytest.raises(UnavailableError, match="no route to host"):
        maven.resolve("x", ["g:a:1"], ["Leash.java"])
    (tmp_path / "offline").unlink()
    folder = maven.resolve("x", ["g:a:1"], ["Leash.java"])
    assert [jar.name for jar in (folder / "libs").iterdir()] == ["whole.jar"]
    assert (folder / "classes" / "Leash.class").exists()


def test_parallel_runs_download_once(stub_maven: Path) -> None:
    program = "from servers.maven import resolve; print(resolve('x', ['g:a:1'], ['Leash.java']))"
    resolve = [sys.executable, "-c", program]
    runs = [subprocess.Popen(resolve, cwd=TESTS, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    folders = {run.communicate(timeout=120)[0] for run in runs}
    assert all(run.returncode == 0 for run in runs)
    assert len(folders) == 1
    assert stub_maven.read_text() == "call\n"

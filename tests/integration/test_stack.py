"""The services of docker-compose.yml without an engine: each one's own command, settings, secrets and health check,
over a real Kafka that asks and a real Elasticsearch; names, ports and mounts are as an engine would make them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from servers.elastic import start_elastic
from servers.stack import guarded, start_stack_kafka
from trails import Trail, eventually
from tree import ROOT

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
SETUPS = ("kafka-setup", "elasticsearch-setup")
OURS = ("collector", "sidecar", "stream", "indexer", "echo")
MOST, SPAN = 3, 3
"""How many ports a service may name, and how many in a row it takes from each: a supervisor and its workers."""


class Service:
    """One service as compose would start it, on ports of its own."""

    def __init__(self, name: str, first_port: int, trail: Trail) -> None:
        self._given, self._trail, self._log = SERVICES[name], trail, trail.folder / f"{name}.log"
        inner = [int(port) for port in re.findall(r"\b(4747|4748|9464|8000)\b", str(self._given))]
        self._places = mounted(self._given, trail.folder)
        self.ports = {port: first_port + SPAN * number for number, port in enumerate(sorted(set(inner)))}

    def here(self, text: str, others: dict[str, Service]) -> str:
        """`text` with the ports of this machine, and its names."""
        for name, other in others.items():
            text = re.sub(rf"\b{name}:(\d+)", lambda m, o=other: f"127.0.0.1:{o.ports[int(m[1])]}", text)
        text = re.sub(r"\$\{\w+:-(.*?)\}", r"\1", text)
        for place, path in self._places.items():
            text = re.sub(rf"(?<![\w.]){place}(?=/|$)", str(path), text)
        if text in ("0.0.0.0", *map(str, self.ports)):
            return "127.0.0.1" if text == "0.0.0.0" else str(self.ports[int(text)])
        return re.sub(r"(?<=127\.0\.0\.1:)(\d+)", lambda m: str(self.ports.get(int(m[1]), m[1])), text)

    @property
    def environ(self) -> dict[str, str]:
        """What its environment says, here."""
        given = {k: self.here(str(v), {}) for k, v in self._given.get("environment", {}).items()}
        return given | ({"SLMTRAIL_INGEST_PORT": str(self.ports[4747])} if 4747 in self.ports else {})

    def done(self) -> str:
        """Runs its command to its end; what it says."""
        _, *arguments = [self.here(part, {}) for part in self._given["command"]]
        before = dict(self._trail.environ)
        self._trail.environ = {**self.environ, **before}
        try:
            ran = self._trail.run(*arguments)
        finally:
            self._trail.environ = before
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    @contextmanager
    def running(self, others: dict[str, Service]) -> Iterator[subprocess.Popen[bytes]]:
        """Runs its command, to be stopped in order."""
        upstream = {name: other for name, other in others.items() if name == "echo"}
        program, *arguments = [self.here(part, upstream) for part in self._given["command"]]
        command = [sys.executable, *(["-m", "slmtrail.app.cli"] if program == "slmtrail" else []), *arguments]
        if "sidecar" in arguments:
            command += ["--port", str(self.ports[4748])]
        environ = {**os.environ, **self.environ, **self._trail.environ}
        with self._log.open("ab") as log:
            process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    def healthy(self) -> bool:
        """What its own health check says."""
        _, program, *arguments = self._given["healthcheck"]["test"]
        assert program == "python"
        command = [sys.executable, *(self.here(argument, {}) for argument in arguments)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.servers
@pytest.mark.slow
def test_the_stack_records_what_is_asked(tmp_path: Path) -> None:
    made_secrets = tmp_path / "volumes"
    assert Trail(tmp_path).run("setup", "secrets", "--into", str(made_secrets)).returncode == 0
    with (
        start_stack_kafka(tmp_path / "kafka", made_secrets / "kafka") as kafka,
        start_elastic() as elastic,
        guarded(elastic.address, made_secrets / "elasticsearch") as door,
        ExitStack() as stack,
    ):
        checked = kafka.healthy(SERVICES["kafka"]["healthcheck"]["test"][1:])
        assert checked.returncode == 0, checked.stderr
        trail = Trail(tmp_path, SLMTRAIL_BUS_URL=f"kafka://{kafka.bootstrap}", SLMTRAIL_STORE_URL=door.url)
        del trail.environ["SLMTRAIL_INGEST_PORT"]
        trail.environ["SLMTRAIL_BUS_PARTITIONS"] = str(SERVICES["stream"]["environment"]["SLMTRAIL_BUS_PARTITIONS"])
        for name in ("keys", "edge-keys"):
            environ = SERVICES[name]["environment"]
            trail.environ["SLMTRAIL_COLLECTOR_NAME"] = environ.get("SLMTRAIL_COLLECTOR_NAME", "local")
            assert trail.run(*SERVICES[name]["command"][1:]).returncode == 0
        del trail.environ["SLMTRAIL_COLLECTOR_NAME"]
        made = keys_of(trail)
        for name in SETUPS:
            first_time, second = (Service(name, 0, trail).done() for _ in range(2))
            assert "nothing to change" in second, second
            assert "nothing to change" not in first_time
        assert door.passwords["kibana_system"] == (made_secrets / "kibana/password").read_text()
        first = free_row(len(OURS) * MOST * SPAN)
        services = {name: Service(name, first + n * MOST * SPAN, trail) for n, name in enumerate(OURS)}
        processes = {name: stack.enter_context(services[name].running(services)) for name in reversed(OURS)}
        for name, service in services.items():
            eventually(
                f"{name} is healthy",
                lambda s=service, p=processes[name]: s.healthy() or p.poll() is not None,
                pause_s=1,
            )
            assert processes[name].poll() is None, (tmp_path / f"{name}.log").read_text()[-3000:]

        sidecar = f"http://127.0.0.1:{services['sidecar'].ports[4748]}/v1/chat/completions"
        asked = b'{"model":"echo","messages":[{"role":"user","content":"I am alice@example.com, hello"}]}'
        request = urllib.request.Request(sidecar, asked, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert b"I am alice@example.com, hello" in answer.read()  # nothing is changed on its way
        inside = tmp_path / "inside"  # what the indexer's container sees
        inside.mkdir()
        for mount in SERVICES["indexer"]["volumes"]:
            _, _, name = mount.split(":")[1].partition("/data/")
            if not name:
                continue
            (trail.data / name).mkdir(exist_ok=True)
            (inside / name).symlink_to(trail.data / name)
        seen = sorted(inside.iterdir())
        trail.environ = {**services["indexer"].environ, **trail.environ, "SLMTRAIL_DATA": str(inside)}
        (record,) = eventually("it is stored", lambda: trail.search("hello", "--kind", "inference"))
        assert "alice@example.com" not in str(record)
        assert record["slm.collector.id"] == "edge"
        assert eventually("who looked is recorded", lambda: trail.search("--kind", "access"))
        verified = trail.verify()
        assert (verified["exit_code"], verified["faults"]) == (0, [])
        told = json.loads(trail.run("doctor", "--stage", "index", "--json").stdout)
        assert not [each for each in told["symptoms"] if each["severity"] == "fault"]

        for target in targets():
            name, _, port = target.partition(":")
            own = max(p for p in services[name].ports if p <= int(port))
            counted = get(services[name].ports[own] + int(port) - own, "/metrics")
            assert "slm_events_accepted_total" in counted, target

        # Roots and keys are read-only there, so nothing may be written but where something is mounted.
        assert keys_of(trail) == made
        mounts = [mount for name in OURS for mount in (*SERVICES[name].get("volumes", []), *SERVICES[name]["tmpfs"])]
        mounted = {match[1] for mount in mounts if (match := re.search(r"(?:^|:)/data/(\w+)", mount))}
        assert {path.name for path in trail.data.iterdir()} <= mounted
        assert sorted(inside.iterdir()) == seen


def mounted(given: dict[str, Any], folder: Path) -> dict[str, Path]:
    """Where what a service has mounted is here, but for its data."""
    places = {}
    for mount in given.get("volumes", []):
        source, place = mount.split(":")[:2]
        if not place.startswith("/data/"):
            own = folder / "volumes" / source.removesuffix("-secrets")
            places[place] = ROOT / source if source.startswith(".") else own
    return places


def keys_of(trail: Trail) -> dict[str, int]:
    """Each key file, and when it was last written."""
    return {path.name: path.stat().st_mtime_ns for path in (trail.data / "keys").iterdir()}


def free_row(count: int) -> int:
    """The first of so many free ports in a row."""
    for first in range(23000 + os.getpid() % 500 * 10, 60000, count):
        with ExitStack() as taken:
            try:
                for port in range(first, first + count):
                    taken.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
        return first
    raise AssertionError("no ports are free")


def targets() -> list[str]:
    """All that Prometheus is told to look at."""
    jobs = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    return [target for job in jobs for group in job["static_configs"] for target in group["targets"]]


def get(port: int, path: str) -> str:
    """What is answered on this machine."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return str(answer.read().decode())

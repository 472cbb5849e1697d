"""Metrics and health: served beside any process, with what is wrong in words."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from slmtrail.app.running import monitor
from slmtrail.core import settings
from slmtrail.core.errors import SettingsError
from slmtrail.core.health import Health
from slmtrail.core.settings import Settings
from trails import Trail, eventually


@pytest.fixture
def health(monkeypatch: pytest.MonkeyPatch) -> Iterator[Health]:
    own = Health()
    monkeypatch.setattr(monitor, "HEALTH", own)
    yield own


def port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def given(number: int | str) -> Settings:
    return settings.load(environ={"SLMTRAIL_MONITOR_PORT": str(number)})


def get(number: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{number}{path}", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_ready_says_why_not(health: Health) -> None:
    number = port()
    with monitor.monitored(given(number)):
        assert get(number, "/health/ready") == (503, '{"ready":false,"reasons":{"process":"it is starting"}}\n')
        health.tell("process")
        assert get(number, "/health/ready") == (200, '{"ready":true,"reasons":{}}\n')
        health.tell("store", "http://elsewhere:9200: nobody answers")
        status, text = get(number, "/health/ready")
        assert status == 503
        assert json.loads(text)["reasons"] == {"store": "http://elsewhere:9200: nobody answers"}
        assert get(number, "/health/live") == (200, "live\n")  # a store that is away is no reason to be killed
        assert "slm_records_stored_total" in get(number, "/metrics")[1]
        assert get(number, "/else")[0] == 404
    with pytest.raises(OSError):
        get(number, "/health/live")


def test_a_stuck_loop_is_not_live(health: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "turns", lambda: False)
    status, _, body = monitor.live()
    assert status == 503
    assert b"stuck" in body


def test_without_a_port_nothing_is_served(health: Health) -> None:
    with monitor.monitored(settings.load(environ={})):
        assert health.reasons() == {}


def test_workers_take_the_ports_behind(health: Health) -> None:
    number = port()
    with monitor.monitored(given(number - 2), 2):
        assert get(number, "/health/live")[0] == 200
    with (
        pytest.raises(SettingsError, match=r"monitor\.port: 65535 leaves no port for worker 0"),
        monitor.monitored(given(65535), 1),
    ):
        pass


def test_a_port_in_use_is_said(health: Health) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        number = sock.getsockname()[1]
        with (
            pytest.raises(SettingsError, match=r"monitor\.port.*SLMTRAIL_MONITOR_PORT"),
            monitor.monitored(given(number)),
        ):
            pass


def test_an_indexer_is_live_and_ready(tmp_path: Path) -> None:
    trail = Trail(tmp_path, SLMTRAIL_MONITOR_PORT="0")
    assert trail.run("init").returncode == 0
    index = trail.process("index")
    index.start()
    try:
        number = int(index.wait_for(r"metrics and health are at http://127\.0\.0\.1:(\d+)"))
        eventually("it is ready", lambda: get(number, "/health/ready")[0] == 200)
        assert get(number, "/health/live") == (200, "live\n")
        assert "slm_records_sealed_total 0.0" in get(number, "/metrics")[1]
    finally:
        assert index.stop() == 0

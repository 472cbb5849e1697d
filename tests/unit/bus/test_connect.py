from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from slmtrail.bus.connect import connect
from slmtrail.bus.kafka import KafkaBus
from slmtrail.bus.sqlite import SqliteBus
from slmtrail.core.errors import SettingsError


def test_names_an_adapter() -> None:
    async def scenario() -> None:
        assert isinstance(connect("sqlite:data/bus.db", partitions=1), SqliteBus)
        for addresses in ("kafka:9092", "a:1,b-2.example:65535", "[::1]:9092", "127.0.0.1:9092/"):
            assert isinstance(connect(f"kafka://{addresses}", partitions=1), KafkaBus)

    asyncio.run(scenario())


def test_opens_nothing_by_itself(tmp_path: Path) -> None:
    async def scenario() -> None:
        bus = connect(f"sqlite:{tmp_path}/bus.db", partitions=1)
        assert os.listdir(tmp_path) == []  # noqa: PTH208
        await bus.ensure_topics()
        assert "bus.db" in os.listdir(tmp_path)  # noqa: PTH208
        await bus.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "url",
    [
        *("", "sqlite", "sqlite:", "kafka:", "kafka://", "kafka://host", "kafka://host:0", "kafka://host:65536"),
        *("kafka://host:1,", "kafka://,host:1", "kafka://host:port", "kafka://ho st:1", "postgres://x", "/bus.db"),
    ],
)
def test_refuses_what_is_no_bus(url: str) -> None:
    with pytest.raises(SettingsError, match="bus should be sqlite:<path> or kafka://"):
        connect(url, partitions=1)


def test_shows_no_password() -> None:
    for url in ("kafka://user:hunter2@host:9092", "amqp://user:hunter2@host"):
        with pytest.raises(SettingsError) as raised:
            connect(url, partitions=1)
        assert "hunter2" not in str(raised.value)


def test_refuses_no_partitions(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="partitions"):
        connect(f"sqlite:{tmp_path}/bus.db", partitions=0)

"""The SQLite bus where it differs from a broker: files, leases, trimming."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from slmtrail.bus import sqlite_group
from slmtrail.bus.sqlite import SqliteBus
from slmtrail.bus.sqlite_file import Connection
from slmtrail.bus.sqlite_lanes import MAX_POLL_BYTES
from slmtrail.core.errors import BusError, Expired, StorageError
from slmtrail.core.ports import Delivery, Message

TOPIC = "topic"
COMPACTED = "compacted"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bus.db"


def bus_in(file: Path, partitions: int = 1, topics: tuple[str, ...] = (TOPIC, COMPACTED)) -> SqliteBus:
    return SqliteBus(file, partitions=partitions, topics=topics, compacted=[COMPACTED])


def on(bus: SqliteBus, scenario: Callable[[SqliteBus], Awaitable[None]]) -> None:
    """Runs `scenario` and closes the bus."""

    async def whole() -> None:
        try:
            await scenario(bus)
        finally:
            await bus.close()

    asyncio.run(whole())


async def fill(bus: SqliteBus) -> None:
    await bus.publish(TOPIC, [Message("key", b"%d" % number) for number in range(10)])


def values(found: list[Delivery]) -> list[int]:
    return [int(each.value) for each in found]


def test_one_file_that_only_its_user_reads(file: Path) -> None:
    on(bus_in(file.parent / "new" / "bus.db"), fill)
    made = file.parent / "new" / "bus.db"
    assert (made.parent.stat().st_mode & 0o777, made.stat().st_mode & 0o777) == (0o700, 0o600)
    assert [each.name for each in made.parent.iterdir()] == ["bus.db"]


def test_a_damaged_file_is_refused(file: Path) -> None:
    file.write_bytes(b"this is no database" * 1000)
    with pytest.raises(StorageError, match=r"bus\.db.*not a database.*move it away"):
        on(bus_in(file), fill)
    assert file.read_bytes() == b"this is no database" * 1000


def test_the_database_of_another_program_is_refused_and_left_as_it_is(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE theirs (x)")
    before = file.read_bytes()
    with pytest.raises(StorageError, match="another program"):
        on(bus_in(file), fill)
    assert file.read_bytes() == before


def test_another_version_of_the_file_is_refused(file: Path) -> None:
    on(bus_in(file), fill)
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(StorageError, match="form 99"):
        on(bus_in(file), fill)


def test_a_folder_is_refused(file: Path) -> None:
    file.mkdir()
    with pytest.raises(StorageError, match="is a folder"):
        on(bus_in(file), fill)


def test_a_file_in_the_place_of_a_folder_is_named(file: Path) -> None:
    file.touch()
    with pytest.raises(StorageError, match="a file stands where a folder should be"):
        on(bus_in(file / "deeper" / "bus.db"), fill)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(file: Path) -> None:
    file.parent.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="write permission"):
            on(bus_in(file), fill)
    finally:
        file.parent.chmod(0o700)


def test_a_full_disk_is_named_and_loses_nothing_that_was_there(file: Path) -> None:
    async def scenario(bus: SqliteBus) -> None:
        await fill(bus)
        full = Connection(file, lambda db: db.execute("PRAGMA max_page_count=1"))

        def write(db: sqlite3.Connection) -> None:
            db.execute("INSERT INTO message VALUES (1, 1, 'key', zeroblob(1000000))")

        with pytest.raises(StorageError, match=r"full.*free space"):
            await full.run(write)
        await full.close()
        await fill(bus)
        assert values(await (await bus.read(TOPIC, 0, 0)).poll(100, 0)) == [*range(10), *range(10)]

    on(bus_in(file), scenario)


def test_a_file_removed_while_in_use_is_noticed(file: Path) -> None:
    async def scenario(bus: SqliteBus) -> None:
        await fill(bus)
        os.rename(file, moved)  # noqa: PTH104
        with pytest.raises(StorageError, match="removed or replaced"):
            await fill(bus)
        os.rename(moved, file)  # noqa: PTH104
        await fill(bus)

    moved = file.with_name("moved")

    on(bus_in(file), scenario)


def test_a_locked_file_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slmtrail.bus.sqlite_file.BUSY_TIMEOUT_MS", 20)
    on(bus_in(file), fill)
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(BusError, match="locked"):
            on(bus_in(file), fill)
    finally:
        holder.close()


def test_keeps_its_number_of_partitions(file: Path) -> None:
    on(bus_in(file, partitions=4), fill)
    with pytest.raises(BusError, match="has 4 partitions, not 8"):
        on(bus_in(file, partitions=8), fill)


def test_takes_new_topics_in(file: Path) -> None:
    on(bus_in(file, partitions=2), fill)

    async def scenario(bus: SqliteBus) -> None:
        assert await bus.partitions("more") == 2
        assert len(await (await bus.subscribe(TOPIC, "group")).poll(100, 0)) == 10

    on(bus_in(file, partitions=2, topics=(TOPIC, COMPACTED, "more")), scenario)


def test_many_processes_may_make_it_at_once(file: Path) -> None:
    program = (
        "import asyncio, sys, pathlib\n"
        "from slmtrail.bus.sqlite import SqliteBus\n"
        "from slmtrail.core.ports import Message\n"
        "async def main():\n"
        "    bus = SqliteBus(pathlib.Path(sys.argv[1]), partitions=1, topics=['topic', 'compacted'])\n"
        "    for _ in range(10): await bus.publish('topic', [Message('key', b'1')])\n"
        "    await bus.close()\n"
        "asyncio.run(main())\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(file)], stderr=subprocess.PIPE) for _ in range(6)]
    assert [process.communicate()[1] for process in processes] == [b""] * 6

    async def scenario(bus: SqliteBus) -> None:
        found = await (await bus.read(TOPIC, 0, 0)).poll(1000, 0)
        assert [each.offset for each in found] == list(range(60))

    on(bus_in(file), scenario)


def test_trims_by_age_and_says_what_is_gone(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(bus: SqliteBus) -> None:
        await fill(bus)
        await bus.publish(COMPACTED, [Message("key", b"kept")])
        subscription = await bus.subscribe(TOPIC, "group")
        assert values(await subscription.poll(4, 0)) == [0, 1, 2, 3]
        await subscription.commit()
        late = await bus.read(TOPIC, 0, 0)
        await bus.trim(0)
        assert len(await late.poll(3, 0)) == 3
        await bus.trim(2**60)
        assert "6 messages" in caplog.text
        assert "group group" in caplog.text
        for offset in (0, 9):
            with pytest.raises(Expired, match=f"messages {offset} to 9 are gone"):
                await bus.read(TOPIC, 0, offset)
        with pytest.raises(Expired, match="messages 3 to 9 are gone"):
            await late.poll(1, 0)
        await fill(bus)
        assert [each.offset for each in await subscription.poll(100, 0)] == list(range(10, 20))
        for offset in (10, None):
            assert [each.offset for each in await (await bus.read(TOPIC, 0, offset)).poll(3, 0)] == [10, 11, 12]
        assert await bus.newest(COMPACTED) == {"key": b"kept"}

    on(bus_in(file), scenario)


def test_trims_only_what_is_old_enough(file: Path) -> None:
    async def scenario(bus: SqliteBus) -> None:
        for _ in range(3):
            await fill(bus)
        with sqlite3.connect(file) as db:
            db.execute("UPDATE message SET timestamp_ms = 1000 WHERE place & 255 < 13")
        await bus.trim(1001)
        assert (await (await bus.read(TOPIC, 0, 13)).poll(1, 0))[0].offset == 13
        with pytest.raises(Expired, match="messages 12 to 12 are gone"):
            await bus.read(TOPIC, 0, 12)

    on(bus_in(file), scenario)


def test_what_was_trimmed_can_not_be_found_in_the_file(file: Path) -> None:
    async def scenario(bus: SqliteBus) -> None:
        await bus.publish(TOPIC, [Message("key", b"SECRET" * 10_000), Message("key", b"SECRET")])
        await bus.publish(COMPACTED, [Message("key", b"SECRET" * 10_000)])
        await bus.publish(COMPACTED, [Message("key", b"other")])
        await bus.trim(2**60)

    on(bus_in(file), scenario)
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    assert b"SECRETSECRET" not in file.read_bytes()


def test_compacted_topics_keep_one_message_a_key(file: Path) -> None:
    async def scenario(bus: SqliteBus) -> None:
        for _ in range(3):
            await bus.publish(COMPACTED, [Message(f"key-{number % 4}", b"%d" % number) for number in range(40)])
        found = await (await bus.read(COMPACTED, 0, 0)).poll(1000, 0)
        assert [(each.offset, each.value) for each in found] == [
            (116, b"36"),
            (117, b"37"),
            (118, b"38"),
            (119, b"39"),
        ]

    on(bus_in(file), scenario)


def test_a_poll_holds_a_bounded_amount(file: Path) -> None:
    async def scenario(bus: SqliteBus) -> None:
        part = bytes(MAX_POLL_BYTES // 4 - len("key"))
        for _ in range(6):
            await bus.publish(TOPIC, [Message("key", part)])
        subscription = await bus.subscribe(TOPIC, "group")
        assert [len(await subscription.poll(100, 0)) for _ in range(3)] == [5, 1, 0]

    on(bus_in(file), scenario)


def test_a_busy_partition_keeps_none_waiting(file: Path) -> None:
    async def scenario(bus: SqliteBus) -> None:
        await bus.publish(TOPIC, [Message(f"key-{number % 50}", b"") for number in range(1000)])
        subscription = await bus.subscribe(TOPIC, "group")
        seen = {each.partition for _ in range(4) for each in await subscription.poll(10, 0)}
        assert seen == {0, 1, 2, 3}

    on(bus_in(file, partitions=4), scenario)


def test_a_member_whose_lease_ended_is_fenced_and_comes_back(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(bus: SqliteBus) -> None:
        await fill(bus)
        monkeypatch.setattr(sqlite_group, "BEAT_S", 3600)
        hung = await bus.subscribe(TOPIC, "group")
        assert values(await hung.poll(6, 0)) == [0, 1, 2, 3, 4, 5]
        with sqlite3.connect(file) as db:
            db.execute("UPDATE member SET lease_until_ms = 1")
        other = await bus.subscribe(TOPIC, "group")
        assert await hung.poll(1, 0) == []
        assert values(await other.poll(2, 0)) == [0, 1]
        await other.commit()
        await hung.commit()
        assert "gave it to another member" in caplog.text
        await other.close()
        # Alive after all, it takes its share again, from where the other has left.
        await hung.attend()
        assert values(await hung.poll(3, 0)) == [2, 3, 4]
        await hung.commit()
        third = await bus.subscribe(TOPIC, "other group")
        assert values(await third.poll(1, 0)) == [0]

    on(bus_in(file), scenario)


def test_a_lease_is_kept_while_the_loop_runs(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_group, "LEASE_MS", 600)
    monkeypatch.setattr(sqlite_group, "BEAT_S", 0.02)

    def lease_until_ms() -> int:
        with closing(sqlite3.connect(file)) as db:
            return int(db.execute("SELECT MIN(lease_until_ms) FROM member").fetchone()[0])

    async def scenario(bus: SqliteBus) -> None:
        await fill(bus)
        idle = await bus.subscribe(TOPIC, "group")
        first = values(await idle.poll(1, 0))
        other = await bus.subscribe(TOPIC, "group")
        granted = lease_until_ms()
        while lease_until_ms() < granted + 2 * sqlite_group.LEASE_MS:
            assert await other.poll(1, 50) == []
        assert first + values(await idle.poll(100, 0)) == list(range(10))

    on(bus_in(file), scenario)


def test_a_lease_that_ends_is_given_away(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_group, "LEASE_MS", 300)

    async def scenario(bus: SqliteBus) -> None:
        await fill(bus)
        monkeypatch.setattr(sqlite_group, "BEAT_S", 3600)
        hung = await bus.subscribe(TOPIC, "group")
        await asyncio.sleep(0)  # its heart is set for an hour
        monkeypatch.setattr(sqlite_group, "BEAT_S", 0.02)
        other = await bus.subscribe(TOPIC, "group")
        assert values(await other.poll(100, 60_000)) == list(range(10))
        assert await hung.poll(100, 0) == []

    on(bus_in(file), scenario)


def test_a_poll_waits_for_another_process(file: Path) -> None:
    async def scenario(bus: SqliteBus) -> None:
        subscription = await bus.subscribe(TOPIC, "group")
        polling = asyncio.create_task(subscription.poll(100, 60_000))
        await asyncio.to_thread(on, bus_in(file), fill)
        assert values(await polling) == list(range(10))

    on(bus_in(file), scenario)


def test_a_poll_does_not_wait_for_a_publish(file: Path) -> None:
    async def scenario(bus: SqliteBus) -> None:
        await fill(bus)
        reader = await bus.read(TOPIC, 0, 0)
        holder = sqlite3.connect(file, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        publishing = asyncio.create_task(fill(bus))
        assert values(await reader.poll(100, 0)) == list(range(10))
        assert not publishing.done()
        holder.execute("ROLLBACK")
        holder.close()
        await publishing
        assert values(await reader.poll(100, 0)) == list(range(10))

    on(bus_in(file), scenario)

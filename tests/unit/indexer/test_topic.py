"""A topic that was made anew: noticed wherever it ends, and read from its beginning, each record sealed once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from builders import LEDGER, SealedTrail, Stream, inference, on_records_topic
from slmtrail.bus.sqlite import SqliteBus
from slmtrail.core.errors import LedgerError
from slmtrail.core.ports import RECORDS, Message
from slmtrail.indexer.index import run
from slmtrail.indexer.reconcile import holes
from slmtrail.indexer.seal import Sealer
from slmtrail.indexer.store.sqlite import SqliteStore
from slmtrail.indexer.topic import begin_anew, check


def made(folder: Path) -> list[Message]:
    """Forty records of one collector and more, in order."""
    stream = Stream(folder)
    return stream.take(stream.edge().frame([inference(str(n)) for n in range(40)])).records


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[Message]:
    return made(tmp_path_factory.mktemp("records"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> list[Message]:
    return made(tmp_path_factory.mktemp("others"))


@pytest.fixture
def trail(tmp_path: Path, records: list[Message]) -> SealedTrail:
    """A ledger that was read from a topic of the first ten records."""
    trail = SealedTrail(tmp_path / "trail")
    trail.add(records[:10])
    return trail


@asynccontextmanager
async def topic_of(folder: Path, messages: Sequence[Message]) -> AsyncIterator[SqliteBus]:
    bus = SqliteBus(folder / "bus.sqlite", partitions=1)
    await bus.ensure_topics()
    await bus.publish(RECORDS, messages)
    yield bus
    await bus.close()


def opened(trail: SealedTrail) -> Sealer:
    return Sealer(trail.folder / "ledger", LEDGER, trail.key)


def checked(trail: SealedTrail, messages: Sequence[Message], trimmed: bool = False) -> None:
    async def scenario() -> None:
        async with topic_of(trail.folder, messages) as bus:
            if trimmed:
                await bus.trim(2**60)
            with closing(opened(trail)) as sealer:
                await check(bus, 0, LEDGER, sealer.next_offset, sealer.last_message)

    asyncio.run(scenario())


@pytest.mark.parametrize("there", [0, 1, 9, 10, 40])
def test_another_topic_is_noticed_wherever_it_ends(trail: SealedTrail, others: list[Message], there: int) -> None:
    with pytest.raises(LedgerError, match=r"slm\.records, partition 0: .* message 9 .* --new-topic"):
        checked(trail, others[:there])


@pytest.mark.parametrize("there", [10, 40])
def test_the_topic_it_was_read_from_is_no_other(trail: SealedTrail, records: list[Message], there: int) -> None:
    checked(trail, records[:there])


def test_a_message_that_expired_tells_nothing(trail: SealedTrail, records: list[Message]) -> None:
    checked(trail, records[:10], trimmed=True)


@pytest.mark.parametrize("left", ["DROP TABLE last_message", "UPDATE head SET stored_offset = 12, sealed_offset = 12"])
def test_where_an_earlier_version_noted_nothing_only_the_length_tells(
    trail: SealedTrail, others: list[Message], left: str
) -> None:
    with closing(sqlite3.connect(trail.folder / "ledger" / "state.sqlite")) as db, db:
        db.execute(left)
    with pytest.raises(LedgerError, match="--new-topic"):
        checked(trail, [])
    checked(trail, others)


def test_an_indexer_begins_anew_when_told_and_seals_nothing_twice(
    trail: SealedTrail, records: list[Message], caplog: pytest.LogCaptureFixture
) -> None:
    """The new topic begins in the middle of what was sealed; five leaves of the old one were not known to be stored."""
    sealer, store = opened(trail), SqliteStore(trail.store_path, writable=True)

    async def scenario() -> None:
        async with topic_of(trail.folder, records[5:]) as bus:
            with pytest.raises(LedgerError, match="--new-topic"):
                await asyncio.wait_for(run(bus, store, sealer, 0, 10, {}), 30)
            store.write(sealer.seal(on_records_topic(records[10:15], 10)).records[:2])
            await begin_anew(bus, store, sealer, 0, {})
            work = asyncio.create_task(run(bus, store, sealer, 0, 10, {}))
            for _ in range(3000):
                if work.done() or sealer.next_offset == len(records) - 5:
                    break
                await asyncio.sleep(0.01)
            work.cancel()
            await asyncio.wait([work])

    asyncio.run(scenario())
    assert "leaves 12 to 14 were sealed and are not in the store" in caplog.text
    sealer.checkpoint()
    assert trail.ledger_folder.checkpoint()[1].size == len(records)
    assert list(holes(store, LEDGER, 0, len(records))) == [(12, 14)]
    sealer.close()
    store.close()

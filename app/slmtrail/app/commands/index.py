"""`slmtrail index`: in this process, or in several of this machine that share the partitions."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Annotated

import typer

from slmtrail.app import parts
from slmtrail.app.commands.given import given
from slmtrail.core.errors import SettingsError
from slmtrail.core.ports import RECORDS
from slmtrail.core.settings import Settings


def index(
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the partitions.")] = 1,
    partitions: Annotated[
        str, typer.Option(help="Only these, such as 0,2-4, where other machines have the others; all by default.")
    ] = "",
    new_topic: Annotated[
        bool,
        typer.Option("--new-topic", help="Where the topic of records was made anew: begin with its oldest message."),
    ] = False,
    worker: Annotated[int, typer.Option(hidden=True)] = -1,
) -> None:
    """Run the indexer: seal records into the ledgers and store them."""
    from slmtrail.app.running import run
    from slmtrail.app.running.monitor import monitored
    from slmtrail.stream.job.pulse import end_with_starter

    settings = given.settings()
    mine = _parsed(partitions)
    if worker >= 0:
        end_with_starter()
    if new_topic:
        asyncio.run(_begin_anew(settings, mine))
    with monitored(settings, worker + 1):
        asyncio.run(_supervise(settings, workers, mine) if workers > 1 else run.index(settings, mine))


def _parsed(text: str) -> list[int] | None:
    if not text:
        return None
    numbers: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and (not dash or last.isdecimal()) and int(first) <= int(last or first)):
            raise SettingsError(f"--partitions: {part!r} is no number and no range such as 2-4")
        numbers.update(range(int(first), int(last or first) + 1))
    return sorted(numbers)


async def _begin_anew(settings: Settings, mine: list[int] | None) -> None:
    from slmtrail.indexer.topic import begin_anew

    bus, store = parts.open_bus(settings), parts.open_store(settings, writable=True)
    try:
        await bus.ensure_topics()
        for partition in range(await bus.partitions(RECORDS)) if mine is None else mine:
            if (settings.ledgers / str(partition)).exists():
                with closing(parts.open_sealer(settings, partition)) as sealer:
                    await begin_anew(bus, store, sealer, partition, parts.authorities(settings))
    finally:
        store.close()
        await bus.close()


async def _supervise(settings: Settings, workers: int, mine: list[int] | None) -> None:
    from slmtrail.app.running.run import until_stopped
    from slmtrail.stream.job.supervisor import Supervisor

    bus = parts.open_bus(settings)
    try:
        await bus.ensure_topics()
        there = range(await bus.partitions(RECORDS))
    finally:
        await bus.close()
    wanted = [*there] if mine is None else mine
    shares = [share for first in range(workers) if (share := wanted[first::workers])]
    await until_stopped([Supervisor(len(shares), lambda number: _command(number, shares[number])).run()])


def _command(number: int, partitions: list[int]) -> list[str]:
    return given.command("index", "--partitions", ",".join(map(str, partitions)), "--worker", str(number))

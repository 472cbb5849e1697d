"""Runs stages in this process: all of them (`up`), or one (`collect`, `stream`, `index`)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from slmtrail.app import parts
from slmtrail.app.readers import looks
from slmtrail.app.running import endpoint
from slmtrail.app.running.emitting import CollectorEmitter
from slmtrail.app.running.reload import Lawbook, under_law
from slmtrail.app.running.routes import follow_alerts
from slmtrail.app.running.serve import Server, listen
from slmtrail.app.web.guard import HostGuard
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.guard import upkeep
from slmtrail.collectors.guard.in_force import InForce
from slmtrail.collectors.receive.gateway import gateway_routes
from slmtrail.collectors.shipper import Shipper
from slmtrail.core import garbage, policy, trust
from slmtrail.core.errors import BusError, SettingsError, StorageError, StoreError
from slmtrail.core.health import HEALTH
from slmtrail.core.metrics import SPOOL_LIMIT_BYTES
from slmtrail.core.ports import RECORDS, Bus, Store, Uplink
from slmtrail.core.settings import Settings

if TYPE_CHECKING:
    from slmtrail.stream.process import Desk

log = logging.getLogger(__name__)

DRAIN_S = 5.0
"""How long a stopping collector goes on shipping what is in its spool."""

LOOK_S = 1.0
RETRY_MIN_S = 0.5
RETRY_MAX_S = 30.0
STORED_AT_ONCE = 4
"""Requests under way to Elasticsearch, where there are no more partitions than that: so it need not wait for us."""
SETTLED_S = 5.0
"""What goes on for so long after a fault is well again."""


Task = Coroutine[Any, Any, None]
Ready = Callable[[str], None]
"""Called with the address once requests are taken."""


async def up(
    settings: Settings,
    ready: Ready,
    pages: Callable[[CollectorEmitter], AbstractAsyncContextManager[list[BaseRoute]]],
    extra: Callable[[str], Task] | None = None,
) -> None:
    """The whole pipeline in one process, until a signal. `pages` is entered once there is a store to read and
    left before it closes, and tells through the collector who looked; `extra` runs beside it once it is ready."""
    async with contextlib.AsyncExitStack() as stack:
        sock = listen(settings.ingest.host, settings.ingest.port)
        stack.callback(sock.close)
        parts.make_keys(settings)
        bus = parts.open_bus(settings)
        stack.push_async_callback(bus.close)
        store = parts.open_store(settings, writable=True)
        stack.callback(store.close)
        desk = stack.enter_context(parts.open_desk(settings))
        garbage.look_seldom()
        await bus.ensure_topics()
        tasks = [
            persistently("the stream", lambda: _streaming(settings, bus, desk)),
            persistently("the routes of alerts", lambda: follow_alerts(settings, bus)),
            *await _indexing(settings, bus, store),
        ]
        emitter = CollectorEmitter()
        routes = await stack.enter_async_context(pages(emitter))
        guard = Middleware(HostGuard, allowed_hosts=[settings.ingest.host, *settings.page.names])
        address, shipping = await stack.enter_async_context(
            _taking_events(settings, bus, sock, routes, [guard], emitter)
        )
        ready(address)
        await until_stopped([*tasks, shipping, *([extra(address)] if extra else [])])


async def collect(settings: Settings, ready: Ready) -> None:
    """A collector: the HTTP endpoint, the spool, and the shipping to the bus."""
    sock = listen(settings.ingest.host, settings.ingest.port)
    uplink = parts.open_uplink(settings)
    try:
        async with _taking_events(settings, uplink, sock, []) as (address, shipping):
            ready(address)
            await until_stopped([shipping])
    finally:
        await uplink.close()


async def stream(settings: Settings) -> None:
    """The stream in a plain loop, on SQLite."""
    with parts.open_desk(settings) as desk:
        garbage.look_seldom()
        bus = parts.open_bus(settings)
        try:
            await bus.ensure_topics()
            await until_stopped(
                [
                    persistently("the stream", lambda: _streaming(settings, bus, desk)),
                    persistently("the routes of alerts", lambda: follow_alerts(settings, bus)),
                ]
            )
        finally:
            await bus.close()


async def _streaming(settings: Settings, bus: Bus, desk: Desk) -> None:
    """The stream, under policy and rules as their files are now."""
    from slmtrail.stream.runner import run

    lawbook = Lawbook(settings)
    await under_law(lawbook, desk, lambda now, over: run(bus, now, settings.stream.batch_frames, over))


async def index(settings: Settings, partitions: Sequence[int] | None = None) -> None:
    """The indexer: a task for each of these partitions of the records, or for all."""
    garbage.look_seldom()
    bus, store = parts.open_bus(settings), parts.open_store(settings, writable=True)
    try:
        await bus.ensure_topics()
        await until_stopped(await _indexing(settings, bus, store, partitions))
    finally:
        store.close()
        await bus.close()


async def _indexing(settings: Settings, bus: Bus, store: Store, wanted: Sequence[int] | None = None) -> list[Task]:
    """A task for each partition, with a ledger of its own, and one for retention."""
    from slmtrail.app.commands.retain import keep
    from slmtrail.indexer.index import run

    authorities = parts.authorities(settings)
    there = range(await bus.partitions(RECORDS))
    partitions = there if wanted is None else wanted
    if missing := [n for n in partitions if n not in there]:
        raise SettingsError(f"--partitions: there is no partition {missing[0]}, only 0 to {there[-1]}")
    at_once = max(1, STORED_AT_ONCE // len(partitions)) if settings.store.url else 1

    async def work(partition: int) -> None:
        sealer = parts.open_sealer(settings, partition)
        try:
            await run(bus, store, sealer, partition, settings.ledger.batch_records, authorities, at_once)
        finally:
            sealer.close()

    tasks = [persistently(f"the indexer of partition {n}", partial(work, n)) for n in partitions]
    # Of several indexers one sees to the store, whatever partitions it has.
    return [*tasks, *([keep(settings, store)] if 0 in partitions else [])]


async def persistently(name: str, work: Callable[[], Task]) -> None:
    """Begins `work` again, from its last commit, after a fault that passes: a full disk, a bus or store away."""
    wait_s = RETRY_MIN_S
    loop = asyncio.get_running_loop()
    while True:
        began = time.monotonic()
        settled = loop.call_later(SETTLED_S, HEALTH.tell, name)
        try:
            await work()
            return
        except (BusError, StoreError, StorageError) as error:
            if time.monotonic() - began > RETRY_MAX_S:
                wait_s = RETRY_MIN_S
            settled.cancel()
            HEALTH.tell(name, str(error))
            log.error("%s begins again in %.1f s: %s", name, wait_s, error)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, RETRY_MAX_S)


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What a collector does beside collecting: it ships, and keeps up with the policy file and with decisions."""

    collector: Collector
    shipper: Shipper
    uplink: Uplink
    in_force: InForce
    policy_file: Path | None
    looks: Path

    async def run(self) -> None:
        """Goes on until cancelled, or one of these fails."""
        tasks = [self.shipper.run(), self._while_it_writes(), looks.take(self.looks, self.collector)]
        if self.in_force.decisions is not None:
            tasks.append(upkeep.follow(self.uplink, self.in_force.decisions, self.in_force))
        if self.policy_file is not None:
            tasks.append(upkeep.watch(self.policy_file, self.in_force))
        await asyncio.gather(*tasks)

    async def _while_it_writes(self) -> None:
        """A collector whose writer met something it has no answer to takes nothing more: a new start may."""
        while self.collector.writes:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
        raise StorageError("the collector's writer has ended, for the reason logged above: start the collector again")


@contextlib.asynccontextmanager
async def collecting(
    settings: Settings, uplink: Uplink, in_force: InForce | None = None
) -> AsyncIterator[tuple[Collector, Upkeep]]:
    """This process's collector; on leaving it closes its chain and ships what it can.

    What it keeps of events is what the policy in force says, which a sidecar brings with it.
    """
    in_force = in_force or InForce(policy.load(settings.policy), parts.open_decisions(settings))
    in_force.obey()
    async with contextlib.AsyncExitStack() as stack:
        spool = parts.open_spool(settings)
        stack.callback(spool.close)
        shipper = Shipper(settings.collector.name, spool, uplink, settings.collector.spool_max_age_hours * 3_600_000)
        stack.push_async_callback(_drain, shipper)
        collector = Collector(parts.identity(settings), spool, parts.collector_options(settings), shipper.notify)
        upkeep.report(in_force, collector)
        SPOOL_LIMIT_BYTES.set(settings.collector.spool_max_bytes)
        full = "it is nearly full: the bus takes nothing, and soon events are refused"
        HEALTH.ask("spool", lambda: full if endpoint.filling(settings, collector) else "")
        collector.start()
        stack.push_async_callback(asyncio.to_thread, collector.stop)
        yield collector, Upkeep(collector, shipper, uplink, in_force, settings.policy, settings.looks)


@contextlib.asynccontextmanager
async def _taking_events(
    settings: Settings,
    uplink: Uplink,
    sock: socket.socket,
    routes: list[BaseRoute],
    middleware: Sequence[Middleware] = (),
    emitter: CollectorEmitter | None = None,
) -> AsyncIterator[tuple[str, Task]]:
    """A collector behind its HTTP endpoint: the address, and the shipping to be run meanwhile."""
    tls = endpoint.tls(settings.ingest)
    room = endpoint.room(settings)
    async with collecting(settings, uplink) as (collector, work), endpoint.syslog(settings, collector, room, tls):
        if emitter is not None:
            emitter.collector = collector
        if not settings.collector.relay:
            known = trust.Trust(settings.trust_file)
            routes = [*gateway_routes(uplink, known, work.in_force.decisions), *routes]
        server = Server(endpoint.application(settings, collector, room, routes, middleware), tls)
        serving = asyncio.create_task(server.serve([sock]))
        host, port = sock.getsockname()[:2]
        scheme = "https" if tls else "http"
        try:
            yield f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}", work.run()
        finally:
            server.should_exit = True
            await serving


async def _drain(shipper: Shipper) -> None:
    """Ships what is left, for a while; the rest waits on disk for the next start."""
    with contextlib.suppress(TimeoutError, BusError, StorageError):
        async with asyncio.timeout(DRAIN_S):
            while await shipper.ship():
                pass


async def until_stopped(tasks: list[Task], *, first_ends: bool = False) -> None:
    """Runs tasks until one fails or SIGINT or SIGTERM comes, or, with `first_ends`, the first of them has ended; then
    ends the others."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, log.info, "policy and rules are taken up by themselves when they change")
    HEALTH.loop = loop
    HEALTH.tell("process")
    running = [asyncio.ensure_future(task) for task in tasks]
    stopped = asyncio.ensure_future(stop.wait())
    try:
        pending = set(running)
        # A task may end by itself (a demo that has played); one that fails ends all.
        while pending and not stop.is_set() and not (first_ends and running[0].done()):
            done, _ = await asyncio.wait([*pending, stopped], return_when=asyncio.FIRST_COMPLETED)
            for task in done & pending:
                await task
            pending -= done
    finally:
        HEALTH.tell("process", "it is stopping")
        for task in [*running, stopped]:
            task.cancel()
        await asyncio.gather(*running, stopped, return_exceptions=True)

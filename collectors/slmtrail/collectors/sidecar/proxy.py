"""The sidecar as one task: it accepts clients on a socket, until it is cancelled."""

from __future__ import annotations

import asyncio
import itertools
import socket
import time

from slmtrail.collectors.collector import Collector
from slmtrail.collectors.guard.gate import Gate
from slmtrail.collectors.sidecar.capture import Capture
from slmtrail.collectors.sidecar.client import Client
from slmtrail.collectors.sidecar.guarded import Guarding
from slmtrail.collectors.sidecar.options import SidecarOptions
from slmtrail.collectors.sidecar.upstream import Pool

LOOK_S = 1.0
STEP_S = 0.02


class Proxy:
    """What the connections of one sidecar share."""

    def __init__(self, options: SidecarOptions, capture: Capture, guarding: Guarding | None) -> None:
        address = options.address()
        self.options = options
        self.capture = capture
        self.guarding = guarding
        self.authority = address.authority.encode() if options.rewrite_host else b""
        self.pool = Pool(address, options.limits)
        self.clients: set[Client] = set()
        self.stopping = False
        self.number = itertools.count(1).__next__
        """The number of the next exchange."""

    async def watch(self) -> None:
        """Ends what stands still, for ever."""
        limits = self.options.limits
        waits = (limits.head_s, limits.idle_s, limits.body_s, limits.response_s, limits.stream_s, limits.drain_s)
        look_s = max(0.05, min(LOOK_S, min(waits) / 4))
        while True:
            await asyncio.sleep(look_s)
            now = time.monotonic()
            for client in list(self.clients):
                client.check(now)
            self.pool.expire(now)
            self.capture.check(now)

    async def stop(self) -> None:
        """Lets exchanges under way end, for a while; then closes every connection."""
        self.stopping = True
        end = time.monotonic() + self.options.limits.stop_s
        while any(client.busy for client in self.clients) and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(STEP_S)
        for client in list(self.clients):
            client.close()
        self.pool.close()
        while (self.clients or self.pool.open) and time.monotonic() < end + 1:  # noqa: ASYNC110
            await asyncio.sleep(STEP_S)


async def serve(options: SidecarOptions, collector: Collector, sock: socket.socket, gate: Gate | None = None) -> None:
    """Stands before the upstream on `sock`, a listening socket, and offers the events of each exchange to `collector`.
    With a `gate` it says who asks, and lets pass what the policy allows.

    Runs until cancelled; then it takes no more clients, lets exchanges under way end within `limits.stop_s`,
    and hands over the events of all of them. The collector should stop after that.
    """
    address = options.address()
    capture = Capture(options, address, collector, gate.identifier.options if gate else None)
    proxy = Proxy(options, capture, Guarding(gate, capture, collector) if gate else None)
    await capture.start()
    server = await asyncio.get_running_loop().create_server(
        lambda: Client(proxy), sock=sock, ssl=options.client_tls, backlog=1024
    )
    try:
        await proxy.watch()
    finally:
        server.close()
        try:
            await proxy.stop()
        finally:
            await capture.stop()

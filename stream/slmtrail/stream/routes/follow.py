"""Follows `slm.alerts` and takes each alert to its routes and hooks.

At least once: what was under way when this ended is delivered again, under the same ids. It is a reader like any other,
so that an address which does not answer holds nobody up: what can't be delivered goes to the dead letters.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from slmtrail.core import canonical
from slmtrail.core.events import timestamp_ms
from slmtrail.core.metrics import ALERTS_DELIVERED
from slmtrail.core.policy import Policy
from slmtrail.core.ports import ALERTS, DEADLETTERS, Bus, Delivery, Message
from slmtrail.stream.hooks.act import Hooks
from slmtrail.stream.routes.deliver import deliver
from slmtrail.stream.routes.failed import DeliveryFailed
from slmtrail.stream.routes.post import Poster

log = logging.getLogger(__name__)

GROUP = "slmtrail-routes"
BATCH = 50
POLL_MS = 1000
WAITS_S = (1.0, 3.0, 10.0)
"""Between the attempts; after the last of them it is given up."""
MAX_AGE_MS = 24 * 3_600_000
"""Alerts older than this wake nobody any more: who follows a bus for the first time finds days of them."""
AT_ONCE = 4
"""Deliveries under way of one route."""


class Routes:
    """The routes of a policy."""

    def __init__(self, policy: Policy, poster: Poster, waits_s: tuple[float, ...] = WAITS_S) -> None:
        self._routes = policy.routes
        self._poster = poster
        self._waits_s = waits_s
        self._limits = {name: asyncio.Semaphore(AT_ONCE) for name in self._routes}
        self._away: set[str] = set()
        """Routes whose last delivery was given up: until one gets through, each is tried once."""

    async def take(self, alert: dict[str, Any]) -> list[tuple[str, str]]:
        """Takes an alert to all its routes; the names of those that gave up, and why."""
        if time.time_ns() // 1_000_000 - timestamp_ms(alert["@timestamp"]) > MAX_AGE_MS:
            return []
        names = [
            name
            for name, route in self._routes.items()
            if route.fits(alert) and (route.every_revision or alert.get("slm.alert.revision", 1) == 1)
        ]
        told = await asyncio.gather(*(self._one(name, alert) for name in names))
        return [(name, text) for name, text in zip(names, told, strict=True) if text]

    async def _one(self, name: str, alert: dict[str, Any]) -> str:
        async with self._limits[name]:
            waits_s = () if name in self._away else self._waits_s
            for wait_s in (*waits_s, None):
                try:
                    await asyncio.to_thread(deliver, alert, self._routes[name], self._poster)
                except DeliveryFailed as error:
                    text = str(error)
                    if wait_s is None or error.lasting:
                        break
                    await asyncio.sleep(wait_s)
                else:
                    self._away.discard(name)
                    ALERTS_DELIVERED.labels("delivered").inc()
                    return ""
            self._away.add(name)
            ALERTS_DELIVERED.labels("given_up").inc()
            log.error("route %s: alert %s was not delivered: %s", name, alert["event.id"], text)
            return text


async def follow(bus: Bus, policy: Callable[[], Policy], poster: Poster, hooks: Callable[[Policy], Hooks]) -> None:
    """Works until cancelled, by the policy as it is now. Raises BusError where the bus is away."""
    subscription = await bus.subscribe(ALERTS, GROUP)
    in_force = policy()
    routes, acts = Routes(in_force, poster), hooks(in_force)
    try:
        while True:
            batch = await subscription.poll(BATCH, POLL_MS)
            now = policy()
            if now.digest != in_force.digest:
                in_force, routes, acts = now, Routes(now, poster), hooks(now)
            letters = await asyncio.gather(*(_take(delivery, routes, acts, bus) for delivery in batch))
            await bus.publish(DEADLETTERS, [letter for some in letters for letter in some])
            if batch:
                await subscription.commit()
    finally:
        await subscription.close()


async def _take(delivery: Delivery, routes: Routes, acts: Hooks, bus: Bus) -> list[Message]:
    alert = orjson.loads(delivery.value)
    given_up, _ = await asyncio.gather(routes.take(alert), acts.take(alert, bus))
    return [
        Message(
            delivery.key,
            canonical.dumps(
                {"reason": "not_delivered", "text": text, "route": name, "topic": ALERTS, "alert": alert["event.id"]}
                | {"partition": delivery.partition, "offset": delivery.offset}
            ),
        )
        for name, text in given_up
    ]


class PolicyFile:
    """The policy as its file holds it now; of a file that can't be used, the one before."""

    def __init__(self, file: Path | None, load: Callable[[Path | None], Policy]) -> None:
        self._file, self._load = file, load
        self._policy = load(file)
        self._stamp = self._look()

    def __call__(self) -> Policy:
        """The policy in force."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._policy = self._load(self._file)
            except Exception as error:
                log.error("the policy file changed and can't be used; the one in force stays: %s", error)
        return self._policy

    def _look(self) -> tuple[int, int] | None:
        try:
            status = self._file.stat() if self._file else None
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_size) if status else None

"""Keeps the policy in force current: signed decisions as the bus brings them, the policy file as it changes."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from slmtrail.collectors.collector import Collector
from slmtrail.collectors.guard.in_force import InForce
from slmtrail.core import canonical, policy
from slmtrail.core.control import Decisions
from slmtrail.core.errors import BusError, ControlError, SettingsError, StorageError
from slmtrail.core.events import parse
from slmtrail.core.policy import Policy
from slmtrail.core.ports import CONTROL, Uplink

log = logging.getLogger(__name__)

LOOK_S = 1.0
POLL_MS = 1000
RETRY_MIN_S = 0.5
RETRY_MAX_S = 5.0
MAX_FAULT_CHARS = 1000


def report(in_force: InForce, collector: Collector) -> None:
    """Has a collector keep what the policy in force says, and tell of that policy: when it is not the built-in one,
    and whenever it changes or one is refused."""

    def tell(now: Policy, fault: str) -> None:
        collector.use(now.capture)
        event = {
            "slm.kind": "config",
            "slm.config.name": "policy",
            "slm.config.type": "policy",
            "slm.config.digest": now.digest,
            "slm.config.values": {"version": now.version},
            "event.action": "policy_refused" if fault else "policy_in_force",
            "event.outcome": "failure" if fault else "success",
        }
        if fault:
            event["event.reason"] = fault[:MAX_FAULT_CHARS]
        collector.offer([canonical.dumps(parse(event, time.time_ns() // 1_000_000))])

    in_force.on_policy = tell
    in_force.on_recipient = collector.seal_to
    collector.use(in_force.policy.capture)
    if in_force.policy.digest != Policy().digest:
        tell(in_force.policy, "")


async def follow(bus: Uplink, decisions: Decisions, in_force: InForce) -> None:
    """Takes decisions as they come, until cancelled. While the bus is away the known ones go on."""
    wait_s = RETRY_MIN_S
    while True:
        try:
            reader = await bus.follow(CONTROL)
            try:
                authority = decisions.authority
                while decisions.authority == authority:  # else from the start: what the next key signed may have come
                    wait_s = RETRY_MIN_S
                    for delivery in await reader.poll(100, POLL_MS):
                        _take(decisions, delivery.value)
                    in_force.obey()
            finally:
                await reader.close()
        except (BusError, StorageError) as error:
            log.warning("decisions can't be followed for now: %s", error)
            in_force.obey()
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, RETRY_MAX_S)


async def watch(file: Path, in_force: InForce) -> None:
    """Takes up the policy file when it changes, until cancelled. One that can't be used is told, the old one stays."""
    taken = stamp = _stamp(file)
    while True:
        await asyncio.sleep(LOOK_S)
        before, stamp = stamp, await asyncio.to_thread(_stamp, file)
        if stamp == taken or stamp != before:  # half of a policy is another policy: it has to have come to rest
            continue
        found, fault = None, ""
        try:
            found = await asyncio.to_thread(policy.load, file)
        except SettingsError as error:
            fault = str(error)
        if await asyncio.to_thread(_stamp, file) != stamp:  # and to have stayed so while it was read
            continue
        taken = stamp
        if found is not None:
            in_force.use(found)
        else:
            log.error("the policy file changed and can't be used; the one in force stays: %s", fault)
            in_force.on_policy(in_force.policy, fault)


def _take(decisions: Decisions, data: bytes) -> None:
    try:
        decisions.take(data)
    except ControlError as error:
        log.error("a decision is not obeyed: %s", error)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size

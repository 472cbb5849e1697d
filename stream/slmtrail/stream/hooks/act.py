"""Acts on alerts as the hooks of the policy say, within their limits, and tells of each action as a record.

What is begun is on disk before it is done. So after a crash it is done again as it was: a decision has the same id, a
call the same idempotency key, and neither is held back by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slmtrail.core import canonical, commitment, durable, events, retaining
from slmtrail.core.control import Decision
from slmtrail.core.identity import Position, identified
from slmtrail.core.metrics import HOOKS_ACTED
from slmtrail.core.policy import Policy
from slmtrail.core.ports import CONTROL, RECORDS, Bus, Message
from slmtrail.core.routing import Hook
from slmtrail.core.spans import span_ms
from slmtrail.stream.routes import forms
from slmtrail.stream.routes.failed import DeliveryFailed
from slmtrail.stream.routes.post import Poster

log = logging.getLogger(__name__)

HOOKS = "@hooks"
"""In the place of a collector's name, in a form that none has."""
HOUR_MS = 3_600_000
_Begun = tuple[str, str, str, int]
"""Name of the hook, whom it is about, the alert's id, and when."""
_FIELDS = {"key": "slm.key.hash", "user": "user.id", "role": "slm.role"}


class Hooks:
    """The hooks of a policy. `signer` gives who signs decisions; `file` remembers what was done."""

    def __init__(
        self, policy: Policy, signer: Callable[[], Ed25519PrivateKey | None], poster: Poster, file: Path
    ) -> None:
        self._policy = policy
        self._signer = signer
        self._poster = poster
        self._file = file
        self._begun: list[_Begun] = [(name, who, alert, at) for name, who, alert, at in _read(file)]
        self._one_at_a_time = asyncio.Lock()

    async def take(self, alert: dict[str, Any], bus: Bus) -> None:
        """Does what the hooks say about an alert. Raises BusError where it can't be told."""
        if alert.get("slm.alert.revision", 1) != 1:
            return
        for name, hook in self._policy.hooks.items():
            if hook.fits(alert):
                # One at a time, so that the limits hold.
                async with self._one_at_a_time:
                    await self._act(name, hook, alert, bus)

    async def _act(self, name: str, hook: Hook, alert: dict[str, Any], bus: Bus) -> None:
        about, now_ms = _about(hook, alert), time.time_ns() // 1_000_000
        at_ms = self._begun_at(name, alert) or now_ms
        held = self._held_back(name, hook, about, alert, now_ms)
        fault = held
        if not held and not hook.dry_run:
            self._remember((name, about, alert["event.id"], at_ms), now_ms)
            try:
                if hook.close:
                    await self._close(name, hook, about, alert, at_ms, bus)
                else:
                    await self._call(name, hook, alert)
            except DeliveryFailed as error:
                fault = str(error)
        result = "held_back" if held else "dry_run" if hook.dry_run else "failed" if fault else "done"
        HOOKS_ACTED.labels(result).inc()
        log.warning("hook %s on alert %s about %s: %s %s", name, alert["event.id"], about, result, fault)
        await bus.publish(RECORDS, [self._told(name, hook, about, alert, result, fault)])

    def _begun_at(self, name: str, alert: dict[str, Any]) -> int:
        """When a hook had begun to act on this very alert; 0: it had not."""
        return next((at for hook, _, of, at in self._begun if (hook, of) == (name, alert["event.id"])), 0)

    def _held_back(self, name: str, hook: Hook, about: str, alert: dict[str, Any], now_ms: int) -> str:
        """Why it is not to act now."""
        if now_ms - events.timestamp_ms(alert["@timestamp"]) > HOUR_MS:
            return "the alert is over an hour old"
        if hook.close and not about.partition(":")[2]:
            return f"the alert names no {hook.close}"
        others = [(who, at) for hooked, who, of, at in self._begun if hooked == name and of != alert["event.id"]]
        if any(who == about and now_ms - at < span_ms(hook.cool_down) for who, at in others):
            return f"it acted on the same within {hook.cool_down}"
        if sum(now_ms - at < HOUR_MS for _, at in others) >= hook.max_an_hour:
            return f"it acted {hook.max_an_hour} times within an hour"
        return ""

    async def _close(self, name: str, hook: Hook, about: str, alert: dict[str, Any], at_ms: int, bus: Bus) -> None:
        signer = self._signer()
        if signer is None:
            raise DeliveryFailed("there is no control.pem to sign a decision with: run slmtrail init", lasting=True)
        reason = f"hook {name}: {alert['rule.name']} (alert {alert['event.id']})"
        decision = Decision("close", about, at_ms, reason, at_ms + span_ms(hook.close_for))
        await bus.publish(CONTROL, [Message(about, decision.sign(signer))])

    async def _call(self, name: str, hook: Hook, alert: dict[str, Any]) -> None:
        once = f"{name}-{alert['event.id']}"
        await asyncio.to_thread(self._poster.post, hook.call or "", forms.as_json(alert), once)

    def _remember(self, begun: _Begun, now_ms: int) -> None:
        """Before it acts: better once too seldom than too often."""
        longest_ms = max([HOUR_MS, *(span_ms(hook.cool_down) for hook in self._policy.hooks.values())])
        kept = [one for one in self._begun if now_ms - one[3] < longest_ms and one[:3] != begun[:3]]
        self._begun = [*kept, begun]
        durable.make_folder(self._file.parent, 0o700)
        durable.write_file(self._file, orjson.dumps(self._begun), 0o600)

    def _told(self, name: str, hook: Hook, about: str, alert: dict[str, Any], result: str, fault: str) -> Message:
        """The record of an action. One about the same alert has the same id."""
        event: dict[str, Any] = {
            "@timestamp": alert["@timestamp"],
            "slm.kind": "config",
            "slm.config.name": name,
            "slm.config.type": "hook",
            "slm.config.values": {"about": about, "result": result, "reason": fault, "rule": alert["rule.id"]}
            | {"alert": alert["event.id"], "close_for": hook.close_for if hook.close else ""},
            "event.action": f"hook_{'close' if hook.close else 'call'}_{result}",
            "event.outcome": "failure" if fault else "success",
        }
        if "deployment.environment.name" in alert:
            event["deployment.environment.name"] = alert["deployment.environment.name"]
        seed = hashlib.sha256(
            f"slmtrail hook v1\n{self._poster.key.hex()}\n{name}\n{alert['event.id']}".encode()
        ).digest()
        boot = hashlib.sha256(f"{name}\n{alert['event.id']}".encode()).hexdigest()[:32]
        record = identified(events.validate(event), HOOKS, boot, Position(0, 0, 0))
        stamp = {
            "slm.policy.digest": self._policy.digest,
            retaining.FIELD: self._policy.retention.class_of(record),
        }
        return Message(HOOKS, canonical.dumps(commitment.salted(record | stamp, seed)))


def _about(hook: Hook, alert: dict[str, Any]) -> str:
    """Whom a hook acts on: the alert's key, user or role, or all that it is about."""
    subject = str(alert["slm.alert.subject"])
    if not hook.close:
        return subject
    field, _, value = subject.partition(":")
    named = value if field == _FIELDS[hook.close] else str(alert.get(_FIELDS[hook.close], ""))
    return f"{hook.close}:{named}"


def _read(file: Path) -> list[Any]:
    try:
        return list(orjson.loads(file.read_bytes()))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        log.error("%s: can't be read, so cool-downs begin anew: %s", file, type(error).__name__)
        return []

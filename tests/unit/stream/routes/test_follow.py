"""Following the alerts: on a bus, with a policy that changes, at least once and never in anybody's way."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from slmtrail.bus.connect import connect
from slmtrail.core import policy as policy_file
from slmtrail.core.ports import ALERTS, DEADLETTERS, RECORDS, Bus, Delivery, Message
from slmtrail.stream.hooks.act import Hooks
from slmtrail.stream.routes.follow import PolicyFile, follow
from slmtrail.stream.routes.post import Poster

POSTER = Poster(b"k" * 32)


async def until_on(bus: Bus, topic: str, count: int) -> list[Delivery]:
    reader = await bus.read(topic, 0, 0)
    found: list[Delivery] = []
    async with asyncio.timeout(60):
        while len(found) < count:
            found += await reader.poll(100, 100)
    await reader.close()
    return found


def test_what_is_given_up_is_a_dead_letter_and_the_next_goes_on(
    alert: dict[str, Any], tmp_path: Path, receiver: Any
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(
        f"routes:\n  ops:\n    webhook: {{url: '{receiver.url}'}}\n"
        f"hooks:\n  back:\n    rules: ['prompt-*']\n    call: '{receiver.url}'\n"
    )
    receiver.answers = [404]

    async def scenario() -> tuple[dict[str, Any], dict[str, Any]]:
        bus = connect(f"sqlite:{tmp_path / 'bus.sqlite'}", partitions=1)
        await bus.ensure_topics()
        in_force = PolicyFile(file, policy_file.load)

        def begun() -> asyncio.Task[None]:
            hooks = lambda policy: Hooks(policy, lambda: None, POSTER, tmp_path / "begun.json")  # noqa: E731
            return asyncio.create_task(follow(bus, in_force, POSTER, hooks))

        following = begun()
        await bus.publish(ALERTS, [Message("mallory", orjson.dumps(alert))])
        (letter,) = await until_on(bus, DEADLETTERS, 1)
        (told,) = await until_on(bus, RECORDS, 1)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        following = begun()
        await bus.publish(ALERTS, [Message("mallory", orjson.dumps(alert | {"event.id": "f" * 32}))])
        await until_on(bus, RECORDS, 2)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await bus.close()
        return orjson.loads(letter.value), orjson.loads(told.value)

    letter, told = asyncio.run(scenario())
    assert (letter["reason"], letter["route"], letter["alert"]) == ("not_delivered", "ops", alert["event.id"])
    assert told["event.action"] == "hook_call_dry_run"
    assert receiver.taken[-1][1]["idempotency-key"] == "f" * 32


@pytest.mark.parametrize("text", ["roles: {anyone: {allow: {models: []}}}", "routes: {ops: {}}", "["])
def test_a_policy_that_can_not_be_used_changes_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("version: good\n")
    in_force = PolicyFile(file, policy_file.load)
    file.write_text(text)
    os.utime(file, ns=(1, 1))
    assert in_force().version == "good"
    file.write_text("version: better\n")
    assert in_force().version == "better"

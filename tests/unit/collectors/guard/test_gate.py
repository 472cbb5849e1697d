"""The gate obeys decisions and files as they come, and keeps what it has when they are no good."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slmtrail.bus.sqlite import SqliteBus
from slmtrail.collectors.guard import upkeep
from slmtrail.collectors.guard.caller import Caller
from slmtrail.collectors.guard.gate import Gate
from slmtrail.collectors.guard.identity import Identifier, IdentityOptions
from slmtrail.collectors.guard.logins import LOGIN_AGAIN_S, Logins
from slmtrail.core import policy
from slmtrail.core.control import Decision, Decisions
from slmtrail.core.keys import key_id, raw
from slmtrail.core.policy import Policy
from slmtrail.core.ports import CONTROL, Message

KEY = Ed25519PrivateKey.generate()
ALICE = Caller("token", verified=True, user="alice")
STRICT = "version: strict\nroles:\n  anyone: {allow: {operations: [embeddings]}}\n"


@pytest.fixture
def decisions(tmp_path: Path) -> Decisions:
    return Decisions(tmp_path / "decisions", [KEY.public_key()])


@pytest.fixture
def gate(decisions: Decisions) -> Gate:
    return Gate(Policy(), Identifier(IdentityOptions(b"s" * 32)), decisions)


def verdict(gate: Gate) -> str:
    return gate.on_head(ALICE, "chat")[1].verdict


def test_decisions_are_obeyed_when_they_are_taken_up(gate: Gate, decisions: Decisions) -> None:
    assert verdict(gate) == "allow"
    decisions.take(Decision("close", "user:alice", 1, "left").sign(KEY))
    gate.obey()
    assert verdict(gate) == "block"
    decisions.take(Decision("open", "user:alice", 2).sign(KEY))
    gate.obey()
    assert verdict(gate) == "allow"


def test_a_policy_by_decision_stands_above_the_file(gate: Gate, decisions: Decisions) -> None:
    told: list[tuple[str, str]] = []
    gate.on_policy = lambda found, fault: told.append((found.version, fault))
    decisions.take(Decision("policy", "policy", 1, policy=STRICT).sign(KEY))
    gate.obey()
    assert verdict(gate) == "block"
    gate.use(Policy(version="file"))
    assert verdict(gate) == "block"
    decisions.take(Decision("policy", "policy", 2, policy="roles: 7\n").sign(KEY))
    gate.obey()
    gate.obey()
    assert verdict(gate) == "allow"
    assert [version for version, _ in told] == ["strict", "strict", "file"]
    assert "roles" in told[1][1]


def test_a_login_is_told_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    logins = Logins()
    assert [logins.begins("api_key", who) for who in ("alice", "alice", "bob")] == [True, False, True]
    later = time.monotonic() + LOGIN_AGAIN_S + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert logins.begins("api_key", "alice")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_decisions_come_over_the_bus(gate: Gate, decisions: Decisions, tmp_path: Path) -> None:
    async def run() -> None:
        bus = SqliteBus(tmp_path / "bus.sqlite", partitions=3)
        await bus.publish(CONTROL, [Message("user:bob", b"no decision at all")])
        following = asyncio.create_task(upkeep.follow(bus, decisions, gate))
        await bus.publish(CONTROL, [Message("user:alice", Decision("close", "user:alice", 1).sign(KEY))])
        await until(lambda: verdict(gate) == "block")
        await bus.publish(CONTROL, [Message("user:alice", Decision("open", "user:alice", 2).sign(KEY))])
        await until(lambda: verdict(gate) == "allow")
        following.cancel()
        await bus.close()

    asyncio.run(run())


def test_a_decision_that_comes_before_the_key_that_signed_it_is_obeyed_after_all(
    gate: Gate, decisions: Decisions, tmp_path: Path
) -> None:
    after = Ed25519PrivateKey.generate()
    public = base64.b64encode(raw(after.public_key())).decode()
    handover = Decision("key", f"control-key:{key_id(KEY.public_key())}", 1, public=public)

    async def run() -> None:
        bus = SqliteBus(tmp_path / "bus.sqlite", partitions=3)
        await bus.publish(CONTROL, [Message("user:alice", Decision("close", "user:alice", 5).sign(after))])
        following = asyncio.create_task(upkeep.follow(bus, decisions, gate))
        await bus.publish(CONTROL, [Message("user:bob", Decision("close", "user:bob", 1).sign(KEY))])
        await until(lambda: bool(decisions.closed("user", 9)))
        assert verdict(gate) == "allow"
        await bus.publish(CONTROL, [Message(handover.subject, handover.sign(KEY))])
        await until(lambda: verdict(gate) == "block")
        following.cancel()
        await bus.close()

    asyncio.run(run())


def test_the_file_is_taken_up_when_it_changes(gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "LOOK_S", 0.01)
    file = tmp_path / "policy.yaml"
    file.write_text("version: first\n")
    faults: list[str] = []
    gate.on_policy = lambda _, fault: faults.append(fault)

    async def run() -> None:
        watching = asyncio.create_task(upkeep.watch(file, gate))
        await asyncio.sleep(0)
        file.write_text(STRICT)
        await until(lambda: verdict(gate) == "block")
        file.write_text("roles: [")
        await until(lambda: bool(faults[-1:] and faults[-1]))
        assert "policy.yaml:" in faults[-1]
        assert verdict(gate) == "block"
        file.unlink()
        await until(lambda: len(faults) == 3)
        assert verdict(gate) == "block"
        file.write_text("version: last\n")
        await until(lambda: verdict(gate) == "allow")
        watching.cancel()

    asyncio.run(run())


def test_what_is_written_to_while_it_is_read_is_not_in_force(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LOOK_S", 0.01)
    file, taken = tmp_path / "policy.yaml", list[str]()
    file.write_text("version: first\n")
    gate.on_policy = lambda found, _: taken.append(found.version)
    load = policy.load

    def slow(of: Path) -> Policy:
        found = load(of)
        if found.version == "half":
            file.write_text("version: whole\n")
        return found

    monkeypatch.setattr(policy, "load", slow)

    async def run() -> None:
        watching = asyncio.create_task(upkeep.watch(file, gate))
        await asyncio.sleep(0)
        file.write_text("version: half\n")
        await until(lambda: "whole" in taken)
        watching.cancel()

    asyncio.run(run())
    assert taken == ["whole"]

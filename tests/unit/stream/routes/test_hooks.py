"""Hooks act within their limits, once an alert, and say so in records that can be sealed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from builders import SealedTrail
from slmtrail.core.control import Decisions
from slmtrail.core.errors import BusError
from slmtrail.core.policy import Policy
from slmtrail.core.ports import CONTROL, RECORDS, Message
from slmtrail.stream.hooks.act import Hooks
from slmtrail.stream.routes.post import Poster

POSTER = Poster(b"k" * 32)


class Kept:
    """A bus that keeps what is published, and may be away."""

    def __init__(self) -> None:
        self.on: dict[str, list[Message]] = {RECORDS: [], CONTROL: []}
        self.away = ""

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        if topic == self.away:
            raise BusError("away")
        self.on[topic] += messages

    def results(self) -> list[str]:
        return [orjson.loads(orjson.loads(m.value)["slm.config.values"])["result"] for m in self.on[RECORDS]]


@pytest.fixture
def signer() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def bus() -> Kept:
    return Kept()


def hooks(tmp_path: Path, signer: Ed25519PrivateKey | None, **hook: Any) -> Hooks:
    policy = Policy.model_validate({"hooks": {"act": {"rules": ["prompt-*"], "dry_run": False, **hook}}})
    return Hooks(policy, lambda: signer, POSTER, tmp_path / "hooks" / "begun.json")


def take(acting: Hooks, bus: Kept, *alerts: dict[str, Any]) -> None:
    async def all_of_them() -> None:
        for alert in alerts:
            await acting.take(alert, bus)  # type: ignore[arg-type]

    asyncio.run(all_of_them())


def other(alert: dict[str, Any], number: int, subject: str = "user.id:mallory") -> dict[str, Any]:
    return alert | {"event.id": f"{number:032x}", "slm.alert.subject": subject}


@pytest.mark.parametrize(
    ("what", "who"),
    [("user", "mallory"), ("role", "support"), ("key", "e1:0123456789abcdef01234567")],
)
def test_a_closing_is_a_decision_that_sidecars_believe(
    alert: dict[str, Any], tmp_path: Path, bus: Kept, signer: Ed25519PrivateKey, what: str, who: str
) -> None:
    take(hooks(tmp_path, signer, close=what), bus, alert)
    decisions = Decisions(tmp_path / "decisions", [signer.public_key()])
    assert [decisions.take(message.value) for message in bus.on[CONTROL]] == [True]
    assert list(decisions.closed(what, 0)) == [who]
    assert decisions.closed(what, 2**50) == {}, "it ends by itself"
    assert bus.results() == ["done"]


def test_each_action_is_a_record_that_can_be_sealed(
    alert: dict[str, Any], tmp_path: Path, bus: Kept, signer: Ed25519PrivateKey
) -> None:
    take(hooks(tmp_path, signer, close="user"), bus, alert)
    trail = SealedTrail(tmp_path / "trail")
    trail.add(bus.on[RECORDS])
    record = orjson.loads(bus.on[RECORDS][0].value)
    assert (record["slm.kind"], record["event.action"]) == ("config", "hook_close_done")
    assert orjson.loads(record["slm.config.values"])["alert"] == alert["event.id"]


def test_a_dry_run_only_says_what_it_would_do(
    alert: dict[str, Any], tmp_path: Path, bus: Kept, signer: Ed25519PrivateKey
) -> None:
    take(hooks(tmp_path, signer, close="user", dry_run=True), bus, alert)
    assert (bus.on[CONTROL], bus.results()) == ([], ["dry_run"])


def test_cool_down_and_limit_hold_through_a_restart(
    alert: dict[str, Any], tmp_path: Path, bus: Kept, signer: Ed25519PrivateKey
) -> None:
    limits = {"close": "user", "max_an_hour": 2}
    take(hooks(tmp_path, signer, **limits), bus, alert, other(alert, 1))
    again = hooks(tmp_path, signer, **limits)
    take(again, bus, other(alert, 2), other(alert, 3, "user.id:eve"), other(alert, 4, "user.id:bob"))
    assert bus.results() == ["done", "held_back", "held_back", "done", "held_back"]


def test_an_action_cut_off_by_a_crash_is_done_as_it_was(
    alert: dict[str, Any], tmp_path: Path, bus: Kept, signer: Ed25519PrivateKey
) -> None:
    bus.away = RECORDS
    with pytest.raises(BusError):
        take(hooks(tmp_path, signer, close="user"), bus, alert)
    bus.away = ""
    take(hooks(tmp_path, signer, close="user"), bus, alert)
    first, second = bus.on[CONTROL]
    assert first == second
    assert bus.results() == ["done"]


def test_a_call_that_fails_is_told(alert: dict[str, Any], tmp_path: Path, bus: Kept, receiver: Any) -> None:
    receiver.answers = [500]
    acting = hooks(tmp_path, None, call=receiver.url)
    take(acting, bus, alert, other(alert, 1, "user.id:eve"))
    assert bus.results() == ["failed", "done"]
    assert receiver.taken[0][1]["idempotency-key"] == f"act-{alert['event.id']}"


def test_what_it_can_not_act_on_is_held_back(alert: dict[str, Any], tmp_path: Path, bus: Kept) -> None:
    nameless = {name: value for name, value in other(alert, 1, "source.ip:1.2.3.4").items() if name != "slm.role"}
    old = other(alert, 2) | {"@timestamp": "2026-01-01T00:00:00.000Z"}
    grown = other(alert, 3) | {"slm.alert.revision": 2}
    take(hooks(tmp_path, None, close="role"), bus, nameless, old, grown, alert)
    assert bus.results() == ["held_back", "held_back", "failed"], "there is no key to sign with"

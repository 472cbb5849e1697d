"""The door: who is not known is refused in words its client understands, and told of."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from google.rpc.status_pb2 import Status
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from slmtrail.collectors.receive import senders
from slmtrail.collectors.receive.door import Door, Refusals, sender_of
from slmtrail.core import events

Post = Callable[..., Any]


class House:
    """An application behind a door, and what was told at it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "senders.json"
        self.told: list[dict[str, Any]] = []
        routes = [Route(path, _inside, methods=["POST"]) for path in ("/v1/events", "/v1/traces", "/health/live", "/")]
        self.app = Door(Starlette(routes=routes), senders.Senders(self.path), self._tell)

    def _tell(self, event: dict[str, Any]) -> None:
        self.told.append(events.parse(event, time.time_ns() // 1_000_000))


async def _inside(request: Any) -> JSONResponse:
    sender = sender_of(request.scope)
    return JSONResponse({"sender": sender.name if sender else None})


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_the_known_go_in_under_their_name(house: House, post: Post) -> None:
    token, _ = senders.token_file(house.path).new("gateway")
    answer = post(house.app, "/v1/events", headers={"authorization": f"Bearer {token}"}, peer="203.0.113.9")
    assert (answer.status, orjson.loads(answer.body)) == (200, {"sender": "gateway"})
    answer = post(house.app, "/v1/events", certificate={"subject": ((("commonName", "edge"),),)})
    assert orjson.loads(answer.body) == {"sender": "edge"}
    assert house.told == []


def test_the_unknown_are_refused_and_told_of(house: House, post: Post) -> None:
    headers = {"authorization": "Bearer nothing", "user-agent": "curl/8"}
    for _ in range(3):
        answer = post(house.app, "/v1/events", headers=headers, peer="203.0.113.9")
        assert (answer.status, orjson.loads(answer.body)["reason"]) == (401, "unknown_token")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert post(house.app, "/v1/events", peer=None).status == 401
    first, second = house.told
    assert (first["slm.kind"], first["event.outcome"], first["event.reason"]) == ("auth", "failure", "unknown_token")
    assert (first["source.ip"], first["user_agent.original"]) == ("203.0.113.9", "curl/8")
    assert (second["event.reason"], second.get("source.ip")) == ("no_credentials", None)
    assert "nothing" not in str(house.told)


def test_clients_of_otlp_are_told_in_their_own_encoding(house: House, post: Post) -> None:
    answer = post(house.app, "/v1/traces", headers={"content-type": "application/x-protobuf"})
    assert (answer.status, answer.headers["content-type"]) == (401, "application/x-protobuf")
    status = Status.FromString(answer.body)
    assert (status.code, "token" in status.message) == (16, True)
    answer = post(house.app, "/v1/traces", headers={"content-type": "application/json"})
    assert orjson.loads(answer.body)["code"] == 16


def test_health_is_for_all_and_pages_have_a_door_of_their_own(house: House, post: Post) -> None:
    assert post(house.app, "/", peer="203.0.113.9").status == 200
    assert post(house.app, "/health/live", peer="203.0.113.9").status == 200
    assert post(house.app, "/metrics").status == 401


def test_while_the_tokens_cant_be_read_nobody_goes_in(house: House, post: Post) -> None:
    house.path.write_text("nonsense")
    house.path.chmod(0o600)
    answer = post(house.app, "/v1/events", headers={"authorization": "Bearer x"})
    assert (answer.status, answer.headers["retry-after"]) == (503, "30")


def test_a_storm_of_refusals_is_told_of_now_and_then() -> None:
    told: list[dict[str, Any]] = []
    now = [0.0]
    refusals = Refusals(told.append, clock=lambda: now[0])
    for n in range(3 * Refusals.MAX_ADDRESSES):
        refusals.add("unknown_token", f"2001:db8::{n:x}", "/v1/events", "")
    assert len(told) == Refusals.MAX_ADDRESSES + 1
    assert "source.ip" not in told[-1]
    now[0] = Refusals.EVERY_S
    refusals.add("unknown_token", "2001:db8::1", "/v1/events", "")
    refusals.add("unknown_token", "192.0.2.1", "/v1/events", "")
    assert told[-1]["source.ip"] == "192.0.2.1"
    assert len(told) == Refusals.MAX_ADDRESSES + 3

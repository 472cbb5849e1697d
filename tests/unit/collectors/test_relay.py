"""The relay: a gateway in the place of the bus, for collectors whose keys are known, and for nobody else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from tests.unit.collectors.conftest import Client, serving

from builders import Edge
from slmtrail.collectors import relay as module
from slmtrail.collectors import relaying
from slmtrail.collectors import shipper as shipper_module
from slmtrail.collectors.receive import gateway
from slmtrail.collectors.receive.gateway import gateway_routes
from slmtrail.collectors.relay import Relay
from slmtrail.collectors.shipper import Shipper
from slmtrail.collectors.spool import Spool
from slmtrail.core import frames, trust
from slmtrail.core.control import Decision, Decisions
from slmtrail.core.errors import BusError, FrameError, SettingsError
from slmtrail.core.ports import CONTROL, FRAMES, Message
from slmtrail.core.trust import Trust

CONTROL_KEY = Ed25519PrivateKey.generate()


class _Bus:
    def __init__(self) -> None:
        self.kept: list[Message] = []
        self.away = False
        self.most_at_once = self._at_once = 0

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        assert topic == FRAMES
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(0)
        self._at_once -= 1
        if self.away:
            raise BusError("the bus is away")
        self.kept += messages

    async def close(self) -> None: ...


class Place:
    """A gateway and a collector that it knows."""

    def __init__(self, folder: Path) -> None:
        self.bus = _Bus()
        self.edge = Edge(X25519PrivateKey.generate(), "pod-1")
        self.trust_file = folder / "trust.json"
        trust.admit(self.trust_file, "pod-1", "dev", self.edge.key.public_key())
        self.decisions = Decisions(folder / "decisions", [CONTROL_KEY.public_key()])
        self.client: Client

    def frames(self, count: int) -> list[bytes]:
        return [frames.to_bytes(self.edge.frame([b'{"n":%d}' % n])) for n in range(count)]

    def serving(self, port: int = 0) -> contextlib.AbstractContextManager[Client]:
        return serving(Starlette(routes=[*gateway_routes(self.bus, Trust(self.trust_file), self.decisions)]), port)

    @contextlib.asynccontextmanager
    async def relay(self, key: Ed25519PrivateKey | None = None) -> AsyncIterator[Relay]:
        relay = Relay(self.client.url, key or self.edge.key)
        try:
            yield relay
        finally:
            await relay.close()


@pytest.fixture
def place(tmp_path: Path) -> Any:
    made = Place(tmp_path)
    with made.serving() as made.client:
        yield made


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAIT_S", 0.01)
    monkeypatch.setattr(gateway, "LOOK_S", 0.01)
    monkeypatch.setattr(shipper_module, "RETRY_MAX_S", 0.01)


def messages(data: Sequence[bytes]) -> list[Message]:
    return [Message("pod-1", one) for one in data]


def test_frames_arrive_as_they_are_under_their_collector(place: Place) -> None:
    sent = [*place.frames(40), b"a frame that was damaged", b""]

    async def run() -> None:
        async with place.relay() as relay:
            await relay.publish(FRAMES, messages(sent[:40]))
            await relay.publish(FRAMES, messages(sent[40:]))
            await relay.publish(FRAMES, [])

    asyncio.run(run())
    assert place.bus.kept == messages(sent)


def test_only_collectors_that_are_known_are_heard(place: Place) -> None:
    other = Edge(X25519PrivateKey.generate(), "pod-2")
    body = relaying.packed(place.frames(1))
    good = relaying.authorization(place.edge.key, "POST", "/v1/frames", body)

    async def run() -> None:
        async with place.relay(other.key) as relay:
            with pytest.raises(BusError, match="401: no collector that is known"):
                await relay.publish(FRAMES, messages(place.frames(1)))
            reader = await relay.follow(CONTROL)
            with pytest.raises(BusError, match="401"):
                await reader.poll(1, 1)
        async with place.relay() as relay:
            with pytest.raises(BusError, match="422: a frame of pod-2 does not come from pod-1"):
                await relay.publish(FRAMES, messages([frames.to_bytes(other.frame([b"{}"]))]))

    asyncio.run(run())
    for authorization, changed in (("", body), (good, body + b"x"), (good[:-6] + "AAAA==", body), ("Bearer x", body)):
        assert place.client.ask(changed, {"authorization": authorization}, path="/v1/frames")[0] == 401
    assert place.client.ask(b"", {"authorization": good}, "GET", "/v1/control")[0] == 401
    assert place.bus.kept == []
    assert place.client.ask(body, {"authorization": good}, path="/v1/frames")[0] == 200


def test_a_collector_that_was_shut_out_is_refused_at_once(place: Place) -> None:
    async def run() -> None:
        async with place.relay() as relay:
            await relay.publish(FRAMES, messages(place.frames(1)))
            place.trust_file.unlink()
            with pytest.raises(BusError, match="401"):
                await relay.publish(FRAMES, messages(place.frames(1)))

    asyncio.run(run())


def test_bodies_that_are_none_are_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def status(body: bytes) -> int:
        signed = relaying.authorization(place.edge.key, "POST", "/v1/frames", body)
        return place.client.ask(body, {"authorization": signed}, path="/v1/frames")[0]

    assert [status(b"\0\0"), status(b"\0\0\0\xffabc"), status(relaying.packed([b"f"] * 65))] == [422] * 3
    monkeypatch.setattr(relaying, "MAX_REQUEST_BYTES", 1000)
    assert status(b"x" * 1001) == 413
    assert place.bus.kept == []


def test_while_the_bus_is_away_frames_stay_with_their_collector(place: Place, spool: Spool) -> None:
    sent = place.frames(150)
    for frame in sent:
        spool.commit([frame])
    place.bus.away = True

    async def run() -> None:
        async with place.relay() as relay:
            with pytest.raises(BusError, match="503: the bus does not take frames"):
                await relay.publish(FRAMES, messages(sent[:1]))
            shipping = asyncio.create_task(Shipper("pod-1", spool, relay).run())
            place.bus.away = False
            await until(lambda: not spool.waiting_bytes)
            shipping.cancel()

    asyncio.run(run())
    assert place.bus.kept == messages(sent)


def test_a_gateway_that_comes_back_is_found(place: Place) -> None:
    async def run() -> None:
        async with place.relay() as relay:
            await relay.publish(FRAMES, messages(place.frames(1)))
            with second.serving() as second.client:
                relay._line._address = relay._line._address._replace(netloc=f"127.0.0.1:{second.client.port}")
                relay._line.close()
                await relay.publish(FRAMES, messages(place.frames(1)))
            with pytest.raises(BusError, match="can't be reached"):
                await relay.publish(FRAMES, messages(place.frames(1)))
            with second.serving(second.client.port):
                await relay.publish(FRAMES, messages(place.frames(1)))

    second = Place(place.trust_file.parent / "second")
    second.edge = place.edge
    trust.admit(second.trust_file, "pod-1", "dev", place.edge.key.public_key())
    asyncio.run(run())
    assert len(second.bus.kept) == 2


def test_requests_of_one_collector_are_published_one_after_another(place: Place) -> None:
    async def run() -> None:
        async with contextlib.AsyncExitStack() as stack:
            relays = [await stack.enter_async_context(place.relay()) for _ in range(5)]
            await asyncio.gather(*(relay.publish(FRAMES, messages(place.frames(3))) for relay in relays))

    asyncio.run(run())
    assert len(place.bus.kept) == 15
    assert place.bus.most_at_once == 1


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def decided(subject: str, at_ms: int = 1) -> bytes:
    return Decision("close", subject, at_ms, "left").sign(CONTROL_KEY)


def test_decisions_reach_a_relayed_collector(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = decided("user:a"), decided("user:b"), decided("user:a", 2)
    place.decisions.take(first)

    async def run() -> None:
        async with place.relay() as relay:
            reader = await relay.follow(CONTROL)
            assert [one.value for one in await reader.poll(100, 0)] == [first]
            asking = asyncio.create_task(reader.poll(100, 0))
            await asyncio.sleep(0)
            place.decisions.take(second)
            assert [one.value for one in await asking] == [second]
            place.decisions.take(third)
            assert [(one.offset, one.value) for one in await reader.poll(100, 0)] == [(2, third)]
            monkeypatch.setattr(relaying, "HOLD_S", 0.02)
            assert await reader.poll(100, 0) == []
            reader._cursor = "another-7"  # of a gateway that was started anew
            assert {one.value for one in await reader.poll(100, 0)} == {second, third}

    asyncio.run(run())


def test_a_question_that_is_held_ends_with_its_collector(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "HOLD_S", 60.0)

    async def run() -> None:
        async with place.relay() as relay:
            asking = asyncio.create_task((await relay.follow(CONTROL)).poll(100, 0))
            await asyncio.sleep(0.05)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    asyncio.run(asyncio.wait_for(run(), 20))
    place.decisions.take(decided("user:a"))  # lets the gateway go


@pytest.mark.parametrize(
    "url", ["", "gateway:4747", "http://gateway:4747", "https://", "ftp://127.0.0.1", "https://a@b:1", "https://[x"]
)
def test_an_address_that_is_none_or_would_show_what_is_sent_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"collector\.relay"):
        Relay(url, CONTROL_KEY)


def test_nothing_else_goes_through_a_relay(place: Place) -> None:
    async def run() -> None:
        async with place.relay() as relay:
            with pytest.raises(BusError, match="takes frames"):
                await relay.publish(CONTROL, [Message("k", b"v")])
            with pytest.raises(BusError, match="tells decisions"):
                await relay.follow(FRAMES)

    asyncio.run(run())


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_packing_loses_nothing(given_frames: list[bytes]) -> None:
    assert relaying.unpacked(relaying.packed(given_frames)) == given_frames


@given(st.binary(max_size=100))
def test_unpacking_what_is_no_body_is_an_error_of_ours(body: bytes) -> None:
    with contextlib.suppress(FrameError):
        assert relaying.packed(relaying.unpacked(body)) == body

"""Whatever it is given: the SDK raises nothing, keeps what can be kept, counts the rest, and bounds its memory."""

from __future__ import annotations

import contextlib
import enum
import json
import math
import os
import pickle
import resource
import signal
import subprocess
import sys
import uuid
from collections import OrderedDict, deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slmtrail.collectors.sdk import Trail, plain, post
from slmtrail.collectors.spool import Spool
from slmtrail.core import events as validation
from slmtrail.core.errors import EventError

Events = Callable[[], list[dict[str, Any]]]


class Hostile:
    """Raises at every look."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __eq__(self, _: object) -> bool:
        raise RuntimeError("eq")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    __str__ = __bool__ = __len__ = __iter__ = __repr__  # type: ignore[assignment]


class HostileDict(dict[str, Any]):
    """A dict that raises when asked as one."""

    def items(self) -> Any:
        raise RuntimeError("items")

    keys = values = get = copy = __iter__ = items  # type: ignore[assignment]


class Model(pydantic.BaseModel):
    city: str


class Broken(pydantic.BaseModel):
    def model_dump(self, **_: Any) -> Any:
        raise RuntimeError("dump")


@dataclass
class Data:
    x: int


class Colour(enum.Enum):
    RED = "red"


CIRCLE: dict[str, Any] = {}
CIRCLE["again"] = [CIRCLE]
DEEP: Any = "x"
for _ in range(2000):
    DEEP = [DEEP]
THINGS: list[Any] = [
    Hostile(), HostileDict(a=1), Broken(), CIRCLE, DEEP, object(), object, print, lambda: 1, math.nan, math.inf, 10**30,
    -(10**400), "\ud800 lone", {"\ud800": 1}, {1: 2, None: 3, (1, 2): 4}, b"\xff\x00", b"text", {1, 2}, deque([1]),
    OrderedDict(a=1), Decimal("1.5"), Path("/x"), uuid.UUID(int=1), datetime(2026, 1, 1, tzinfo=UTC), Colour.RED,
    Data(1), Model(city="Oslo"), namedtuple("P", "x y")(1, 2), numpy.float32(1.5), numpy.arange(3),
    numpy.zeros((2000, 900)), iter([1]), (n for n in [1]),
    ValueError("secret"), "x" * 3_000_000, ["y" * 400_000] * 5, memoryview(b"m"),
    type("Odd", (str,), {})("odd"), True,
]  # fmt: skip


@pytest.fixture
def valid(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a collector would take of what is sent."""
    taken: list[dict[str, Any]] = []

    def sent(_: Any, body: bytes, __: str, ___: int) -> post.Answer:
        for line in body.splitlines():
            with contextlib.suppress(EventError):
                taken.append(validation.parse(line, 0))
        return post.Answer(200, {"ids": []})

    monkeypatch.setattr(post.Collector, "post", sent)
    return taken


@pytest.mark.parametrize("number", range(len(THINGS)), ids=[type(thing).__name__ for thing in THINGS])
def test_anything_anywhere(valid: list[dict[str, Any]], number: int) -> None:
    """Each call with each thing leaves an event, and the next ones are as they should be."""
    thing, trail = THINGS[number], Trail()
    event = {"slm.kind": "inference", "gen_ai.request.model": "m", "slm.attributes": {"thing": thing}}
    trail.emit(event)
    with trail.context(thing, user=thing, session=thing, ip=thing, trace=thing, capture="full", roles=thing, odd=thing):
        with trail.inference(thing, input=thing, provider=thing, system=thing, temperature=thing, messages=thing,
                             tools=thing, version=thing, template=thing, caused_by=thing, odd=thing) as i:  # fmt: skip
            for method in (i.input, i.output, i.finish, i.tools, i.answer, i.piece, i.reason, i.called, i.returned):
                method(thing)
            i.set(thing, thing)
            i.set("slm.cost_usd", thing)
            i.set("labels", None)
            i.usage(thing, thing, cached_tokens=thing)
            i.note(thing=thing)
            i.fail(thing, thing)
        with trail.step(thing, thing, index=thing, query=thing, odd=thing) as s:
            s.documents(thing)
            s.score(thing, thing, thing)
        with trail.tool(thing, thing, call_id=thing) as t:
            t.result(thing)
        with trail.upstream(thing, thing) as u:
            u.status(thing)
            u.sizes(request_bytes=thing)
        trail.action(thing, caused_by=thing).done()
    trail.config(thing, thing, model=thing, template=thing, type=thing, digest=thing, odd=thing)
    trail.verdict(thing, thing, reasons=thing, rule=thing, point=thing)
    trail.watch(thing)
    assert trail.emit({"slm.kind": "auth", "event.action": "last", "event.outcome": "success"})
    assert trail.flush(30)
    assert [one["slm.kind"] for one in valid if one["slm.kind"] != "policy"] == [
        "inference", "inference", "process", "process", "upstream", "process", "config", "auth",
    ], "content of any kind has a place; a verdict is one of three"  # fmt: skip
    assert valid[-1]["event.action"] == "last"
    assert "secret" not in json.dumps(valid[0])


@pytest.mark.parametrize(
    "call",
    [
        lambda trail: trail.inference(1, 2, 3, 4, 5),
        lambda trail: trail.step(),
        lambda trail: trail.tool(),
        lambda trail: trail.action("x"),
        lambda trail: trail.upstream(),
        lambda trail: trail.step("x", caused_by=Hostile(), nonsense=Hostile()),
    ],
)
def test_a_wrong_call_gives_a_span_all_the_same(trail: Trail, event: Any, call: Any) -> None:
    with call(trail) as span:
        span.set()
        span.note(1, 2, 3)
        span.fail()
    assert event()["slm.kind"]


def test_wrong_calls_of_what_makes_events_count_as_dropped(trail: Trail) -> None:
    assert trail.verdict() == trail.config() == ""  # type: ignore[call-arg]
    assert trail._outbox._dropped() == 2


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()) | st.integers(), inner),
)


@given(VALUES)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_python_holds_becomes_json_within_its_bounds(value: Any) -> None:
    made = plain.dumps({"value": value}, 2000)
    assert len(made) <= 2000
    assert set(plain.loads(made)) == {"value"}


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
CLEAN = st.recursive(
    st.none() | st.booleans() | TEXTS | st.integers(-(2**53), 2**53),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@given(CLEAN)
def test_what_is_json_already_is_not_changed(value: Any) -> None:
    made = plain.dumps(value, 1 << 30)
    assert json.loads(made) == value


def test_long_texts_are_cut_and_the_rest_stays(trail: Trail, event: Any) -> None:
    trail.emit(
        {
            "slm.kind": "inference",
            "gen_ai.request.model": "m",
            "user.id": "alice",
            "gen_ai.input.messages": [{"role": "user", "content": "word " * 1_000_000}],
        }
    )
    one = event()
    assert (one["user.id"], one["gen_ai.request.model"]) == ("alice", "m")
    assert one["gen_ai.input.messages"][0]["parts"][0]["content"].endswith("[cut: 5000000 characters]")


def test_an_event_is_taken_as_it_is_when_it_is_given(trail: Trail, events: Events) -> None:
    event: dict[str, Any] = {
        "slm.kind": "inference",
        "gen_ai.request.model": "m",
        "gen_ai.input.messages": [{"content": "one"}],
    }
    for n in range(3):
        event["gen_ai.request.model"] = f"m{n}"
        trail.emit(event)
        event["gen_ai.input.messages"].append("later")
        event["user.id"] = "later"
    with trail.inference("m", input=event["gen_ai.input.messages"]) as i:
        i.note(held=event)
    event.clear()
    i.set("user.id", "too late")
    first, *_, last = events()
    assert (first["gen_ai.request.model"], "user.id" in first, len(first["gen_ai.input.messages"])) == ("m0", False, 1)
    assert len(last["gen_ai.input.messages"]) == 4 and "user.id" not in last
    assert json.loads(last["slm.attributes"])["held"]["user.id"] == "later"


def test_defaults_give_way_to_what_an_event_says_nested_or_not(trail: Trail, events: Events) -> None:
    auth = {"slm": {"kind": "auth"}, "event": {"action": "a", "outcome": "success"}}
    with trail.context(user="context"):
        trail.emit(auth | {"service": {"name": "own"}, "user": {"id": "own"}})
        trail.emit({"slm.kind": "auth", "event.action": "a", "event.outcome": "success", "service.name": "own"})
        told = trail.emit(
            {"slm.kind": "auth", "event.action": "a", "event.outcome": "success", "slm.exchange.id": "mine"}
        )
    nested, flat, named = events()
    assert (nested["service.name"], nested["user.id"], flat["service.name"]) == ("own", "own", "own")
    assert (flat["user.id"], named["slm.exchange.id"], told) == ("context", "mine", "mine")


_FLOOD = """
import json, resource, sys, time
from slmtrail.collectors.sdk import Trail
trail = Trail("http://127.0.0.1:1")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count, words = int(sys.argv[1]), int(sys.argv[2])
for n in range(count):
    message = f"{n} " * words
    trail.emit({"slm.kind": "auth", "event.action": "a", "event.outcome": "success", "message": message})
end = time.monotonic() + 30
while trail._outbox.behind != count and time.monotonic() < end:
    time.sleep(0.01)
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
print(json.dumps([grown, trail._outbox.behind]))
sys.stdout.flush()
__import__("os")._exit(0)
"""


@pytest.mark.parametrize(("count", "words"), [(100_000, 1), (400, 100_000)], ids=["many", "large"])
def test_memory_is_bounded_while_nobody_listens_and_every_event_is_counted(count: int, words: int) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", _FLOOD, str(count), str(words)], capture_output=True, text=True, check=True, timeout=120
    )
    grown, counted = json.loads(shown.stdout)
    assert grown < 450 * 1024**2
    assert counted == count


def test_a_signal_handler_may_emit(trail: Trail, events: Events) -> None:
    """It interrupts anything, also `emit` itself."""
    handled = 0

    def handler(*_: Any) -> None:
        nonlocal handled
        handled += 1
        trail.emit({"slm.kind": "auth", "event.action": "signal", "event.outcome": "success"})

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        emitted = 0
        while handled < 200:
            trail.emit({"slm.kind": "auth", "event.action": "main", "event.outcome": "success"})
            emitted += 1
            if emitted % 1000 == 0:
                assert trail.flush(20)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    seen = [one["event.action"] for one in events()]
    assert (seen.count("signal"), seen.count("main")) == (handled, emitted)


def test_a_trail_can_be_handed_to_another_process(trail: Trail, events: Events) -> None:
    twin = pickle.loads(pickle.dumps(trail))
    twin.emit({"slm.kind": "auth", "event.action": "twin", "event.outcome": "success"})
    assert twin.flush(20)
    assert [(one["event.action"], one["service.name"]) for one in events()] == [("twin", "helpdesk")]


def test_the_machine_is_described_and_never_asked_too_often(collector_url: str, spool: Spool, read: Any) -> None:
    asked = 0

    def length() -> int:
        nonlocal asked
        asked += 1
        return 7

    trail = Trail(collector_url, queue_length=length)
    for _ in range(50):
        with trail.inference("m"):
            pass
        assert trail.flush(20)
    seen = [json.loads(line) for line in read(spool).lines]
    assert {one["slm.host.queue_length"] for one in seen} == {7}
    assert all(0 < one["slm.host.memory_used_bytes"] <= one["slm.host.memory_total_bytes"] for one in seen)
    assert {one["process.pid"] for one in seen} == {os.getpid()} and {one["host.name"] for one in seen}
    assert asked < 50


def test_a_queue_that_can_not_be_asked_is_left_out(collector_url: str, spool: Spool, read: Any) -> None:
    trail = Trail(collector_url, queue_length=lambda: int("x"))
    with trail.inference("m"):
        pass
    assert trail.flush(20)
    assert "slm.host.queue_length" not in json.loads(read(spool).lines[0])
    assert resource.getrusage(resource.RUSAGE_SELF)

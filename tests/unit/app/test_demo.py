"""The demo's traffic: good events, of every sort the page has something to show for."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections import Counter
from pathlib import Path

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from slmtrail.app.demo import play, scenes
from slmtrail.app.running.serve import Server, listen
from slmtrail.core import events
from slmtrail.core.secrets.matcher import SecretMatcher
from slmtrail.stream.judge.hit import About
from slmtrail.stream.judge.rules.prompt_injection.rule import judge as injection

NOW_MS = 1_768_500_000_000
DAY_MS = 24 * 3_600_000


@pytest.fixture(scope="module")
def history() -> list[dict[str, object]]:
    return [events.parse(event, 0) for event in play.history(random.Random(play.SEED), NOW_MS)]


def test_history_fills_the_last_day_in_order(history: list[dict[str, object]]) -> None:
    times = [events.timestamp_ms(str(event["@timestamp"])) for event in history]
    assert len(times) >= play.HISTORY_EVENTS
    assert times == sorted(times)
    assert NOW_MS - DAY_MS <= times[0] < NOW_MS - DAY_MS // 2
    assert times[-1] < NOW_MS


def test_history_has_a_daily_rhythm(history: list[dict[str, object]]) -> None:
    hours = Counter(int(str(event["@timestamp"])[11:13]) for event in history)
    assert sum(hours[hour] for hour in range(8, 18)) > 3 * sum(hours[hour] for hour in (*range(6), *range(20, 24)))


def test_history_has_something_of_everything(history: list[dict[str, object]]) -> None:
    def values(name: str) -> set[object]:
        return {event[name] for event in history if name in event}

    assert values("slm.kind") == {"inference", "auth", "policy", "process", "upstream", "config"}
    assert values("deployment.environment.name") == {"dev", "prod"}
    assert values("gen_ai.request.model") == {"phi-3-mini", "qwen2.5-1.5b"}
    assert values("slm.verdict") == {"allow", "flag", "block"}
    assert values("event.outcome") == {"success", "failure"}
    assert values("error.type") >= {"timeout", "unavailable"}
    assert len(values("user.id")) >= 5
    turns = Counter(event["gen_ai.conversation.id"] for event in history if event["slm.kind"] == "inference")
    assert max(turns.values()) >= 3
    text = orjson.dumps(history).decode()
    assert {found.rule.type for found in SecretMatcher().find(text)} >= {"GITHUB_TOKEN", "AWS_ACCESS_KEY", "OPENAI_KEY"}
    for personal in ("@example.com", "4111 1111 1111 1111", "DE89 3704", "+44 20 7946 0958"):
        assert personal in text
    assert any(injection(event, About()) for event in history if event["slm.kind"] == "inference")


def test_the_same_seed_tells_the_same_day() -> None:
    assert play.history(random.Random(1), NOW_MS) == play.history(random.Random(1), NOW_MS)
    assert play.history(random.Random(1), NOW_MS) != play.history(random.Random(2), NOW_MS)


def test_live_events_go_on_and_are_good() -> None:
    taken = list(itertools.islice(play.live(random.Random(3)), 500))
    parsed = [events.parse(event, NOW_MS) for event in taken]
    assert {event["@timestamp"] for event in parsed} == {events.timestamp_text(NOW_MS)}
    assert len({event["slm.kind"] for event in parsed}) >= 5


@pytest.mark.parametrize("module", [play, scenes])
def test_no_scanner_takes_the_source_for_a_leak(module: object) -> None:
    source = Path(str(module.__file__)).read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert SecretMatcher().find(source) == []


def test_play_sends_the_history_and_then_live_events(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[dict[str, object]] = []

    async def take(request: Request) -> Response:
        lines = [line for line in (await request.body()).splitlines() if line]
        received.extend(events.parse(line, 0) for line in lines)
        return JSONResponse({"accepted": len(lines), "ids": ["0"] * len(lines)})

    monkeypatch.setattr(play, "LIVE_PAUSE_S", 0.005)
    sock = listen("127.0.0.1", 0)
    server = Server(Starlette(routes=[Route("/v1/events", take, methods=["POST"])]))
    thread = threading.Thread(target=server.run, args=([sock],))
    thread.start()
    try:
        asyncio.run(play.play(f"http://127.0.0.1:{sock.getsockname()[1]}", live_s=0.5))
    finally:
        server.should_exit = True
        thread.join()
    times = [events.timestamp_ms(str(event["@timestamp"])) for event in received]
    assert len(times) > play.HISTORY_EVENTS
    assert max(times) - min(times) > DAY_MS // 2

"""Alerts reach webhooks, mailboxes and programs, and nothing but the address that the policy names."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from slmtrail.core.errors import SettingsError
from slmtrail.core.policy import Policy, parse
from slmtrail.core.routing import Route
from slmtrail.stream.routes import forms
from slmtrail.stream.routes.follow import Routes
from slmtrail.stream.routes.post import Poster

KEY = b"k" * 32
POSTER = Poster(KEY)


def policy(**routes: Any) -> Policy:
    return Policy.model_validate({"routes": routes})


def take(alert: dict[str, Any], waits_s: tuple[float, ...] = (0.0, 0.0), **routes: Any) -> list[tuple[str, str]]:
    async def taken() -> list[tuple[str, str]]:
        return await Routes(policy(**routes), POSTER, waits_s).take(alert)

    return asyncio.run(taken())


def test_a_webhook_is_signed_and_named(alert: dict[str, Any], receiver: Any) -> None:
    assert take(alert, ops={"webhook": {"url": receiver.url}}) == []
    ((path, headers, body),) = receiver.taken
    assert path == "/alerts?team=ml"
    assert json.loads(body) == alert
    time, _, signed = headers["slm-signature"].partition(",v1=")
    expected = hmac.new(KEY, f"{time.removeprefix('t=')}.".encode() + body, hashlib.sha256).hexdigest()
    assert signed == expected
    assert headers["idempotency-key"] == alert["event.id"]


def test_what_passes_is_tried_again_and_what_lasts_is_not(alert: dict[str, Any], receiver: Any) -> None:
    receiver.answers = [503, 429, 200, 404]
    assert take(alert, ops={"webhook": {"url": receiver.url}}) == []
    assert len(receiver.taken) == 3
    assert take(alert, ops={"webhook": {"url": receiver.url}}) == [("ops", "127.0.0.1: answered 404")]
    assert len(receiver.taken) == 4


def test_one_that_gives_up_holds_no_other_up(alert: dict[str, Any], receiver: Any) -> None:
    receiver.answers = [500, 500, 500]
    told = take(alert, dead={"webhook": {"url": receiver.url}}, local={"command": [sys.executable, "-c", ""]})
    assert told == [("dead", "127.0.0.1: answered 500")]


def test_a_route_that_is_away_is_tried_once_until_it_is_back(alert: dict[str, Any], receiver: Any) -> None:
    receiver.answers = [500] * 4

    async def taken() -> list[int]:
        routes, seen = Routes(policy(ops={"webhook": {"url": receiver.url}}), POSTER, (0.0, 0.0)), []
        for _ in range(4):
            await routes.take(alert)
            seen.append(len(receiver.taken))
        return seen

    assert asyncio.run(taken()) == [3, 4, 5, 6]


def test_no_redirect_is_followed(alert: dict[str, Any], receiver: Any) -> None:
    receiver.answers = [307]
    assert take(alert, ops={"webhook": {"url": receiver.url}}) == [("ops", "127.0.0.1: answered 307")]
    assert len(receiver.taken) == 1


def test_a_proxy_of_the_environment_is_not_used(
    alert: dict[str, Any], receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert take(alert, ops={"webhook": {"url": receiver.url}}) == []


@pytest.mark.parametrize(
    ("route", "fault"),
    [
        ("webhook: {url: 'file:///etc/passwd'}", "should be https://"),
        ("webhook: {url: 'http://a:b@host/'}", "holds a user or password"),
        ("webhook: {url: 'http://host:70000/'}", "port out of range"),
        ("{}", "should have one of"),
        ("{webhook: {url: 'http://h/'}, command: ['true']}", "should have one of"),
    ],
)
def test_a_route_that_leads_nowhere_is_refused_with_its_line(route: str, fault: str) -> None:
    text = f"routes:\n  ops:\n    {route}\n" if route.startswith("webhook") else f"routes:\n  ops: {route}\n"
    with pytest.raises(SettingsError, match=fault):
        parse(text, "policy.yaml")


def test_slack_reads_no_markup_of_ours(alert: dict[str, Any], receiver: Any) -> None:
    hostile = alert | {"slm.alert.subject": "user.id:<!channel> & co", "message": "<https://evil|click>"}
    take(hostile, ops={"webhook": {"url": receiver.url, "form": "slack"}})
    message = json.loads(receiver.taken[0][2])
    assert "<" not in message["text"] and "&lt;!channel&gt; &amp; co" in message["text"]
    assert "&lt;https://evil|click&gt;" in message["attachments"][0]["text"]


def test_a_mail_says_what_happened_and_takes_no_header_from_an_event(alert: dict[str, Any], mailbox: Any) -> None:
    hostile = alert | {"slm.alert.subject": "user.id:x\r\nBcc: all@example.com"}
    email = {"to": ["ops@example.com"], "sender": "trail@example.com", "host": "127.0.0.1"}
    assert take(hostile, ops={"email": email | {"port": mailbox.server_address[1]}}) == []
    (mail,) = mailbox.mails
    assert not [line for line in mail.splitlines() if line.startswith("Bcc")]
    assert "Subject: [high]" in mail and alert["slm.alert.response"][:20] in mail.replace("=\r\n", "")


def test_a_program_gets_the_alert_and_little_else(
    alert: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLMTRAIL_SECRET", "x")
    program = "import os,sys; open(sys.argv[1],'w').write(sys.stdin.read() + str('SLMTRAIL_SECRET' in os.environ))"
    assert take(alert, local={"command": [sys.executable, "-c", program, str(tmp_path / "got")]}) == []
    assert (tmp_path / "got").read_text() == forms.as_json(alert).decode() + "False"
    gone = take(alert, local={"command": ["/nowhere/at-all"]})
    assert gone == [("local", "/nowhere/at-all: no such program")]


@pytest.mark.parametrize(
    ("which", "fits"),
    [
        ({}, True),
        ({"rules": ["prompt-*"], "severity": "high", "roles": ["support"]}, True),
        ({"severity": "critical"}, False),
        ({"roles": ["clinic"]}, False),
        ({"rules": ["login-*"]}, False),
        ({"environments": ["prod"]}, False),
    ],
)
def test_which_alerts_a_route_takes(alert: dict[str, Any], which: dict[str, Any], fits: bool) -> None:
    route = Route.model_validate(which | {"command": ["true"]})
    assert route.fits(alert) == fits
    assert not route.fits(alert | {"slm.alert.status": "suppressed"})


def test_an_alert_that_grows_is_told_once_unless_asked(alert: dict[str, Any], receiver: Any) -> None:
    take(alert | {"slm.alert.revision": 2}, ops={"webhook": {"url": receiver.url}})
    assert receiver.taken == []
    take(alert | {"slm.alert.revision": 2}, ops={"webhook": {"url": receiver.url}, "every_revision": True})
    assert len(receiver.taken) == 1


def test_an_alert_of_last_week_wakes_nobody(alert: dict[str, Any], receiver: Any) -> None:
    take(alert | {"@timestamp": "2026-01-01T00:00:00.000Z"}, ops={"webhook": {"url": receiver.url}})
    assert receiver.taken == []

"""An alert as others want to read it."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import orjson

from slmtrail.core.routing import Email

_COLOURS = {"low": "#7f8c8d", "medium": "#f1c40f", "high": "#e67e22", "critical": "#c0392b"}
MAX_TEXT = 2500


def as_json(alert: dict[str, Any]) -> bytes:
    """The alert as it is on the bus."""
    return orjson.dumps(alert)


def as_slack(alert: dict[str, Any]) -> bytes:
    """A message in the shape that Slack takes, and Mattermost and Rocket.Chat."""
    title, lines = headline(alert), "\n".join(f"*{name}*: {_escaped(text)}" for name, text in facts(alert))
    return orjson.dumps(
        {
            "text": _escaped(title),
            "attachments": [
                {"color": _COLOURS[alert["slm.alert.severity"]], "mrkdwn_in": ["text"], "text": lines[:MAX_TEXT]}
            ],
        }
    )


def as_mail(alert: dict[str, Any], email: Email) -> EmailMessage:
    """A mail. Revisions of one alert answer the first, so that they stand together."""
    mail = EmailMessage()
    mail["Subject"] = _line(headline(alert))[:200]
    mail["From"], mail["To"] = email.sender, ", ".join(email.to)
    thread = f"<{alert['slm.alert.id']}@slmtrail>"
    mail["Message-ID"] = f"<{alert['event.id']}@slmtrail>"
    mail["References"] = thread
    text = "\n".join(f"{name}: {text}" for name, text in facts(alert))
    mail.set_content(f"{headline(alert)}\n\n{text}\n")
    return mail


def headline(alert: dict[str, Any]) -> str:
    """What and who, on one line."""
    return _line(f"[{alert['slm.alert.severity']}] {alert['rule.name']}: {alert['slm.alert.subject']}")


def facts(alert: dict[str, Any]) -> list[tuple[str, str]]:
    """What a person wants to know of it, in order."""
    shown = [
        ("what", alert.get("message", "")),
        ("where", alert.get("deployment.environment.name", "")),
        ("since", alert.get("slm.alert.since", "")),
        ("until", alert.get("slm.alert.until", "")),
        ("count", str(alert.get("slm.alert.count", ""))),
        ("excerpt", alert.get("slm.alert.excerpt", "")),
        ("what to do", alert["slm.alert.response"]),
        ("evidence", " ".join(alert["slm.alert.evidence"])),
        ("alert", alert["event.id"]),
    ]
    return [(name, str(text)) for name, text in shown if text]


def _line(text: str) -> str:
    return " ".join(text.split())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

"""Where alerts go beside the bus, and what they may set off: routes and hooks, as the policy names them.

Addresses stand here alone: nothing that an event says ever becomes part of one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from slmtrail.core.judging import Severity
from slmtrail.core.roles import Globs, Part, Positive, matches
from slmtrail.core.spans import Span

SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("should be https://host… or http://host…")
    _ = parts.port  # raises ValueError for one that is none
    if parts.username or parts.password:
        raise ValueError("holds a user or password: requests are signed instead")
    return url


Address = Annotated[str, AfterValidator(_address)]


class Webhook(Part):
    """A request for each alert, signed with `webhook.key`."""

    url: Address = Field(description="Where it is posted to; redirects are not followed.")
    form: Literal["alert", "slack"] = Field("alert", description="The alert's JSON, or a message as Slack takes it.")


class Email(Part):
    """A mail for each alert."""

    to: Annotated[tuple[str, ...], Field(min_length=1)] = Field(description="Whom to.")
    sender: str = Field(description="Whom from.")
    host: str = Field("localhost", description="The mail server.")
    port: Annotated[int, Field(gt=0, le=65535)] = Field(25, description="Its port.")
    tls: bool = Field(False, description="Whether STARTTLS is asked for; a server without it gets no mail.")
    user: str = Field("", description="Whom to log in as.")
    password_file: Path | None = Field(None, description="A file with the password, which only its owner may read.")


class Which(Part):
    """Which alerts: all that is given must fit."""

    rules: Globs = Field(("*",), description="Of these rules.")
    severity: Severity = Field("low", description="As bad as this, or worse.")
    roles: Globs = Field(("*",), description="About these roles.")
    risks: Globs = Field(("*",), description="About roles of these risks: low, medium, high.")
    environments: Globs = Field(("*",), description="In these environments.")

    def fits(self, alert: dict[str, object]) -> bool:
        """Whether this alert is one of them. One that is suppressed never is."""
        return (
            alert.get("slm.alert.status") != "suppressed"
            and matches(self.rules, str(alert["rule.id"]))
            and SEVERITIES.index(alert["slm.alert.severity"]) >= SEVERITIES.index(self.severity)
            and matches(self.roles, str(alert.get("slm.role", "")))
            and matches(self.risks, str(alert.get("slm.risk", "")))
            and matches(self.environments, str(alert.get("deployment.environment.name", "")))
        )


class Route(Which):
    """Where some alerts go. They are on `slm.alerts` in any case."""

    every_revision: bool = Field(False, description="Whether an alert that grows is told each time, not only at first.")
    webhook: Webhook | None = Field(None, description="Post it there.")
    email: Email | None = Field(None, description="Mail it.")
    command: tuple[str, ...] = Field((), description="Run this program, with the alert's JSON as its input.")

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Route:
        if (self.webhook is not None) + (self.email is not None) + bool(self.command) != 1:
            raise ValueError("should have one of webhook, email and command")
        return self


class Hook(Which):
    """What some alerts set off, once an alert."""

    rules: Globs = Field(description="Of these rules.")
    close: Literal["key", "user", "role"] | None = Field(None, description="Shut the alert's key, user or role out.")
    close_for: Span = Field("1h", description="For so long.")
    call: Address | None = Field(None, description="Post the alert there, to roll back or restart something.")
    dry_run: bool = Field(True, description="Whether it only records what it would do.")
    cool_down: Span = Field("1h", description="After it acted, it leaves the same subject alone for so long.")
    max_an_hour: Positive = Field(10, description="It acts no more often than this.")

    @model_validator(mode="after")
    def _does_something(self) -> Hook:
        if (self.close is None) == (self.call is None):
            raise ValueError("should have one of close and call")
        return self

"""What a site changes about judgement: rules' parameters, by role and risk, and which alerts are to wake nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from slmtrail.core.events import Risk, timestamp_ms
from slmtrail.core.roles import Globs, Part, RoleName, matches

Severity = Literal["low", "medium", "high", "critical"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Clock = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
Value = bool | int | float | str | tuple[str, ...] | None


class RuleChange(Part):
    """What differs about a rule for some."""

    enabled: bool | None = Field(None, description="Whether it is asked.")
    severity: Severity | None = Field(None, description="In the place of its own.")
    parameters: dict[str, Value] = Field({}, description="In the place of its own; docs/rules.md lists them.")


class RulePolicy(RuleChange):
    """What a site changes about one rule. A role's change goes over a risk's, and that over the general one."""

    enabled: bool = Field(True, description="Whether it is asked.")
    by_role: dict[RoleName, RuleChange] = Field({}, description="For records of a role.")
    by_risk: dict[Risk, RuleChange] = Field({}, description="For records of roles of a risk: low, medium, high.")


class Weekly(Part):
    """Hours of a week, in UTC; an end before the start is on the next day."""

    days: tuple[Day, ...] = Field(_DAYS, description="On which days it begins.")
    since: Clock = Field("00:00", description="From then on.")
    until: Clock = Field("24:00", description="Before then.")

    def holds(self, at_ms: int) -> bool:
        """Whether a time lies within."""
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        minute, since, until = at.hour * 60 + at.minute, _minutes(self.since), _minutes(self.until)
        today, yesterday = _DAYS[at.weekday()] in self.days, _DAYS[at.weekday() - 1] in self.days
        if since < until:
            return today and since <= minute < until
        return (today and minute >= since) or (yesterday and minute < until)


class Suppression(Part):
    """Alerts that are recorded and marked as suppressed: a known cause, or a maintenance window."""

    reason: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="Why; who reads it later asks.")
    rules: Globs = Field(("*",), description="Of these rules.")
    subjects: Globs = Field(("*",), description="About these subjects, as alerts name them: user.id:alice.")
    environments: Globs = Field(("*",), description="In these environments.")
    since: str | None = Field(None, description="From this time (RFC 3339) on.")
    until: str | None = Field(None, description="Before this time.")
    weekly: Weekly | None = Field(None, description="In these hours of every week.")

    @model_validator(mode="after")
    def _has_times(self) -> Suppression:
        for text in (self.since, self.until):
            if text is not None:
                timestamp_ms(text)
        return self

    def holds(self, rule: str, subject: str, environment: str, at_ms: int) -> bool:
        """Whether an alert is one of these."""
        return (
            matches(self.rules, rule)
            and matches(self.subjects, subject)
            and matches(self.environments, environment)
            and (self.since is None or at_ms >= timestamp_ms(self.since))
            and (self.until is None or at_ms < timestamp_ms(self.until))
            and (self.weekly is None or self.weekly.holds(at_ms))
        )


class Windows(Part):
    """How much is remembered of subjects between records."""

    max_subjects: Annotated[int, Field(ge=100, le=10_000_000)] = Field(
        20_000, description="Users, addresses, models … remembered; of more, the busiest are kept."
    )


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def merged(*changes: RuleChange | None) -> tuple[bool, Severity | None, dict[str, Any]]:
    """Whether, how bad and with which parameters: several changes, the later over the earlier."""
    enabled, severity = True, None
    parameters: dict[str, Any] = {}
    for change in changes:
        if change is not None:
            enabled = enabled if change.enabled is None else change.enabled
            severity = change.severity or severity
            parameters |= change.parameters
    return enabled, severity, parameters

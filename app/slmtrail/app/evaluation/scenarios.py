"""Labelled scenarios: events with their times, and the alerts expected of them. docs/rules.md tells the format.

A file is JSON lines. `{"scenario": …}` begins one; the lines behind it are its events and what is expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from slmtrail.core import policy as policy_file
from slmtrail.core.errors import EventError, SettingsError
from slmtrail.core.events import timestamp_ms
from slmtrail.core.policy import Policy


@dataclass(frozen=True, slots=True)
class Expected:
    """An alert that has to come; one that is `optional` may."""

    rule: str
    subject: str = ""
    since_ms: int | None = None
    """When what it is about began: the time to alert is counted from here."""
    optional: bool = False


@dataclass(slots=True)
class Scenario:
    """A story. `moments` are its events, and signs of life of collectors, with their times."""

    name: str
    policy: Policy = field(default_factory=Policy)
    users: int = 1
    """How many people it is about, for alerts a day."""
    benign: bool = False
    moments: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)

    def lines(self) -> Iterator[dict[str, Any]]:
        """As it is written to a file."""
        head: dict[str, Any] = {"scenario": self.name, "users": self.users, "benign": self.benign}
        if self.policy != Policy():
            head["policy"] = self.policy.model_dump(mode="json", exclude_defaults=True)
        yield head
        for at_ms, moment in self.moments:
            yield {"at": at_ms, **moment}
        for one in self.expected:
            told: dict[str, Any] = {"rule": one.rule, "subject": one.subject, "optional": one.optional}
            if one.since_ms is not None:
                told["since"] = one.since_ms
            yield {"expect": told}


def read(path: Path) -> Iterator[Scenario]:
    """The scenarios of a file, one after the other. Raises SettingsError naming the line of a fault."""
    scenario: Scenario | None = None
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    given = orjson.loads(line)
                    if "scenario" in given:
                        if scenario:
                            yield scenario
                        scenario = _begun(given, path)
                    elif scenario is None:
                        raise ValueError('the first line names a scenario: {"scenario": "…"}')
                    elif "expect" in given:
                        scenario.expected.append(_expected(given["expect"]))
                    else:
                        at = given.pop("at")
                        scenario.moments.append((at if isinstance(at, int) else timestamp_ms(at), _moment(given)))
                except (ValueError, TypeError, KeyError, AttributeError, EventError) as error:
                    told = f"{error} is missing" if isinstance(error, KeyError) else str(error)
                    raise SettingsError(f"{path}:{number}: {told}") from None
    except OSError as error:
        raise SettingsError(f"{path}: can't be read: {error.strerror}") from None
    if scenario:
        yield scenario


def write(path: Path, scenarios: Iterable[Scenario]) -> int:
    """Writes scenarios to a file; how many."""
    written = 0
    with path.open("wb") as file:
        for scenario in scenarios:
            file.writelines(orjson.dumps(line) + b"\n" for line in scenario.lines())
            written += 1
    return written


def _begun(given: dict[str, Any], path: Path) -> Scenario:
    policy = Policy()
    if "policy" in given:
        policy = policy_file.parse(orjson.dumps(given["policy"]).decode(), f"{path}: policy of {given['scenario']}")
    return Scenario(given["scenario"], policy, int(given.get("users", 1)), bool(given.get("benign", False)))


def _expected(given: dict[str, Any]) -> Expected:
    since = given.get("since")
    since_ms = since if since is None or isinstance(since, int) else timestamp_ms(since)
    return Expected(given["rule"], given.get("subject", ""), since_ms, bool(given.get("optional", False)))


def _moment(given: dict[str, Any]) -> dict[str, Any]:
    if given.keys() != {"event"} and given.keys() != {"frame"} and given.keys() != {"event", "findings"}:
        raise ValueError('a line holds "at" and "event" (perhaps "findings"), or "at" and "frame", or "expect"')
    return given

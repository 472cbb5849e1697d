"""Runs scenarios through the rules, and counts: what was found, what was false, how soon, how much noise there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from slmtrail.app.evaluation.scenarios import Expected, Scenario
from slmtrail.core import events
from slmtrail.core.identity import Position, identified, record_id
from slmtrail.core.policy import Policy
from slmtrail.stream import frame_signals
from slmtrail.stream.frame_signals import Heard
from slmtrail.stream.judge.alerts import Alert
from slmtrail.stream.judge.judge import Judge
from slmtrail.stream.judge.signal import Signals
from slmtrail.stream.judge.windows import Windows

TICK_MS = 60_000
EARLY_MS = 3_600_000
DAY_MS = 86_400_000
_BOOT = "0" * 32
SITE_USERS = 100
"""Alerts a day are told for a site of so many."""


@dataclass(slots=True)
class Score:
    """Counts of one rule, or of all."""

    found: int = 0
    missed: int = 0
    true: int = 0
    false: int = 0
    delays_ms: list[int] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """The part of the expected alerts that came."""
        return self.found / (self.found + self.missed) if self.found + self.missed else 1.0

    @property
    def precision(self) -> float:
        """The part of the alerts that were expected."""
        return self.true / (self.true + self.false) if self.true + self.false else 1.0

    def told(self) -> dict[str, Any]:
        """For programs."""
        delays = sorted(self.delays_ms)
        return {
            "found": self.found,
            "missed": self.missed,
            "true": self.true,
            "false": self.false,
            "recall": round(self.recall, 4),
            "precision": round(self.precision, 4),
            "seconds_to_alert_median": delays[len(delays) // 2] / 1000 if delays else None,
            "seconds_to_alert_worst": delays[-1] / 1000 if delays else None,
        }


@dataclass(slots=True)
class Report:
    """The outcome of an evaluation."""

    scenarios: int = 0
    events: int = 0
    all: Score = field(default_factory=Score)
    by_rule: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    benign_alerts: int = 0
    benign_user_days: float = 0.0
    misses: list[str] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)

    @property
    def alerts_a_day(self) -> float:
        """False alerts a day on benign traffic, for a site of a hundred users."""
        return self.benign_alerts / self.benign_user_days * SITE_USERS if self.benign_user_days else 0.0

    def told(self) -> dict[str, Any]:
        """For programs."""
        return {
            "scenarios": self.scenarios,
            "events": self.events,
            "all": self.all.told(),
            "false_alerts_a_day_of_100_users": round(self.alerts_a_day, 3),
            "rules": {rule: self.by_rule[rule].told() for rule in sorted(self.by_rule)},
            "misses": self.misses,
            "noise": self.noise,
        }


Makes = Callable[[Policy], Judge]


def evaluated(scenarios: Iterable[Scenario], makes: Makes = Judge) -> Report:
    """Runs all of `scenarios`, each from nothing, under the rules that `makes` gives for its policy."""
    report = Report()
    for scenario in scenarios:
        _score(scenario, alerts(scenario, makes(scenario.policy)), report)
    return report


def alerts(scenario: Scenario, judge: Judge) -> list[Alert]:
    """The first revision of each alert of a scenario, in the order in which they came."""
    windows = Windows(judge)
    made: list[Alert] = []
    next_tick_ms = 0
    # Time by itself only tells who is silent.
    has_frames = any("frame" in moment for _, moment in scenario.moments)
    moments = sorted(scenario.moments, key=lambda moment: moment[0])
    for number, (at_ms, moment) in enumerate(moments):
        if has_frames and at_ms >= next_tick_ms:
            made += windows.tick(at_ms)
            next_tick_ms = at_ms + TICK_MS
        if "frame" in moment:
            made += windows.take([_heard(moment["frame"], at_ms)])
            continue
        record = recorded(moment, at_ms, number)
        made += windows.take(judge.judge(record, "00", at_ms).signals)
    return [alert for alert in made if alert.revision == 1]


def recorded(moment: dict[str, Any], at_ms: int, number: int) -> dict[str, Any]:
    """The record that an event of a scenario stands for."""
    event = {"@timestamp": at_ms, **moment["event"]}
    system = event.get("slm.kind") == "system"
    record = events.validate(event) if system else events.parse(event, at_ms)
    if "findings" in moment:
        record["slm.findings"] = orjson.dumps(moment["findings"]).decode()
        record["slm.findings.types"] = sorted({finding["type"] for finding in moment["findings"]})
    return identified(record, "scenario", _BOOT, Position(number, 1, 0))


def _heard(given: dict[str, Any], at_ms: int) -> Signals:
    """What the windows see of a frame of a scenario."""
    collector, boot = given["collector"], given.get("boot", _BOOT)
    if "refused" in given:
        return frame_signals.turned_away(collector, at_ms, 0, given["refused"])
    clock_ms = given.get("clock", at_ms)
    span_ms = given.get("earliest", clock_ms), given.get("latest", clock_ms)
    heard = Heard(collector, given.get("kind", "heartbeat"), boot, clock_ms, *span_ms, "prod")
    return frame_signals.signals(heard, at_ms, record_id(collector, boot, Position(0, 0, 0)), "00")


def _score(scenario: Scenario, raised: list[Alert], report: Report) -> None:
    report.scenarios += 1
    report.events += len(scenario.moments)
    if scenario.benign and scenario.moments:
        times = [at_ms for at_ms, _ in scenario.moments]
        report.benign_user_days += scenario.users * (max(times) - min(times)) / DAY_MS
    for one in scenario.expected:
        if one.optional:
            continue
        fitting = [alert for alert in raised if _fits(alert, one)]
        for score in (report.all, report.by_rule[one.rule]):
            if fitting:
                score.found += 1
                if one.since_ms is not None:
                    score.delays_ms.append(max(0, _until_ms(fitting[0]) - one.since_ms))
            else:
                score.missed += 1
        if not fitting:
            report.misses.append(f"{scenario.name}: {one.rule} about {one.subject or 'anyone'}")
    for alert in raised:
        fits = [one for one in scenario.expected if _fits(alert, one)]
        if fits and all(one.optional for one in fits):
            continue
        rule = alert.event["rule.id"]
        for score in (report.all, report.by_rule[rule]):
            score.true += bool(fits)
            score.false += not fits
        if not fits:
            report.benign_alerts += scenario.benign
            report.noise.append(f"{scenario.name}: {rule} about {alert.event['slm.alert.subject']}: {_why(alert)}")


def _fits(alert: Alert, one: Expected) -> bool:
    event = alert.event
    if event["rule.id"] != one.rule or (one.subject and event["slm.alert.subject"] != one.subject):
        return False
    return one.since_ms is None or _until_ms(alert) >= one.since_ms - EARLY_MS


def _until_ms(alert: Alert) -> int:
    return events.timestamp_ms(alert.event["slm.alert.until"])


def _why(alert: Alert) -> str:
    return str(alert.event["message"])

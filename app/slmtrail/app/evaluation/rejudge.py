"""Rules run again over stored records, and what would be different under others."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from slmtrail.core.events import timestamp_ms
from slmtrail.core.ports import Query, Store
from slmtrail.stream.judge.alerts import Alert
from slmtrail.stream.judge.judge import Judge
from slmtrail.stream.judge.windows import Windows

DAY_MS = 86_400_000
END = 2**62


@dataclass(slots=True)
class Outcome:
    """What one set of rules says of some records: its alerts by id."""

    digest: str
    alerts: dict[str, Alert] = field(default_factory=dict)
    """The newest revision of each."""

    def by_rule(self) -> Counter[str]:
        """How many alerts each rule raises."""
        return Counter(alert.event["rule.id"] for alert in self.alerts.values())


@dataclass(slots=True)
class Compared:
    """Two outcomes side by side."""

    new: Outcome
    current: Outcome
    records: int = 0
    first_ms: int = END
    last_ms: int = 0

    @property
    def days(self) -> float:
        """How long the records go on, at least an hour."""
        return max(self.last_ms - self.first_ms, DAY_MS / 24) / DAY_MS

    def told(self) -> dict[str, Any]:
        """For programs."""
        new, current = self.new.by_rule(), self.current.by_rule()
        rules = {
            rule: {
                "new": sum(1 for one in self.added if one.event["rule.id"] == rule),
                "gone": sum(1 for one in self.gone if one.event["rule.id"] == rule),
                "alerts": new[rule],
                "alerts_a_day": round(new[rule] / self.days, 3),
                "alerts_a_day_now": round(current[rule] / self.days, 3),
            }
            for rule in sorted({*new, *current})
        }
        return {
            "records": self.records,
            "days": round(self.days, 3),
            "ruleset": self.new.digest,
            "against": self.current.digest,
            "rules": rules,
            "new": [_short(one) for one in self.added],
            "gone": [_short(one) for one in self.gone],
        }

    @property
    def added(self) -> list[Alert]:
        """Alerts that only the new rules raise."""
        return [one for name, one in self.new.alerts.items() if name not in self.current.alerts]

    @property
    def gone(self) -> list[Alert]:
        """Alerts that only the current rules raise."""
        return [one for name, one in self.current.alerts.items() if name not in self.new.alerts]


def compared(records: Iterable[dict[str, Any]], new: Judge, current: Judge) -> Compared:
    """Runs two sets of rules over the same records, in order of their times."""
    result = Compared(Outcome(new.digest), Outcome(current.digest))
    desks = [(judge, Windows(judge), outcome) for judge, outcome in ((new, result.new), (current, result.current))]
    clock_ms = 0
    for record in records:
        if record["slm.kind"] == "alert":
            continue
        at_ms = timestamp_ms(record["@timestamp"])
        clock_ms = max(clock_ms, at_ms)
        result.records += 1
        result.first_ms, result.last_ms = min(result.first_ms, at_ms), max(result.last_ms, at_ms)
        for judge, windows, outcome in desks:
            signals = judge.judge(record, "", clock_ms).signals
            outcome.alerts |= {alert.id: alert for alert in windows.take(signals)}
    return result


def stored(store: Store, since_ms: int) -> Iterator[dict[str, Any]]:
    """The records of all ledgers from a time on, about in order of their times."""
    extents = store.extent(Query(since_ms=since_ms))
    ledgers = [_ledger(store, name, leaves, since_ms) for name, leaves in sorted(extents.items())]
    yield from heapq.merge(*ledgers, key=lambda record: record["@timestamp"])


def _ledger(store: Store, name: str, leaves: range, since_ms: int) -> Iterator[dict[str, Any]]:
    seen = -1
    for sealed in store.scan(name, leaves.start, leaves.stop):
        if sealed.leaf > seen and sealed.record and timestamp_ms(sealed.record["@timestamp"]) >= since_ms:
            seen = sealed.leaf
            yield sealed.record


def _short(alert: Alert) -> dict[str, Any]:
    event = alert.event
    return {
        "rule": event["rule.id"],
        "subject": event["slm.alert.subject"],
        "since": event["slm.alert.since"],
        "count": event["slm.alert.count"],
        "why": event["message"],
        "evidence": event["slm.alert.evidence"][:3],
    }

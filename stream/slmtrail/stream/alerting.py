"""From the signals of a batch to alerts: records of their own, sealed and stored like any other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from slmtrail.core import canonical, events
from slmtrail.core.identity import Position, identified
from slmtrail.core.ports import Message
from slmtrail.stream.judge.alerts import Alert
from slmtrail.stream.judge.windows import Windows
from slmtrail.stream.process import Desk, Output

JUDGE = "@judge"
"""In the place of a collector's name, in a form that none has: alerts come from the stream itself."""


def alerted(output: Output, windows: Windows, desk: Desk) -> Output:
    """`output` with the alerts that its signals raise.

    `windows` moves on. Where the output can't be published, it has to go back to what the bus holds.
    """
    made = told(windows.take(output.signals), desk)
    return dataclasses.replace(
        output,
        records=[*output.records, *made.records],
        alerts=[*output.alerts, *made.alerts],
        tally=output.tally + made.tally,
    )


def told(alerts: Iterable[Alert], desk: Desk) -> Output:
    """These alerts as records, and by their subject."""
    records = [recorded(alert, desk) for alert in alerts]
    made = [Message(JUDGE, canonical.dumps(record)) for record in records]
    by_subject = [Message(record["slm.alert.subject"], each.value) for record, each in zip(records, made, strict=True)]
    output = Output(records=made, alerts=by_subject)
    for record in records:
        output.count(record)
    return output


def recorded(alert: Alert, desk: Desk) -> dict[str, Any]:
    """The record of one revision of an alert. Its place is the alert's id and the revision, so one that is raised
    again after a crash is recognised wherever it comes from."""
    event = events.validate(alert.event) | {"slm.flags": [alert.event["rule.id"]]}
    record = identified(event, JUDGE, alert.id, Position(alert.revision, 0, 0))
    return desk.finished(record, alert.seed)

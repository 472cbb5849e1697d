"""`slmtrail incident`: what happened around a trace, a session, a user, an alert or a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from slmtrail.app.commands.evidence import write_case
from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console, inline
from slmtrail.core.errors import QueryError
from slmtrail.core.events import timestamp_text
from slmtrail.core.ports import Page
from slmtrail.indexer.reading.incident import About, Entry, Incident, told


def incident(
    record_id: Annotated[str, typer.Argument(help="The event.id of a record it is about.")] = "",
    trace: Annotated[str, typer.Option(help="A trace.")] = "",
    session: Annotated[str, typer.Option(help="A session or conversation.")] = "",
    user: Annotated[str, typer.Option(help="A user; narrow it with --since and --until.")] = "",
    alert: Annotated[str, typer.Option(help="An alert: slm.alert.id, or the event.id of its record.")] = "",
    at: Annotated[str, typer.Option(help="A moment: 2h ago, or 2026-01-31T09:00:00Z.")] = "",
    around: Annotated[str, typer.Option(help="How long before and after is looked at: 30s, 15m, 2h.")] = "15m",
    since: Annotated[str, typer.Option(help="Nothing from before then.")] = "",
    until: Annotated[str, typer.Option(help="Nothing from then on.")] = "",
    to: Annotated[Path | None, typer.Option("--output", "-o", help="Write it as a case file too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object, for programs.")] = False,
) -> None:
    """Tell what happened, in order: requests, logins, verdicts, changes and alerts across all environments."""
    from slmtrail.app.readers.here import here
    from slmtrail.app.reading import Asked
    from slmtrail.indexer.store.language.times import moment_ms, span_ms

    subjects: list[tuple[About, str]] = [
        ("id", record_id),
        ("trace", trace),
        ("session", session),
        ("user", user),
        ("alert", alert),
        ("time", timestamp_text(moment_ms(at)) if at else ""),
    ]
    given_ones = [(about, name) for about, name in subjects if name]
    if len(given_ones) != 1:
        raise QueryError("say what it is about by one of: a record's id, --trace, --session, --user, --alert, --at")
    about, name = given_ones[0]
    asked = Asked(since=since, until=until)
    with here(given.settings()) as looking:
        found = looking.incident(asked, about, name, span_ms(around))
        if to:
            records = [entry.sealed for entry in (*found.changes, *found.entries)]
            query, case = looking.trail.query(asked), {"incident": f"{about} {name}", "around": around}
            write_case(to, lambda _: Page(records, len(records)), query, case)
            looking.told("evidence", len(records), asked)
    if as_json:
        typer.echo(orjson.dumps(told(found)).decode())
    else:
        _print(found)


def _print(found: Incident) -> None:
    out = Console(highlight=False)
    for entry in [*found.changes, *found.entries]:
        out.print(_line(entry), soft_wrap=True)
    places = ", ".join(found.environments)
    Console(stderr=True, highlight=False).print(
        f"{len(found.entries)} records from {timestamp_text(found.since_ms)} to {timestamp_text(found.until_ms)}"
        f"{f', in {places}' if places else ''}; {len(found.changes)} changes in the day before"
        f"{'; there are more: narrow it with --since and --until' if found.cut else ''}",
        soft_wrap=True,
    )


def _line(entry: Entry) -> str:
    from slmtrail.app.reading import excerpt

    record = entry.sealed.record
    colour = {"alert": "red", "config": "yellow", "auth": "magenta", "policy": "blue"}.get(record["slm.kind"], "cyan")
    return (
        f"{record['@timestamp']}  {record['event.id']}  [{colour}]{record['slm.kind']:9}[/] "
        f"{inline(str(record.get('deployment.environment.name', '-')))}  {inline(str(record.get('user.id', '-')))}  "
        f"{record['event.outcome']}  [dim]{inline(entry.why)}[/]  {inline(excerpt(record))}"
    )

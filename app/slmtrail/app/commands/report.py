"""`slmtrail report compliance`: the duties of docs/compliance.md, with what this trail has to say to each."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from typing import Annotated, Any, Literal

import orjson
import typer

from slmtrail.app import parts
from slmtrail.app.commands.given import given
from slmtrail.core.events import timestamp_text

report = typer.Typer(no_args_is_help=True, help="Reports for people who ask whether duties are met.")

EXIT_FAULTS = 7


@report.command("compliance")
def compliance(
    since: Annotated[str, typer.Option(help="What happened from then on: 30d ago, or 2026-01-31.")] = "30d",
    form: Annotated[Literal["markdown", "json"], typer.Option("--format", help="What is printed.")] = "markdown",
) -> None:
    """Say for each duty what the trail shows. All of it is verified first; exit code 7 where it does not hold."""
    from slmtrail.app.commands.verify import published
    from slmtrail.app.compliance.duties import DUTIES
    from slmtrail.app.compliance.facts import Facts
    from slmtrail.app.reading import Reading
    from slmtrail.indexer.verify.trail import verify

    settings = given.settings()
    heads = asyncio.run(published(settings))
    with closing(parts.open_store(settings)) as store:
        proved = verify(parts.ledger_folders(settings, heads), store)
    with closing(Reading(settings)) as reading:
        facts = Facts(reading, since, proved)
        told = [
            {"duty": duty.name, "shown": [*map(facts.told, duty.facts), *map(facts.rule, duty.rules)]}
            for duty in DUTIES
        ]
    made = {"made": timestamp_text(time.time_ns() // 1_000_000), "since": since, "duties": told}
    typer.echo(orjson.dumps(made).decode() if form == "json" else _markdown(made))
    if proved.faults:
        raise typer.Exit(EXIT_FAULTS)


def _markdown(made: dict[str, Any]) -> str:
    lines = [
        "# What the trail shows",
        "",
        f"Made {made['made']} of what happened since {made['since']}. docs/compliance.md says of each duty what",
        "slmtrail does and what it does not; this is no legal advice.",
        "",
        "| duty | shown by this trail |",
        "|---|---|",
    ]
    for row in made["duties"]:
        shown = "<br>".join(text.replace("|", "\\|").replace("<", "&lt;") for text in row["shown"])
        lines.append(f"| {row['duty']} | {shown} |")
    return "\n".join(lines)

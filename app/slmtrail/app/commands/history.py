"""`slmtrail history`: what was asked like this before, and what was answered then and now."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer
from rich.markup import escape

from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console
from slmtrail.core.errors import QueryError


def history(
    record_id: Annotated[str, typer.Argument(help="The event.id of a record in which it was asked.")] = "",
    text: Annotated[str, typer.Option(help="The prompt itself, in the place of a record.")] = "",
    user: Annotated[str, typer.Option(help="Only by this user.")] = "",
    since: Annotated[str, typer.Option(help="From then on: 15m, 2h, 7d ago, or 2026-01-31T09:00:00Z.")] = "",
    until: Annotated[str, typer.Option(help="Before then.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object, for programs.")] = False,
) -> None:
    """Find where the same, or nearly the same, was asked: by whom, and what each model version answered."""
    from slmtrail.app.readers.here import here
    from slmtrail.app.reading import Asked
    from slmtrail.core.said import prompt

    if bool(record_id) == bool(text):
        raise QueryError("give the id of a record, or a prompt with --text")
    with here(given.settings()) as looking:
        wanted = text or prompt(looking.show(record_id)[0].record)
        if not wanted:
            raise QueryError(f"{record_id}: nothing was asked in this record, or its content is gone")
        found = looking.history(Asked(user=user, since=since, until=until), wanted)
    if as_json:
        typer.echo(orjson.dumps(found).decode())
        return
    out = Console(highlight=False)
    for asking in found.askings:
        out.print(
            f"{asking.at}  {asking.id}  {asking.alike:.2f}  [cyan]{escape(asking.model)}[/]  {escape(asking.user)}  "
            f"{asking.outcome}\n    {escape(_line(asking.prompt))}\n    [dim]{escape(_line(asking.answer))}[/]",
            soft_wrap=True,
        )
    Console(stderr=True, highlight=False).print(f"{len(found.askings)} times, by {len(found.by_model)} models")


def _line(text: str) -> str:
    return " ".join(text.split())[:160]

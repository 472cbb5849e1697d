"""`slmtrail history`: what was asked like this before, and what was answered then and now."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console, inline
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
    below = "\n    " if out.is_terminal else "  "
    for asking in found.askings:
        when = f"{asking.at}  {asking.id}  {asking.alike:.2f}  [cyan]{inline(asking.model)}[/]  {inline(asking.user)}"
        said = inline(_line(asking.prompt)), f"[dim]{inline(_line(asking.answer))}[/]"
        out.print(below.join((f"{when}  {asking.outcome}", *said)), soft_wrap=True)
    Console(stderr=True, highlight=False).print(f"{found.times} times, by {len(found.by_model)} models")


def _line(text: str) -> str:
    return " ".join(text.split())[:160]

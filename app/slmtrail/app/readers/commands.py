"""`slmtrail readers`: who may look at the page and ask the API, by a token each."""

from __future__ import annotations

import time
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError
from rich.markup import escape

from slmtrail.app.commands.given import given
from slmtrail.app.readers.known import token_file
from slmtrail.app.terminal import Console
from slmtrail.core.errors import SettingsError
from slmtrail.core.events import timestamp_text
from slmtrail.core.granting import ReaderGrant
from slmtrail.core.tokens import Row

readers = typer.Typer(no_args_is_help=True, help="Who may look at the page and ask the API.")
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

DAY_MS = 24 * 3600 * 1000
_Names = list[str]


@readers.command()
def add(
    name: Annotated[str, typer.Argument(help="Who reads with it: 1 to 63 of a-z, 0-9, '.', '_', '-'.")],
    environment: Annotated[_Names, typer.Option("--env", help="An environment they see; '*' is all. Repeat for more.")],
    role: Annotated[str, typer.Option(help="reader, investigator or admin.")] = "reader",
    kind: Annotated[_Names | None, typer.Option(help="Only records of this kind. Repeat for more.")] = None,
    team: Annotated[_Names | None, typer.Option(help="Only records of this team. Repeat for more.")] = None,
    days: Annotated[int, typer.Option(min=0, help="How long it holds; 0 for good.")] = 0,
) -> None:
    """Make a reader's token and print it, once: only its hash is kept."""
    wanted = {"role": role, "environments": environment, "kinds": kind or ["*"], "teams": team or ["*"]}
    try:
        grant = ReaderGrant.model_validate(wanted)
    except ValidationError as error:
        faults = [f"--{fault['loc'][0]}: {fault['msg'].lower()}" for fault in error.errors(include_input=False)]
        raise SettingsError("\n".join(faults)) from None
    until_ms = time.time_ns() // 1_000_000 + days * DAY_MS if days else 0
    kept = grant.model_dump(mode="json", exclude={"who"})
    tokens = token_file(given.settings())
    first = not tokens.made
    made, row = tokens.new(name, until_ms, kept)
    out.print(made, soft_wrap=True)
    err.print(f"of {row.name}, with the id {row.id}; it holds at once, and is not shown again", soft_wrap=True)
    if first:
        err.print("from now on page and API ask everyone for a token")


@readers.command("list")
def list_readers(as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False) -> None:
    """List the readers: their roles, what they see, ids and times."""
    for row in token_file(given.settings()).rows():
        if as_json:
            typer.echo(orjson.dumps(_told(row)))
        else:
            told = _told(row)
            sees = " ".join(
                f"{name}={','.join(row.grant.get(name, ()))}" for name in ("environments", "kinds", "teams")
            )
            until = f"until {told['until']}" if told["until"] else "for good"
            out.print(f"{row.id}  {row.name}  {row.grant.get('role')}  {escape(sees)}  {until}", soft_wrap=True)


@readers.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The id of a token, or the name of a reader for all of theirs.")],
) -> None:
    """Take tokens back; a running page refuses them at once."""
    for row in token_file(given.settings()).revoke(name):
        err.print(f"revoked {row.id} of {row.name}")


def _told(row: Row) -> dict[str, Any]:
    until = timestamp_text(row.until_ms) if row.until_ms else None
    return {"id": row.id, "name": row.name, **row.grant, "made": timestamp_text(row.made_ms), "until": until}

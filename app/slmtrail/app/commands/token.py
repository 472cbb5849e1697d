"""`slmtrail token`: tokens with which programs may send to this collector."""

from __future__ import annotations

import time
from typing import Annotated

import orjson
import typer

from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console
from slmtrail.collectors.receive import senders
from slmtrail.core.events import timestamp_text
from slmtrail.core.tokens import TokenFile

token = typer.Typer(no_args_is_help=True, help="Tokens of programs that send to this collector.")
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

DAY_MS = 24 * 3600 * 1000


@token.command()
def new(
    name: Annotated[str, typer.Argument(help="Who sends with it: 1 to 63 of a-z, 0-9, '.', '_', '-'.")],
    days: Annotated[int, typer.Option(min=0, help="How long it holds; 0 for good.")] = 0,
) -> None:
    """Make a token and print it, once: only its hash is kept."""
    until_ms = time.time_ns() // 1_000_000 + days * DAY_MS if days else 0
    made, row = _file().new(name, until_ms)
    out.print(made, soft_wrap=True)
    err.print(f"of {row.name}, with the id {row.id}; it holds at once, and is not shown again")


@token.command("list")
def list_tokens(as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False) -> None:
    """List the tokens that were made: their ids, names and times."""
    for row in _file().rows():
        made, until = timestamp_text(row.made_ms), timestamp_text(row.until_ms) if row.until_ms else None
        if as_json:
            typer.echo(orjson.dumps({"id": row.id, "name": row.name, "made": made, "until": until}))
        else:
            out.print(f"{row.id}  {row.name}  made {made}  {f'until {until}' if until else 'for good'}", soft_wrap=True)


@token.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The id of a token, or the name of a sender for all of its.")],
) -> None:
    """Take tokens back; a running collector refuses them at once."""
    for row in _file().revoke(name):
        err.print(f"revoked {row.id} of {row.name}")


def _file() -> TokenFile:
    return senders.token_file(given.settings().keys / senders.FILE_NAME)

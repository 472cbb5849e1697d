"""`slmtrail setup`: makes what slmtrail runs on ready for it; shows first what it would do."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.markup import escape

from slmtrail.app import parts
from slmtrail.app.given import given
from slmtrail.core.errors import SettingsError

setup = typer.Typer(no_args_is_help=True, help="Make what slmtrail runs on ready for it.")
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be changed, and change nothing.")]
Apply = Annotated[bool, typer.Option("--apply", help="Change it.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")]


@setup.command()
def elasticsearch(dry_run: DryRun = False, apply: Apply = False, as_json: Json = False) -> None:
    """Make Elasticsearch ready for records: its templates, and the mappings of what is there."""
    from slmtrail.indexer.store import elastic_setup

    if dry_run == apply:
        raise SettingsError("give one of --dry-run and --apply")
    settings = given.settings()
    if not settings.store.url:
        raise SettingsError("store.url: names no Elasticsearch; records are in SQLite, which needs no setting up")
    client, streams = parts.open_elastic(settings)
    try:
        plan = elastic_setup.plan(client, streams)
        if apply:
            elastic_setup.apply(client, plan)
    finally:
        client.close()
    changes = [{"what": one.what, "path": one.path, "differences": one.differences} for one in plan.changes]
    told = {"applied": apply, "logsdb": plan.logsdb, "changes": changes, "left": plan.left}
    typer.echo(orjson.dumps(told)) if as_json else _tell(told)


def _tell(told: dict[str, Any]) -> None:
    for change in told["changes"]:
        out.print(f"{'changed' if told['applied'] else 'would change'} {escape(change['what'])}")
        for difference in change["differences"]:
            out.print(f"    {escape(difference)}")
    for left in told["left"]:
        out.print(f"left alone: {escape(left)}")
    if not told["changes"]:
        out.print("nothing to change")
    if not told["logsdb"]:
        err.print("this cluster does not take the index mode logsdb: records take about twice the disk")

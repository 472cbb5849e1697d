"""`slmtrail setup`: makes what slmtrail runs on ready for it; shows first what it would do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.markup import escape

from slmtrail.app import parts, setup_secrets
from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console
from slmtrail.core import keys
from slmtrail.core.errors import SettingsError
from slmtrail.core.ports import TOPICS
from slmtrail.core.settings import Settings

if TYPE_CHECKING:
    from slmtrail.indexer.store.elastic_client import ElasticClient

setup = typer.Typer(no_args_is_help=True, help="Make what slmtrail runs on ready for it.")
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

Apply = Annotated[bool, typer.Option("--apply/--dry-run", help="Change it; without, only show what would be changed.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")]


@setup.command()
def secrets(
    into: Annotated[Path, typer.Option(help="The folder; what is there already stays.")],
    as_json: Json = False,
) -> None:
    """Make the authority, certificates and passwords that the servers of docker-compose.yml start with."""
    made = setup_secrets.make(into)
    if as_json:
        typer.echo(orjson.dumps({"folder": str(into), "made": made}))
        return
    for name in made:
        out.print(f"made {escape(str(into / name))}")
    if not made:
        out.print("nothing to make")


@setup.command()
def elasticsearch(
    user: Annotated[str, typer.Option(help="As whom, instead of with the key in store.api_key.")] = "",
    password_file: Annotated[Path | None, typer.Option(help="The password of --user.")] = None,
    keys_into: Annotated[
        Path | None, typer.Option(help="Make API keys for indexer, retention and investigator, in this folder.")
    ] = None,
    kibana_password_file: Annotated[
        Path | None, typer.Option(help="Give the user kibana_system this password.")
    ] = None,
    apply: Apply = False,
    as_json: Json = False,
) -> None:
    """Make Elasticsearch ready for records: its templates, the mappings of what is there, and keys."""
    from slmtrail.indexer.store import elastic_keys, elastic_setup

    settings = given.settings()
    if not settings.store.url.startswith("http"):
        raise SettingsError("store.url: names no Elasticsearch; records are in SQLite, which needs no setting up")
    if bool(user) != (password_file is not None):
        raise SettingsError("--user and --password-file: give both or none")
    login = (user, _password(password_file)) if password_file else None
    client, streams = parts.open_elastic(settings, login=login)
    try:
        plan = elastic_setup.plan(client, streams)
        if apply:
            elastic_setup.apply(client, plan)
        made: list[str] = []
        if keys_into:
            made += elastic_keys.give(client, streams, keys_into, _shown(settings), apply=apply)
        if kibana_password_file:
            password, shown = _password(kibana_password_file), _shown(settings, elastic_keys.KIBANA)
            made += elastic_keys.give_password(client, password, shown, apply=apply)
    finally:
        client.close()
    changes = [{"what": one.what, "path": one.path, "differences": one.differences} for one in plan.changes]
    changes += [{"what": what, "path": "/_security", "differences": ()} for what in made]
    told = {"applied": apply, "logsdb": plan.logsdb, "changes": changes, "left": plan.left}
    typer.echo(orjson.dumps(told)) if as_json else _tell(told)


@setup.command()
def kafka(
    collector: Annotated[str, typer.Option(help="The user that collectors are; empty: none is given rights.")] = "",
    stream: Annotated[str, typer.Option(help="The user that the stream is.")] = "",
    indexer: Annotated[str, typer.Option(help="The user that the indexer is.")] = "",
    reader: Annotated[str, typer.Option(help="A user that consumes alerts, in groups slmtrail-reader-….")] = "",
    apply: Apply = False,
    as_json: Json = False,
) -> None:
    """Make Kafka ready: the topics, and for each user the least that its part works with."""
    settings = given.settings()
    if not settings.bus.url.startswith(parts.KAFKA):
        raise SettingsError("bus.url: names no Kafka; the bus is SQLite, which needs no setting up")
    users = {"collector": collector, "stream": stream, "indexer": indexer, "reader": reader}
    told = asyncio.run(_kafka(settings, {part: user for part, user in users.items() if user}, apply))
    if as_json:
        typer.echo(orjson.dumps(told))
        return
    for change in told["changes"]:
        out.print(f"{'done' if apply else 'would do'}: {escape(change)}")
    if not told["changes"]:
        out.print("nothing to change")


async def _kafka(settings: Settings, users: dict[Any, str], apply: bool) -> dict[str, Any]:
    from slmtrail.bus import kafka_rights
    from slmtrail.bus.kafka_cluster import Cluster

    bus = parts.open_bus(settings)
    cluster = Cluster(settings.bus.url.removeprefix(parts.KAFKA).split(","), parts.bus_access(settings).options())
    try:
        topics = await kafka_rights.missing_topics(cluster, TOPICS)
        wanted = kafka_rights.rights(users)
        rights = await kafka_rights.missing(cluster, wanted) if wanted else []
        if apply:
            await bus.ensure_topics()
            await kafka_rights.give(cluster, rights)
    finally:
        await bus.close()
    changes = [f"make the topic {topic} with {settings.bus.partitions} partitions" for topic in topics]
    return {"applied": apply, "changes": changes + [str(right) for right in rights]}


@setup.command("elasticsearch-roles")
def elasticsearch_roles(
    environments: Annotated[
        list[str] | None,
        typer.Option("--env", help="An environment whose readers see its records alone; may be repeated."),
    ] = None,
) -> None:
    """Print the roles of Elasticsearch, and API keys that may the same, as JSON."""
    from slmtrail.indexer.store.elastic_names import DATASET, Streams
    from slmtrail.indexer.store.elastic_roles import api_keys, roles

    made = roles(Streams(DATASET), environments or [given.settings().environment])
    typer.echo(orjson.dumps({"roles": made, "api_keys": api_keys(made)}, option=orjson.OPT_INDENT_2))


def _password(file: Path) -> str:
    return keys.read_private(file).decode(errors="replace").strip()


def _shown(settings: Settings, user: str = "") -> Callable[[str], ElasticClient]:
    """A client that shows the secret it is made with: the user's password, or an API key."""

    def made(secret: str) -> ElasticClient:
        return parts.open_elastic(settings, **({"login": (user, secret)} if user else {"api_key": secret}))[0]

    return made


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

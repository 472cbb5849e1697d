"""`slmtrail import`: bring history into the trail, from files and exports of providers, each file's content once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.markup import escape

from slmtrail.app import parts
from slmtrail.app.commands.given import given
from slmtrail.app.commands.tail import pair
from slmtrail.app.running.run import collecting, until_stopped
from slmtrail.app.terminal import Console
from slmtrail.collectors.collector import Collector
from slmtrail.collectors.importing import Importer, Taken
from slmtrail.collectors.tail.formats.names import NAMES, named
from slmtrail.core import keys, trust
from slmtrail.core.errors import KeyFileError, SettingsError
from slmtrail.core.fields import MAX_KEYWORD_CHARS
from slmtrail.core.settings import Settings

EXIT_UNFINISHED = 5
LOOK_S = 0.1

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def import_(
    files: Annotated[list[Path], typer.Argument(help="Files, also .gz and .zst.")],
    format_name: Annotated[str, typer.Option("--format", help=f"What stands in them: {', '.join(NAMES)}.")],
    source: Annotated[str, typer.Option(help="Where it is from, as records say; by default the file's name.")] = "",
    collector: Annotated[str, typer.Option(help="The collector that signs for it.")] = "import",
    pattern: Annotated[str, typer.Option(help="For text: a regular expression whose named groups are fields.")] = "",
    fixed: Annotated[
        list[str] | None, typer.Option("--set", help="For text: field=value of every event; as often as needed.")
    ] = None,
    time_format: Annotated[str, typer.Option(help="For text: how times are written, as strptime takes it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a file.")] = False,
) -> None:
    """Bring history into the trail: events keep their times, say that they were imported, and come once."""
    for file in files:
        if not file.is_file():
            raise SettingsError(f"{file}: is no file")
    given_ = given.settings()
    settings = given_.model_copy(update={"collector": given_.collector.model_copy(update={"name": collector})})
    _admitted(settings)
    values = dict(pair(text) for text in fixed or [])
    form = named(format_name, settings.ingest.max_event_bytes, pattern, values, time_format)

    def made(collector: Collector) -> Importer:
        return Importer(collector, form, format_name, settings.ingest.max_event_bytes)

    taken = asyncio.run(_run(settings, made, files, source[:MAX_KEYWORD_CHARS]))
    for file, one in taken.items():
        if as_json:
            sys.stdout.buffer.write(orjson.dumps({"file": str(file), **asdict(one)}) + b"\n")
        else:
            _tell(file, one)
    if len(taken) < len(set(files)) or not all(one.whole for one in taken.values()):
        err.print("broken off: import the same files again, and it goes on where it was")
        raise typer.Exit(EXIT_UNFINISHED)


def _admitted(settings: Settings) -> None:
    """Sees to a key for the collector: made where this machine has the trust file, and enrolled elsewhere."""
    path, name = parts.collector_key(settings), settings.collector.name
    if settings.trust_file.exists():
        key = keys.signing_key(path, create=True)
        trust.admit(settings.trust_file, name, trust.ANY, key.public_key())
    elif not path.exists():
        text = f"enrol {name} (slmtrail enrol), or name with --collector one that is"
        raise KeyFileError(f"{path}: there is none, and no trust file here to admit it: {text}")


async def _run(
    settings: Settings, made: Callable[[Collector], Importer], files: list[Path], source: str
) -> dict[Path, Taken]:
    """Imports files one after the other and ships their events, until a signal."""
    uplink = parts.open_uplink(settings)
    taken: dict[Path, Taken] = {}
    try:
        async with collecting(settings, uplink) as (collector, work):
            importer = made(collector)

            async def take() -> None:
                try:
                    for file in dict.fromkeys(files):
                        name = source or file.name[:MAX_KEYWORD_CHARS]
                        reading = asyncio.create_task(asyncio.to_thread(importer.take, file, name))
                        try:
                            taken[file] = await asyncio.shield(reading)
                        except asyncio.CancelledError:
                            importer.stop()
                            taken[file] = await reading
                            raise
                    while collector.spool.waiting_bytes:  # noqa: ASYNC110 - the shipper tells nobody
                        await asyncio.sleep(LOOK_S)
                finally:
                    importer.stop()

            await until_stopped([take(), work.run()], first_ends=True)
    finally:
        await uplink.close()
    return taken


def _tell(file: Path, taken: Taken) -> None:
    parts_ = [f"{taken.accepted} events accepted"]
    parts_ += [f"{taken.left_out} left out by the policy"] if taken.left_out else []
    parts_ += [f"{taken.refused} refused"] if taken.refused else []
    known = taken.whole and not (taken.accepted or taken.left_out or taken.refused)
    what = f"was imported before ({taken.entries} entries)" if known and taken.entries else ", ".join(parts_)
    out.print(f"{escape(str(file))}: {what}", soft_wrap=True)

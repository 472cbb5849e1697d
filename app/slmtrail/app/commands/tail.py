"""`slmtrail tail`: follow files, pipes or standard input, and give what is written there to a collector."""

from __future__ import annotations

import asyncio
import re
import resource
from pathlib import Path
from typing import Annotated

import typer

from slmtrail.app import parts
from slmtrail.app.commands.given import given
from slmtrail.app.running.monitor import monitored
from slmtrail.app.running.run import collecting, until_stopped
from slmtrail.collectors.tail import marks
from slmtrail.collectors.tail.formats.format import Format
from slmtrail.collectors.tail.formats.names import NAMES, named
from slmtrail.collectors.tail.tailer import Tailer, TailOptions
from slmtrail.core import garbage
from slmtrail.core.errors import SettingsError
from slmtrail.core.settings import Settings


def tail(
    patterns: Annotated[list[str], typer.Argument(help="Files, patterns (quoted), named pipes, or - for input.")],
    format_name: Annotated[str, typer.Option("--format", help=f"What stands in them: {', '.join(NAMES)}.")],
    pattern: Annotated[str, typer.Option(help="For text: a regular expression whose named groups are fields.")] = "",
    fixed: Annotated[
        list[str] | None, typer.Option("--set", help="For text: field=value of every event; as often as needed.")
    ] = None,
    time_format: Annotated[str, typer.Option(help="For text: how times are written, as strptime takes it.")] = "",
    begins: Annotated[str, typer.Option(help="An expression that the first line of each entry matches.")] = "",
    once: Annotated[bool, typer.Option("--once", help="Read what is there to its end, and end.")] = False,
) -> None:
    """Follow files through rotation and give their events to a collector, each once."""
    settings = given.settings()
    for name in patterns:
        if Path(name).is_dir():
            raise SettingsError(f"{name}: is a folder; name its files, as {name.rstrip('/')}/*.log")
    options = TailOptions(tuple(patterns), settings.ingest.max_event_bytes, _expression(begins), once)
    values = dict(pair(text) for text in fixed or [])
    form = named(format_name, settings.ingest.max_event_bytes, pattern, values, time_format)
    _many_files()
    with monitored(settings):
        tailed, waiting_bytes = asyncio.run(_run(settings, options, form))
    dropped = f", {tailed.dropped} dropped" if tailed.dropped else ""
    later = f"; {waiting_bytes} bytes wait in the spool for the next start" if waiting_bytes else ""
    typer.echo(f"{tailed.accepted} events accepted{dropped}, {tailed.refused} entries refused{later}", err=True)


async def _run(settings: Settings, options: TailOptions, form: Format) -> tuple[Tailer, int]:
    """A collector fed by a tailer until a signal, or until it ends; and how many bytes are not shipped."""
    uplink = parts.open_uplink(settings)
    try:
        async with collecting(settings, uplink) as (collector, work):
            garbage.look_seldom()
            marks.take_over(collector.spool, settings.spool)
            tailer = Tailer(options, form, collector)
            await until_stopped([_reading(tailer), work.run()], first_ends=True)
        return tailer, collector.spool.waiting_bytes
    finally:
        await uplink.close()


async def _reading(tailer: Tailer) -> None:
    """The tailer in its thread; when this is cancelled, to what it has committed."""
    thread = asyncio.create_task(asyncio.to_thread(tailer.run))
    try:
        await asyncio.shield(thread)
    finally:
        tailer.stop()
        await thread


def _many_files() -> None:
    """Every file that grows is held open, so that its rotation loses nothing."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _expression(begins: str) -> re.Pattern[bytes] | None:
    try:
        return re.compile(begins.encode()) if begins else None
    except re.error as error:
        raise SettingsError(f"--begins: is no regular expression: {error}") from None


def pair(text: str) -> tuple[str, str]:
    """The field and value of a --set."""
    name, sign, value = text.partition("=")
    if not sign:
        raise SettingsError(f"--set {name}: write it as field=value")
    return name, value

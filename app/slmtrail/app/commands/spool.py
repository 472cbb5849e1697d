"""`slmtrail spool`: look at what waits to be shipped, carry it elsewhere in a file, and publish it there."""

from __future__ import annotations

import asyncio
import contextlib
import mmap
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.markup import escape

from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console
from slmtrail.collectors.shipper import WINDOW_BYTES
from slmtrail.core import durable, frames
from slmtrail.core.errors import SettingsError, StorageError
from slmtrail.core.frames import SHIP_WINDOW_FRAMES
from slmtrail.core.ports import FRAMES, Message

spool = typer.Typer(no_args_is_help=True, help="Look at what waits to be shipped, or carry it elsewhere in a file.")

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


@spool.command("status")
def status(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Say what waits in this collector's spool, also while it runs."""
    from slmtrail.collectors import waiting

    settings = given.settings()
    found, limit = waiting.look(settings.spool), settings.collector.spool_max_bytes
    if as_json:
        told = {"collector": settings.collector.name, "max_bytes": limit, **asdict(found)}
        sys.stdout.buffer.write(orjson.dumps(told, default=str) + b"\n")
        return
    share = f"{found.bytes} bytes, {100 * found.bytes / limit:.1f} % of what may wait"
    out.print(f"{settings.collector.name}: {found.events} events in {found.frames} frames ({share})", soft_wrap=True)
    if found.oldest_ms and found.newest_ms:
        out.print(f"from {_time(found.oldest_ms)} to {_time(found.newest_ms)}")
    if found.no_frames:
        out.print(f"[bold red]damaged[/]: {found.no_frames} that are no frames")
    if found.unsigned:
        lost = f"{found.unsigned.dropped} events dropped and {found.unsigned.sampled_out} left out"
        out.print(f"{lost}; the next frame signs for them")
    for file in found.set_aside:
        out.print(f"[bold red]damaged[/] and set aside: {escape(str(file))}", soft_wrap=True)


@spool.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Where to write them; it must not be there yet.")],
    move: Annotated[
        bool, typer.Option("--move", help="Take them out of the spool too; its collector has to be stopped.")
    ] = False,
) -> None:
    """Write the waiting frames to a file as they are, signed and encrypted, to be published elsewhere."""
    from slmtrail.app import parts
    from slmtrail.collectors import waiting

    settings = given.settings()
    if file.exists():
        raise SettingsError(f"{file}: is there already; name a new file")
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(contextlib.closing(parts.open_spool(settings))) if move else None
        durable.write_pieces(file, waiting.copied(settings.spool), 0o600)
        if held:
            held.clear()
    err.print(f"{escape(str(file))}: {file.stat().st_size} bytes of frames", soft_wrap=True)


@spool.command("import")
def import_(file: Annotated[Path, typer.Argument(help="A file that `spool export` wrote.")]) -> None:
    """Publish the frames of a file, in order, as their collector would have."""
    with _mapped(file) as data:
        for piece in frames.split(data):  # says what is wrong with it before anything is published
            frames.from_bytes(piece)
        count = asyncio.run(_publish(data))
    err.print(f"{count} frames published; the stream passes over those that it knows")


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


async def _publish(data: mmap.mmap | bytes) -> int:
    from slmtrail.app import parts

    uplink = parts.open_uplink(given.settings())
    count = 0
    try:
        for window in _windows(frames.split(data)):
            await uplink.publish(FRAMES, [Message(frames.header_of(piece).collector, piece) for piece in window])
            count += len(window)
    finally:
        await uplink.close()
    return count


def _windows(pieces: Iterator[bytes]) -> Iterator[list[bytes]]:
    window: list[bytes] = []
    size = 0
    for piece in pieces:
        if window and (len(window) == SHIP_WINDOW_FRAMES or size + len(piece) > WINDOW_BYTES):
            yield window
            window, size = [], 0
        window.append(piece)
        size += len(piece)
    if window:
        yield window


@contextlib.contextmanager
def _mapped(file: Path) -> Iterator[mmap.mmap | bytes]:
    try:
        with file.open("rb") as opened:
            if not file.stat().st_size:
                yield b""
                return
            with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield data
    except OSError as error:
        raise StorageError(f"{file}: can't be read: {error.strerror}") from None

"""`slmtrail export`: records as a file, all that are under the signed checkpoints or those of a query."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from slmtrail.app import parts
from slmtrail.app.commands.given import given
from slmtrail.core.errors import SettingsError, StorageError

SUFFIXES = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
MAX_RECORDS = 1_000_000_000


def export(
    to: Annotated[Path, typer.Argument(help="The file; - writes to standard output.")],
    text: Annotated[
        list[str] | None, typer.Argument(help="Only what fits, as in `search`; without, all under a signed checkpoint.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="ndjson (ECS names, all fields) or csv; by default as the file's name says.")
    ] = "",
    since: Annotated[str, typer.Option(help="From then on: 15m, 2h, 7d ago, or 2026-01-31T09:00:00Z.")] = "",
    until: Annotated[str, typer.Option(help="Before then.")] = "",
    sort: Annotated[str, typer.Option(help="The order of what fits; -time is the newest first.")] = "-time",
) -> None:
    """Write records to a file: of a query, or all under a signed checkpoint, which with the ledgers verify anywhere."""
    form = form or SUFFIXES.get(to.suffix, "ndjson")
    if form not in SUFFIXES.values():
        raise SettingsError(f"--format: is ndjson or csv, not {form!r}")
    if text or since or until or form == "csv":
        count = _of_query(to, " ".join(text or []), form, since, until, sort)
        typer.echo(f"{count} records", err=True)
        return
    from slmtrail.app.readers.here import here
    from slmtrail.app.reading import Asked
    from slmtrail.indexer import export as writing

    settings = given.settings()
    sizes = {folder.ledger: folder.checkpoint()[1].size for folder in parts.ledger_folders(settings)}
    with here(settings) as looking, closing(parts.open_store(settings)) as store, _opened(to) as file:
        count = writing.write(store, sizes, file)
        looking.told("export", count, Asked())
    typer.echo(f"{count} records of {len(sizes)} ledgers", err=True)


def _of_query(to: Path, text: str, form: str, since: str, until: str, sort: str) -> int:
    import dataclasses

    from slmtrail.app.readers.here import here
    from slmtrail.app.reading import Asked
    from slmtrail.app.tables import FORMATS
    from slmtrail.indexer.reading.walk import walk

    written = FORMATS[form]
    asked, count = Asked(text, since=since, until=until, sort=sort), 0
    with here(given.settings()) as looking:
        query = looking.trail.query(asked)
        looking.trail.ask(dataclasses.replace(query, limit=1, count_to=0))  # what can't be understood leaves no file
        try:
            with _opened(to) as file:
                file.write(written.head())
                for sealed in walk(looking.trail.ask, query, MAX_RECORDS):
                    file.write(written.row(sealed))
                    count += 1
        finally:
            looking.told("export", count, asked)
    return count


@contextlib.contextmanager
def _opened(to: Path) -> Iterator[BinaryIO]:
    try:
        if str(to) == "-":
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        else:
            with to.open("wb") as file:
                yield file
    except BrokenPipeError:
        raise StorageError("standard output was closed before all was written") from None
    except OSError as error:
        raise StorageError(f"{to}: can't be written: {error.strerror}") from None

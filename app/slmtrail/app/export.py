"""`slmtrail export`: the records under the signed checkpoints, as one file."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from slmtrail.app import parts
from slmtrail.app.given import given
from slmtrail.core.errors import StorageError


def export(
    to: Annotated[Path, typer.Argument(help="The file, NDJSON; - writes to standard output.")],
) -> None:
    """Write all records that are under a signed checkpoint; with the ledgers' folders they verify anywhere."""
    from slmtrail.indexer import export as writing

    settings = given.settings()
    sizes = {folder.ledger: folder.checkpoint()[1].size for folder in parts.ledger_folders(settings)}
    with closing(parts.open_store(settings)) as store:
        try:
            if str(to) == "-":
                count = writing.write(store, sizes, sys.stdout.buffer)
            else:
                with to.open("wb") as file:
                    count = writing.write(store, sizes, file)
        except OSError as error:
            raise StorageError(f"{to}: can't be written: {error.strerror}") from None
    typer.echo(f"{count} records of {len(sizes)} ledgers", err=True)

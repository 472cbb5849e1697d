"""`slmtrail reconcile`: find the leaves that the store lacks, and put their records back from the topic."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from slmtrail.app import parts
from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console, inline
from slmtrail.core.ports import Rows, Store
from slmtrail.core.settings import Settings

if TYPE_CHECKING:
    from slmtrail.indexer.verify.folder import LedgerFolder

out = Console(highlight=False)

EXIT_MISSING = 7
MAX_TOLD = 20

From = Annotated[
    list[str] | None,
    typer.Option("--from", help="Where records come from, as often as needed: topic, the url of a store, an export."),
]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One ledger compared with the store. `refused`: what the store does not take, with its reasons."""

    ledger: str
    leaves: int
    missing: int
    restored: int
    left: Rows
    refused: tuple[str, ...] = ()


def reconcile(
    sources: From = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is missing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object.")] = False,
) -> None:
    """Compare ledgers and store, and put back what the store lacks. Exit code 7 where something stays missing."""
    settings = given.settings()
    found = list(_reconciled(settings, [] if dry_run else sources or ["topic"]))
    if as_json:
        sys.stdout.buffer.write(orjson.dumps({"whole": not _left(found), "ledgers": [asdict(one) for one in found]}))
        sys.stdout.buffer.write(b"\n")
    else:
        _tell(found)
    if _left(found):
        raise typer.Exit(EXIT_MISSING)


def _reconciled(settings: Settings, sources: list[str]) -> Iterator[Reconciled]:
    with closing(parts.open_store(settings, writable=bool(sources))) as store:
        for folder in parts.ledger_folders(settings):
            yield _ledger(settings, folder, store, sources)


def _ledger(settings: Settings, folder: LedgerFolder, store: Store, sources: list[str]) -> Reconciled:
    from slmtrail.app.sources import lawful, texts
    from slmtrail.indexer.ledger.log import Log
    from slmtrail.indexer.reconcile import holes
    from slmtrail.indexer.restore import Wanted, restore
    from slmtrail.indexer.retain.leafset import LeafSet

    size = folder.checkpoint()[1].size
    gone = lawful(settings, folder)
    rows = (LeafSet(holes(store, folder.ledger, 0, size)) - gone.removed).rows
    restored, refused = 0, []
    with closing(Wanted(Log.open(folder.folder, size), rows)) as wanted:
        count = wanted.count
        for source in sources if count else []:
            done = restore(store, folder.ledger, wanted, texts(settings, source, folder), gone)
            restored += done.records
            refused += [f"leaf {one.sealed.leaf}: {one.reason}" for one in done.refusals]
        left = [*wanted.rows()]
    return Reconciled(folder.ledger, size, count, restored, left, tuple(refused))


def _left(found: list[Reconciled]) -> int:
    """How many leaves are still not in the store."""
    return sum(one.missing - one.restored for one in found)


def _tell(found: list[Reconciled]) -> None:
    for one in found:
        restored = f", {one.restored} put back" if one.restored else ""
        out.print(f"{inline(one.ledger)}: {one.leaves} leaves, {one.missing} not in the store{restored}")
        for first, last in one.left[:MAX_TOLD]:
            out.print(f"    [bold red]missing[/]: leaves {first} to {last}")
        if len(one.left) > MAX_TOLD:
            out.print(f"    and {len(one.left) - MAX_TOLD} more rows")
        for text in one.refused[:MAX_TOLD]:
            out.print(f"    [bold red]the store refuses[/] {inline(text)}", soft_wrap=True)
    out.print("[bold red]not whole[/]" if _left(found) else "[green]whole[/]: the store has every leaf of the ledgers")

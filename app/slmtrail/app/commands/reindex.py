"""`slmtrail reindex`: build the store anew from what else has the records, check all of it, and put it in place."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from slmtrail.app import parts
from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console, inline
from slmtrail.core.errors import LedgerError, StorageError, StoreError
from slmtrail.core.ports import Fault, Rows, Store
from slmtrail.core.settings import Settings

if TYPE_CHECKING:
    from slmtrail.indexer.store.rebuild import Rebuild
    from slmtrail.indexer.verify.folder import LedgerFolder

log = logging.getLogger(__name__)

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

EXIT_NOT_WHOLE = 7
MAX_TOLD = 20


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One ledger's part of the new store. `missing`: leaves whose record none of the sources has."""

    ledger: str
    leaves: int
    records: int
    erased: int
    missing: Rows
    refused: tuple[str, ...] = ()


def reindex(
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--from", help="Where records come from: topic, store, its url, or an export; by default store, then topic."
        ),
    ] = None,
    accept_missing: Annotated[
        bool, typer.Option("--accept-missing", help="Put it in place though records are missing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object.")] = False,
) -> None:
    """Build the store anew beside the old one, check it against the ledgers, and swap the two.

    The pipeline must stand still meanwhile. What was broken off goes on where it was. Exit code 7 where the new store
    is not whole: then the old one stays.
    """
    settings = given.settings()
    with _owned(settings) as folders, _building(settings) as building:
        found = [
            _ledger(settings, folder, building.store, sources or ["store", "topic"], as_json) for folder in folders
        ]
        faults = _faults(folders, building.store)
        whole = not any(one.missing or one.refused for one in found)
        swapped = not faults and (whole or accept_missing)
        if swapped:
            building.swap()
    if as_json:
        told = {"swapped": swapped, "whole": whole, "ledgers": [asdict(one) for one in found]}
        told["faults"] = [asdict(fault) for fault in faults]
        sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    else:
        _tell(found, faults, swapped)
    if faults or not whole:
        raise typer.Exit(EXIT_NOT_WHOLE)


@contextmanager
def _owned(settings: Settings) -> Iterator[list[LedgerFolder]]:
    """The ledgers, which no indexer may own meanwhile."""
    from slmtrail.indexer.seal import own

    folders = parts.ledger_folders(settings)
    with ExitStack() as stack:
        for folder in folders:
            try:
                stack.enter_context(own(folder.folder))
            except StorageError as error:
                raise StorageError(f"{error}: stop the pipeline first") from None
        yield folders


@contextmanager
def _building(settings: Settings) -> Iterator[Rebuild]:
    from slmtrail.indexer.store.rebuild import rebuild

    made = rebuild(settings.store_url, api_key=parts.store_api_key(settings), ca_file=settings.store.ca)
    with closing(made.store):
        yield made


def _ledger(settings: Settings, folder: LedgerFolder, store: Store, sources: list[str], quiet: bool) -> Rebuilt:
    from slmtrail.app.sources import lawful, texts
    from slmtrail.indexer.fsck import State
    from slmtrail.indexer.ledger.log import Log
    from slmtrail.indexer.reconcile import holes
    from slmtrail.indexer.restore import Wanted, restore
    from slmtrail.indexer.retain.leafset import LeafSet

    name, size = folder.ledger, State.read(folder.folder).stored_size
    entries = Log.open(folder.folder, size)
    head = folder.checkpoint()[1]
    if head.size > size or entries.root(head.size) != head.root:
        raise LedgerError(f"{name}: its tiles are not what was signed; see slmtrail fsck")
    gone = lawful(settings, folder)
    records, erased, refused = 0, 0, []
    rows = (LeafSet(holes(store, name, 0, size)) - gone.removed).rows
    with closing(Wanted(entries, rows)) as wanted, _bar(name, wanted.count, quiet) as progress:
        for source in sources:
            if not wanted.count:
                break
            try:
                done = restore(store, name, wanted, texts(settings, source, folder), gone, progress)
            except (StoreError, StorageError) as error:
                log.warning("%s: not all of it could be read: %s", source, error)
                continue
            records, erased = records + done.records, erased + done.erased
            refused += [f"leaf {one.sealed.leaf}: {one.reason}" for one in done.refusals]
        left = [*wanted.rows()]
    # What an earlier attempt wrote may have been erased or removed since.
    store.expire({name: gone.erased.rows}, {name: gone.removed.rows})
    return Rebuilt(name, size, records, erased, left, tuple(refused))


@contextmanager
def _bar(name: str, count: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet) as bar:
        task = bar.add_task(f"indexing {name}", total=count)
        yield lambda records: bar.update(task, completed=records)


def _faults(folders: list[LedgerFolder], store: Store) -> list[Fault]:
    """What is wrong with the new store, but for the records that are missing: these are told by rows."""
    from slmtrail.indexer.verify.trail import verify

    faults = verify(folders, store).faults
    return [fault for fault in faults if fault.kind != "missing"]


def _tell(found: list[Rebuilt], faults: list[Fault], swapped: bool) -> None:
    for one in found:
        erased = f", {one.erased} of them without what was erased" if one.erased else ""
        out.print(f"{inline(one.ledger)}: {one.records} of {one.leaves} records indexed{erased}", soft_wrap=True)
        for first, last in one.missing[:MAX_TOLD]:
            out.print(
                f"    [bold red]missing[/]: leaves {first} to {last}; no source has their records", soft_wrap=True
            )
        if len(one.missing) > MAX_TOLD:
            out.print(f"    and {len(one.missing) - MAX_TOLD} more rows")
        for text in one.refused[:MAX_TOLD]:
            out.print(f"    [bold red]the store refuses[/] {inline(text)}", soft_wrap=True)
    for fault in faults[:MAX_TOLD]:
        out.print(f"[bold red]{inline(fault.kind)}[/]: {inline(fault.text)}", soft_wrap=True)
    if swapped:
        out.print("[green]in place[/]: the new store is checked against the ledgers, and the old one is gone")
    else:
        out.print(
            "[bold red]not in place[/]: the old store stays; name more sources with --from, or take it with "
            "--accept-missing",
            soft_wrap=True,
        )

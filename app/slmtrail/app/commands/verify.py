"""`slmtrail verify`: prove that nothing was changed, removed, inserted or reordered, and nothing is missing."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from slmtrail.app import parts
from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console, inline
from slmtrail.core import keys
from slmtrail.core.errors import BusError, LedgerError, SettingsError, StorageError
from slmtrail.core.ports import CHECKPOINTS, Fault, Proved, Scanned
from slmtrail.core.settings import Settings

if TYPE_CHECKING:
    from slmtrail.indexer.verify.folder import LedgerFolder
    from slmtrail.indexer.verify.memory import Memory
    from slmtrail.indexer.verify.trail import Scope

log = logging.getLogger(__name__)

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

EXIT_FAULTS = 7
BUS_PATIENCE_S = 15.0

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object, for programs.")]
_MORE = {
    "dropped": "dropped at the edge",
    "sampled_out": "left out on purpose",
    "refused": "in the dead letters",
    "replayed": "brought by a replay",
}


def verify(
    record_id: Annotated[str, typer.Argument(help="Only this record, by its event.id.")] = "",
    collector: Annotated[str, typer.Option(help="Only from the first to the last record of this collector.")] = "",
    since: Annotated[str, typer.Option(help="Only from then on: 15m, 2h, 7d ago, or 2026-01-31T09:00:00Z.")] = "",
    until: Annotated[str, typer.Option(help="Only before then.")] = "",
    since_last: Annotated[
        bool, typer.Option("--since-last", help="Only what is new since it was last verified, or go on after a break.")
    ] = False,
    tiles: Annotated[Path | None, typer.Option(help="A copy of a ledger's folder, or of several in one.")] = None,
    export: Annotated[Path | None, typer.Option(help="With --tiles: the records, by slmtrail export.")] = None,
    key: Annotated[
        list[Path] | None, typer.Option(help="With --tiles: the ledger's public key, .pub or a verifier key.")
    ] = None,
    authority: Annotated[
        list[Path] | None, typer.Option(help="With --tiles: the public key that signs certificates (control.pub).")
    ] = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A signed head kept elsewhere, which the ledger must continue.")
    ] = None,
    memory: Annotated[
        Path | None, typer.Option(help="Where to remember what was verified; in the data folder by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove that nothing was changed, removed, inserted or reordered. Exit code 7 where something was."""
    from slmtrail.indexer.store.language.times import moment_ms
    from slmtrail.indexer.verify.memory import Memory
    from slmtrail.indexer.verify.trail import Scope

    settings = given.settings()
    if record_id:
        _one(settings, record_id, as_json)
        return
    scope = Scope(collector, moment_ms(since) if since else None, moment_ms(until) if until else None)
    if since_last and not scope.whole:
        raise SettingsError("--since-last is about all that is new: leave --collector, --since and --until out")
    heads = [_head(path) for path in checkpoint or []]
    if tiles:
        from slmtrail.indexer.export import Export

        if export is None or not key:
            raise SettingsError("--tiles needs --export and --key: what the records are, and by which key to believe")
        known = Memory(memory) if memory else None
        proved = _walk(_copies(tiles, key, authority or [], heads), Export(export), scope, known, since_last, as_json)
    elif export or key or authority:
        raise SettingsError("--export, --key and --authority go with --tiles")
    else:
        heads += asyncio.run(published(settings))
        with closing(parts.open_store(settings)) as store:
            known = Memory(memory or settings.data / "verified" / "verified.json")
            heads += [one.checkpoint.encode() for one in known.ledgers.values()]
            folders = parts.ledger_folders(settings, heads)
            proved = _walk(folders, store, scope, known, since_last, as_json)
    _tell_json(proved) if as_json else _tell(proved, scope)
    if proved.faults:
        raise typer.Exit(EXIT_FAULTS)


def _one(settings: Settings, record_id: str, as_json: bool) -> None:
    from slmtrail.app.reading import Reading

    with closing(Reading(settings)) as reading:
        sealed, proof = reading.show(record_id)
    verified = proof.state == "proved"
    if as_json:
        _print({"verified": verified, "state": proof.state, "text": proof.text, "id": record_id, "leaf": sealed.leaf})
    else:
        colour = {"proved": "green", "pending": "yellow"}.get(proof.state, "bold red")
        out.print(f"[{colour}]{proof.state}[/]: {inline(proof.text)}", soft_wrap=True)
    if not verified and proof.state != "pending":
        raise typer.Exit(EXIT_FAULTS)


def _walk(
    folders: list[LedgerFolder],
    store: Scanned,
    scope: Scope,
    memory: Memory | None,
    since_last: bool,
    as_json: bool,
) -> Proved:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from slmtrail.indexer.verify.trail import verify

    columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=as_json) as bar:
        task = bar.add_task("verify", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return verify(folders, store, progress, scope, memory, since_last=since_last)


def _copies(folder: Path, key_files: list[Path], authorities: list[Path], heads: list[bytes]) -> list[LedgerFolder]:
    """The ledgers in a folder that was copied from elsewhere, by the names in their checkpoints."""
    from slmtrail.indexer.ledger.checkpoint import Checkpoint
    from slmtrail.indexer.ledger.note import Note, VerifierKey
    from slmtrail.indexer.verify.folder import LedgerFolder

    found = [folder] if (folder / "checkpoint").exists() else sorted(p.parent for p in folder.glob("*/checkpoint"))
    if not found:
        raise LedgerError(f"{folder}: there is no ledger here: no checkpoint in it, nor in a folder of it")
    decides = [keys.verification_key(path) for path in authorities]
    made = []
    for one in found:
        origin = Checkpoint.parse(Note.parse(_head(one / "checkpoint")).text).origin
        named = LedgerFolder.of(one, origin, authorities=decides, heads=_of(origin, heads))
        verifiers = []
        for path in key_files:
            text = _head(path).decode(errors="replace").strip()
            pem = text.startswith("-----BEGIN")
            key = VerifierKey.of(origin, keys.verification_key(path)) if pem else VerifierKey.parse(text)
            verifiers.append(key)
        made.append(LedgerFolder(one, origin, tuple(verifiers), named.authorities, named.heads))
    return made


def _of(origin: str, heads: list[bytes]) -> list[bytes]:
    return [head for head in heads if head.startswith(origin.encode() + b"\n")]


def _head(path: Path) -> bytes:
    from slmtrail.indexer.ledger.note import MAX_NOTE_BYTES

    try:
        with path.open("rb") as file:
            return file.read(MAX_NOTE_BYTES + 1)
    except OSError as error:
        raise LedgerError(f"{path}: can't be read: {error.strerror}") from None


async def published(settings: Settings) -> list[bytes]:
    """The heads on the bus, where an indexer that was made to forget can't take them back."""
    if not settings.bus.url and not (settings.data / "bus.sqlite").exists():
        return []
    bus = parts.open_bus(settings)
    try:
        async with asyncio.timeout(BUS_PATIENCE_S):
            return list((await bus.newest(CHECKPOINTS)).values())
    except (BusError, StorageError, TimeoutError) as error:
        log.warning("the heads on the bus are not compared: %s", error or "it does not answer")
        return []
    finally:
        await bus.close()


def _tell_json(proved: Proved) -> None:
    def told(faults: list[Fault]) -> list[dict[str, object]]:
        return [{"kind": f.kind, "text": f.text, "ledger": f.ledger, "leaf": f.leaf, "id": f.record_id} for f in faults]

    _print(
        {
            "verified": not proved.faults,
            "records": proved.records,
            "ledgers": proved.ledgers,
            "faults": told(proved.faults),
            "losses": told(proved.losses),
            "counted": proved.counted,
            "signed_for": proved.signed_for,
            "uncovered": proved.uncovered,
            "erased": proved.erased,
            "summarised": proved.summarised,
            "removed": proved.removed,
        }
    )


def _tell(proved: Proved, scope: Scope) -> None:
    tell: Callable[[str], None] = lambda text: out.print(text, soft_wrap=True)  # noqa: E731
    for fault in proved.faults:
        tell(f"[bold red]{inline(fault.kind.replace('_', ' '))}[/]: {inline(fault.text)}")
    for loss in proved.losses:
        tell(f"[yellow]{inline(loss.kind.replace('_', ' '))}[/]: {inline(loss.text)}")
    for kind, count in proved.counted.items():
        listed = sum(fault.kind == kind for fault in (*proved.faults, *proved.losses))
        if count > listed:
            tell(f"{kind.replace('_', ' ')}: {count - listed} more of these")
    for ledger, size in proved.ledgers.items():
        tell(f"{inline(ledger)}: {size} leaves under a signed checkpoint")
    if proved.signed_for.get("events"):
        more = [f"{proved.signed_for[name]} {text}" for name, text in _MORE.items() if proved.signed_for.get(name)]
        tell(f"collectors signed for {proved.signed_for['events']} events" + (f"; {', '.join(more)}" if more else ""))
    if proved.uncovered:
        tell(f"{proved.uncovered} records are newer than what is sealed of their collectors")
    for what in ("erased", "summarised", "removed"):
        for number, count in getattr(proved, what).items():
            tell(f"{count} records were {what} under certificate {inline(number)}")
    if proved.faults:
        faults = sum(proved.counted.get(kind, 0) for kind in {fault.kind for fault in proved.faults})
        tell(f"[bold red]not verified[/]: {faults} faults")
    else:
        what = "" if scope.whole else " from the first to the last that was asked about"
        tell(f"[green]verified[/]: {proved.records} records{what}, nothing changed, missing, inserted or reordered")


def _print(content: dict[str, object]) -> None:
    sys.stdout.buffer.write(orjson.dumps(content) + b"\n")
    sys.stdout.buffer.flush()

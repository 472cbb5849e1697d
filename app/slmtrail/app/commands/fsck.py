"""`slmtrail fsck`: what lies on disk and on the bus, checked against each other; what is wrong, and what repairs it."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from slmtrail.app import parts
from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console, inline
from slmtrail.collectors.spool import FILE_NAME
from slmtrail.core import frames, keys, trust
from slmtrail.core.certificate import Certificate
from slmtrail.core.errors import BusError, FrameError, KeyFileError, LedgerError, TrailError
from slmtrail.core.ports import RECORDS, Bus
from slmtrail.core.settings import Settings

if TYPE_CHECKING:
    from slmtrail.indexer.fsck import Trouble

out = Console(highlight=False)

EXIT_TROUBLE = 7
POLL_MS = 2000
_SET_ASIDE = "start the collector: it sets a damaged spool aside and keeps what can be read of it"


def fsck(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object.")] = False,
) -> None:
    """Check ledgers, store, spool, keys and offsets against each other. Exit code 7 where something is wrong."""
    settings = given.settings()
    found = [*_keys(settings), *_ledgers(settings), *_spools(settings)]
    if as_json:
        data = {"sound": not found, "troubles": [asdict(trouble) for trouble in found]}
        sys.stdout.buffer.write(orjson.dumps(data) + b"\n")
    else:
        for trouble in found:
            out.print(f"[bold red]{inline(trouble.where)}[/]: {inline(trouble.what)}", soft_wrap=True)
            out.print(f"    to repair it: {inline(trouble.repair)}", soft_wrap=True)
        out.print(f"{len(found)} things are wrong" if found else "[green]sound[/]: nothing contradicts anything else")
    if found:
        raise typer.Exit(EXIT_TROUBLE)


def _trouble(where: object, what: object, repair: str) -> Trouble:
    from slmtrail.indexer.fsck import Trouble

    return Trouble(str(where), str(what), repair)


def _keys(settings: Settings) -> Iterator[Trouble]:
    for path in sorted((*settings.keys.glob("*.pem"), *settings.keys.glob("*.key"))):
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield _trouble(path, "others can read or change it", f"chmod 600 {path}; rotate the key if others did")
    try:
        trust.rows(settings.trust_file)
    except KeyFileError as error:
        yield _trouble(settings.trust_file, error, "restore it from a copy, or admit the collectors again")


def _ledgers(settings: Settings) -> Iterator[Trouble]:
    from slmtrail.indexer import fsck as checking

    if not settings.ledgers.exists():
        return
    folders = parts.ledger_folders(settings)
    with closing(parts.open_store(settings)) as store:
        try:
            for fault in store.faults():
                yield _trouble("store", fault.text, checking.REINDEX)
            for folder in folders:
                yield from checking.check(folder, store)
                yield from _revoked(settings, checking.certificates(folder, store))
        except TrailError as error:
            yield _trouble("store", error, "see that it runs, and check again")
    yield from asyncio.run(_offsets(settings, [folder.folder for folder in folders]))


def _revoked(settings: Settings, decided: Iterable[Certificate]) -> Iterator[Trouble]:
    """Keys that the ledger says were revoked, and that the trust file lets speak."""
    if not settings.trust_file.exists():  # it is where the stream is
        return
    with suppress(KeyFileError):  # told already
        shut_out = {row["key"] for row in trust.rows(settings.trust_file) if row.get("revoked_ms")}
        for told in decided:
            collector, _, key = told.subject.rpartition(":")
            if told.action == "key_revoked" and key not in shut_out:
                what = f"key {key} of {collector} was revoked by {told.by}, and it does not say so"
                yield _trouble(settings.trust_file, what, "restore it from a copy, or revoke the key again")


async def _offsets(settings: Settings, folders: list[Path]) -> list[Trouble]:
    from slmtrail.indexer.fsck import RESTORE, State
    from slmtrail.indexer.topic import check

    found = []
    bus = parts.open_bus(settings)
    try:
        for folder in folders:
            try:
                state = State.read(folder)
            except (sqlite3.Error, TypeError):
                continue  # told already
            where = f"{RECORDS}/{folder.name}"
            try:
                ledger = parts.ledger_name(settings, int(folder.name))
                await check(bus, int(folder.name), ledger, state.stored_offset, state.last_message)
                await (await bus.read(RECORDS, int(folder.name), state.stored_offset)).close()
            except LedgerError as error:
                found.append(_trouble(where, error, "as docs/recovery.md says of a topic made anew"))
                continue
            except TrailError as error:
                found.append(_trouble(where, error, "see that the bus runs; what it forgot unsealed is lost"))
                continue
            with suppress(BusError):  # sealed, stored and forgotten, as it should be
                if state.sealed_offset and not await _first(bus, int(folder.name), state.sealed_offset - 1):
                    what = f"ends before offset {state.sealed_offset}, up to which it was sealed: it was replaced"
                    found.append(_trouble(where, what, f"{RESTORE}; a ledger belongs to the topic it was made from"))
    finally:
        await bus.close()
    return found


async def _first(bus: Bus, partition: int, offset: int) -> bool:
    """Whether a partition has a message at `offset` or behind it. Raises BusError where it is gone."""
    reader = await bus.read(RECORDS, partition, offset)
    try:
        return bool(await reader.poll(1, POLL_MS))
    finally:
        await reader.close()


def _spools(settings: Settings) -> Iterator[Trouble]:
    """Each spool here: its file, its frames, and their chain."""
    for path in sorted((settings.data / "spool").glob(f"*/{FILE_NAME}")):
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
                db.execute("BEGIN")
                (fault,) = db.execute("PRAGMA quick_check(1)").fetchone()
                if fault != "ok":
                    yield _trouble(path, fault, _SET_ASIDE)
                yield from _frames(path, settings, db)
        except sqlite3.Error as error:
            yield _trouble(path, error, _SET_ASIDE)


def _frames(path: Path, settings: Settings, db: sqlite3.Connection) -> Iterator[Trouble]:
    known = settings.keys / f"collector-{path.parent.name}.pub"
    key = keys.verification_key(known) if known.exists() else None
    previous: frames.Header | None = None
    digest = ""
    for number, data in db.execute("SELECT id, data FROM frames ORDER BY id"):
        try:
            frame = frames.from_bytes(data)
            if key and frame.header.key == keys.key_id(key):
                frame.verify(key)
        except FrameError as error:
            yield _trouble(path, f"frame {number}: {error}", "ship it: the stream puts it to the dead letters")
            previous = None
            continue
        header = frame.header
        # Frames that a full spool let go leave a gap, which the collector signs for; a wrong link is damage.
        if (
            previous
            and (header.boot, header.sequence) == (previous.boot, previous.sequence + 1)
            and header.previous != digest
        ):
            yield _trouble(path, f"{frame.where} does not follow from the one before it", "ship it: it is told there")
        previous, digest = header, frame.digest

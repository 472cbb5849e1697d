"""`slmtrail erase`: destroy what is stored of a person; the records go on proving, and a certificate says so."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import closing
from typing import Annotated

import orjson
import typer
from rich.markup import escape

from slmtrail.app import parts
from slmtrail.app.commands.given import given
from slmtrail.app.commands.hold import refuse_held
from slmtrail.app.decree import decree, partition_of, who
from slmtrail.app.reading import Reading
from slmtrail.app.terminal import Console
from slmtrail.core.certificate import Certificate, rows
from slmtrail.core.commitment import SALTS
from slmtrail.core.errors import SettingsError
from slmtrail.core.events import timestamp_text
from slmtrail.core.ports import RETENTION_DAYS, SIGNALS, Sealed, Store
from slmtrail.core.settings import Settings
from slmtrail.indexer.reading.person import records_of
from slmtrail.stream.job.repartition import forgetting

err = Console(stderr=True, highlight=False, soft_wrap=True)

CERTIFICATE_LEAVES = 100_000
"""Leaves in one certificate: with every second leaf of a ledger it still fits a message."""


def erase(
    subject: Annotated[str, typer.Option(help="Whose: user.id, name or e-mail as it was given, or its keyed hash.")],
    reason: Annotated[str, typer.Option(help="Why. It is sealed and can't be erased: name no person in it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many records it would be.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait until it is done.")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object.")] = False,
) -> None:
    """Destroy content, person fields and salts of all records of a person, in every store, under a certificate."""
    settings = given.settings()
    if not subject.strip() or not reason.strip():
        raise SettingsError("--subject and --reason must not be empty")
    if subject.lower() in reason.lower():
        raise SettingsError("--reason names the person, and would be sealed for good: give a ticket's number instead")
    with closing(Reading(settings)) as reading:
        spellings = reading.spellings(subject)
        found = records_of(reading.ask, spellings)
    leaves: dict[str, list[int]] = {}
    for sealed in found:
        leaves.setdefault(sealed.ledger, []).append(sealed.leaf)
    if found:
        with closing(parts.open_store(settings)) as store:
            refuse_held(settings, store, found)
    if not dry_run:
        if found and not yes:
            typer.confirm(f"Destroy the content of {len(found)} records for good?", abort=True, err=True)
        asyncio.run(_forget(settings, spellings))
    if found and not dry_run:
        ids = asyncio.run(decree(settings, _certificates(leaves, spellings[1:], reason), _gone(found), wait))
    else:
        ids = []
    if as_json:
        sys.stdout.buffer.write(orjson.dumps({"records": len(found), "erased": bool(ids), "certificates": ids}) + b"\n")
    elif not found:
        err.print("nothing is left of this person")
    elif dry_run:
        err.print(f"{len(found)} records would be erased")
    else:
        clean = timestamp_text(_clean_ms())[:10]
        err.print(f"{len(found)} records are erased under {escape(', '.join(ids))}; the bus forgets them by {clean}")


async def _forget(settings: Settings, spellings: tuple[str, ...]) -> None:
    """Has the stream forget what its rules remember of a person, so that no alert repeats it."""
    bus = parts.open_bus(settings)
    try:
        await bus.ensure_topics()
        await bus.publish(SIGNALS, forgetting(spellings, await bus.partitions(SIGNALS)))
    finally:
        await bus.close()


def _certificates(leaves: dict[str, list[int]], hashes: tuple[str, ...], reason: str) -> list[tuple[int, Certificate]]:
    """One certificate a ledger, or more where it would be too long; each with its partition. It names the person by
    a keyed hash, or not at all."""
    subject = hashes[0] if hashes else ""
    now_ms, made, settings = time.time_ns() // 1_000_000, [], given.settings()
    for ledger, found in sorted(leaves.items()):
        partition = partition_of(settings, ledger)
        found.sort()
        for first in range(0, len(found), CERTIFICATE_LEAVES):
            part = rows(found[first : first + CERTIFICATE_LEAVES])
            told = Certificate("erased", now_ms, who(), reason, subject, ledger, part, _clean_ms())
            made.append((partition, told))
    return made


def _clean_ms() -> int:
    return time.time_ns() // 1_000_000 + RETENTION_DAYS * 24 * 3_600_000


def _gone(found: list[Sealed]) -> Callable[[Store], bool]:
    """Whether nothing is left of them; what comes in meanwhile of the same person is for another time."""
    ids = [sealed.id for sealed in found]

    def gone(store: Store) -> bool:
        while ids:
            sealed = store.get(ids[-1])
            if sealed is not None and sealed.record[SALTS]:
                return False
            ids.pop()
        return True

    return gone

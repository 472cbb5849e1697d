"""`slmtrail hold`: records that neither retention nor erasure touches, until they are released; each a certificate."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Annotated

import orjson
import typer

from slmtrail.app import parts
from slmtrail.app.commands.given import given
from slmtrail.app.commands.retain import spelling
from slmtrail.app.decree import decree, who
from slmtrail.app.terminal import Console, inline
from slmtrail.core.certificate import Certificate
from slmtrail.core.errors import HeldError, NotFound, SettingsError
from slmtrail.core.events import timestamp_text
from slmtrail.core.ports import Sealed, Store
from slmtrail.core.settings import Settings
from slmtrail.indexer.retain.certified import Hold, certified
from slmtrail.indexer.retain.plan import NOTHING
from slmtrail.indexer.retain.select import certificates, held, is_fixed
from slmtrail.indexer.store.language.times import moment_ms

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

hold = typer.Typer(no_args_is_help=True, help="Hold records back from retention and erasure.")

PARTITION = 0
"""Whose ledger has the holds: they are about all."""
MAX_QUERY_CHARS = 10_000

Reason = Annotated[str, typer.Option(help="Why. It is sealed and can't be erased: name no person in it.")]
Wait = Annotated[float, typer.Option(help="Seconds to wait until it is sealed.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


@hold.command("add")
def add(
    query: Annotated[str, typer.Argument(help="Which records, those to come too: a search, as docs/search.md has it.")],
    reason: Reason,
    until: Annotated[str, typer.Option(help="Until then; else until it is released. 2027-01-31, or with a time.")] = "",
    wait: Wait = 60.0,
    as_json: Json = False,
) -> None:
    """Hold the records that a search finds, now and later. The search is sealed and can't be erased."""
    settings = given.settings()
    now_ms = time.time_ns() // 1_000_000
    until_ms = moment_ms(until) if until else 0
    if not query.strip() or not reason.strip():
        raise SettingsError("the search and --reason must not be empty; to hold all, search for id:*")
    if len(query) > MAX_QUERY_CHARS:
        raise SettingsError(f"the search has over {MAX_QUERY_CHARS} characters; place several holds")
    if not is_fixed(query):
        raise SettingsError("an age in the search would move with the time, and let go of records: write days instead")
    if until and until_ms <= now_ms:
        raise SettingsError("--until is over already; write a day to come")
    told = Certificate("held", now_ms, who(), reason, query=query, until_ms=until_ms)
    placed = Hold("", query, reason, told.by, now_ms, until_ms)
    with closing(parts.open_store(settings, writable=True)) as store:
        count = sum(map(len, held(store, [placed], spelling(settings)).values()))
    (name,) = asyncio.run(decree(settings, [(PARTITION, told)], lambda _: True, wait))
    if as_json:
        _line(asdict(placed) | {"id": name, "records": count})
    else:
        out.print(f"{name}: {count} records are held", soft_wrap=True)


@hold.command("list")
def list_(as_json: Json = False) -> None:
    """List the holds in force, and how many records each is about."""
    settings = given.settings()
    with closing(parts.open_store(settings)) as store:
        for one in _in_force(settings, store):
            count = sum(map(len, held(store, [one], spelling(settings)).values()))
            if as_json:
                _line(asdict(one) | {"records": count})
                continue
            until = f"until {timestamp_text(one.until_ms)[:10]}" if one.until_ms else "until it is released"
            placed = f"by {one.by} on {timestamp_text(one.at_ms)[:10]}: {one.reason}"
            out.print(f"{one.id}  {inline(one.query)}  ({count} records, {until}; {inline(placed)})", soft_wrap=True)


@hold.command("release")
def release(
    name: Annotated[str, typer.Argument(metavar="ID", help="The hold's id, as `hold list` prints it.")],
    reason: Reason,
    wait: Wait = 60.0,
) -> None:
    """Let go of what a hold held: what is over its time goes with the next run of retention."""
    settings = given.settings()
    if not reason.strip():
        raise SettingsError("--reason must not be empty")
    with closing(parts.open_store(settings)) as store:
        if name not in {one.id for one in _in_force(settings, store)}:
            raise NotFound(f"{name}: no such hold is in force; slmtrail hold list prints them")
    told = Certificate("released", time.time_ns() // 1_000_000, who(), reason, name)
    asyncio.run(decree(settings, [(PARTITION, told)], lambda _: True, wait))
    err.print(f"{name} is released")


def refuse_held(settings: Settings, store: Store, records: Sequence[Sealed]) -> None:
    """Raises HeldError where a hold is on one of these records."""
    for one in _in_force(settings, store):
        kept = held(store, [one], spelling(settings))
        count = sum(sealed.leaf in kept.get(sealed.ledger, NOTHING) for sealed in records)
        if count:
            raise HeldError(
                f"hold {one.id} of {one.by} ({one.reason}) is on {count} of these {len(records)} records, so nothing "
                "is erased: release it first (slmtrail hold release), if that is lawful"
            )


def _in_force(settings: Settings, store: Store) -> list[Hold]:
    known = certified(certificates(store), parts.authorities(settings))
    return known.in_force(time.time_ns() // 1_000_000)


def _line(content: dict[str, object]) -> None:
    sys.stdout.buffer.write(orjson.dumps(content) + b"\n")

"""`slmtrail retain`: what the policy says is over its time is summarised or removed, under certificates; and hourly
statistics are kept of what was."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Annotated

import orjson
import typer
from rich.markup import escape

from slmtrail.app import parts
from slmtrail.app.commands.given import given
from slmtrail.app.decree import decree, partition_of, who
from slmtrail.app.terminal import Console
from slmtrail.core import durable, keys
from slmtrail.core import policy as policy_file
from slmtrail.core.certificate import Certificate
from slmtrail.core.errors import KeyFileError, SettingsError, StorageError, TrailError
from slmtrail.core.events import timestamp_text
from slmtrail.core.metrics import RETAINED, RETENTION_DONE, RETENTION_FAILURES
from slmtrail.core.ports import RETENTION_DAYS, Query, Store
from slmtrail.core.retaining import DAY_MS, Retention
from slmtrail.core.settings import Settings
from slmtrail.core.spans import span_ms
from slmtrail.indexer.retain.certified import certified
from slmtrail.indexer.retain.leafset import LeafSet
from slmtrail.indexer.retain.plan import NOTHING, Due, Leaves, plan
from slmtrail.indexer.retain.roll import roll
from slmtrail.indexer.retain.select import Spelling, certificates, held, older
from slmtrail.indexer.retain.state import State
from slmtrail.indexer.store.language.times import moment_ms

log = logging.getLogger(__name__)

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

retain = typer.Typer(no_args_is_help=True, help="Summarise and remove what the policy says is over its time.")

NEWEST = 50
DIGEST = "slm.policy.digest"
STATE_FILE = "retention.json"
"""Beside the ledgers: on the disk of who owns them."""
PASS_S = 3600
RECENT_MS = (RETENTION_DAYS + 1) * DAY_MS
"""What comes later than this is imported, and counted when all is looked at."""
WAIT_S = 60.0
CERTIFICATE_ROWS = 5000
"""Rows of leaves in one certificate, which has to fit a message and a page of answers."""
_ACTIONS = ("summarised", "removed")

At = Annotated[str, typer.Option(help="As of then, instead of now: 2027-01-31, or with a time.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object.")]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is due at a time, and what is not."""

    due: list[Due]
    held: int
    """Records that holds are about."""
    unknown: dict[str, int]
    """Records of classes that the policy does not name, by class: they are kept."""


@retain.command("plan")
def plan_(at: At = "", as_json: Json = False) -> None:
    """Say what is over its time, by the policy as it is; change nothing."""
    settings, at_ms = given.settings(), _moment(at)
    with closing(parts.open_store(settings)) as store:
        _tell(outlook(settings, store, at_ms), [], at_ms, as_json)


@retain.command("apply")
def apply_(
    at: At = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask where --at is to come, or records have another policy.")
    ] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait until certificates are sealed.")] = WAIT_S,
    as_json: Json = False,
) -> None:
    """Certify what is over its time, then summarise or remove it. A second run finds nothing left to do."""
    settings, at_ms = given.settings(), _moment(at)
    if at_ms > _now_ms() and not yes:
        typer.confirm(f"Delete now what is to be kept until {timestamp_text(at_ms)[:10]}?", abort=True, err=True)
    with closing(parts.open_store(settings, writable=True)) as store:
        if (other := _other_policy(settings, store)) and not yes:
            typer.confirm(f"{other}. Delete by this one?", abort=True, err=True)
        found, ids = asyncio.run(apply(settings, store, at_ms, wait))
    _tell(found, ids, at_ms, as_json)


def outlook(settings: Settings, store: Store, at_ms: int) -> Outlook:
    """What is due at a time."""
    retention = policy_file.load(settings.policy).retention
    known = certified(certificates(store), parts.authorities(settings))
    kept = held(store, known.in_force(at_ms), spelling(settings))
    classes = store.facet(Query(), "retention", 1000)
    unknown = {name: count for name, count in classes.items() if name not in retention.classes}
    due = list(plan(retention, at_ms, older(store), known, kept))
    return Outlook(due, sum(map(len, kept.values())), unknown)


async def apply(settings: Settings, store: Store, at_ms: int, wait_s: float = WAIT_S) -> tuple[Outlook, list[str]]:
    """Brings the store to what the policy says at a time; what was due, and the ids of its certificates.

    Each step may be the last: certificates that were sealed are carried out by the next run, whoever runs it.
    """
    with _alone(settings) as state:
        rules = policy_file.load(settings.policy)
        forgotten_ms = at_ms - span_ms(rules.retention.rollups)
        await asyncio.to_thread(_roll, store, rules.retention, forgotten_ms, at_ms)  # before what they count goes
        await asyncio.to_thread(store.forget_rollups, forgotten_ms)
        found = await asyncio.to_thread(outlook, settings, store, at_ms)
        made = _certificates(settings, found.due, at_ms, rules.digest)
        ids = await decree(settings, made, lambda _: True, wait_s) if made else []
        await asyncio.to_thread(_carry_out, settings, store, state, at_ms)
        state.settled = _question(settings, store, at_ms)
        _save(settings, state)
    for due in found.due:
        RETAINED.labels(due.action).inc(len(due.leaves))
    return found, ids


async def keep(settings: Settings, store: Store) -> None:
    """Applies retention until cancelled: at once, and then as time passes."""
    if not (settings.keys / "control.pem").exists():
        log.warning(
            "nothing goes by its age here, as keys/control.pem is missing: run slmtrail retain apply where it is"
        )
        return
    RETENTION_DONE.set_to_current_time()
    while True:
        try:
            await _pass(settings, store, _now_ms())
            RETENTION_DONE.set_to_current_time()
        except TrailError as error:
            RETENTION_FAILURES.inc()
            log.error("retention waits for its next hour: %s", error)
        await asyncio.sleep(PASS_S)


async def _pass(settings: Settings, store: Store, at_ms: int) -> None:
    """What every hour brings; all records are looked at only when another of them can be due."""
    retention = policy_file.load(settings.policy).retention
    ages_ms = {name: max(1, kept.period_age_ms(at_ms)) for name, kept in retention.classes.items()}
    await asyncio.to_thread(store.rotate, ages_ms)
    with _alone(settings) as state:
        await asyncio.to_thread(_roll, store, retention, at_ms - RECENT_MS, at_ms)
    if other := await asyncio.to_thread(_other_policy, settings, store):
        raise SettingsError(f"{other}; nothing goes by its age until both have the same file")
    if state.settled != await asyncio.to_thread(_question, settings, store, at_ms):
        found, ids = await apply(settings, store, at_ms)
        for due in found.due:
            log.info("%s %d records of class %s", due.action, len(due.leaves), due.retention_class)
        if ids:
            log.info("under %d certificates", len(ids))


def _other_policy(settings: Settings, store: Store) -> str:
    """What to say where the newest records were made under another policy than this process has; empty where not."""
    ours = policy_file.load(settings.policy).digest
    newest = store.search(Query(limit=NEWEST, count_to=0)).records
    theirs = next((one.record[DIGEST] for one in newest if DIGEST in one.record), ours)
    if theirs == ours:
        return ""
    return f"records are made under the policy {theirs[:12]}…, and the setting `policy` here is {ours[:12]}…"


def _roll(store: Store, retention: Retention, since_ms: int, at_ms: int) -> None:
    roll(store, since_ms, at_ms, max(kept.kept_before_ms(at_ms) for kept in retention.classes.values()))


def _question(settings: Settings, store: Store, at_ms: int) -> str:
    """What the answer to what is due depends on, but for records that come late."""
    retention = policy_file.load(settings.policy).retention
    known = certified(certificates(store), parts.authorities(settings))
    times = {
        name: (kept.content_before_ms(at_ms), kept.kept_before_ms(at_ms)) for name, kept in retention.classes.items()
    }
    asked = orjson.dumps([times, sorted(hold.id for hold in known.in_force(at_ms))])
    return hashlib.sha256(asked).hexdigest()


def _certificates(settings: Settings, due: Sequence[Due], at_ms: int, digest: str) -> list[tuple[int, Certificate]]:
    made = []
    for one in due:
        reason = f"{one.retention_class}, from before {timestamp_text(one.before_ms)[:10]}"
        rows = one.leaves.rows
        for first in range(0, len(rows), CERTIFICATE_ROWS):
            part = tuple(rows[first : first + CERTIFICATE_ROWS])
            told = Certificate(one.action, at_ms, who(), reason, one.retention_class, one.ledger, part, policy=digest)
            made.append((partition_of(settings, one.ledger), told))
    return made


def _carry_out(settings: Settings, store: Store, state: State, at_ms: int) -> None:
    """Does what certificates say that were not carried out yet, but for what is held by now."""
    known = certified(certificates(store), parts.authorities(settings), state.applied)
    kept = held(store, known.in_force(at_ms), spelling(settings))
    asked = {action: _joined(getattr(known, action), _rows(state.withheld.get(action, {}))) for action in _ACTIONS}
    store.expire(
        *(
            {ledger: (leaves - kept.get(ledger, NOTHING)).rows for ledger, leaves in asked[action].items()}
            for action in _ACTIONS
        )
    )
    state.withheld = {action: _withheld(asked[action], kept) for action in _ACTIONS}
    state.applied.update(known.last)


def _withheld(asked: Leaves, kept: Leaves) -> dict[str, list[list[int]]]:
    found = {ledger: leaves - (leaves - kept.get(ledger, NOTHING)) for ledger, leaves in asked.items()}
    return {ledger: [[first, last] for first, last in leaves.rows] for ledger, leaves in found.items() if leaves.rows}


def _rows(stored: dict[str, list[list[int]]]) -> Leaves:
    return {ledger: LeafSet((first, last) for first, last in rows) for ledger, rows in stored.items()}


def _joined(one: Leaves, other: Leaves) -> Leaves:
    return {ledger: one.get(ledger, NOTHING) | other.get(ledger, NOTHING) for ledger in {*one, *other}}


@contextmanager
def _alone(settings: Settings) -> Iterator[State]:
    """The state of retention, while no other process of this folder works on it."""
    path = settings.ledgers / STATE_FILE
    durable.make_folder(path.parent)
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(f"{path.parent}: another process applies retention just now; try again later") from None
        yield State.load(path)


def _save(settings: Settings, state: State) -> None:
    state.save(settings.ledgers / STATE_FILE)


def spelling(settings: Settings) -> Spelling | None:
    """How a name stands in records as its keyed hash; None where the key is not here."""
    from slmtrail.stream.redact.operators import KeyedHash

    try:
        return KeyedHash(keys.secret(settings.keys / "pseudonym.key"), parts.PSEUDONYM_EPOCH).text
    except KeyFileError:
        return None


def _tell(found: Outlook, ids: list[str], at_ms: int, as_json: bool) -> None:
    if as_json:
        told = [
            {
                "action": due.action,
                "class": due.retention_class,
                "before": timestamp_text(due.before_ms),
                "ledger": due.ledger,
                "records": len(due.leaves),
                "leaves": due.leaves.rows,
            }
            for due in found.due
        ]
        made = {"at": timestamp_text(at_ms), "due": told, "held": found.held, "unknown": found.unknown}
        sys.stdout.buffer.write(orjson.dumps(made | {"certificates": ids}) + b"\n")
        return
    for due in found.due:
        verb = due.action if ids else f"to be {due.action}"
        text = f"{len(due.leaves)} records of class {due.retention_class} in {due.ledger}, from before"
        out.print(f"{verb}: {escape(text)} {timestamp_text(due.before_ms)[:10]}", soft_wrap=True)
    for name, count in found.unknown.items():
        text = f"{count} records are of class {name}, which the policy does not name: they are kept"
        err.print(f"[yellow]{escape(text)}[/]", soft_wrap=True)
    if found.held:
        err.print(f"{found.held} records are held")
    if not found.due:
        err.print("nothing is over its time")
    elif ids:
        err.print(f"under {len(ids)} certificates: {', '.join(ids[:5])}{' …' if len(ids) > 5 else ''}", soft_wrap=True)


def _moment(text: str) -> int:
    return moment_ms(text) if text else _now_ms()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

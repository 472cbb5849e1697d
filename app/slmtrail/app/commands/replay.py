"""`slmtrail replay`: bring into the trail what lies in the dead letters or never came through, each event once."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, TypeVar

import orjson
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from slmtrail.app import parts
from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console, inline
from slmtrail.core.errors import FrameError, SettingsError
from slmtrail.core.ports import DEADLETTERS, FRAMES, RECORDS, STATE, Bus, Message
from slmtrail.core.settings import Settings
from slmtrail.core.trust import Trust

if TYPE_CHECKING:
    from slmtrail.app.letters import Letter
    from slmtrail.stream.chain import Chain

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

T = TypeVar("T")

WINDOW = 64
POLL_S = 0.3
STILL_S = 2.0
"""The stream has nothing more to do with a replay when it told of nothing new for so long."""


@dataclass(slots=True)
class Replayed:
    """What a replay found and did; frames and records by their reasons."""

    open: Counter[str] = field(default_factory=Counter)
    settled: int = 0
    """Those of which nothing is left to be brought."""
    unusable: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    """Frames that the trust file still refuses, by why."""
    left_out: int = 0
    """Events of persons who were erased."""
    published: int = 0
    taken: int = 0
    """Frames that the stream has taken as far as it can."""
    stored: int = 0


def replay(
    topic: Annotated[str, typer.Option(help="Where it is taken from: slm.deadletters, slm.frames or slm.records.")] = (
        DEADLETTERS
    ),
    reasons: Annotated[list[str] | None, typer.Option("--reason", help="Only dead letters of this reason.")] = None,
    collector: Annotated[str, typer.Option(help="Only of this collector.")] = "",
    since: Annotated[str, typer.Option(help="What the topic got from then on: 15m, 2h, 7d ago, or a time.")] = "",
    until: Annotated[str, typer.Option(help="And before then.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be brought.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait until the stream has taken it.")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object.")] = False,
) -> None:
    """Bring what can be used by now into the trail, each event once however often it is replayed."""
    from slmtrail.indexer.store.language.times import moment_ms

    if topic not in (DEADLETTERS, FRAMES, RECORDS):
        raise SettingsError(f"--topic {topic}: is none of {DEADLETTERS}, {FRAMES}, {RECORDS}")
    settings = given.settings()
    span = moment_ms(since) if since else 0, moment_ms(until) if until else 2**62

    def asked(letter: Letter) -> bool:
        named = letter.frame.header.collector if letter.frame else ""
        return (not reasons or letter.reason in reasons) and (not collector or named == collector)

    done = Replayed()
    if topic == RECORDS:
        _store(settings, [], span, done, dry_run)
    else:
        found = [letter for letter in _found(settings, topic, span) if asked(letter)]
        _frames(settings, found, done, dry_run, wait)
        _store(settings, [letter for letter in found if letter.ledger], None, done, dry_run)
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(done, option=orjson.OPT_SERIALIZE_DATACLASS) + b"\n")
    else:
        _tell(done, dry_run)


def _found(settings: Settings, topic: str, span: tuple[int, int]) -> Iterator[Letter]:
    """What a topic holds of a time, each frame once."""
    from slmtrail.app.letters import letters
    from slmtrail.app.sources import messages, partitions

    seen: set[str] = set()
    for partition in range(partitions(settings, topic)):
        within = (each for each in messages(settings, topic, partition, span[0]) if each.timestamp_ms < span[1])
        for letter in letters(within):
            if letter.id not in seen:
                seen.add(letter.id)
                yield letter


def _frames(settings: Settings, found: Sequence[Letter], done: Replayed, dry_run: bool, wait_s: float) -> None:
    """Gives the stream the frames that are open, but for events of persons who were erased."""
    from slmtrail.app.forgotten import Forgotten
    from slmtrail.app.letters import is_open

    chains = asyncio.run(_with_bus(settings, _chains))
    trust = Trust(settings.trust_file)
    asked: list[Letter] = []
    for letter in found:
        if letter.frame is None:
            done.unusable.update([] if letter.ledger else [letter.reason])
        elif not is_open(letter, chains):
            done.settled += 1
        elif why := _refused(trust, letter):
            done.refused[why] += 1
        else:
            asked.append(letter)
    if not asked:
        return
    forgotten = Forgotten(settings)
    messages = []
    for letter in asked:
        assert letter.frame is not None  # noqa: S101 - these alone were asked for
        try:
            left_out = forgotten.events_of(letter.frame)
        except FrameError as error:
            done.refused[error.reason] += 1
        else:
            done.open[letter.reason] += 1
            done.left_out += len(left_out)
            messages.append((letter, left_out))
    if messages and not dry_run:
        asyncio.run(_with_bus(settings, lambda bus: _publish(bus, messages, chains, done, wait_s)))


def _refused(trust: Trust, letter: Letter) -> str:
    """Why the stream would refuse a frame as it did before; empty where it would not."""
    assert letter.frame is not None  # noqa: S101 - the caller has looked
    try:
        trust.check(letter.frame)
    except FrameError as error:
        return error.reason
    return ""


async def _with_bus(settings: Settings, work: Callable[[Bus], Coroutine[None, None, T]]) -> T:
    bus = parts.open_bus(settings)
    try:
        await bus.ensure_topics()
        return await work(bus)
    finally:
        await bus.close()


async def _chains(bus: Bus) -> dict[str, Chain]:
    from slmtrail.stream.emit import chains_in

    return chains_in(await bus.newest(STATE))


async def _publish(
    bus: Bus,
    asked: Sequence[tuple[Letter, Collection[int]]],
    before: Mapping[str, Chain],
    done: Replayed,
    wait_s: float,
) -> None:
    """Publishes frames, then waits until none of them is open any more or the stream tells of nothing new."""
    from slmtrail.app.letters import is_open
    from slmtrail.stream.replay import key_of

    messages = [Message(key_of(left_out), letter.data, letter.partition) for letter, left_out in asked]
    with Progress(TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), console=err, transient=True) as bar:
        task = bar.add_task("replay", total=len(messages))
        for start in range(0, len(messages), WINDOW):
            await bus.publish(FRAMES, messages[start : start + WINDOW])
            done.published = min(start + WINDOW, len(messages))
            bar.update(task, completed=done.published)
    collectors = {letter.frame.header.collector for letter, _ in asked if letter.frame}
    known, deadline_s = _reached(before, collectors), time.monotonic() + wait_s
    still_s = deadline_s
    while True:
        now_s, chains = time.monotonic(), await _chains(bus)
        done.taken = sum(not is_open(letter, chains) for letter, _ in asked)
        if (reached := _reached(chains, collectors)) != known:
            known, still_s = reached, now_s + STILL_S
        if done.taken == len(asked) or now_s >= min(still_s, deadline_s):
            return
        await asyncio.sleep(POLL_S)


def _reached(chains: Mapping[str, Chain], collectors: Collection[str]) -> dict[str, int]:
    """How far the stream has come with each collector."""
    return {name: chain.offset for name, chain in chains.items() if name in collectors}


def _store(
    settings: Settings, refused: Sequence[Letter], span: tuple[int, int] | None, done: Replayed, dry_run: bool
) -> None:
    """Stores records that are missing at their leaves: those in dead letters, or those of a time on the topic."""
    from slmtrail.app.sources import lawful, messages
    from slmtrail.indexer.ledger.log import Log
    from slmtrail.indexer.reconcile import holes
    from slmtrail.indexer.restore import Wanted, restore
    from slmtrail.indexer.retain.leafset import LeafSet

    if span is None and not refused:
        return
    with closing(parts.open_store(settings, writable=not dry_run)) as store:
        for folder in parts.ledger_folders(settings):
            name, size = folder.ledger, folder.checkpoint()[1].size
            gone = lawful(settings, folder)
            missing = LeafSet(holes(store, name, 0, size)) - gone.removed
            texts: Iterable[bytes]
            if span is None:
                mine = [letter for letter in refused if letter.ledger == name]
                missing -= missing - LeafSet((letter.leaf, letter.leaf) for letter in mine)
                texts = [letter.data for letter in mine]
                done.settled += len(mine) - len(missing)
            else:
                found = messages(settings, RECORDS, int(folder.folder.name), span[0])
                texts = (each.value for each in found if each.timestamp_ms < span[1])
            done.open.update({"not in the store": len(missing)} if missing else {})
            if dry_run:
                continue
            with closing(Wanted(Log.open(folder.folder, size), missing.rows)) as wanted:
                restored = restore(store, name, wanted, texts, gone)
            done.stored += restored.records
            done.refused.update(f"the store: {one.reason}" for one in restored.refusals)


def _tell(done: Replayed, dry_run: bool) -> None:
    for reason, count in sorted(done.open.items()):
        out.print(f"{count} open: {inline(reason)}", soft_wrap=True)
    for reason, count in sorted(done.refused.items()):
        out.print(f"{count} still refused: {inline(reason)}", soft_wrap=True)
    for reason, count in sorted(done.unusable.items()):
        out.print(f"{count} can't be replayed: {inline(reason)}", soft_wrap=True)
    if done.settled:
        out.print(f"{done.settled} were brought before, or came in another way")
    if done.left_out:
        out.print(f"{done.left_out} events of persons who were erased are left out")
    if dry_run:
        return
    if done.published > done.taken:
        left = done.published - done.taken
        text = "wait for the stream, or hold events that still can't be used or are left out"
        out.print(f"{done.taken} frames taken; {left} {text}", soft_wrap=True)
    elif done.published:
        out.print(f"[green]{done.taken} frames taken[/]")
    if done.stored:
        out.print(f"[green]{done.stored} records stored[/]")
    if not done.open:
        out.print("there is nothing to replay")

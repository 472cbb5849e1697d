"""`slmtrail control`: signed decisions that every collector obeys in seconds; `slmtrail policy`: the policy file."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Annotated

import orjson
import typer

from slmtrail.app.commands.enrol import span_ms
from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console, inline
from slmtrail.core import certificate, keys
from slmtrail.core import policy as policy_file
from slmtrail.core.control import Action, Decision, open_decision
from slmtrail.core.errors import ControlError, SettingsError
from slmtrail.core.ports import CONTROL, Message
from slmtrail.core.settings import Settings

control = typer.Typer(no_args_is_help=True, help="Shut keys, users and roles out, or put a policy in force.")
policy = typer.Typer(no_args_is_help=True, help="Check a policy, and hash the keys it names.")

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

Subject = Annotated[str, typer.Argument(help="key:<hash>, user:<id> or role:<name>.")]
Reason = Annotated[str, typer.Option(help="Why; callers who are refused are told.")]


@control.command("close")
def close(
    subject: Subject,
    reason: Reason,
    for_: Annotated[str, typer.Option("--for", help="For how long: 15m, 2h, 1d; else until it is opened.")] = "",
) -> None:
    """Shut a key, user or role out at every sidecar."""
    now_ms = time.time_ns() // 1_000_000
    _decide("close", subject, reason, until_ms=now_ms + span_ms(for_, "--for") if for_ else 0)


@control.command("open")
def open_(subject: Subject, reason: Reason = "") -> None:
    """Let in again who was shut out."""
    _decide("open", subject, reason)


@control.command("policy")
def put_in_force(
    file: Annotated[Path, typer.Argument(help="The policy file that all collectors follow from now on.")],
) -> None:
    """Put a policy in force at every collector, in the place of their own files."""
    made = policy_file.load(file)
    _decide("policy", "policy", made.version, policy=file.read_text(encoding="utf-8"))


@control.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False) -> None:
    """List the decisions in force, as the bus holds them."""
    from slmtrail.app import parts

    settings = given.settings()
    decides = parts.authorities(settings)
    for data in asyncio.run(newest(settings)).values():
        try:
            decision = open_decision(data, decides)
        except ControlError as error:
            err.print(f"[bold red]not believed[/]: {inline(str(error))}")
            continue
        if as_json:
            sys.stdout.buffer.write(orjson.dumps(decision) + b"\n")
        else:
            out.print(f"{decision.action:6} {inline(decision.subject)}  {inline(decision.reason)}", soft_wrap=True)


@policy.command("check")
def check(file: Annotated[Path, typer.Argument(help="The policy file.")]) -> None:
    """Say what is wrong with a policy file, by line and column, or print its digest."""
    made = policy_file.load(file)
    out.print(f"{made.digest}  {made.version}".rstrip())


@policy.command("key")
def key() -> None:
    """Print the hash by which the policy names an API key, which is read from standard input."""
    settings = given.settings()
    text = sys.stdin.readline().strip()
    if not text:
        raise SettingsError("no key on standard input: pipe it in, so that it stays out of the shell's history")
    out.print(keys.api_key_hash(keys.secret(settings.keys / "edge.key"), text))


def _decide(action: Action, subject: str, reason: str, until_ms: int = 0, policy: str = "") -> None:
    settings = given.settings()
    signer = keys.signing_key(settings.keys / "control.pem")
    decision = Decision(action, subject, time.time_ns() // 1_000_000, reason, until_ms, policy)
    data = decision.sign(signer)
    open_decision(data, certificate.by_id([signer.public_key()]))  # says what is wrong with the subject
    asyncio.run(publish(settings, [Message(subject, data)]))
    err.print(f"decided: {inline(f'{action} {subject}')} ({decision.id})")


async def publish(settings: Settings, decisions: list[Message]) -> None:
    """Puts signed decisions on the bus, each under its subject."""
    from slmtrail.app import parts

    bus = parts.open_bus(settings)
    try:
        await bus.ensure_topics()
        await bus.publish(CONTROL, decisions)
    finally:
        await bus.close()


async def newest(settings: Settings) -> dict[str, bytes]:
    """The signed decisions that the bus holds, by their subjects."""
    from slmtrail.app import parts

    bus = parts.open_bus(settings)
    try:
        await bus.ensure_topics()
        return await bus.newest(CONTROL)
    finally:
        await bus.close()

"""`slmtrail evidence`: records with their proofs, as one file for someone who trusts a public key alone."""

from __future__ import annotations

import getpass
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape

from slmtrail.app import parts
from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console
from slmtrail.core import canonical, keys, policy, trust
from slmtrail.core.errors import LedgerError, QueryError
from slmtrail.core.events import timestamp_text
from slmtrail.core.ports import Page, Query

err = Console(stderr=True, highlight=False, soft_wrap=True)

Json = Annotated[bool, typer.Option("--json", help="Print the manifest, as JSON.")]


def evidence(
    text: Annotated[list[str] | None, typer.Argument(help="Words and conditions, as in `search`.")] = None,
    to: Annotated[Path | None, typer.Option("--output", "-o", help="The case file to write.")] = None,
    check: Annotated[Path | None, typer.Option(help="Check a case file instead of writing one.")] = None,
    key: Annotated[str, typer.Option(help="With --check: the ledger's public key, got from elsewhere.")] = "",
    user: Annotated[str, typer.Option(help="Whose: user.id, name or e-mail as it was given, or its keyed hash.")] = "",
    model: Annotated[str, typer.Option(help="The model asked or answering.")] = "",
    kind: Annotated[str, typer.Option(help="inference, auth, policy, alert, …")] = "",
    environment: Annotated[str, typer.Option("--env", help="The deployment environment.")] = "",
    flag: Annotated[str, typer.Option(help="A rule that fired.")] = "",
    outcome: Annotated[str, typer.Option(help="success, failure or unknown.")] = "",
    since: Annotated[str, typer.Option(help="From then on: 15m, 2h, 7d ago, or 2026-01-31T09:00:00Z.")] = "",
    until: Annotated[str, typer.Option(help="Before then.")] = "",
    as_json: Json = False,
) -> None:
    """Write a case file: the records that fit, their proofs, keys, policy, a report, and a program that checks it."""
    from slmtrail.app.readers.here import here
    from slmtrail.app.reading import Asked

    if check:
        _check(check, key)
        return
    if to is None:
        raise QueryError("say where the case file is to be written: -o case.zip")
    asked = Asked(" ".join(text or []), user, model, kind, environment, flag, outcome, since, until)
    as_asked = {name: value for name, value in asdict(asked).items() if value and name not in ("limit", "after")}
    with here(given.settings()) as looking:
        manifest = write_case(to, looking.trail.ask, looking.trail.query(asked), as_asked)
        looking.told("evidence", manifest["records"], asked)
    if as_json:
        _print(manifest)


def write_case(to: Path, search: Callable[[Query], Page], query: Query, asked: dict[str, Any]) -> dict[str, Any]:
    """Writes the case file of what `search` finds, which says that this was `asked`, and tells what is in it."""
    from slmtrail.indexer import evidence as writing

    settings = given.settings()
    rules = policy.load(settings.policy)
    case = writing.Case(
        asked,
        timestamp_text(time.time_ns() // 1_000_000),
        f"{getpass.getuser()}@{socket.gethostname()}",
        trust.rows(settings.trust_file),
        canonical.dumps(rules.model_dump(mode="json")),
        rules.digest,
    )
    signer = keys.signing_key(settings.keys / "ledger.pem")
    manifest = writing.write(to, search, query, parts.ledger_folders(settings), signer, case)
    err.print(f"{manifest['records']} records are in {escape(str(to))}; check it: slmtrail evidence --check {to}")
    if manifest["pending"]:
        err.print(f"{len(manifest['pending'])} records are newer than the last signed head and were left out")
    return manifest


def _check(case: Path, key: str) -> None:
    """By the program that lies in every case: what an outsider sees is what is seen here."""
    from slmtrail.indexer import verify_evidence

    command = [sys.executable, verify_evidence.__file__, str(case), *(["--key", key] if key else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LedgerError(f"{case}: {done.stdout.strip() or 'can not be checked'}")
    typer.echo(done.stdout, nl=False)


def _print(content: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(content) + b"\n")
    sys.stdout.buffer.flush()

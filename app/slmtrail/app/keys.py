"""`slmtrail keys`: the keys of collectors and ledgers: made, listed, rotated, revoked, and their public halves shown.

That a key was rotated or revoked is a record in the ledger, like everything else that matters.
"""

from __future__ import annotations

import asyncio
import base64
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.markup import escape

from slmtrail.app import parts
from slmtrail.app.decree import decree, who
from slmtrail.app.enrol import span_ms
from slmtrail.app.given import given
from slmtrail.core import keys as key_files
from slmtrail.core import trust
from slmtrail.core.certificate import Action, Certificate
from slmtrail.core.errors import KeyFileError, SettingsError
from slmtrail.core.events import timestamp_text
from slmtrail.core.keys import key_id, raw
from slmtrail.core.settings import Settings

keys = typer.Typer(no_args_is_help=True, help="Make, list, rotate, revoke and show the keys of collectors and ledgers.")

out = Console(highlight=False)
err = Console(stderr=True, highlight=False, soft_wrap=True)

LEDGER = "ledger"
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
Wait = Annotated[float, typer.Option(help="Seconds to wait until it is sealed.")]


@keys.command()
def new(
    collector: Annotated[str, typer.Argument(help="The collector's name.")],
    environment: Annotated[str, typer.Option("--env", help="What it may speak for; * is any.")] = trust.ANY,
) -> None:
    """Make a key for a collector and admit it to the trust file."""
    settings = given.settings()
    path = _file(settings, collector)
    if path.exists():
        raise KeyFileError(f"{path}: is there already; slmtrail keys rotate {collector} puts another in its place")
    public = key_files.signing_key(path, create=True).public_key()
    trust.admit(settings.trust_file, collector, environment, public, from_ms=_now_ms())
    err.print(f"key {key_id(public)} of {escape(collector)} is in {escape(str(path))}")


@keys.command("list")
def list_(as_json: Json = False) -> None:
    """List the keys of collectors, and when each is valid; and the ledger's."""
    settings = given.settings()
    now_ms = _now_ms()
    for row in [*trust.rows(settings.trust_file), *_ledger_rows(settings)]:
        if as_json:
            _print(row | {"state": _state(row, now_ms)})
            continue
        times = [f"{name} {timestamp_text(row[f'{name}_ms'])}" for name in ("from", "until") if row.get(f"{name}_ms")]
        line = f"{row['key']}  {_state(row, now_ms):8}  {row['collector']}  {row['environment']}  {' '.join(times)}"
        out.print(escape(line.rstrip()), soft_wrap=True)


@keys.command()
def rotate(
    name: Annotated[str, typer.Argument(help="A collector whose key is in this data folder, or `ledger`.")],
    grace: Annotated[str, typer.Option(help="How long frames of the old key are still taken: 15m, 2h, 1d.")] = "1h",
    reason: Annotated[str, typer.Option(help="Why; it is sealed.")] = "rotation",
    wait: Wait = 60.0,
) -> None:
    """Put a new key in the place of one. Restart who signs with it: a collector within the grace, else an indexer."""
    settings = given.settings()
    grace_ms = span_ms(grace, "--grace")
    path = settings.keys / "ledger.pem" if name == LEDGER else _file(settings, name)
    rows = [row for row in trust.rows(settings.trust_file) if row["collector"] == name]
    if name != LEDGER and not rows:
        raise KeyFileError(f"{settings.trust_file}: there is no collector {name}")
    old, made = key_files.replace_signing_key(path)
    if name != LEDGER:
        now_ms = _now_ms()
        environment = next((row["environment"] for row in rows if row["key"] == key_id(old)), rows[-1]["environment"])
        trust.admit(settings.trust_file, name, environment, made, from_ms=now_ms)
        trust.end(settings.trust_file, key_id(old), now_ms + grace_ms)
    err.print(f"{escape(name)}: key {key_id(made)} is in the place of {key_id(old)}")
    _seal(settings, "key_rotated", f"{name}:{key_id(old)}:{key_id(made)}", reason, wait)


@keys.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The id of a collector's key, by `slmtrail keys list`.")],
    reason: Annotated[str, typer.Option(help="Why; it is sealed.")],
    wait: Wait = 60.0,
) -> None:
    """Believe nothing any more that a key signed and that is not in the ledger yet."""
    settings = given.settings()
    row = trust.revoke(settings.trust_file, key, _now_ms())
    err.print(f"key {key} of {escape(row.collector)} is revoked: its frames go to the dead letters, with an alert")
    _seal(settings, "key_revoked", f"{row.collector}:{key}", reason, wait)


@keys.command("export")
def export(
    to: Annotated[Path | None, typer.Option("--output", "-o", help="A file instead of the screen.")] = None,
) -> None:
    """Print all public keys that a verifier needs: verifier keys of the ledgers, who decides, who collects."""
    from slmtrail.indexer.ledger.note import VerifierKey

    settings = given.settings()
    ledgers = [parts.ledger_name(settings, number) for number in range(settings.bus.partitions)]
    known = parts.public_keys(settings, LEDGER)
    shown = {
        "ledgers": {name: [str(VerifierKey.of(name, key)) for key in known] for name in ledgers},
        "control": [
            {"key": number, "public": base64.b64encode(raw(key)).decode()}
            for number, key in parts.authorities(settings).items()
        ],
        "collectors": trust.rows(settings.trust_file),
    }
    data = orjson.dumps(shown, option=orjson.OPT_INDENT_2) + b"\n"
    if to:
        to.write_bytes(data)
    else:
        sys.stdout.buffer.write(data)


def _seal(settings: Settings, action: Action, subject: str, reason: str, wait_s: float) -> None:
    """Seals what was decided, in the first partition's ledger."""
    told = Certificate(action, _now_ms(), who(), reason, subject, parts.ledger_name(settings, 0))
    (record_id,) = asyncio.run(decree(settings, [(0, told)], lambda _: True, wait_s))
    err.print(f"sealed as record {record_id}")


def _file(settings: Settings, collector: str) -> Path:
    if "/" in collector or collector.startswith("."):
        raise SettingsError(f"{collector!r} is no collector's name")
    return settings.keys / f"collector-{collector}.pem"


def _ledger_rows(settings: Settings) -> list[dict[str, Any]]:
    if not (settings.keys / "ledger.pub").exists():
        return []
    current, *retired = parts.public_keys(settings, LEDGER)
    rows = [{"collector": LEDGER, "environment": "-", "key": key_id(current)}]
    return rows + [{"collector": LEDGER, "environment": "-", "key": key_id(key), "retired": True} for key in retired]


def _state(row: dict[str, Any], now_ms: int) -> str:
    if row.get("revoked_ms"):
        return "revoked"
    if row.get("retired") or (row.get("until_ms") and row["until_ms"] < now_ms):
        return "ended"
    return "valid"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _print(content: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(content) + b"\n")
    sys.stdout.buffer.flush()

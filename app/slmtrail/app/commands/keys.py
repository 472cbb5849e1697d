"""`slmtrail keys`: the keys of a trail: made, listed, rotated, revoked, and their public halves shown.

That a key was made, rotated or revoked is a record in the ledger, like everything else that matters. Collectors hear of
a new key of the stream, or of control, by a signed decision.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape

from slmtrail.app import parts
from slmtrail.app.commands.control import newest, publish
from slmtrail.app.commands.enrol import span_ms
from slmtrail.app.commands.given import given
from slmtrail.app.decree import decree, who
from slmtrail.app.terminal import Console
from slmtrail.core import control, trust
from slmtrail.core import keys as key_files
from slmtrail.core.certificate import Action, Certificate
from slmtrail.core.errors import ControlError, KeyFileError, SettingsError
from slmtrail.core.events import timestamp_text
from slmtrail.core.frames import NAME
from slmtrail.core.keys import PublicKey, key_id, raw
from slmtrail.core.ports import RETENTION_DAYS, Message
from slmtrail.core.settings import Settings

keys = typer.Typer(no_args_is_help=True, help="Make, list, rotate, revoke and show the keys of a trail.")

out = Console(highlight=False)
err = Console(stderr=True, highlight=False, soft_wrap=True)

LEDGER, STREAM, CONTROL = "ledger", "stream", "control"
HOUR_MS = 3_600_000
COLLECTOR_GRACE_MS = HOUR_MS

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
Wait = Annotated[float, typer.Option(help="Seconds to wait until it is sealed.")]


@keys.command()
def new(
    collector: Annotated[str, typer.Argument(help="The collector's name.")],
    environment: Annotated[str, typer.Option("--env", help="What it may speak for; * is any.")] = trust.ANY,
    reason: Annotated[str, typer.Option(help="Why; it is sealed.")] = "a new collector",
    wait: Wait = 60.0,
) -> None:
    """Make a key for a collector and admit it to the trust file."""
    settings = given.settings()
    path = _file(settings, collector)
    if path.exists():
        raise KeyFileError(f"{path}: is there already; slmtrail keys rotate {collector} puts another in its place")
    public = key_files.signing_key(path, create=True).public_key()
    trust.admit(settings.trust_file, collector, environment, public, from_ms=_now_ms())
    err.print(f"key {key_id(public)} of {escape(collector)} is in {escape(str(path))}")
    _seal(settings, "key_made", f"{collector}:{key_id(public)}", reason, wait)


@keys.command("list")
def list_(as_json: Json = False) -> None:
    """List the keys of collectors, and when each is valid; and those of ledger, stream and control."""
    settings = given.settings()
    now_ms = _now_ms()
    for row in [*trust.rows(settings.trust_file), *_own_rows(settings)]:
        if as_json:
            _print(row | {"state": _state(row, now_ms)})
            continue
        times = [f"{name} {timestamp_text(row[f'{name}_ms'])}" for name in ("from", "until") if row.get(f"{name}_ms")]
        line = f"{row['key']}  {_state(row, now_ms):8}  {row['collector']}  {row['environment']}  {' '.join(times)}"
        out.print(escape(line.rstrip()), soft_wrap=True)


@keys.command()
def rotate(
    name: Annotated[str, typer.Argument(help="A collector whose key is here, or `ledger`, `stream` or `control`.")],
    grace: Annotated[
        str, typer.Option(help="How long frames of a collector's old key, or to the stream's, are still taken: 2h, 8d.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Why; it is sealed.")] = "rotation",
    later: Annotated[
        bool, typer.Option("--later", help="With `stream`: tell the collectors later, by `slmtrail keys announce`.")
    ] = False,
    wait: Wait = 60.0,
) -> None:
    """Put a new key in the place of one. Restart a collector within the grace, and an indexer; the stream and all
    collectors take up a new key of the stream or of control by themselves."""
    settings = given.settings()
    if later and name != STREAM:
        raise SettingsError("--later goes with `stream`")
    replace = {LEDGER: _rotate_ledger, STREAM: _rotate_stream, CONTROL: _rotate_control}.get(name, _rotate_collector)
    old, made = replace(settings, name, span_ms(grace, "--grace") if grace else 0)
    err.print(f"{escape(name)}: key {key_id(made)} is in the place of {key_id(old)}")
    if name == STREAM and not later:
        _announce(settings)
    # A certificate by the old control key counts up to here, so each ledger has to say so.
    ledgers = range(settings.bus.partitions) if name == CONTROL else range(1)
    _seal(settings, "key_rotated", f"{name}:{key_id(old)}:{key_id(made)}", reason, wait, ledgers)


@keys.command()
def announce() -> None:
    """Have all collectors seal what they send to the stream's key as it is here now."""
    _announce(given.settings())


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


def _rotate_ledger(settings: Settings, name: str, _grace_ms: int) -> tuple[PublicKey, PublicKey]:
    return key_files.replace_signing_key(settings.keys / f"{name}.pem")


def _rotate_collector(settings: Settings, name: str, grace_ms: int) -> tuple[PublicKey, PublicKey]:
    rows = [row for row in trust.rows(settings.trust_file) if row["collector"] == name]
    if not rows:
        raise KeyFileError(f"{settings.trust_file}: there is no collector {name}")
    old, made = key_files.replace_signing_key(_file(settings, name))
    now_ms = _now_ms()
    environment = next((row["environment"] for row in rows if row["key"] == key_id(old)), rows[-1]["environment"])
    trust.admit(settings.trust_file, name, environment, made, from_ms=now_ms)
    trust.end(settings.trust_file, key_id(old), now_ms + (grace_ms or COLLECTOR_GRACE_MS))
    return old, made


def _rotate_stream(settings: Settings, name: str, grace_ms: int) -> tuple[PublicKey, PublicKey]:
    """The old key is kept: frames that are sealed to it wait in spools and on the bus."""
    until_ms = _now_ms() + (
        grace_ms or settings.collector.spool_max_age_hours * HOUR_MS + RETENTION_DAYS * 24 * HOUR_MS
    )
    return key_files.replace_decryption_key(settings.keys / f"{name}.pem", until_ms)


def _rotate_control(settings: Settings, name: str, _grace_ms: int) -> tuple[PublicKey, PublicKey]:
    """All hear of the new key from the old one, before that is destroyed; and what is in force is signed anew."""
    path = settings.keys / f"{name}.pem"
    old, made = key_files.signing_key(path), key_files.next_signing_key(path)
    told = control.Decision(
        "key", f"{control.CONTROL_KEY}{key_id(old.public_key())}", _now_ms(), public=_base64(made.public_key())
    )
    known = parts.authorities(settings)
    decisions = [Message(told.subject, told.sign(old))]
    for subject, data in asyncio.run(newest(settings)).items():
        if not subject.startswith(control.CONTROL_KEY):
            with contextlib.suppress(ControlError):  # nobody obeys it
                decisions.append(Message(subject, control.open_decision(data, known).sign(made)))
    asyncio.run(publish(settings, decisions))
    return key_files.replace_signing_key(path)


def _announce(settings: Settings) -> None:
    public = key_files.encryption_key(settings.keys / f"{STREAM}.pub")
    told = control.Decision("key", control.STREAM_KEY, _now_ms(), public=_base64(public))
    signer = key_files.signing_key(settings.keys / f"{CONTROL}.pem")
    asyncio.run(publish(settings, [Message(told.subject, told.sign(signer))]))
    err.print(f"collectors are told to seal to {key_id(public)}")


def _seal(
    settings: Settings, action: Action, subject: str, reason: str, wait_s: float, ledgers: range = range(1)
) -> None:
    """Seals what was decided, in the first partition's ledger or in all."""
    now_ms, by = _now_ms(), who()
    told = [(n, Certificate(action, now_ms, by, reason, subject, parts.ledger_name(settings, n))) for n in ledgers]
    ids = asyncio.run(decree(settings, told, lambda _: True, wait_s))
    err.print(f"sealed as record {', '.join(ids)}")


def _file(settings: Settings, collector: str) -> Path:
    if not NAME.fullmatch(collector) or collector in (LEDGER, STREAM, CONTROL):
        raise SettingsError(f"{collector!r} is no collector's name")
    return settings.keys / f"collector-{collector}.pem"


def _own_rows(settings: Settings) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name in (LEDGER, STREAM, CONTROL):
        path = settings.keys / f"{name}.pub"
        if path.exists():
            row = {"collector": name, "environment": "-"}
            read = key_files.encryption_key if name == STREAM else key_files.verification_key
            retired = sorted((settings.keys / key_files.RETIRED).glob(f"{name}-*.pub"))
            rows.append(row | {"key": key_id(read(path))})
            rows += [row | {"key": one.stem.rpartition("-")[2], "retired": True} for one in retired]
    return rows


def _base64(key: PublicKey) -> str:
    return base64.b64encode(raw(key)).decode()


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

"""`slmtrail enrol-token` and `slmtrail enrol`: let collectors in without handing keys around."""

from __future__ import annotations

import ssl
import time
from pathlib import Path
from typing import Annotated

import typer

from slmtrail.app.commands.given import given
from slmtrail.app.terminal import Console
from slmtrail.collectors.enrolling import enrol as ask
from slmtrail.core import keys, spans
from slmtrail.core.enrolment import Grant
from slmtrail.core.errors import KeyFileError, SettingsError
from slmtrail.core.frames import NAME

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def enrol_token(
    environment: Annotated[str, typer.Option(help="The environment that the collectors' keys are bound to.")],
    name: Annotated[str, typer.Option(help="Which names they may have: pod-*, for example.")] = "*",
    uses: Annotated[int, typer.Option(min=1, help="How many collectors may use it.")] = 1,
    for_: Annotated[str, typer.Option("--for", help="How long it is good: 15m, 2h, 1d.")] = "15m",
) -> None:
    """Print a token with which collectors can have keys of their own admitted here."""
    from slmtrail.app import parts

    settings = given.settings()
    if not NAME.fullmatch(environment):
        raise SettingsError(f"--environment {environment}: write 1 to 63 of a-z, 0-9, '.', '_', '-'")
    parts.make_keys(settings)
    secret = keys.secret(settings.keys / parts.ENROLMENT_KEY, create=True)
    until_ms = time.time_ns() // 1_000_000 + span_ms(for_, "--for")
    out.print(Grant(environment, name, uses, until_ms).token(secret), soft_wrap=True)
    err.print("a gateway that was started before the first token was made takes it after a restart")


def enrol(
    at: Annotated[str, typer.Option(help="The gateway, such as https://gateway:4747.")],
    token: Annotated[str, typer.Option(envvar="SLMTRAIL_ENROLMENT_TOKEN", help="The token; better in the variable.")],
    authority: Annotated[Path | None, typer.Option("--ca", help="Trust these authorities for the gateway.")] = None,
) -> None:
    """Make this collector's key and have it admitted by a gateway."""
    from slmtrail.app import parts

    settings = given.settings()
    try:
        tls = ssl.create_default_context(cafile=authority)
    except OSError as error:
        raise KeyFileError(f"{authority}: holds no authorities: {error.strerror or error}") from None
    key = keys.signing_key(parts.collector_key(settings), create=True)
    got = ask(at, token.strip(), settings.collector.name, key, tls)
    parts.enrolled(settings, at, got)
    err.print(f"the collector {settings.collector.name} is trusted for the environment {got.environment}")


def span_ms(text: str, what: str) -> int:
    """A span of time as people write it: 15m, 2h, 1d."""
    try:
        return spans.span_ms(text)
    except ValueError as error:
        raise SettingsError(f"{what}: {error}") from None
